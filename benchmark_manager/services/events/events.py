"""Reports changes to clients: one watcher of the database, and a bounded queue for each client."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from benchmark_manager.domain.events.change_folding import fold
from benchmark_manager.errors import (
    BusyError,
    ChangesLostError,
    StoppingError,
    StorageError,
    TooManyListenersError,
)
from benchmark_manager.models.change import Change
from benchmark_manager.stores.events.changes import ChangeStore

_log = structlog.get_logger(__name__)

#: Clients of one process.
CLIENTS_AT_MOST: Final = 500
#: Clients of one process that one address may have.
CLIENTS_OF_AN_ADDRESS: Final = 200
#: Changes that wait for a client; a slower one has to read everything again.
WAITING_AT_MOST: Final = 1000
#: Seconds within which changes are reported together.
_TOGETHER: Final = 0.2
#: Seconds for which the database is watched after the last client left: reloaded pages return at
#: once.
_LINGER: Final = 30.0
_PAUSE: Final = 0.5
#: Missed changes are read for a few clients at once, within so many seconds and changes.
_LOOKUPS: Final = 4
_LOOKUP_SECONDS: Final = 5.0
_MISSED_AT_MOST: Final = 10_000

#: Why a client has to read everything again: it was too slow, or what it missed is forgotten.
ResetReason = Literal["slow", "lost"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """Changes for a client, and the position after them; with a `reset`, that comes first."""

    changes: Sequence[Change]
    position: str
    reset: ResetReason | None = None


class Listener:
    """One client, and the changes of its projects (none given: of all) that wait for it."""

    def __init__(
        self, project_ids: Collection[str], position: Callable[[], str], address: str
    ) -> None:
        #: The client's address.
        self.address = address
        self._project_ids = frozenset(project_ids)
        self._position = position
        self._waiting: list[Change] = []
        self._reset: ResetReason | None = None
        self._news = asyncio.Event()
        #: Set when nothing more is reported: the service stops.
        self.ended = asyncio.Event()

    def offer(self, changes: Sequence[Change], *, earlier: bool = False) -> None:
        """Queue the changes of its projects; `earlier` ones go before those that wait."""
        wanted = [
            change
            for change in changes
            if not self._project_ids or change.project_id in self._project_ids
        ]
        if len(self._waiting) + len(wanted) > WAITING_AT_MOST:
            self.reset("slow")
        elif wanted:
            self._waiting = [*wanted, *self._waiting] if earlier else [*self._waiting, *wanted]
            self._news.set()

    def reset(self, reason: ResetReason) -> None:
        """Let the client read everything again, instead of what waits for it."""
        self._waiting = []
        self._reset = reason
        self._news.set()

    def end(self) -> None:
        self.ended.set()
        self._news.set()

    async def next(self, seconds: float) -> Delivery | None:
        """Return what waits, after `seconds` also without changes; None at the end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        if self.ended.is_set():
            return None
        self._news.clear()
        found = Delivery(self._waiting, self._position(), self._reset)
        self._waiting, self._reset = [], None
        return found


class EventService:
    """Watches the database while a client listens."""

    def __init__(self, changes: ChangeStore) -> None:
        self._changes = changes
        self._listeners: set[Listener] = set()
        #: Listeners by address.
        self._clients: Counter[str] = Counter()
        self._lookups = asyncio.Semaphore(_LOOKUPS)
        self._pending: list[Change] = []
        #: Up to here the database was read, and every listener was offered it.
        self._read = self._offered = ""
        self._gap = False
        self._stopping = False
        self._watching: asyncio.Task[None] | None = None
        self._opening: asyncio.Future[None] | None = None
        self._together: asyncio.TimerHandle | None = None
        self._lingering: asyncio.TimerHandle | None = None

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    @property
    def watching(self) -> bool:
        return self._watching is not None and not self._watching.done()

    async def listen(
        self, project_ids: Collection[str], after: str | None, address: str = ""
    ) -> Listener:
        """Return a listener to all changes from now on, or after the position `after`.

        The caller returns it by `leave`. The number of listeners of one `address` is limited.

        Raises:
            BusyError, TooManyListenersError, StoppingError
            StorageError: the database does not answer.
        """
        if self._stopping:
            raise StoppingError
        if len(self._listeners) >= CLIENTS_AT_MOST:
            raise BusyError(len(self._listeners))
        if self._clients[address] >= CLIENTS_OF_AN_ADDRESS:
            raise TooManyListenersError(self._clients[address])
        listener = Listener(project_ids, lambda: self._offered, address)
        # Before missed changes are read, so that none can come between those and new ones.
        self._listeners.add(listener)
        self._clients[address] += 1
        try:
            await self._watch()
            if after is not None and after != self._offered:
                await self._make_up(listener, after)
        except BaseException:
            self.leave(listener)
            raise
        return listener

    def leave(self, listener: Listener) -> None:
        """Forget a listener; harmless to repeat."""
        if listener in self._listeners:
            self._listeners.discard(listener)
            self._clients[listener.address] -= 1
            if not self._clients[listener.address]:
                del self._clients[listener.address]
        if not self._listeners and self.watching and self._lingering is None:
            self._lingering = asyncio.get_running_loop().call_later(_LINGER, self._stop_watching)

    def end_all(self) -> None:
        """End every stream now, and refuse new ones: the service stops."""
        self._stopping = True
        for listener in self._listeners:
            listener.end()

    async def stop(self) -> None:
        """End all streams and the watching."""
        self.end_all()
        watching = self._watching
        self._stop_watching()
        if watching is not None:
            await asyncio.gather(watching, return_exceptions=True)

    async def _make_up(self, listener: Listener, after: str) -> None:
        try:
            async with self._lookups, asyncio.timeout(_LOOKUP_SECONDS):
                missed = await self._changes.between(after, self._offered, _MISSED_AT_MOST)
        except (ChangesLostError, StorageError, TimeoutError):
            # A browser does not connect again after an error.
            listener.reset("lost")
        else:
            listener.offer(fold(missed), earlier=True)

    async def _watch(self) -> None:
        """Return once the database is watched."""
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if not self.watching:
            self._opening = asyncio.get_running_loop().create_future()
            # No caller may be left to handle a failure.
            self._opening.add_done_callback(lambda opening: opening.exception())
            self._watching = asyncio.create_task(self._follow(self._opening))
        assert self._opening is not None  # noqa: S101 -- the watching has one
        await asyncio.shield(self._opening)

    def _stop_watching(self) -> None:
        for timer in (self._lingering, self._together):
            if timer is not None:
                timer.cancel()
        self._lingering = self._together = None
        self._pending.clear()
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _follow(self, opening: "asyncio.Future[None]") -> None:
        """Watch, and resume a broken stream; report a reset where changes are lost."""
        position: str | None = None
        try:
            while True:
                try:
                    async with aclosing(self._changes.follow(position)) as feed:
                        async for changes, position in feed:
                            self._take(changes, position)
                            if not opening.done():
                                opening.set_result(None)
                except ChangesLostError:
                    # Reported once there is a new stream, so that no change comes between the
                    # reset and that stream.
                    position, self._gap = None, True
                    _log.warning("changes were lost; every client has to read everything again")
                except (StorageError, TimeoutError) as error:
                    if not opening.done():
                        opening.set_exception(error)
                        return
                    _log.warning(
                        "the change stream broke; it is resumed", error=type(error).__name__
                    )
                await asyncio.sleep(_PAUSE)
        finally:
            if not opening.done():
                opening.set_exception(StoppingError())

    def _take(self, changes: Sequence[Change], position: str) -> None:
        self._read = position
        if self._gap:
            self._gap = False
            for listener in self._listeners:
                listener.reset("lost")
        self._pending += changes
        if not self._pending:
            self._offered = position
        elif self._together is None:
            self._together = asyncio.get_running_loop().call_later(_TOGETHER, self._offer)

    def _offer(self) -> None:
        changes, self._pending, self._together = fold(self._pending), [], None
        self._offered = self._read
        for listener in self._listeners:
            listener.offer(changes)
