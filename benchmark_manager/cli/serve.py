"""Running the server: services first, so that what keeps them from starting is one line and no traceback."""

import asyncio
import socket
from collections.abc import Callable

import uvicorn

from benchmark_manager.app import create_app
from benchmark_manager.config import Settings
from benchmark_manager.errors import StartError
from benchmark_manager.factory import open_services

#: Open requests get these seconds of the 10 for a graceful stop.
_REQUESTS_SECONDS = 8


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        StartError: one readable line.
    """
    asyncio.run(serve_async(settings))


async def serve_async(settings: Settings, *, on_ready: Callable[[uvicorn.Server, str], None] | None = None) -> None:
    """Serve until a signal or `server.should_exit`; `on_ready` hears of the server and its address."""
    # Taken before anything else is started: a second service is told at once.
    with _listen(settings.host, settings.port) as listener:
        async with open_services(settings) as services:
            config = uvicorn.Config(
                create_app(settings, services=services),
                log_config=None,
                lifespan="on",
                timeout_graceful_shutdown=_REQUESTS_SECONDS,
                server_header=False,
            )
            server = uvicorn.Server(config)
            if on_ready is not None:
                on_ready(server, address(listener))
            await server.serve(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket.

    Raises:
        StartError: the address cannot be had.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(f"HOST {host} is no address of this machine ({error.strerror}).") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(where)
    except OSError as error:
        listener.close()
        raise StartError(f"{host}:{port} cannot be listened on ({error.strerror}); choose another PORT.") from None
    return listener


def address(listener: socket.socket) -> str:
    """The bound socket's HTTP address."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
