"""A reverse proxy over real connections, which offers services below paths of one host."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Offered:
    """A service below a path: whether the proxy cuts the path off, and whether it says so."""

    service: str
    strips: bool = True
    announces: bool = True


@dataclass
class PrefixProxy:
    """The proxy at `url`; `strays` are requests for what is below none of its paths."""

    url: str
    offered: dict[str, Offered]
    strays: list[str] = field(default_factory=list)

    def address(self, prefix: str) -> str:
        return self.url + prefix

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one request on, and its answer back, piece by piece as it comes."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            request, *headers = head.removesuffix("\r\n\r\n").split("\r\n")
            method, target, version = request.split(" ")
            found = self._found(target)
            if found is None:
                # Browsers ask for it by themselves.
                if target != "/favicon.ico":
                    self.strays.append(f"{method} {target}")
                writer.write(
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
                return
            prefix, offered = found
            passed = target.removeprefix(prefix) if offered.strips else target
            kept = [
                line
                for line in headers
                if not line.lower().startswith(("connection:", "x-forwarded-"))
            ]
            if offered.announces:
                kept.append(f"X-Forwarded-Prefix: {prefix}")
            lines = [f"{method} {passed or '/'} {version}", *kept, "Connection: close", "", ""]
            address = urlsplit(offered.service)
            there, back = await asyncio.open_connection(address.hostname, address.port)
            try:
                back.write("\r\n".join(lines).encode("latin-1"))
                await _exchanged(_pump(reader, back), _pump(there, writer))
            finally:
                back.close()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _found(self, target: str) -> tuple[str, Offered] | None:
        path = target.partition("?")[0]
        below = [
            prefix for prefix in self.offered if path == prefix or path.startswith(f"{prefix}/")
        ]
        longest = max(below, key=len, default=None)
        return None if longest is None else (longest, self.offered[longest])


async def _exchanged(
    sending: Coroutine[None, None, None], answering: Coroutine[None, None, None]
) -> None:
    """Return when the answer is whole, or whoever asked has left."""
    tasks = {asyncio.create_task(sending), asyncio.create_task(answering)}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while piece := await source.read(65_536):
            target.write(piece)
            await target.drain()


@asynccontextmanager
async def prefix_proxy(offered: dict[str, Offered]) -> AsyncIterator[PrefixProxy]:
    """A proxy which offers these services by their prefixes.

    At its end nothing may have been asked elsewhere.
    """
    proxy = PrefixProxy("", offered)
    answering: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(proxy.answer(reader, writer))
        answering.add(task)
        task.add_done_callback(answering.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=1_000_000)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
    assert not proxy.strays, f"asked outside of the prefixes: {proxy.strays}"
