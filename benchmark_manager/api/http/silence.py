"""The answer to every request while the database does not respond."""

import asyncio
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmark_manager.api.http.problems import problem
from benchmark_manager.errors import StoppingError, StorageError
from benchmark_manager.incoming import own_path
from benchmark_manager.stores.database.watch import DatabaseWatch

#: Paths whose answers report that the database does not respond.
_PROBES: Final = frozenset({"/health", "/livez", "/readyz"})
#: Requests that were answered because the database is silent, and that still clean up.
_ABANDONED: Final[set["asyncio.Task[None]"]] = set()


class AnswersInSilence:
    """Answer 503 to a request that waits for a silent database.

    The answer does not wait for the request to end, since cancelling a transaction needs the
    database too. Whether its change was made is unknown, as after any lost answer; no change is
    made in part.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        watch: DatabaseWatch | None = _watch_of(scope)
        if watch is None or own_path(scope) in _PROBES:
            await self._app(scope, receive, send)
            return
        exchange = _GuardedAnswer(send)
        work = asyncio.ensure_future(self._app(scope, receive, exchange.send))
        silent = watch.until_silent()

        def wake(_: object) -> None:
            if not silent.done():
                silent.set_result(None)

        work.add_done_callback(wake)
        try:
            await silent
            if not work.done() and not exchange.began:
                exchange.cut = True
                _abandon(work)
                await problem(StorageError("database_unavailable"))(scope, receive, send)
                return
            await work
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            if not scope["app"].state.services.deadline.began:
                raise
            # At the end of a stop the server cancels open requests, and reports the exception as a
            # fault.
            if not exchange.began:
                exchange.cut = True
                await problem(StoppingError())(scope, receive, send)
        finally:
            watch.forget(silent)


def _watch_of(scope: Scope) -> DatabaseWatch | None:
    if scope["type"] != "http":
        return None
    services: Any = getattr(scope["app"].state, "services", None)
    return None if services is None else services.database_watch


def _abandon(work: "asyncio.Task[None]") -> None:
    _ABANDONED.add(work)

    def forget(done: "asyncio.Task[None]") -> None:
        _ABANDONED.discard(done)
        if not done.cancelled():
            done.exception()

    work.add_done_callback(forget)
    work.cancel()


class _GuardedAnswer:
    """Passes an answer on, unless another one was sent instead."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.began = False
        self.cut = False

    async def send(self, message: Message) -> None:
        if self.cut:
            return
        self.began = True
        await self._send(message)
