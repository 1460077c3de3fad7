"""Cookies of the pages, hidden from scripts and from other sites.

`PageHeaders` marks cookies of HTTPS responses as secure; `api.http.middleware.Edge` restricts
cookies to the service's root path.
"""

from typing import Final

from fastapi import Request, Response
from starlette.requests import cookie_parser

#: Seconds that a choice is kept: a year.
_YEAR: Final = 365 * 24 * 3600


def given(request: Request, name: str) -> str:
    """Return the cookie's value, or "" if the browser has none.

    Take the first of several: browsers send the cookie with the longest path first (RFC 6265, 5.4),
    before those of other services with a shorter root path on the same host.
    """
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            found = cookie_parser(pair)
            if name in found:
                return found[name]
    return ""


def remember(response: Response, name: str, value: str, *, seconds: int | None = _YEAR) -> None:
    """Set a cookie; with `seconds` None it lasts until the browser is closed.

    Lax, because with Strict the browser would not send it after a link on another site. With Lax it
    is still not sent with a POST from another site.
    """
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax")


def forget(response: Response, name: str) -> None:
    response.delete_cookie(name, httponly=True, samesite="lax")
