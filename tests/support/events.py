"""A client of GET /events over a real connection, and the service which listens for it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2 as httpx
import uvicorn
from fastapi import FastAPI

from support.listening_server import ListeningServer
from support.waiting import GENEROUS


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event; `data` is decoded."""

    name: str
    data: dict[str, Any]

    @property
    def what(self) -> tuple[str, Any, Any]:
        return self.name, self.data.get("id"), self.data.get("what")


@dataclass
class Stream:
    """What one client has heard.

    Parsed as the specification says, the last block only once it is complete.
    """

    answer: httpx.Response
    events: list[ReceivedEvent] = field(default_factory=list)
    last_id: str = ""
    text: str = ""
    ended: bool = False
    failure: Exception | None = None
    _heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> None:
        try:
            rest = ""
            async for piece in self.answer.aiter_text():
                self.text += piece
                *blocks, rest = (rest + piece).split("\n\n")
                for block in blocks:
                    self._take(block)
                self._heard.set()
        except httpx.HTTPError as error:
            self.failure = error
        finally:
            self.ended = True
            self._heard.set()

    def _take(self, block: str) -> None:
        fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
        self.last_id = fields.get("id", self.last_id)
        if "data" in fields:
            self.events.append(
                ReceivedEvent(fields.get("event", "message"), json.loads(fields["data"]))
            )

    async def until(
        self, *wanted: tuple[str, Any, Any], seconds: float = GENEROUS
    ) -> list[ReceivedEvent]:
        """All that was heard, as soon as these (name, id, what) are among it."""
        await self.heard(lambda: set(wanted) <= {event.what for event in self.events}, seconds)
        return self.events

    async def heard(self, condition: Any, seconds: float = GENEROUS) -> None:
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            raise AssertionError(
                f"not in {seconds} s; heard: {self.events}, {self.text[-300:]!r}"
            ) from None


@asynccontextmanager
async def events_of(
    http: httpx.AsyncClient, *project_ids: str, after: str | None = None
) -> AsyncIterator[Stream]:
    """A client which listens from now on, or behind the id `after`; it leaves at the end."""
    headers = {} if after is None else {"Last-Event-ID": after}
    async with http.stream(
        "GET", "/events", params={"project_id": list(project_ids)}, headers=headers
    ) as answer:
        assert answer.status_code == 200, await answer.aread()
        stream = Stream(answer)
        reading = asyncio.create_task(stream.read())
        try:
            await stream.heard(lambda: stream.last_id)
            yield stream
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of this running app over a port.

    The transport inside a process reads answers whole.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=500) as listener:
        server = ListeningServer(
            uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        limits = httpx.Limits(max_connections=None)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            async with httpx.AsyncClient(
                base_url=url, timeout=GENEROUS, trust_env=False, verify=False, limits=limits
            ) as http:
                yield http
        finally:
            server.should_exit = True
            await serving
