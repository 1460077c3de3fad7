"""Cookies of the pages: none is for scripts or other sites. What came by HTTPS is marked by `PageHeaders`."""

from typing import Final

from fastapi import Response

#: Seconds that a choice is remembered: a year.
_YEAR: Final = 365 * 24 * 3600


def remember(response: Response, name: str, value: str, *, seconds: int | None = _YEAR) -> None:
    """Give the browser a cookie; `seconds` None: until it is closed.

    Lax, as Strict would keep it at home when a link from elsewhere is followed. Lax is sent with no foreign POST.
    """
    response.set_cookie(name, value, max_age=seconds, httponly=True, samesite="lax")


def forget(response: Response, name: str) -> None:
    response.delete_cookie(name, httponly=True, samesite="lax")
