"""How a browser lets a command line on the same machine have a token (RFC 8252, RFC 7636).

The command line listens on a loopback port and keeps a random verifier. The browser delivers a
code, for which the service makes the token only to who knows the verifier: neither the browser nor
another program on the machine ever has the token.
"""

import base64
import hashlib
from typing import Final, Literal
from urllib.parse import urlencode

LoopbackHost = Literal["127.0.0.1", "[::1]"]

#: The form of states, verifiers and challenges: 32 bytes in base64url, without padding.
SECRET_FORM: Final = "[A-Za-z0-9_-]{43}"  # noqa: S105 -- the form, no secret
#: Ports below belong to the system's own services.
LOWEST_PORT: Final = 1024
HIGHEST_PORT: Final = 65535

#: Digits of a check, in each of its two halves.
_HALF: Final = 4


def challenge_of(verifier: str) -> str:
    """Return what the service learns of a verifier before it is shown: its SHA-256."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def check_of(challenge: str) -> str:
    """Return the short code by which a person sees that page and terminal belong together.

    >>> check_of(challenge_of("x" * 43))
    '6B8A-AB9B'
    """
    digits = hashlib.sha256(challenge.encode()).hexdigest()[: 2 * _HALF].upper()
    return f"{digits[:_HALF]}-{digits[_HALF:]}"


def loopback_origin(host: LoopbackHost, port: int) -> str:
    """Return the origin at which a command line of the browser's own machine listens."""
    return f"http://{host}:{port}"


def answer_address(host: LoopbackHost, port: int, state: str, **answer: str) -> str:
    """Return the address that takes the browser, and the answer, back to the command line."""
    return f"{loopback_origin(host, port)}/?{urlencode({**answer, 'state': state})}"
