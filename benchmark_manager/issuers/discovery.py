"""What an issuer says of itself: its endpoints and its keys (OpenID Connect Discovery 1.0)."""

import asyncio
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from benchmark_manager.errors import IssuerError
from benchmark_manager.issuers.fetching import IssuerClient, is_safe_address, shown_address

#: How long a discovery document and keys are used before they are read again.
_LASTING: Final = timedelta(minutes=10)
#: Between two readings because of a key that is not known: nobody can make us ask all the time.
_BETWEEN: Final = timedelta(seconds=30)
#: After a failed reading; until then, the same error answers.
_AFTER_FAILURE: Final = timedelta(seconds=5)
#: How long keys that were read are used while the issuer cannot be asked.
_OUTAGE: Final = timedelta(hours=1)
_MOST_KEYS: Final = 100
_SMALLEST_RSA: Final = 2048
_PRINTABLE: Final = re.compile(r"[\x21-\x7e]{1,2000}")

Key = RSAKey | ECKey | OKPKey
_KINDS: Final[Mapping[str, type[Key]]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer's endpoints; those that it does not have are None."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None
    token_endpoint: str | None
    userinfo_endpoint: str | None
    #: None: it does not say.
    scopes: frozenset[str] | None
    takes_basic: bool
    names_itself: bool


@dataclass(frozen=True, slots=True)
class _ReadIssuer:
    issuer: Issuer
    keys: KeySet
    read_at: datetime


@dataclass(frozen=True, slots=True)
class _Failure:
    error: IssuerError
    at: datetime


class IssuerDirectory:
    """Reads and remembers issuers' discovery documents and keys."""

    def __init__(self, client: IssuerClient, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._clock = clock
        # Only configured issuers are ever asked for, so that these stay small.
        self._known: dict[str, _ReadIssuer] = {}
        self._failures: dict[str, _Failure] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def issuer(self, issuer: str) -> Issuer:
        """Return what the issuer says of itself.

        Raises:
            IssuerError
        """
        return (await self._read(issuer, _LASTING)).issuer

    async def keys(self, issuer: str, key_id: str | None) -> KeySet:
        """Return the issuer's keys for signatures, read again where this one is not among them.

        Raises:
            IssuerError
        """
        known = await self._read(issuer, _LASTING)
        if key_id is None or any(key.kid == key_id for key in known.keys):
            return known.keys
        return (await self._read(issuer, _BETWEEN)).keys

    async def _read(self, issuer: str, lasting: timedelta) -> _ReadIssuer:
        known = self._fresh(issuer, lasting)
        if known is not None:
            return known
        async with self._locks.setdefault(issuer, asyncio.Lock()):
            # Another request may have read it meanwhile.
            known = self._fresh(issuer, lasting) or await self._read_now(issuer)
        if known is not None:
            return known
        # Raised again and again, it would keep the frames of all requests.
        raise self._failures[issuer].error.with_traceback(None)

    def _fresh(self, issuer: str, lasting: timedelta) -> _ReadIssuer | None:
        known = self._known.get(issuer)
        return known if known is not None and self._age(known.read_at) < lasting else None

    async def _read_now(self, issuer: str) -> _ReadIssuer | None:
        """Return what the issuer says now, or said some minutes ago; None if it is away too long.

        While it is away, requests do not wait for it one after another.
        """
        failure = self._failures.get(issuer)
        if failure is None or self._age(failure.at) >= _AFTER_FAILURE:
            try:
                self._known[issuer] = await self._fetched(issuer)
            except IssuerError as error:
                self._failures[issuer] = _Failure(error, self._clock())
            else:
                self._failures.pop(issuer, None)
        return self._fresh(issuer, _OUTAGE)

    def _age(self, moment: datetime) -> timedelta:
        return self._clock() - moment

    async def _fetched(self, issuer: str) -> _ReadIssuer:
        document = await self._client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        found = _issuer(issuer, document)
        keys = _keys(issuer, await self._client.get(found.jwks_uri))
        return _ReadIssuer(found, keys, self._clock())


def _issuer(issuer: str, document: Mapping[str, Any]) -> Issuer:
    if document.get("issuer") != issuer:
        raise IssuerError("other_issuer", issuer=issuer)
    methods = document.get("token_endpoint_auth_methods_supported")
    scopes = document.get("scopes_supported")
    jwks_uri = _address(document, "jwks_uri", issuer)
    if jwks_uri is None:
        raise IssuerError("no_keys", issuer=issuer)
    return Issuer(
        issuer=issuer,
        jwks_uri=jwks_uri,
        authorization_endpoint=_address(document, "authorization_endpoint", issuer),
        token_endpoint=_address(document, "token_endpoint", issuer),
        userinfo_endpoint=_address(document, "userinfo_endpoint", issuer),
        scopes=frozenset(map(str, scopes)) if isinstance(scopes, list) else None,
        # The default where the document is silent.
        takes_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _address(document: Mapping[str, Any], name: str, issuer: str) -> str | None:
    """Return the address of an endpoint; None where there is none.

    Raises:
        IssuerError: `not_https`. An issuer elsewhere cannot lead to services of this machine.
    """
    found = document.get(name)
    if not isinstance(found, str) or _PRINTABLE.fullmatch(found) is None:
        return None
    is_safe = is_safe_address(found)
    if not is_safe or (issuer.startswith("https://") and not found.startswith("https://")):
        raise IssuerError("not_https", url=shown_address(found))
    return found


def _keys(issuer: str, document: Mapping[str, Any]) -> KeySet:
    listed = document.get("keys")
    keys: list[Any] = []
    for each in listed[:_MOST_KEYS] if isinstance(listed, list) else ():
        key = _key(each)
        if key is not None:
            keys.append(key)
    if not keys:
        raise IssuerError("no_keys", issuer=issuer)
    return KeySet(keys)


def _key(each: object) -> Key | None:
    """Return a public key for signatures; None for any other, which issuers may list as well."""
    # Tuples and `isinstance`, since members may be lists, which no set or mapping looks up.
    if not isinstance(each, dict) or each.get("use") not in (None, "sig") or "d" in each:
        return None
    name = each.get("kty")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        return None
    try:
        with warnings.catch_warnings():
            # Of small keys, which are left out below.
            warnings.simplefilter("ignore", SecurityWarning)
            key = kind.import_key(each)
        public = key.public_key
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if isinstance(public, RSAPublicKey) and public.key_size < _SMALLEST_RSA:
        return None
    return key
