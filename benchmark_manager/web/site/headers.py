"""Headers of the pages and of the API's description."""

import secrets
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmark_manager.incoming import own_path
from benchmark_manager.web import PREFIX

_NONCE: Final = "benchmark_manager.csp_nonce"
_POLICY: Final = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
#: Paths of the API's description, which browsers show.
_DESCRIPTION: Final = frozenset({"/docs", "/openapi.json"})
_FIXED: Final = {
    "X-Frame-Options": "DENY",
    # With `no-referrer`, browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def is_page(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def is_sign_in(path: str) -> bool:
    """Return whether browsers come here on their way to an identity provider and back."""
    return path.startswith("/auth/")


def _is_covered(path: str) -> bool:
    """Return whether a response gets these headers: pages and the API's description."""
    return is_page(path) or is_sign_in(path) or path in _DESCRIPTION or path.startswith("/docs/")


def nonce_of(connection: HTTPConnection) -> str:
    """Return the nonce that CodeMirror must put on its style elements on this page."""
    nonce: str = connection.scope[_NONCE]
    return nonce


def policy_with_forms_to(connection: HTTPConnection, origin: str) -> str:
    """Return the policy of a page whose form's answer leads to another origin."""
    policy = _POLICY.format(nonce=nonce_of(connection))
    return policy.replace("form-action 'self'", f"form-action 'self' {origin}")


class PageHeaders:
    """Middleware that sets a strict Content-Security-Policy and other protective headers."""

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
                # The API's description has its own policy, because of its inline script.
                headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=nonce))
                if is_page(own_path(scope)):
                    headers.setdefault("Cache-Control", "private, no-cache")
                    headers.add_vary_header("Accept-Language")
                    headers.add_vary_header("Cookie")
                if scope["scheme"] == "https" and not is_sign_in(own_path(scope)):
                    message["headers"] = [_only_by_https(*header) for header in message["headers"]]
            await send(message)

        await self._app({**scope, _NONCE: nonce}, receive, send_marked)


def _only_by_https(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Mark a cookie as secure, so that browsers send it over HTTPS only."""
    is_open_cookie = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return name, value + b"; Secure" if is_open_cookie else value
