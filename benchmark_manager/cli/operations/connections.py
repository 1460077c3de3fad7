"""Limits on connections: their number, and the time to send a request or to receive an answer.

uvicorn has a deadline for connections that are silent between two requests, but none for slow ones.
"""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import structlog
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

Connection: TypeAlias = Any
"""A protocol of uvicorn's; its classes for the parsers have no common base."""

_log = structlog.get_logger(__name__)

#: Connections at once: all listeners to events, and even more requests.
CONNECTIONS_AT_MOST: Final = 1500
#: Files that the process has open in addition to connections.
_OTHER_FILES: Final = 300
#: Seconds for the head of a request, after the connection or the previous answer.
HEAD_SECONDS: Final = 10.0
#: A buffered answer must shrink by so many bytes within so many seconds, or end.
WRITE_SECONDS: Final = 30.0
_WRITTEN: Final = 240_000
#: Seconds between two inspections of all connections.
_PAUSE: Final = 1.0
#: Seconds for which a connection may be silent between two requests.
KEEP_ALIVE_SECONDS: Final = 5

_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 10\r\n"
    b"content-type: application/problem+json\r\n"
)
_BUSY_BODY: Final = (
    b'{"type":"about:blank","title":"Service Unavailable","status":503,'
    b'"detail":"The service has as many connections as it serves; try again in a moment.",'
    b'"code":"service_busy"}'
)


class LimitedConnection(H11Protocol):
    """uvicorn's connection, refused if there are already too many.

    It uses h11 even if httptools is installed: h11 accepts a head of 64 KiB at most, httptools one
    of any length.
    """

    #: The number allowed; fewer if the system allows fewer open files.
    at_most = CONNECTIONS_AT_MOST
    #: How often an answer continued after it had waited for its reader.
    resumed = 0

    # As uvicorn's own, which narrows the argument too.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > _possible(self.at_most) and not self._make_room():
            transport.write(_BUSY + b"content-length: %d\r\n\r\n" % len(_BUSY_BODY) + _BUSY_BODY)
            transport.close()

    def _make_room(self) -> bool:
        """Close a connection that waits for a request; return False if there is none."""
        idle = next((one for one in self.connections if one is not self and is_idle(one)), None)
        if idle is not None:
            idle.transport.abort()
            self.connections.discard(idle)
        return idle is not None

    def resume_writing(self) -> None:
        self.resumed += 1
        super().resume_writing()


def is_idle(connection: Connection) -> bool:
    """Return whether a connection answers no request: it is silent, or its head is incomplete."""
    return connection.cycle is None or connection.cycle.response_complete


def raise_file_limit() -> None:
    """Raise the limit of open files to what the connections need, as far as the system allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_AT_MOST + _OTHER_FILES
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _possible(connections: int) -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return connections if soft == resource.RLIM_INFINITY else min(connections, soft - _OTHER_FILES)


@dataclass(slots=True)
class _Seen:
    """What a connection is doing, and since when (by the loop's clock)."""

    doing: object
    since: float
    waiting: int = 0


class Inspection:
    """Ends connections that take too long, without any cost for requests."""

    def __init__(self, state: ServerState) -> None:
        self._state = state
        #: When connections began to send a head, and when answers began to wait for their readers.
        self._heads: dict[object, _Seen] = {}
        self._answers: dict[object, _Seen] = {}

    def inspect(self, now: float) -> None:
        """Inspect every connection once."""
        connections: Collection[Connection] = list(self._state.connections)
        for connection in connections:
            if connection.transport is None:
                continue
            if self._head_is_late(connection, now) or self._answer_is_late(connection, now):
                _log.debug("a connection was too slow", client=connection.client)
                connection.transport.abort()
        for seen in (self._heads, self._answers):
            for gone in seen.keys() - set(connections):
                del seen[gone]

    def _head_is_late(self, connection: Connection, now: float) -> bool:
        if not is_idle(connection) or connection.transport.get_write_buffer_size():
            self._heads.pop(connection, None)
            return False
        seen = self._heads.get(connection)
        if seen is None or seen.doing is not connection.cycle:
            self._heads[connection] = _Seen(connection.cycle, now)
            return False
        return now - seen.since > HEAD_SECONDS

    def _answer_is_late(self, connection: Connection, now: float) -> bool:
        waiting: int = connection.transport.get_write_buffer_size()
        seen = self._answers.get(connection)
        if not waiting:
            self._answers.pop(connection, None)
            return False
        resumed = connection.resumed
        if (
            seen is None
            or seen.doing != resumed
            or waiting > seen.waiting
            or waiting <= seen.waiting - _WRITTEN
        ):
            # Its reader received enough, or received a part whole and the next one followed.
            self._answers[connection] = _Seen(resumed, now, waiting)
            return False
        return now - seen.since > WRITE_SECONDS


@asynccontextmanager
async def inspected(state: ServerState) -> AsyncIterator[None]:
    """End slow connections of a server while the context lasts."""
    inspection = Inspection(state)
    loop = asyncio.get_running_loop()

    async def repeat() -> None:
        while True:
            await asyncio.sleep(_PAUSE)
            inspection.inspect(loop.time())

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
