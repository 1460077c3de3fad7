"""The form of API tokens: `bmt_`, the token's id, a secret, and a checksum, 77 characters.

Scanners for leaked secrets find one by `bmt_[0-9a-f]{24}[0-9A-Za-z]{49}`, and confirm it by its
last six characters: the CRC32 of all before them, in base 62 as at GitHub and npm.
"""

import hashlib
import re
import string
import zlib
from dataclasses import dataclass, field
from typing import Final

SECRET_BYTES: Final = 32

_PREFIX: Final = "bmt_"
_DIGITS: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_DIGITS: Final = 43
_CHECKSUM_DIGITS: Final = 6
_FORM: Final = re.compile(
    rf"{_PREFIX}(?P<id>[0-9a-f]{{24}})[0-9A-Za-z]{{{_SECRET_DIGITS + _CHECKSUM_DIGITS}}}"
)


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """What is looked up of a token that a request carries: its id, and the hash of all of it."""

    id: str
    hash: str = field(repr=False)


def new_api_token(token_id: str, secret: bytes) -> str:
    """Return the token of an id, 24 hexadecimal digits; `secret`: `SECRET_BYTES` random bytes."""
    body = _PREFIX + token_id + _base62(int.from_bytes(secret), _SECRET_DIGITS)
    return body + _checksum(body)


def parse_api_token(text: str) -> PresentedToken | None:
    """Return what a token names; None for a text that the service never made."""
    found = _FORM.fullmatch(text)
    if found is None or _checksum(text[:-_CHECKSUM_DIGITS]) != text[-_CHECKSUM_DIGITS:]:
        return None
    return PresentedToken(found["id"], api_token_hash(text))


def is_like_api_token(text: str) -> bool:
    """Return whether a bearer credential is meant as an API token, well-formed or not."""
    return text.startswith(_PREFIX)


def api_token_hash(token: str) -> str:
    """Return what is stored of a token: its SHA-256, as nobody can guess the secret in it."""
    return hashlib.sha256(token.encode()).hexdigest()


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_DIGITS)


def _base62(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))
