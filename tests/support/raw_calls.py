"""Requests as bytes, straight into an application: also those that no client would send."""

import asyncio
import gzip
import zlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_to_bytes

App = Callable[[Any, Any, Any], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

#: Seconds after which a client leaves an answer that has no end.
_ENDLESS: Final = 0.05
_PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class RawRequest:
    """One request; `path` is percent-encoded."""

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes = b""
    address: str = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back; the body may be a part of one that has no end."""

    status: int
    headers: Headers
    body: bytes

    @property
    def text(self) -> bytes:
        """Return the head and the body, unpacked."""
        head = b"\n".join(name + b": " + value for name, value in self.headers)
        return head + b"\n\n" + _unpacked(self.body)


async def call(app: App, request: RawRequest) -> RawAnswer:
    """Send a request, and return the answer; an exception that leaves the application is a 500."""
    started: list[Mapping[str, Any]] = []
    pieces: list[bytes] = []
    whole, ended = asyncio.Event(), asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not whole.is_set():
            whole.set()
            return {"type": "http.request", "body": request.body, "more_body": False}
        limit = _ENDLESS if request.path.startswith("/events") else _PATIENCE
        try:
            async with asyncio.timeout(limit):
                await ended.wait()
        except TimeoutError:
            pass
        return {"type": "http.disconnect"}

    async def send(message: Mapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            started.append(message)
        else:
            pieces.append(message.get("body", b""))
            if not message.get("more_body", False):
                ended.set()

    try:
        await app(_scope(request), receive, send)
    except Exception as error:  # noqa: BLE001 -- whatever a request can cause is a finding
        return RawAnswer(500, (), f"{type(error).__name__}: {error}".encode())
    if not started:
        return RawAnswer(500, (), b"no answer")
    return RawAnswer(started[0]["status"], tuple(started[0]["headers"]), b"".join(pieces))


def _scope(request: RawRequest) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote_to_bytes(request.path).decode("utf-8", "replace"),
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "root_path": "",
        "headers": list(request.headers),
        "server": ("service", 80),
        "client": (request.address, 4711),
    }


def _unpacked(body: bytes) -> bytes:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return body
