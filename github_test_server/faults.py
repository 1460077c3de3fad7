"""Faults to order: what a test wants to go wrong, for which requests, and how often.

Fault            answers with a changed answer
 +- Status           any status, body and headers
 +- Redirect         to a given URL
 +- HtmlPage         HTML, by default with status 200
 +- EmptyBody        the right status without a byte
 +- GraphQLError     one field null in an otherwise good GraphQL answer, with an entry in `errors`
 +- CutBody          JSON cut short, in a response that is complete for HTTP
 +- FlippedByte      one wrong byte, at the same length
 +- Delay            nothing for some seconds, then the answer
 +- Stall            half of the body, nothing for some seconds, then the rest
 +- ResetBefore      the connection reset instead of an answer
 +- ResetMidBody     headers and half of the body, then the connection reset
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from github_test_server.answers import JSON_TYPE, ServedAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from github_test_server.recording import RecordedRequest

_HTML = (
    b"<!DOCTYPE html>\n<html><head><title>Unicorn!</title></head>"
    b"<body><p>Sorry.</p></body></html>\n"
)
_HTML_TYPE = "text/html; charset=utf-8"
_ABOUT_THE_BODY = {"content-type", "etag", "last-modified", "link", "location"}


class Fault(Protocol):
    """Changes the answer that a request would have had into the one that is sent."""

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer: ...


@dataclass(frozen=True, slots=True)
class Status:
    """Another status. A mapping becomes a JSON body; without a body it is GitHub's error."""

    status: int
    body: Mapping[str, object] | str | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        del body
        content, kind = self._content()
        kept = _without_content_headers(answer)
        return replace(
            answer,
            status=self.status,
            body=content,
            headers={**kept, "Content-Type": kind, **self.headers},
        )

    def _content(self) -> tuple[bytes, str]:
        if isinstance(self.body, bytes):
            return self.body, "application/octet-stream"
        if isinstance(self.body, str):
            return self.body.encode(), "text/plain; charset=utf-8"
        default = {"message": "Server Error", "status": str(self.status)}
        return json.dumps(default if self.body is None else dict(self.body)).encode(), JSON_TYPE


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str
    status: int = 302

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        return Status(self.status, b"", {"Location": self.url}).change(answer, body)


@dataclass(frozen=True, slots=True)
class HtmlPage:
    status: int = 200

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        return Status(self.status, _HTML, {"Content-Type": _HTML_TYPE}).change(answer, body)


@dataclass(frozen=True, slots=True)
class EmptyBody:
    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        del body
        return replace(answer, body=b"")


@dataclass(frozen=True, slots=True)
class CutBody:
    """Keeps a fraction of the body, with a fitting Content-Length: no valid JSON is left."""

    keep: float = 0.5

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        return replace(answer, body=body[: int(len(body) * self.keep)])


@dataclass(frozen=True, slots=True)
class FlippedByte:
    """Inverts the lowest bit of one byte, given by its index (negative: from the end)."""

    index: int = 0

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        wrong = bytearray(body)
        if -len(wrong) <= self.index < len(wrong):
            wrong[self.index] ^= 1
        return replace(answer, body=bytes(wrong))


@dataclass(frozen=True, slots=True)
class Delay:
    seconds: float

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        sending = replace(answer.sending, delay=answer.sending.delay + self.seconds)
        return replace(answer, body=body, sending=sending)


@dataclass(frozen=True, slots=True)
class Stall:
    seconds: float
    at: float = 0.5

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        sending = replace(answer.sending, stall_at=self.at, stall=self.seconds)
        return replace(answer, body=body, sending=sending)


@dataclass(frozen=True, slots=True)
class ResetBefore:
    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        return replace(answer, body=body, sending=replace(answer.sending, reset_at=-1.0))


@dataclass(frozen=True, slots=True)
class ResetMidBody:
    at: float = 0.5

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        return replace(answer, body=body, sending=replace(answer.sending, reset_at=self.at))


@dataclass(frozen=True, slots=True)
class GraphQLError:
    """Sets one field of a GraphQL answer to null, with an entry in `errors`; the rest stays good.

    `alias` is the field's name in the answer, such as "r3", or a dotted path, such as "r3.head".
    """

    alias: str
    type: str = "INTERNAL"
    message: str = "Something went wrong while executing your query."

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        return replace(answer, body=_with_problem(body, self.alias, self.type, self.message))


@dataclass(eq=False, slots=True)
class PlannedFault:
    """A fault and the requests it is for; `fired` counts those it has met."""

    fault: Fault
    path: re.Pattern[str]
    method: str | None
    where: Callable[[RecordedRequest], bool] | None
    skip: int
    times: int | None
    fired: int = 0
    _seen: int = 0

    def strikes(self, request: RecordedRequest) -> bool:
        """Return whether it is this request's turn; each call counts."""
        if not self._concerns(request) or self.fired == self.times:
            return False
        self._seen += 1
        struck = self._seen > self.skip
        self.fired += struck
        return struck

    def _concerns(self, request: RecordedRequest) -> bool:
        fits = self.method in {None, request.method} and self.path.search(request.path) is not None
        return fits and (self.where is None or self.where(request))


class Faults:
    """The planned faults. All that match a request change its answer, in the order of `add`.

    The request itself is served as always before, so its rate limit is charged. Safe from any
    thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[PlannedFault] = []

    def add(
        self,
        fault: Fault,
        *,
        path: str = "",
        method: str | None = None,
        where: Callable[[RecordedRequest], bool] | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> PlannedFault:
        """Plan a fault.

        Args:
            fault: what goes wrong.
            path: a regular expression to be found in the request's path; every path if not given.
            method: such as "GET"; every method if not given.
            where: a further condition on the request as it is recorded.
            nth: the first request to strike, counted from now among those which match.
            times: how many of them to strike one after the other; None: all from then on.
        """
        planned = PlannedFault(fault, re.compile(path), method, where, nth - 1, times)
        with self._lock:
            self._planned.append(planned)
        return planned

    def remove(self, planned: PlannedFault) -> None:
        with self._lock:
            self._planned.remove(planned)

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def striking(self, request: RecordedRequest) -> list[Fault]:
        """Return the faults whose turn it is with this request, and count them as fired."""
        with self._lock:
            return [planned.fault for planned in self._planned if planned.strikes(request)]


def _without_content_headers(answer: ServedAnswer) -> dict[str, str]:
    return {
        name: value for name, value in answer.headers.items() if name.lower() not in _ABOUT_THE_BODY
    }


def _with_problem(body: bytes, alias: str, kind: str, message: str) -> bytes:
    """Set one field of a good answer to null and report an error for it.

    `alias` is the field's path of aliases, joined by dots. An answer without the field stays as it
    is.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        return body
    path = alias.split(".")
    holder = answer.get("data")
    for name in path[:-1]:
        holder = holder.get(name) if isinstance(holder, dict) else None
    if not isinstance(holder, dict) or path[-1] not in holder:
        return body
    holder[path[-1]] = None
    problem = {"type": kind, "path": path, "message": message}
    answer["errors"] = [*answer.get("errors", []), problem]
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
