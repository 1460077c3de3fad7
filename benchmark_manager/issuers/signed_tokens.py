"""Checks signed tokens (JWT): the signature by the issuer's keys, and what they claim."""

import base64
import json
import warnings
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final, TypeGuard

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jws import JWSRegistry

from benchmark_manager.domain.access.issuers import LONGEST_ISSUER
from benchmark_manager.errors import SignedTokenError
from benchmark_manager.issuers.discovery import IssuerDirectory

#: Never `none`, and never HMAC, whose key would be one that anybody can read.
ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA", "Ed25519"),
)
#: Seconds that clocks may differ.
LEEWAY: Final = 60
#: Characters of a token.
_LONGEST: Final = 16_384
_LONGEST_SUBJECT: Final = 255
#: Seconds since 1970: the year 33,658.
_LATEST: Final = 1e12
_REGISTRY: Final = JWSRegistry(algorithms=list(ALGORITHMS))

Claims = Mapping[str, Any]


def unproved_issuer(token: str) -> str | None:
    """Return the issuer that a token claims, before anything is proved; None for no JWT."""
    claims = _part(token, 1)
    issuer = None if claims is None else claims.get("iss")
    if not isinstance(issuer, str) or not issuer.isascii() or not issuer.isprintable():
        return None
    return issuer if len(issuer) <= LONGEST_ISSUER else None


async def checked_claims(
    directory: IssuerDirectory,
    token: str,
    *,
    issuer: str,
    audiences: Collection[str],
    now: datetime,
) -> Claims:
    """Return the claims of a token that the issuer signed for an audience and that is valid now.

    Raises:
        SignedTokenError: it is not.
        IssuerError: the issuer's keys cannot be read.
    """
    header = _part(token, 0)
    if header is None:
        raise SignedTokenError("form")
    if header.get("alg") not in ALGORITHMS:
        raise SignedTokenError("algorithm")
    key_id = header.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise SignedTokenError("form")
    keys = await directory.keys(issuer, key_id)
    try:
        with warnings.catch_warnings():
            # `EdDSA` has got a more exact name since, and issuers go on to use it.
            warnings.simplefilter("ignore", SecurityWarning)
            proved = jws.deserialize_compact(token, keys, registry=_REGISTRY)
    except (JoseError, ValueError, TypeError, KeyError):
        raise SignedTokenError("signature") from None
    claims = _object(proved.payload)
    if claims is None:
        raise SignedTokenError("form")
    _check(claims, issuer, audiences, now.timestamp())
    return claims


def audiences_of(claims: Claims) -> frozenset[str]:
    """Return whom a token is meant for."""
    found = claims.get("aud")
    listed = found if isinstance(found, list) else [found]
    return frozenset(each for each in listed if isinstance(each, str))


def _check(claims: Claims, issuer: str, audiences: Collection[str], now: float) -> None:
    if claims.get("iss") != issuer:
        raise SignedTokenError("issuer")
    if not audiences_of(claims) & set(audiences):
        raise SignedTokenError("audience")
    expires, begins, issued = (claims.get(name) for name in ("exp", "nbf", "iat"))
    if not _is_time(expires) or now >= expires + LEEWAY:
        raise SignedTokenError("expired")
    if not all(
        each is None or (_is_time(each) and now >= each - LEEWAY) for each in (begins, issued)
    ):
        raise SignedTokenError("too_early")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise SignedTokenError("subject")
    # JSON can have halves of characters, which no database stores.
    if not subject.isprintable():
        raise SignedTokenError("subject")


def _is_time(value: object) -> TypeGuard[float]:
    """Return whether a claim is a number of seconds; JSON has NaN and whole books of digits too."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LATEST


def _part(token: str, number: int) -> dict[str, Any] | None:
    parts = token.split(".") if len(token) <= _LONGEST else []
    if len(parts) != 3:  # noqa: PLR2004 -- header, claims and signature
        return None
    try:
        padded = parts[number] + "=" * (-len(parts[number]) % 4)
        return _object(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:
        return None


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
