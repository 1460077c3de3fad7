"""The headers of every page, and of the API's description."""

import secrets
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmark_manager.incoming import own_path
from benchmark_manager.web import PREFIX

_NONCE: Final = "benchmark_manager.csp_nonce"
_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
#: What a browser shows of the API.
_DESCRIPTION: Final = frozenset({"/docs", "/openapi.json"})
_FIXED: Final = {
    "X-Frame-Options": "DENY",
    # `no-referrer` would make browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def is_page(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def _is_covered(path: str) -> bool:
    """Whether an answer gets the headers of pages: pages themselves, and the API's own description."""
    return is_page(path) or path in _DESCRIPTION or path.startswith("/docs/")


def nonce_of(connection: HTTPConnection) -> str:
    """What style elements that CodeMirror makes must carry on this page."""
    nonce: str = connection.scope[_NONCE]
    return nonce


class PageHeaders:
    """A strict Content-Security-Policy, no framing, no guessing, no address given to other sites."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_covered(own_path(scope)):
            await self._app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_FIXED)
                # The description's page has a policy of its own, for the script inside of it.
                headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=nonce))
                if is_page(own_path(scope)):
                    headers.setdefault("Cache-Control", "private, no-cache")
                    headers.add_vary_header("Accept-Language")
                    headers.add_vary_header("Cookie")
                if scope["scheme"] == "https":
                    message["headers"] = [_only_by_https(*header) for header in message["headers"]]
            await send(message)

        await self._app({**scope, _NONCE: nonce}, receive, send_marked)


def _only_by_https(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A cookie that was given by HTTPS is sent by nothing else."""
    return name, value + b"; Secure" if name.lower() == b"set-cookie" else value
