"""Cookies of the pages: none is for scripts or other sites.

What came by HTTPS is marked by `PageHeaders`; `api.middleware.Edge` confines cookies to the
service's root path.
"""

from typing import Final

from fastapi import Request, Response
from starlette.requests import cookie_parser

#: Seconds that a choice is remembered: a year.
_YEAR: Final = 365 * 24 * 3600


def given(request: Request, name: str) -> str:
    """Return the cookie's value; "" where the browser has none.

    The first one counts: browsers send that of the longest path first (RFC 6265, 5.4), and behind
    it those of another service whose root path is shorter on the same host.
    """
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            found = cookie_parser(pair)
            if name in found:
                return found[name]
    return ""


def remember(response: Response, name: str, value: str, *, seconds: int | None = _YEAR) -> None:
    """Give the browser a cookie; `seconds` None: until it is closed.

    Lax, as Strict would keep it at home when a link from elsewhere is followed. Lax is sent with no
    foreign POST.
    """
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax")


def forget(response: Response, name: str) -> None:
    response.delete_cookie(name, httponly=True, samesite="lax")
