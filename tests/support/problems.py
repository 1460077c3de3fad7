"""What every answer of the service must be.

Documented, and in case of an error an RFC 9457 problem document.
"""

import re
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

import httpx2 as httpx

from benchmark_manager.app import create_app
from benchmark_manager.config import Settings
from benchmark_manager.messages import CATALOGUE

Json = dict[str, Any]

MEMBERS = {"type", "title", "status", "detail", "code"}
FURTHER_MEMBERS = {"conflicts", "errors", "current_revision", "problems", "role_needed", "sync"}
METHODS = ("get", "post", "put", "patch", "delete")
#: What any address can answer, whether a route is there or not.
ANYWHERE = {
    *(
        "origin_not_allowed",
        "host_not_allowed",
        "prefix_not_allowed",
        "route_not_found",
        "method_not_allowed",
    ),
}


def assert_problem(answer: httpx.Response, status: int, code: str) -> Json:
    """Check the document's whole shape; returns it for what is particular to the test."""
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    document: Json = answer.json()
    assert document.keys() - FURTHER_MEMBERS == MEMBERS
    assert document["type"] == "about:blank"
    assert document["title"] == HTTPStatus(status).phrase
    assert document["status"] == status
    assert document["code"] == code
    assert status in {CATALOGUE[code].status, *CATALOGUE[code].other_statuses.values()}
    assert document["detail"].endswith(".")
    assert "Traceback" not in answer.text
    assert document.get("errors") != []
    for error in document.get("errors", []):
        assert error.keys() == {"field", "message"}
        assert error["field"]
        assert error["message"]
    return document


def fields_at_fault(answer: httpx.Response, code: str = "invalid_request") -> set[str]:
    """The fields which a 422 names."""
    return {error["field"] for error in assert_problem(answer, 422, code)["errors"]}


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"{\w+}", "[^/]+", path))


@dataclass(frozen=True, slots=True)
class DescribedRoute:
    """One operation of the OpenAPI document."""

    method: str
    path: str
    operation: Json = field(repr=False, compare=False)

    @property
    def label(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def parameters(self) -> list[str]:
        """The names in the path."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.operation

    @property
    def takes_json(self) -> bool:
        """Whether it takes JSON alone: webhooks may be forms, and uploads any file."""
        content = self.operation.get("requestBody", {}).get("content", {})
        return set(content) == {"application/json"}

    def codes(self, status: int) -> set[str]:
        """The codes documented for a status."""
        contents = self.operation["responses"].get(str(status), {}).get("content", {})
        return set(contents.get("application/problem+json", {}).get("examples", {}))

    def takes(self, method: str) -> bool:
        return method == self.method or (method, self.method) == ("head", "get")

    def matches(self, method: str, path: str) -> bool:
        return self.takes(method) and _pattern(self.path).fullmatch(path) is not None


def routes_of(document: Json) -> list[DescribedRoute]:
    return [
        DescribedRoute(method, path, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


@cache
def description() -> Json:
    """The service's OpenAPI document, built once: every test's app has the same."""
    return create_app(Settings(_env_file=None)).openapi()


@cache
def described_routes() -> tuple[DescribedRoute, ...]:
    return tuple(routes_of(description()))


@cache
def _taking(method: str) -> tuple[DescribedRoute, ...]:
    """Return the routes that take a method; those with fewer parameters come first.

    A literal path such as /projects/sync-all goes before one with parameters.
    """
    found = [route for route in described_routes() if route.takes(method)]
    return tuple(sorted(found, key=lambda route: len(route.parameters)))


class ObservedAnswers:
    """Notes every answer which its route's description does not announce."""

    def __init__(self) -> None:
        self.undocumented: list[str] = []

    async def note(self, answer: httpx.Response) -> None:
        """An httpx event hook."""
        await answer.aread()
        path = answer.request.url.raw_path.decode().partition("?")[0]
        method = answer.request.method.lower()
        code = self._code(answer)
        if code in ANYWHERE:
            return
        route = next((route for route in _taking(method) if route.matches(method, path)), None)
        if route is None:
            return
        status = answer.status_code
        if str(status) not in route.operation["responses"] or (
            code is not None and code not in route.codes(status)
        ):
            self.undocumented.append(f"{route.label}: {status} {code or ''}")

    @staticmethod
    def _code(answer: httpx.Response) -> str | None:
        if answer.headers.get("content-type") != "application/problem+json" or not answer.content:
            return None
        code: str = answer.json()["code"]
        return code
