"""What many routes answer to the same request, to be compared at once."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2 as httpx

from support.problems import DescribedRoute, assert_problem
from support.service import Api

Key = TypeVar("Key")

#: An id of the right form which nothing has.
UNKNOWN = "65f0c0ffee65f0c0ffee65f0"
JSON = {"Content-Type": "application/json"}


def filled(route: DescribedRoute, value: str = UNKNOWN, **ids: str) -> str:
    """Return the route's path with these ids, percent-encoded, and `value` for all others."""
    return route.path.format_map(
        {name: quote(ids.get(name, value), safe="") for name in route.parameters}
    )


async def ask(service: Api, route: DescribedRoute, path: str, **request: Any) -> httpx.Response:
    """Send a request with the route's method."""
    return await service.http.request(route.method.upper(), path, **request)


async def answers_of(
    service: Api, routes: Iterable[DescribedRoute], value: str = UNKNOWN, **request: Any
) -> dict[str, httpx.Response]:
    """Send a request to each route; return the answers by the routes' labels.

    Each id in the paths is `value`.
    """
    return {
        route.label: await ask(service, route, filled(route, value), **request) for route in routes
    }


def outcome(answer: httpx.Response) -> str:
    """Return the status, and of an error the code and the fields at fault, sorted.

    As in "200", "404 project_not_found" and "422 invalid_request: branch, name". An error's
    document is checked whole; without one, its content type stands for the code.
    """
    if answer.status_code < 400:
        return str(answer.status_code)
    kind = answer.headers.get("content-type", "no content")
    if kind != "application/problem+json":
        return f"{answer.status_code} {kind}"
    document = assert_problem(answer, answer.status_code, answer.json()["code"])
    fields = ", ".join(sorted({error["field"] for error in document.get("errors", [])}))
    return f"{answer.status_code} {document['code']}" + (f": {fields}" if fields else "")


def outcomes(answers: Mapping[Key, httpx.Response]) -> dict[Key, str]:
    """Return the outcome of each answer."""
    return {key: outcome(answer) for key, answer in answers.items()}
