"""Addresses of issuers of signed tokens, as `iss` names them."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from benchmark_manager.domain.http.addresses import is_loopback
from benchmark_manager.errors import InvalidInputError

LONGEST_ISSUER: Final = 500

_PRINTABLE: Final = re.compile(r"[\x21-\x7e]+")


def check_issuer(url: str) -> str:
    """Return an issuer's address as it is, since `iss` has to equal it to the last character.

    Its keys decide who is let in, so they are read over HTTPS only, this machine excepted.

    Raises:
        InvalidInputError: `invalid_issuer`; it does not repeat the address, which may contain a
            password.
    """
    reason = _problem(url)
    if reason is not None:
        raise InvalidInputError("invalid_issuer", reason, field="issuer", limit=LONGEST_ISSUER)
    return url


def _problem(url: str) -> str | None:
    if len(url) > LONGEST_ISSUER:
        return "long"
    parts = _parts(url)
    if parts is None:
        return "form"
    if "@" in parts.netloc:
        return "credentials"
    if "?" in url or "#" in url:
        return "query"
    is_plain = parts.scheme == "http" and not is_loopback(parts.hostname or "")
    return "plain" if is_plain else None


def _parts(url: str) -> SplitResult | None:
    """Return the parts of an HTTP address; None for any other text."""
    if _PRINTABLE.fullmatch(url) is None or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts if parts.hostname and parts.scheme in {"http", "https"} else None
