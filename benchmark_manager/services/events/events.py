"""Reports changes to clients: one watcher of the database, and a bounded queue for each client."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Literal

import structlog
from cryptography.fernet import Fernet, MultiFernet

from benchmark_manager.domain.events.change_folding import LISTED_AT_MOST, fold
from benchmark_manager.errors import (
    BusyError,
    ChangesLostError,
    StoppingError,
    StorageError,
    TooManyListenersError,
)
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.change import Change
from benchmark_manager.services.events.positions import Positions
from benchmark_manager.services.events.rights import Rights
from benchmark_manager.stores.database.failures import described
from benchmark_manager.stores.events.changes import ChangeStore

_log = structlog.get_logger(__name__)

#: Missed changes are read for a few clients at once, within so many seconds and changes.
_LOOKUPS: Final = 4
_LOOKUP_SECONDS: Final = 5.0
_MISSED_AT_MOST: Final = 10_000

#: Why a client has to read everything again: it was too slow, or what it missed is forgotten.
ResetReason = Literal["slow", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLimits:
    """How many clients are served, and how soon."""

    #: Clients of one process.
    clients: int = 500
    #: Clients of one process that one address may have.
    clients_of_an_address: int = 200
    #: Clients of one process that one identity may have, where requests need one.
    clients_of_an_identity: int = 40
    #: How old the rights of a client may become, seconds.
    rights: float = 5.0
    #: Changes that wait for a client; one that takes them more slowly has to read everything again.
    waiting: int = 1000
    #: Of one kind and project, more changes than these are sent as one without an id.
    listed: int = LISTED_AT_MOST
    #: Changes that come within this are sent together, seconds.
    together: float = 0.2
    #: How long the database is watched behind the last client, seconds: a reloaded page comes back.
    linger: float = 30.0
    #: Between a stream that broke and the next, seconds.
    pause: float = 0.5
    #: Between two messages to a client, seconds: proxies close what is silent for half a minute.
    keep_alive: float = 15.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """Changes for a client, and the position after them; with a `reset`, that comes first."""

    changes: Sequence[Change]
    position: str
    reset: ResetReason | None = None


class Listener:
    """One client, and the changes of its projects (none given: of all) that wait for it.

    It receives only changes of projects that its principal may read.
    """

    def __init__(
        self,
        rights: Rights,
        project_ids: Collection[str],
        position: Callable[[], str],
        address: str,
        *,
        waiting_at_most: int,
    ) -> None:
        #: Its identity, else its address: the number of listeners of each is limited.
        self.counted_as = rights.identity or address
        self._rights = rights
        self._rights.ask_for(project_ids)
        self._project_ids = frozenset(project_ids)
        self._position = position
        self._waiting: list[Change] = []
        self._waiting_at_most = waiting_at_most
        self._reset: ResetReason | None = None
        self._news = asyncio.Event()
        #: Set when nothing more is reported: the service stops, or the client may not listen.
        self.ended = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many changes wait for the client."""
        return len(self._waiting)

    @property
    def reset_reason(self) -> ResetReason | None:
        """Why the client will have to read everything again; None where it will not."""
        return self._reset

    def offer(self, changes: Sequence[Change], *, earlier: bool = False) -> None:
        """Queue the changes of its projects; `earlier` ones go before those that wait."""
        wanted = [
            change
            for change in changes
            if (not self._project_ids or change.project_id in self._project_ids)
            and self._rights.cover(change)
        ]
        if len(self._waiting) + len(wanted) > self._waiting_at_most:
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
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, self._rights.every)):
                    await self._news.wait()
            if not self.ended.is_set() and not await self._rights.renew():
                self.end()
            if self.ended.is_set():
                return None
            if self._news.is_set() or time.monotonic() >= until:
                return self._taken()

    def _taken(self) -> Delivery:
        self._news.clear()
        # The rights may have changed since it was offered.
        changes = [change for change in self._waiting if self._rights.cover(change)]
        found = Delivery(changes, self._position(), self._reset)
        self._waiting, self._reset = [], None
        return found


class EventService:
    """Watches the database while a client listens."""

    def __init__(
        self,
        changes: ChangeStore,
        limits: EventLimits | None = None,
        cipher: MultiFernet | None = None,
    ) -> None:
        """`cipher` seals positions for clients; without one, only this service opens them."""
        self._changes = changes
        self.positions: Final = Positions(cipher or MultiFernet([Fernet(Fernet.generate_key())]))
        self.limits: Final = limits or EventLimits()
        self._listeners: set[Listener] = set()
        #: Listeners by identity, or by address.
        self._clients: Counter[str] = Counter()
        self._lookups = asyncio.Semaphore(_LOOKUPS)
        self._pending: list[Change] = []
        #: Up to here the database was read, and every listener was offered it.
        self._read = self._offered = ""
        #: How often the database began to be watched.
        self.openings = 0
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
    def clients(self) -> Sequence[Listener]:
        """Everyone who listens now."""
        return tuple(self._listeners)

    @property
    def watching(self) -> bool:
        return self._watching is not None and not self._watching.done()

    async def listen(
        self,
        principal: Principal,
        project_ids: Collection[str],
        after: str | None,
        address: str = "",
        *,
        identify: Callable[[], Awaitable[Principal | None]],
    ) -> Listener:
        """Return a listener to all changes from now on, or after the position `after`.

        The caller returns it by `leave`. The number of listeners of one identity is limited, and
        where requests need none, of one `address`. `identify` returns the principal as it is at
        that moment; the listener ends when that is None, or may not read a project of
        `project_ids` any more.

        Raises:
            BusyError, TooManyListenersError, StoppingError
            StorageError: the database does not answer.
        """
        if self._stopping:
            raise StoppingError
        if len(self._listeners) >= self.limits.clients:
            raise BusyError(len(self._listeners))
        rights = Rights(principal, identify, every=self.limits.rights)
        listener = Listener(
            rights,
            project_ids,
            lambda: self._offered,
            address,
            waiting_at_most=self.limits.waiting,
        )
        most = (
            self.limits.clients_of_an_address
            if rights.identity is None
            else self.limits.clients_of_an_identity
        )
        if self._clients[listener.counted_as] >= most:
            raise TooManyListenersError(self._clients[listener.counted_as])
        # Before missed changes are read, so that none can come between those and new ones.
        self._listeners.add(listener)
        self._clients[listener.counted_as] += 1
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
            self._clients[listener.counted_as] -= 1
            if not self._clients[listener.counted_as]:
                del self._clients[listener.counted_as]
        if not self._listeners and self.watching and self._lingering is None:
            self._lingering = asyncio.get_running_loop().call_later(
                self.limits.linger, self.stop_watching
            )

    def end_all(self) -> None:
        """End every stream now, and refuse new ones: the service stops."""
        self._stopping = True
        for listener in self._listeners:
            listener.end()

    async def stop(self) -> None:
        """End all streams and the watching."""
        self.end_all()
        watching = self._watching
        self.stop_watching()
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
            listener.offer(self._folded(missed), earlier=True)

    async def _watch(self) -> None:
        """Return once the database is watched."""
        if self._lingering is not None:
            self._lingering.cancel()
            self._lingering = None
        if not self.watching:
            self.openings += 1
            self._opening = asyncio.get_running_loop().create_future()
            # No caller may be left to handle a failure.
            self._opening.add_done_callback(lambda opening: opening.exception())
            self._watching = asyncio.create_task(self._follow(self._opening))
        assert self._opening is not None  # noqa: S101 -- the watching has one
        await asyncio.shield(self._opening)

    def stop_watching(self) -> None:
        """Stop reading the database; the next listener makes it begin again."""
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
                    _log.warning("the change stream broke; it is resumed", error=described(error))
                await asyncio.sleep(self.limits.pause)
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
            self._together = asyncio.get_running_loop().call_later(
                self.limits.together, self._offer
            )

    def _offer(self) -> None:
        changes, self._pending, self._together = self._folded(self._pending), [], None
        self._offered = self._read
        for listener in self._listeners:
            listener.offer(changes)

    def _folded(self, changes: Sequence[Change]) -> list[Change]:
        return fold(changes, listed_at_most=self.limits.listed)
