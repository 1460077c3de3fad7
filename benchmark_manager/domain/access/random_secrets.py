"""Session ids and set-up tokens: 256 random bits as text, of which only a hash is stored."""

import base64
import hashlib
import re
from collections.abc import Callable
from typing import Final

_BYTES: Final = 32
#: 32 bytes in base64url, without padding.
_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def new_secret(random: Callable[[int], bytes]) -> str:
    """Return a new secret; `random` returns that many random bytes, as `secrets.token_bytes`."""
    return base64.urlsafe_b64encode(random(_BYTES)).decode().rstrip("=")


def secret_hash(text: str) -> str | None:
    """Return what is stored of a secret; None for a text that cannot be one."""
    if _FORM.fullmatch(text) is None:
        return None
    return hashlib.sha256(text.encode()).hexdigest()
