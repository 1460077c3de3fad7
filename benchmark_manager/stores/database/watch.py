"""Notices within seconds that the database does not answer, and that it answers again.

A driver's own limits cannot: a request's answer may rightly take long (a sync's transaction over
100,000 files, an index that is built), while a database that is frozen answers nothing at all. So
the watch asks for one small document every second, over a connection of its own that no other work
can occupy.
"""

import asyncio
import time
from typing import Final

import structlog
from pymongo.errors import PyMongoError

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.embedded.progress import Sample, Silence

_log = structlog.get_logger(__name__)

#: Seconds between an answer and the next question, and between two checks whether it was answered.
_EVERY: Final = 1.0
_TICK: Final = 0.25
#: Seconds without an answer after which the database is silent.
_SILENT_AFTER: Final = 2.5
#: Seconds that what began during a silence waits for its end.
_LATECOMER: Final = 1.0
_CLOSE_SECONDS: Final = 1.5
#: Of 500 requests the last is woken half a second after the first.
_WOKEN_AT_ONCE: Final = 10
_BETWEEN_WAKES: Final = 0.01
_NO_WORK: Final = Sample(0.0, has_working_thread=False)


class DatabaseWatch:
    """Wakes requests that wait for a silent database; `run()` must run as a task."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ended = False
        self._silent = False
        self._waiting: dict[asyncio.Future[None], float] = {}

    @property
    def silent(self) -> bool:
        """Whether the database does not answer."""
        return self._silent

    def until_silent(self) -> "asyncio.Future[None]":
        """Return a future that is done once the database is silent, in a second at the earliest.

        Give it back with `forget`.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[future] = time.monotonic()
        return future

    def forget(self, future: "asyncio.Future[None]") -> None:
        self._waiting.pop(future, None)

    async def ask(self) -> bool:
        """Return whether a small read succeeds, over an own connection and without a time limit."""
        if self._ended:
            return False
        try:
            await self._database.ask()
        except PyMongoError:
            return False
        return True

    async def run(self) -> None:
        """Ask until it is cancelled."""
        question: asyncio.Task[bool] | None = None
        try:
            while True:
                # Also at first, as the database has just answered the start of the service.
                await asyncio.sleep(_EVERY)
                silence = Silence(_TICK, _SILENT_AFTER)
                answered = False
                while not answered:
                    begin = time.monotonic()
                    question = question or asyncio.create_task(self.ask())
                    await asyncio.wait({question}, timeout=_TICK)
                    if question.done():
                        answered, question = question.result(), None
                    if not answered:
                        # One that fails at once is asked again with the next tick.
                        await asyncio.sleep(begin + _TICK - time.monotonic())
                        silence.add(self._database.sample() or _NO_WORK, time.monotonic() - begin)
                        self._note(silent=self._silent or silence.hangs)
                self._note(silent=False)
        finally:
            self._ended = True
            if question is not None:
                # The driver leaves a socket open where it is interrupted while it connects.
                await asyncio.wait({question}, timeout=_CLOSE_SECONDS)
                question.cancel()
                await asyncio.gather(question, return_exceptions=True)

    def _note(self, *, silent: bool) -> None:
        if silent and not self._silent:
            _log.error("the database does not answer", waiting=len(self._waiting))
        elif self._silent and not silent:
            _log.warning("the database answers again")
        self._silent = silent
        if silent:
            self._wake(time.monotonic() - _LATECOMER)

    def _wake(self, late: float) -> None:
        """Wake what has waited since before then."""
        waiting = [future for future, since in self._waiting.items() if since <= late]
        for future in waiting:
            self.forget(future)
        _wake_some(waiting)


def _wake_some(waiting: "list[asyncio.Future[None]]") -> None:
    """Wake some, and the rest later, as each one uses the event loop for its answer."""
    for future in waiting[:_WOKEN_AT_ONCE]:
        if not future.done():
            future.set_result(None)
    if rest := waiting[_WOKEN_AT_ONCE:]:
        asyncio.get_running_loop().call_later(_BETWEEN_WAKES, _wake_some, rest)
