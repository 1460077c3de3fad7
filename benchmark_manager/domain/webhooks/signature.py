"""GitHub's webhooks: their route and their signatures.

Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import hmac
from typing import Final

#: The route that takes them.
PATH: Final = "/webhooks/github"
#: The header of the signature.
SIGNATURE_HEADER: Final = "X-Hub-Signature-256"


def sign(secret: str, body: bytes | bytearray) -> str:
    """Return what GitHub sends in `X-Hub-Signature-256` with this body."""
    return f"sha256={hmac.digest(secret.encode(), body, 'sha256').hex()}"


def is_signed(secret: str, body: bytes | bytearray, signature: str | None) -> bool:
    """Return whether `signature` is the body's, in a time that does not depend on the right one."""
    # As bytes, because compare_digest raises for text beyond ASCII, which a header may well hold.
    return hmac.compare_digest(
        sign(secret, body).encode(), (signature or "").encode("utf-8", "surrogateescape")
    )
