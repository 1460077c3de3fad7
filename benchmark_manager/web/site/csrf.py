"""Protection of forms against requests that other sites make a browser send (CSRF)."""

import re
import secrets
from typing import Final

from fastapi import Request, Response

from benchmark_manager.web.site import cookies

COOKIE: Final = "bm_csrf"
FIELD: Final = "csrf_token"
HEADER: Final = "X-CSRF-Token"

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def token_of(request: Request) -> str:
    """Return the browser's token, or a new one, which `remember` sends, if it has none."""
    given = _given(request)
    if given is not None:
        return given
    if not hasattr(request.state, "csrf_token"):
        request.state.csrf_token = secrets.token_urlsafe(32)
    token: str = request.state.csrf_token
    return token


def remember(request: Request, response: Response) -> None:
    """Set the cookie with the token of this page's forms, unless the browser has it."""
    if _given(request) is not None:
        return
    # A new token for each visit through a link on another site, as Strict would cause, would make
    # the forms in other open tabs invalid.
    cookies.remember(response, COOKIE, token_of(request), seconds=None)


def is_ours(request: Request, token: str) -> bool:
    """Return whether the form carries the token of its browser.

    `api.http.middleware.Gate` has checked the origin before.
    """
    given = _given(request)
    return given is not None and secrets.compare_digest(given.encode(), token.encode())


def _given(request: Request) -> str | None:
    token = cookies.given(request, COOKIE)
    return token if _TOKEN.fullmatch(token) else None
