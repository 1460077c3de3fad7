"""A GitHub App's own credentials: JSON web tokens, checked as GitHub checks them.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, TypeGuard

MOST_SECONDS_AHEAD = 600

UNDECODABLE = "A JSON web token could not be decoded"
_ISSUED_AT = (
    "'Issued at' claim ('iat') must be an Integer "
    "representing the time that the assertion was issued"
)
_EXPIRED = (
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which "
    "the assertion expires"
)
_TOO_FAR = "'Expiration time' claim ('exp') is too far in the future"
_PARTS = 3


class WebTokenError(Exception):
    """A JSON web token which GitHub would refuse; the status and the message are GitHub's."""

    def __init__(self, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class WebToken:
    """A token as it was received: nothing in it counts before it is checked."""

    signed: bytes
    signature: bytes
    algorithm: object
    claims: dict[str, Any]

    @staticmethod
    def is_one(token: str) -> bool:
        """Return whether a token has the form of a JSON web token; GitHub's own tokens have not."""
        return token.startswith("eyJ") and token.count(".") == _PARTS - 1

    @classmethod
    def parse(cls, token: str) -> WebToken:
        try:
            head, claims, signature = (_decoded(part) for part in token.split("."))
            header, body = json.loads(head), json.loads(claims)
        except ValueError:
            raise WebTokenError(UNDECODABLE) from None
        if not isinstance(header, dict) or not isinstance(body, dict):
            raise WebTokenError(UNDECODABLE)
        return cls(token.rpartition(".")[0].encode(), signature, header.get("alg"), body)

    @property
    def issuer(self) -> str:
        return str(self.claims.get("iss", ""))

    def check(self, public_key_pem: bytes, now: float) -> None:
        """Raise WebTokenError unless it is signed with the key (RS256) and valid now."""
        if self.algorithm != "RS256" or not _is_signed(public_key_pem, self.signed, self.signature):
            raise WebTokenError(UNDECODABLE)
        expires, issued = self.claims.get("exp"), self.claims.get("iat")
        if not _is_number(expires) or expires <= now:
            raise WebTokenError(_EXPIRED)
        if expires > now + MOST_SECONDS_AHEAD:
            raise WebTokenError(_TOO_FAR)
        if not _is_number(issued) or issued > now:
            raise WebTokenError(_ISSUED_AT)


def _is_number(claim: object) -> TypeGuard[float]:
    return isinstance(claim, int | float) and not isinstance(claim, bool)


def _decoded(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)


def _is_signed(public_key_pem: bytes, signed: bytes, signature: bytes) -> bool:
    # Imported here: nothing else of the server needs cryptography.
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    key = load_pem_public_key(public_key_pem)
    if not isinstance(key, RSAPublicKey):
        raise TypeError("a GitHub App's key is an RSA key")
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
