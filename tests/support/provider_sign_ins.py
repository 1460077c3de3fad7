"""Browsers that sign in at a provider: they leave, come back, and have a session."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import httpx2 as httpx

from support.service import Json, Service
from support.waiting import GENEROUS

ORIGIN: Final = "http://service"
GITHUB_SECRET: Final = "of-the-app"
#: The cookie of an attempt to sign in.
ATTEMPT: Final = "bm_sign_in"
#: The headers of a browser.
HTML: Final = {"Accept": "text/html", "Accept-Language": "en"}

#: Starts a service that people sign in to at providers, with settings of the test's own.
StartService = Callable[..., AbstractAsyncContextManager[Service]]


async def left(service: Service, kind: str = "oidc", **params: str) -> str:
    """Where the browser is sent."""
    answer = await service.http.get(f"/auth/{kind}", params=params)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def way_back(address: str) -> str:
    """Sign in there; the address, here, to which the provider sends the browser back."""
    async with httpx.AsyncClient(timeout=GENEROUS) as network:
        answer = await network.get(address)
    assert answer.is_redirect, answer.text
    return answer.headers["location"]


async def came_back(service: Service, kind: str = "oidc", **params: str) -> httpx.Response:
    """The answer to a browser that left, signed in and came back."""
    return await service.http.get(await way_back(await left(service, kind, **params)))


async def signed_in(service: Service, kind: str = "oidc") -> Json:
    """Who one is after signing in."""
    service.http.cookies.clear()
    answer = await came_back(service, kind)
    assert answer.status_code == 303, answer.text
    return await service.get("/me")


def set_cookies(answer: httpx.Response) -> dict[str, str]:
    """The attributes of each cookie that an answer sets, by its name."""
    lines = answer.headers.get_list("set-cookie")
    return {line.partition("=")[0]: line.partition("; ")[2] for line in lines}
