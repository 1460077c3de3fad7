"""A port before the tests' mongod, which opens and closes as if the server came and went."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

from benchmark_manager.stores.embedded.ports import free_port
from support.mongod import HOST


class Relay:
    """Passes connections on to a server while it is open."""

    def __init__(self, server_url: str) -> None:
        """`server_url` may name a replica set; the first of its members is meant."""
        server = urlsplit(server_url)
        self._user, _, members = server.netloc.rpartition("@")
        host, _, port = members.partition(",")[0].partition(":")
        self._target = host, int(port or 27017)
        self._path = server.path
        self._port = free_port()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """The URL of the server behind the relay; the database is that of the server's URL."""
        netloc = f"{self._user}@{HOST}:{self._port}" if self._user else f"{HOST}:{self._port}"
        query = "directConnection=true&serverMonitoringMode=poll"
        return urlunsplit(("mongodb", netloc, self._path or "/", query, ""))

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, HOST, self._port)

    async def close(self) -> None:
        """Refuse connections and end those that are there; harmless to repeat."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            inner_reader, inner_writer = await asyncio.open_connection(*self._target)
            try:
                await asyncio.gather(_copy(reader, inner_writer), _copy(inner_reader, writer))
            finally:
                inner_writer.close()
        except asyncio.CancelledError:
            # The relay is closed; a server of asyncio logs what its connections end with.
            pass
        finally:
            writer.close()
            self._connections.discard(task)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def relay_to(server_url: str, *, opened: bool = True) -> AsyncIterator[Relay]:
    relay = Relay(server_url)
    try:
        if opened:
            await relay.open()
        yield relay
    finally:
        await relay.close()
