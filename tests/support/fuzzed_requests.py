"""Requests of every route with ids, queries, headers and bodies that are right, wrong or odd."""

import random
import re
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import FastAPI
from fastapi.routing import APIRoute

from support.fuzz_world import FuzzCredential, FuzzWorld, unknown_id
from support.fuzzed_bodies import ID_FIELDS, ODD_TEXTS, Bodies
from support.guarded import ORIGIN
from support.problems import described_routes
from support.raw_calls import Headers, RawRequest
from support.service import Json

_CSRF: Final = "c" * 43
#: Values of the two parameters of paths that are no ids.
_NUMBERS: Final = ("1", "2", "0", "-1", "9" * 30)
_PATHS: Final = ("config/a.yaml", "config", "..%2f..%2fetc", "%00", "a//b")
_OTHER_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "X")
_TYPES: Final = (
    *(b"application/json", b"application/json; charset=utf-8", b"application/merge-patch+json"),
    *(b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b""),
)
#: Headers that a request has now and then.
_HEADERS: Final[tuple[tuple[bytes, tuple[bytes, ...]], ...]] = (
    (b"if-match", (b"*", b'"1.x"', b'"2.x", "3.y"', b'W/"1.x"', b'"999999.x"', b"junk", b"\xff")),
    (b"if-none-match", (b"*", b'"1.x"', b"\xe9")),
    (b"x-actor", (b"kim", "김".encode(), b"a\x00b", b"x" * 3000, b"\xff")),
    (b"accept", (b"text/html", b"application/json", b"*/*", b"\xff")),
    (b"accept-language", (b"ko", b"en", b"xx;q=9")),
    (b"range", (b"bytes=0-3", b"bytes=-1", b"lines=1")),
    (b"forwarded", (b"for=10.0.0.1;host=evil.example;proto=https", b"for=\xff")),
    (b"x-forwarded-for", (b"10.0.0.1", b"10.0.0.1, 127.0.0.1", b"x")),
    (b"x-forwarded-host", (b"evil.example", b"service")),
    (b"x-forwarded-prefix", (b"/below", b"//evil")),
    (b"x-forwarded-user", (b"ada", b"admin caller")),
    (b"x-http-method-override", (b"DELETE", b"GET")),
    (b"sec-fetch-site", (b"same-origin", b"cross-site", b"none")),
    (b"last-event-id", (b"1", b"x" * 200, b"\xff")),
    (b"hx-request", (b"true",)),
    (b"cookie", (b"bm_csrf=" + _CSRF.encode(), b"bm_session=x", b"=;=;", b"\xff=1")),
    (b"origin", (b"https://evil.example", b"null", ORIGIN.encode())),
    (b"authorization", (b"Bearer", b"Bearer bmt_x", b"Basic x")),
    (b"host", (b"evil.example", b"localhost", b"10.0.0.7:80", b"a b")),
)
#: Endless for a client that stays; its listeners are limited, so that few requests ask for it.
_STREAMS: Final = "/events"
_UPLOAD: Final = "POST /results"


@dataclass(frozen=True, slots=True)
class FuzzedRoute:
    """One address and method of the service; pages have no description."""

    method: str
    path: str
    schema: Json | None
    queries: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_page(self) -> bool:
        return self.path.startswith("/ui")


def routes_of_app(app: FastAPI) -> list[FuzzedRoute]:
    """Return all routes: those of the API by its description, and those of browsers."""
    described = [
        FuzzedRoute(
            route.method.upper(),
            route.path,
            _schema(route.operation),
            tuple(
                each["name"]
                for each in route.operation.get("parameters", ())
                if each["in"] == "query"
            ),
        )
        for route in described_routes()
    ]
    known = {route.path for route in described}
    hidden = [
        FuzzedRoute(method, route.path, None, _queries(route))
        for route in app.router.routes
        if isinstance(route, APIRoute) and re.sub(r":\w+}", "}", route.path) not in known
        for method in sorted(route.methods or ())
    ]
    return described + hidden


def _schema(operation: Json) -> Json | None:
    content = operation.get("requestBody", {}).get("content", {})
    found: Json | None = content.get("application/json", {}).get("schema")
    return found


def _queries(route: APIRoute) -> tuple[str, ...]:
    found = {each.alias for each in route.dependant.query_params}
    for inner in route.dependant.dependencies:
        found |= {each.alias for each in inner.query_params}
    return tuple(sorted(found))


class FuzzedRequests:
    """Makes requests in a world, by chance alone: the same seed makes the same requests."""

    def __init__(self, world: FuzzWorld, routes: list[FuzzedRoute], seed: str) -> None:
        self._world = world
        self._routes = routes
        self._chance = random.Random(seed)  # noqa: S311 -- no secret
        self._bodies = Bodies(self._chance, self._id)
        #: How many of the next request's ids are odd, and are of the own project.
        self._odd, self._own = 0.0, 0.0

    def next(self, credential: FuzzCredential) -> tuple[FuzzedRoute, RawRequest]:
        """Return a request with that credential, and the route that it is meant for."""
        route = self._chance.choice(self._routes)
        if route.path == _STREAMS and self._chance.random() < 0.8:
            route = self._chance.choice(self._routes)
        # Most requests name what the callers may read, others all that there is.
        self._odd, self._own = (0.02, 0.8) if self._chance.random() < 0.6 else (0.15, 0.35)
        method = route.method
        if self._chance.random() < 0.06:
            method = self._chance.choice(_OTHER_METHODS)
        body, kind = self._body(route)
        request = RawRequest(
            method,
            self._path(route),
            self._query(route),
            self._headers(route, credential, kind, len(body)),
            body,
            f"10.2.{self._chance.randrange(250)}.{self._chance.randrange(250)}",
        )
        return route, request

    def _id(self, kind: str) -> str:
        if self._chance.random() < self._odd:
            return self._chance.choice(ODD_TEXTS)
        return self._world.an_id(kind, self._chance, self._own)

    def _path(self, route: FuzzedRoute) -> str:
        return "/".join(
            self._part(part[1:-1].partition(":")[0]) if part.startswith("{") else part
            for part in route.path.split("/")
        )

    def _part(self, name: str) -> str:
        if name in {"number", "index"}:
            return self._chance.choice(_NUMBERS)
        if name == "path":
            return self._chance.choice(_PATHS)
        text = self._id(ID_FIELDS.get(name, name.removesuffix("_id")))
        return quote(text, safe="", errors="replace") or "x"

    def _query(self, route: FuzzedRoute) -> str:
        names = [name for name in route.queries if self._chance.random() < 0.5]
        pairs = [(name, self._bodies.field(name)) for name in names]
        if self._chance.random() < 0.05:
            pairs.append(("unknown", self._chance.choice(ODD_TEXTS)))
        return urlencode(pairs, errors="replace")

    def _body(self, route: FuzzedRoute) -> tuple[bytes, bytes]:
        if route.is_page and route.method == "POST":
            return self._bodies.form(_CSRF), b"application/x-www-form-urlencoded"
        if route.label == _UPLOAD and self._chance.random() < 0.9:
            return self._bodies.upload()
        if route.schema is None:
            return (b"", b"") if self._chance.random() < 0.95 else (b"{}", b"application/json")
        kind = _TYPES[0] if self._chance.random() < 0.94 else self._chance.choice(_TYPES)
        return self._bodies.json(route.schema), kind

    def _headers(
        self, route: FuzzedRoute, credential: FuzzCredential, kind: bytes, length: int
    ) -> Headers:
        found: list[tuple[bytes, bytes]] = [(b"host", b"service")]
        cookies = [value for name, value in credential.headers if name == b"cookie"]
        if route.is_page:
            cookies.append(b"bm_csrf=" + _CSRF.encode())
            found.append((b"accept", b"text/html"))
        found += [each for each in credential.headers if each[0] != b"cookie"]
        if cookies:
            found.append((b"cookie", b"; ".join(cookies)))
        if route.is_page and not any(name == b"origin" for name, _ in found):
            found.append((b"origin", ORIGIN.encode()))
        if kind:
            found.append((b"content-type", kind))
        if length:
            found.append((b"content-length", str(length).encode()))
        return tuple(found + self._further(found))

    def _further(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Return some more headers; the credential's are doubled or replaced rarely."""
        names = {name for name, _ in given}
        return [
            (name, self._chance.choice(values))
            for name, values in _HEADERS
            if self._chance.random() < (0.004 if name in names else 0.04)
        ]


@dataclass(frozen=True, slots=True)
class Twin:
    """The same request with ids of nothing, and what makes both answers comparable."""

    request: RawRequest
    replaced: dict[str, str]

    def plain(self, answer: bytes) -> bytes:
        """Return an answer without the ids of either request, and without what chance decides."""
        for number, (own, other) in enumerate(self.replaced.items()):
            for text in (own, other):
                answer = answer.replace(text.encode(), b"<id %d>" % number)
        return _BY_CHANCE.sub(b"<chance>", answer)


#: Times, tokens of forms, positions of streams, and lengths and tags, which follow from those.
_BY_CHANCE: Final = re.compile(
    rb"\d{4}-\d\d-\d\dT[0-9:.]+(Z|\+00:00)|[A-Za-z0-9_-]{43,}|(?m:^(content-length|etag|id): .*$)"
    rb"|(nonce-|(?i:nonce)=\"|content=\")[A-Za-z0-9_-]{16,}"
    rb'|"(uptime|age|seconds)\w*": ?[0-9.]+'
)


def twin_of(request: RawRequest, hidden_ids: list[str]) -> Twin | None:
    """Return the twin of a request that names something hidden; None where it names nothing."""
    text = f"{request.path} {request.query} {request.body.decode('latin-1')}"
    named = {each: _unknown_like(each) for each in hidden_ids if each in text}
    if not named:
        return None
    changed: Any = request
    for own, other in named.items():
        changed = replace(
            changed,
            path=changed.path.replace(own, other),
            query=changed.query.replace(own, other),
            body=changed.body.replace(own.encode(), other.encode()),
        )
    return Twin(changed, named)


def _unknown_like(known: str) -> str:
    """Return an id of nothing in the form of another one, with its prefix where that has one."""
    prefix, separator, digits = known.rpartition(":")
    return prefix + separator + unknown_id("digest" if len(digits) > 24 else "", known)
