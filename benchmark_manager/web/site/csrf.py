"""Protection of forms against requests that other sites make a browser send."""

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
    """The browser's token; a new one, which `remember` gives it, if it has none."""
    given = _given(request)
    if given is not None:
        return given
    if not hasattr(request.state, "csrf_token"):
        request.state.csrf_token = secrets.token_urlsafe(32)
    token: str = request.state.csrf_token
    return token


def remember(request: Request, response: Response) -> None:
    """Give the browser the token which stands in the forms of this page, unless it has it already."""
    if _given(request) is not None:
        return
    # Strict would bring a new token when a link from elsewhere is followed, and every form which is
    # open in another tab would be refused.
    cookies.remember(response, COOKIE, token_of(request), seconds=None)


def is_ours(request: Request, token: str) -> bool:
    """Whether the form carries the token of its browser.

    That the service's own page sent it, `api.middleware.Gate` has seen by its origin.
    """
    given = _given(request)
    return given is not None and secrets.compare_digest(given.encode(), token.encode())


def _given(request: Request) -> str | None:
    token = cookies.given(request, COOKIE)
    return token if _TOKEN.fullmatch(token) else None
