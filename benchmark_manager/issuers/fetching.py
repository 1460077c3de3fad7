"""Requests to issuers, with limits of size and time."""

import asyncio
import json
import re
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final, TypeGuard
from urllib.parse import quote_plus, urlsplit

import httpx2 as httpx

from benchmark_manager.domain.http.addresses import is_open_to_others
from benchmark_manager.errors import IssuerError

#: Bytes of an answer: discovery documents have some kilobytes, key sets of many keys some tens.
_LARGEST: Final = 512 * 1024
#: For a whole answer.
_SECONDS: Final = 10.0
_OK: Final = 200
#: Visible characters of ASCII (RFC 6749, A.12).
_BEARER: Final = re.compile(r"[\x21-\x7e]+")


class IssuerClient:
    """Reads JSON of issuers. It follows no redirects, and sends nothing to plain HTTP elsewhere."""

    def __init__(
        self, transport: httpx.AsyncBaseTransport | None = None, *, seconds: float = _SECONDS
    ) -> None:
        """An answer may take `seconds` as a whole."""
        self._seconds = seconds
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=seconds,
            follow_redirects=False,
            trust_env=True,
            # Compressed, a small answer could become one that fills the memory.
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            # One client serves all people: a cookie set for one must not be sent for another.
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def get(self, url: str, *, bearer: str | None = None) -> dict[str, Any]:
        """Return the JSON object at an address.

        Raises:
            IssuerError
        """
        return _object(url, await self._json("GET", url, headers=_authorized(bearer)))

    async def get_list(self, url: str, *, bearer: str | None = None) -> list[dict[str, Any]]:
        """Return the objects of the JSON array at an address.

        Raises:
            IssuerError
        """
        found = await self._json("GET", url, headers=_authorized(bearer))
        if not isinstance(found, list):
            raise IssuerError("not_json", url=shown_address(url))
        return [row for row in found if isinstance(row, dict)]

    async def post(
        self, url: str, form: Mapping[str, str], *, basic: tuple[str, str] | None = None
    ) -> dict[str, Any]:
        """Send a form, and return the JSON object of the answer.

        Raises:
            IssuerError
        """
        auth = None if basic is None else httpx.BasicAuth(*map(quote_plus, basic))
        return _object(url, await self._json("POST", url, form=form, auth=auth))

    async def _json(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        auth: httpx.BasicAuth | None = None,
    ) -> object:
        if not is_safe_address(url):
            raise IssuerError("not_https", url=shown_address(url))
        if not _has_port(url):
            raise IssuerError("unreachable", url=shown_address(url), what="InvalidURL")
        data = None if form is None else dict(form)
        body = b""
        try:
            # The client's own limit is one for each piece: a slow issuer could send many.
            async with (
                asyncio.timeout(self._seconds),
                self._http.stream(
                    method,
                    url,
                    headers=headers,
                    data=data,
                    auth=auth,
                ) as answer,
            ):
                async for piece in answer.aiter_raw():
                    body += piece
                    if len(body) > _LARGEST:
                        raise IssuerError("too_large", url=shown_address(url))
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise IssuerError(
                "unreachable", url=shown_address(url), what=type(error).__name__
            ) from None
        if answer.status_code != _OK:
            raise IssuerError("status", url=shown_address(url), status=answer.status_code)
        try:
            found: object = json.loads(body)
        except (ValueError, RecursionError):
            raise IssuerError("not_json", url=shown_address(url)) from None
        return found


def is_safe_address(url: str) -> bool:
    """Return whether requests to an address are encrypted, or stay on this machine."""
    try:
        return url.startswith(("https://", "http://")) and not is_open_to_others(url)
    except ValueError:
        return False


def _has_port(url: str) -> bool:
    """Return whether machines have the port of an address, if it names one.

    The client finds out when it connects, and raises what is not its own error.
    """
    try:
        _ = urlsplit(url).port
    except ValueError:
        return False
    return True


def is_bearer(text: object) -> TypeGuard[str]:
    """Return whether a header can carry this as a token."""
    return isinstance(text, str) and _BEARER.fullmatch(text) is not None


def _authorized(bearer: str | None) -> dict[str, str]:
    return {} if bearer is None else {"Authorization": f"Bearer {bearer}"}


def _object(url: str, found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise IssuerError("not_json", url=shown_address(url))
    return found


def shown_address(url: str) -> str:
    """Return an address for a message, without what may be secret in it."""
    return url.partition("?")[0].partition("#")[0].rpartition("@")[2][:200]
