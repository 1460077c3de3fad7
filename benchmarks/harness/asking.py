"""Sends the same request again and again over open connections, with little work of its own."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from benchmarks.harness.processes import cpu_seconds

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Spent:
    """Average seconds of one request: wall time, and processor time of the server."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Asked:
    """A server at this address, and its process."""

    url: str
    pid: int
    #: Header lines that every request has besides, each with its end.
    headers: str = ""

    async def get(self, path: str) -> bytes:
        """Return the body of one answer."""
        async with self._connections(1) as [connection]:
            return await _get(self._request(path), *connection)

    async def ask(self, path: str, requests: int, at_once: int) -> Spent:
        """Send so many requests, `at_once` at a time, over connections that were opened before."""
        request, left = self._request(path), requests

        async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal left
            while left:
                left -= 1
                await _get(request, reader, writer)

        async with self._connections(at_once) as connections:
            wall, cpu = time.perf_counter(), cpu_seconds(self.pid)
            await asyncio.gather(*(ask(*one) for one in connections))
            return Spent(
                (time.perf_counter() - wall) / requests, (cpu_seconds(self.pid) - cpu) / requests
            )

    def _request(self, path: str) -> bytes:
        host = urlsplit(self.url).netloc
        lines = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n{self.headers}\r\n"
        return lines.encode()

    @asynccontextmanager
    async def _connections(self, count: int) -> AsyncIterator[list[Connection]]:
        address = urlsplit(self.url)
        connections = [
            await asyncio.open_connection(address.hostname, address.port) for _ in range(count)
        ]
        try:
            yield connections
        finally:
            for _, writer in connections:
                writer.close()


async def _get(request: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(request)
    return await _body(reader)


async def _body(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    assert head.startswith(b"http/1.1 200 "), head
    _, _, rest = head.partition(b"\r\ncontent-length:")
    return await reader.readexactly(int(rest.partition(b"\r\n")[0]))
