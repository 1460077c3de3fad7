"""Answers before they are sent: GitHub's errors, media types, validators and links."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, urlencode

Body = bytes | AsyncIterator[bytes]

JSON_TYPE: Final = "application/json; charset=utf-8"
DOCUMENTATION: Final = "https://docs.github.com/rest"
RATE_LIMIT_DOCUMENTATION: Final = f"{DOCUMENTATION}/using-the-rest-api/rate-limits-for-the-rest-api"
NOT_MODIFIED: Final = 304

_MEDIA_TYPE = re.compile(
    r"application/vnd\.github(?:\.v3)?\.(?P<param>sha|raw|object)(?:\+json)?\b"
)


@dataclass(frozen=True, slots=True)
class Sending:
    """How an answer travels. Fractions are of the body's bytes; `delay` and `stall` are seconds.

    `reset_at` aborts the connection after that part of the body, or, if it is negative, before the
    answer. `stall_at` stops for `stall` seconds after that part and then continues.
    """

    delay: float = 0.0
    reset_at: float | None = None
    stall_at: float | None = None
    stall: float = 0.0


@dataclass(frozen=True, slots=True)
class ServedAnswer:
    status: int
    body: Body = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    sending: Sending = field(default_factory=Sending)

    def with_headers(self, headers: Mapping[str, str]) -> ServedAnswer:
        """Return the answer with these headers beside its own, which win."""
        return replace(self, headers={**headers, **self.headers})


class RefusalError(Exception):
    """An answer which ends a request early, built from GitHub's message."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        documentation: str = DOCUMENTATION,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        body = {"message": message, "documentation_url": documentation, "status": str(status)}
        self.answer = json_answer(body, status=status, headers=headers)


def not_found() -> RefusalError:
    return RefusalError(404, "Not Found")


def json_answer(
    content: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> ServedAnswer:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return ServedAnswer(status, body, {"Content-Type": JSON_TYPE, **(headers or {})})


@dataclass(frozen=True, slots=True)
class MediaType:
    """What the Accept header asks for: `param` is "sha", "raw", "object", or None for plain JSON.

    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#media-types
    """

    param: str | None
    content_type: str

    @classmethod
    def parse(cls, accept: str) -> MediaType:
        found = _MEDIA_TYPE.search(accept)
        if found is None:
            return cls(None, JSON_TYPE)
        return cls(found["param"], f"{found[0]}; charset=utf-8")

    @property
    def header(self) -> str:
        """The value of X-GitHub-Media-Type."""
        if self.param is None:
            return "github.v3; format=json"
        as_json = "; format=json" if "+json" in self.content_type else ""
        return f"github.v3; param={self.param}{as_json}"


def weak_etag(body: bytes, *variants: str) -> str:
    """Return a validator for a body as it is served to one caller in one media type."""
    digest = hashlib.sha256(body)
    for variant in variants:
        digest.update(b"\0" + variant.encode())
    return f'W/"{digest.hexdigest()}"'


def matches(if_none_match: str, etag: str) -> bool:
    """Compare weakly, as If-None-Match does (RFC 9110, section 13.1.2)."""
    wanted = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return "*" in wanted or etag.removeprefix("W/") in wanted


@dataclass(frozen=True, slots=True)
class ResultPage:
    """A page of a list, counted from 1; GitHub gives 30 items unless asked, and 100 at most."""

    number: int
    size: int

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> ResultPage:
        return cls(
            max(1, _number(query.get("page"), 1)),
            min(100, max(1, _number(query.get("per_page"), 30))),
        )

    @property
    def skip(self) -> int:
        return (self.number - 1) * self.size

    def links(self, url: str, query: str, total: int) -> dict[str, str]:
        """Return the Link header for a list of `total` items, if it has more than one page."""
        last = max(1, -(-total // self.size))
        pages = {"prev": self.number - 1, "next": self.number + 1, "last": last, "first": 1}
        if self.number == 1:
            del pages["prev"], pages["first"]
        if self.number >= last:
            del pages["next"], pages["last"]
        kept = [(name, value) for name, value in parse_qsl(query) if name != "page"]
        links = [
            f'<{url}?{urlencode([*kept, ("page", page)])}>; rel="{rel}"'
            for rel, page in pages.items()
        ]
        return {"Link": ", ".join(links)} if links else {}


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default
