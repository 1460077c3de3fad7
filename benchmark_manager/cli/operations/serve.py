"""Run the server: services start first, so that their errors are one line and no traceback.

The modules of the application take two seconds to import, and are imported when the address is
bound: a start that is refused ends before.
"""

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
import uvicorn

from benchmark_manager.cli.operations.connections import (
    KEEP_ALIVE_SECONDS,
    LimitedConnection,
    inspected,
    raise_file_limit,
)
from benchmark_manager.cli.operations.process_end import end_process_in_time
from benchmark_manager.config import Settings
from benchmark_manager.errors import StartError, reason_of
from benchmark_manager.services.operations.stopping import REQUESTS_END, SYNCS_END, StopDeadline

if TYPE_CHECKING:
    from benchmark_manager.factory import Services

_log = structlog.get_logger(__name__)


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; end the process at most `PROCESS_END` seconds later.

    Raises:
        StartError: one readable line.
    """
    asyncio.run(serve_async(settings, at_stop=end_process_in_time))


async def serve_async(
    settings: Settings,
    *,
    prepare: Callable[["Services"], Awaitable[None]] | None = None,
    on_ready: Callable[[uvicorn.Server, str], None] | None = None,
    at_stop: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal or `server.should_exit`.

    `prepare` is called with the services before any request is served, `on_ready` with the server
    and its address, `at_stop` at the first signal.
    """
    stop = _Stop(at_stop)
    # Bound before anything else is started: a second service is refused at once.
    with stop.at_signals(), bind(settings.host, settings.port) as listener:
        from benchmark_manager.app import create_app  # noqa: PLC0415 -- see this module's docstring
        from benchmark_manager.factory import open_services  # noqa: PLC0415

        async with open_services(settings, deadline=stop.deadline) as services:
            if prepare is not None:
                await prepare(services)
            config = uvicorn.Config(
                create_app(settings, services=services, address=address(listener)),
                log_config=None,
                lifespan="on",
                # Requests that wait for a sync still get its result.
                timeout_graceful_shutdown=int(REQUESTS_END),
                server_header=False,
                http=LimitedConnection,
                ws="none",
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                # Edge, the outermost middleware, decides which proxies to trust; uvicorn would
                # trust every local process.
                proxy_headers=False,
            )
            server = _SignalFreeServer(config)
            stop.serving(server, services)
            listen(listener)
            # The objects made so far live until the end; collecting them again and again would
            # delay every request.
            gc.collect()
            gc.freeze()
            _log.info("listening", address=address(listener), docs=f"{address(listener)}/docs")
            if on_ready is not None:
                on_ready(server, address(listener))
            raise_file_limit()
            async with inspected(server.server_state):
                await server.serve(sockets=[listener])


class _SignalFreeServer(uvicorn.Server):
    """A server that does not handle signals.

    uvicorn's own raises them again as soon as it has stopped, which ends the process before its
    services are closed.
    """

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Stop:
    """Handles SIGINT and SIGTERM: cancel the start, or end the server, the second time at once."""

    def __init__(self, at_stop: Callable[[], None]) -> None:
        self.deadline = StopDeadline()
        self._at_stop = at_stop
        self._server: uvicorn.Server | None = None
        self._services: Services | None = None
        self._syncs: asyncio.Task[None] | None = None
        self._cancelled = False

    @contextmanager
    def at_signals(self) -> Iterator[None]:
        """Handle signals inside; a start that is cancelled by one ends without an exception."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101 -- a coroutine runs in one
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop, task)
        try:
            yield
        except asyncio.CancelledError:
            if not self._cancelled or task.uncancel() > 0:
                raise
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def serving(self, server: uvicorn.Server, services: "Services") -> None:
        """Set the server that signals stop from now on."""
        self._server, self._services = server, services

    def _stop(self, task: "asyncio.Task[object]") -> None:
        if not self.deadline.began:
            self.deadline.begin()
            self._at_stop()
        if self._server is None or self._services is None:
            if not self._cancelled:
                self._cancelled = True
                task.cancel()
        elif self._server.should_exit:
            self._server.force_exit = True
        else:
            self._server.should_exit = True
            # Now and not after the last request, since a request may be waiting for a sync.
            self._services.polling.stop()
            # These requests never end by themselves.
            self._services.events.end_all()
            self._syncs = asyncio.create_task(
                self._services.sync.stop(self.deadline.until(SYNCS_END))
            )


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket.

    Raises:
        StartError: the address cannot be used.
    """
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise StartError(
            f"HOST {host} is not an address of this machine ({reason_of(error)})."
        ) from None
    except UnicodeError:
        raise StartError("HOST is not a host name.") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(where)
    except OSError as error:
        listener.close()
        raise _taken(host, port, error) from None
    return listener


def listen(listener: socket.socket) -> None:
    """Begin to listen; this fails if two services started at once, since both could bind.

    Raises:
        StartError
    """
    try:
        listener.listen()
    except OSError as error:
        host, port = listener.getsockname()[:2]
        raise _taken(host, port, error) from None


def _taken(host: str, port: int, error: OSError) -> StartError:
    setting = "HOST" if error.errno == errno.EADDRNOTAVAIL else "PORT"
    return StartError(
        f"The service cannot listen on {host}:{port} ({reason_of(error)}); set another {setting}."
    )


def address(listener: socket.socket) -> str:
    """Return the bound socket's HTTP address."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
