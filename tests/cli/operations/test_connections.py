"""Connections that send or receive too slowly are ended; too many are refused."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from benchmark_manager.api.http.middleware import Edge
from benchmark_manager.cli.operations.connections import (
    HEAD_SECONDS,
    WRITE_SECONDS,
    Inspection,
    LimitedConnection,
)
from support.waiting import GENEROUS, eventually

MIB = 1024 * 1024
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Few(LimitedConnection):
    at_most = 4


@dataclass(frozen=True)
class RunningServer:
    """A server, and an inspection of its connections that tests run at times of their choice."""

    server: uvicorn.Server
    port: int
    inspection: Inspection
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connect(self, sent: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection, and send bytes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        writer.write(sent)
        await writer.drain()
        return reader, writer

    async def settle(self, connections: int) -> None:
        """Wait until the server has so many connections."""

        async def has() -> bool | None:
            return len(self.server.server_state.connections) == connections or None

        await eventually(has, f"there are not {connections} connections")

    async def asked(self, requests: int) -> None:
        """Wait until so many requests are being answered."""

        async def are() -> bool | None:
            return len(self.server.server_state.tasks) == requests or None

        await eventually(are, f"there are not {requests} requests")


@asynccontextmanager
async def running(
    app: ASGIApp, kind: type[LimitedConnection] = LimitedConnection
) -> AsyncIterator[RunningServer]:
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=0,
            http=kind,
            ws="none",
            lifespan="off",
            log_config=None,
            timeout_keep_alive=60,
        )
    )
    task = asyncio.create_task(server.serve())

    async def started() -> bool | None:
        return server.started or None

    await eventually(started, "the server does not start")
    port = server.servers[0].sockets[0].getsockname()[1]
    made = RunningServer(server, port, Inspection(server.server_state))
    try:
        yield made
    finally:
        for writer in made.writers:
            writer.close()
        for writer in made.writers:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        server.should_exit = server.force_exit = True
        await task


async def has_ended(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(GENEROUS):
            await reader.read()
    return True


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: lo", GET + b"GET / HT"])
async def test_a_head_that_does_not_end_ends_its_connection(sent: bytes) -> None:
    async with running(PlainTextResponse("a")) as service:
        reader, _ = await service.connect(sent)
        if sent.startswith(GET):
            await reader.readuntil(b"\r\n\r\na")
        await service.settle(1)
        service.inspection.inspect(0)
        service.inspection.inspect(HEAD_SECONDS)
        await service.settle(1)
        service.inspection.inspect(HEAD_SECONDS + 1)
        assert await has_ended(reader)
        await service.settle(0)


async def test_a_head_without_end_is_refused() -> None:
    async with running(PlainTextResponse("a")) as service:
        reader, writer = await service.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        with contextlib.suppress(ConnectionError):
            for number in range(40):
                writer.write(b"X-%d: %s\r\n" % (number, b"x" * 4096))
                await writer.drain()
        with contextlib.suppress(ConnectionError):
            assert (await reader.read()).startswith(b"HTTP/1.1 400")
        await service.settle(0)


@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_nothing_is_answered_behind_a_request_with_two_lengths(method: bytes) -> None:
    """A proxy that believes the length takes both requests for one."""
    body = b"0\r\n\r\n" + GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    lengths = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(body)
    sent = GET.replace(b"GET", method, 1).removesuffix(b"\r\n") + lengths + body
    edge = Edge(PlainTextResponse("a"), allowed_hosts=(), public_url=None, root_path="", proxies=())
    async with running(edge) as service:
        reader, _ = await service.connect(sent)
        async with asyncio.timeout(GENEROUS):
            answers = await reader.read()
    assert answers.count(b"HTTP/1.1 ") == 1


async def test_a_connection_that_is_used_again_and_again_stays() -> None:
    async with running(PlainTextResponse("a")) as service:
        reader, writer = await service.connect()
        for second in range(0, 40, 8):
            writer.write(GET)
            await reader.readuntil(b"\r\n\r\na")
            service.inspection.inspect(second)
        await service.settle(1)


async def test_a_request_with_a_late_answer_keeps_its_connection() -> None:
    answers = asyncio.Event()

    async def slow(scope: object, receive: object, send: object) -> None:
        await answers.wait()
        await PlainTextResponse("late")(scope, receive, send)  # type: ignore[arg-type]

    async with running(slow) as service:
        reader, _ = await service.connect(GET)
        await service.asked(1)
        for second in range(0, 200, 20):
            service.inspection.inspect(second)
        answers.set()
        assert (await reader.readuntil(b"late")).startswith(b"HTTP/1.1 200")


async def test_an_answer_that_is_not_received_ends_its_connection() -> None:
    async with running(PlainTextResponse("x" * (32 * MIB))) as service:
        reader, _ = await service.connect(GET)
        await reader.read(100)
        await service.settle(1)
        service.inspection.inspect(0)
        service.inspection.inspect(WRITE_SECONDS)
        await service.settle(1)
        service.inspection.inspect(WRITE_SECONDS + 1)
        await service.settle(0)


async def test_an_answer_that_is_received_slowly_is_sent_to_its_end() -> None:
    async with running(PlainTextResponse("x" * (24 * MIB))) as service:
        reader, _ = await service.connect(GET)
        await reader.readuntil(b"\r\n\r\n")
        left = 24 * MIB
        for second in range(0, 24 * 25, 25):
            service.inspection.inspect(second)
            await reader.readexactly(MIB)
            left -= MIB
        assert left == 0


async def test_an_idle_connection_is_closed_for_a_new_one() -> None:
    async with running(PlainTextResponse("a"), Few) as service:
        idle = [await service.connect() for _ in range(Few.at_most)]
        await service.settle(Few.at_most)
        reader, _ = await service.connect(GET)
        assert (await reader.readuntil(b"\r\n\r\na")).startswith(b"HTTP/1.1 200")
        ended = [asyncio.create_task(has_ended(each)) for each, _ in idle]
        await asyncio.wait(ended, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.cancel()


async def test_a_connection_beyond_the_limit_is_refused_with_a_retry_time() -> None:
    answers = asyncio.Event()

    async def slow(scope: object, receive: object, send: object) -> None:
        await answers.wait()
        await PlainTextResponse("late")(scope, receive, send)  # type: ignore[arg-type]

    async with running(slow, Few) as service:
        busy = [await service.connect(GET) for _ in range(Few.at_most)]
        await service.asked(Few.at_most)
        reader, _ = await service.connect(GET)
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b'"code":"service_busy"' in answer
        assert b"retry-after: 10\r\n" in answer
        answers.set()
        for each, _ in busy:
            await each.readuntil(b"late")
