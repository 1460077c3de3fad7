"""uvicorn's HTTP protocol, which also lets the application reach the connection."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import Scope
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

_EXTENSION = "github_test_server.transport"


class TransportProtocol(H11Protocol):
    """Adds the transport to each scope's extensions: only it can reset a connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # asyncio does this only where the listener names its protocol, which socket.create_server()
        # doesn't; without it each answer waits 40 ms for the acknowledgement of its headers.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        served = self.app

        # uvicorn's types of ASGI are private.
        async def app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
            scope["extensions"] = {_EXTENSION: transport}
            # Only stopping the server cancels requests; uvicorn would report each as the
            # application's error.
            with contextlib.suppress(asyncio.CancelledError):
                await served(scope, receive, send)

        self.app = app

    @property
    def is_answering(self) -> bool:
        """Whether the answer to a request was not sent whole yet."""
        # uvicorn types it as if there were a request from the beginning.
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete


def transport_of(scope: Scope) -> asyncio.Transport:
    transport = scope["extensions"][_EXTENSION]
    if not isinstance(transport, asyncio.Transport):
        raise TypeError("the application is not served by TransportProtocol")
    return transport
