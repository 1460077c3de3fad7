"""Starts the syncs that are due."""

import asyncio
import math
import time
from collections import Counter
from datetime import timedelta
from typing import Final

import structlog

from benchmark_manager.errors import StoppingError, StorageError
from benchmark_manager.services.sync.coordinator import StartedSync, SyncCoordinator
from benchmark_manager.services.sync.slots import SyncSlots
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.sync.leases import LeaseStore

_log = structlog.get_logger(__name__)

#: Due syncs under way in one process. Most are checks, which need little memory. A sync that reads
#: contents waits for a slot; while so many wait, no first syncs are claimed, as other replicas may
#: have free slots.
_AT_ONCE: Final = 1000
_WAITING: Final = 32
#: How many of these one credential may have: those of others continue while it is slow.
_PER_CREDENTIAL: Final = 100
_PER_BATCHED_CREDENTIAL: Final = 500
_CLAIMED_AT_ONCE: Final = 100
#: Due projects are counted over this time, as GitHub limits points a minute.
_DUE_WITHIN: Final = timedelta(minutes=3)
_WAKES_A_SECOND: Final = 10
#: How often they are counted, seconds.
_COUNT_EVERY: Final = 5.0


class Polling:
    """Claims due projects, of which each replica takes some, and syncs them."""

    def __init__(
        self,
        database: Database,
        leases: LeaseStore,
        coordinator: SyncCoordinator,
        slots: SyncSlots,
        *,
        batch_threshold: int,
    ) -> None:
        """Prepare polling.

        `batch_threshold`: how many due projects a credential has at least whose checks share
        GraphQL queries.
        """
        self._database = database
        self._leases = leases
        self._coordinator = coordinator
        self._slots = slots
        self._batch_threshold = batch_threshold
        self._batched: frozenset[str] = frozenset()
        self._counted = float("-inf")
        self._under_way: Counter[str] = Counter()
        self._freed = asyncio.Event()
        self._turn = asyncio.Lock()
        self._wakes: dict[float, asyncio.TimerHandle] = {}
        self._woken: set[asyncio.Task[None]] = set()
        self._stopped = False

    async def run_due(self) -> None:
        """Start syncs until none is due; wait while enough are under way."""
        async with self._turn:
            while not self._stopped:
                room = self._room()
                if room == 0:
                    self._freed.clear()
                    await self._freed.wait()
                    continue
                try:
                    started = await self._start(min(room, _CLAIMED_AT_ONCE))
                except StoppingError:
                    return
                if not started:
                    return

    async def _start(self, limit: int) -> list[StartedSync]:
        await self._count_due()
        busy = {hint for hint, count in self._under_way.items() if count >= self._most(hint)}
        # First syncs read everything: while many of them wait, only other projects are claimed.
        only_read = self._slots.waiting >= _WAITING
        started = await self._coordinator.start_due(limit, busy, self._batched, only_read=only_read)
        for one in started:
            self._follow(one)
        return started

    def _follow(self, started: StartedSync) -> None:
        self._under_way[started.credential] += 1

        def ended(_: object) -> None:
            self._under_way[started.credential] -= 1
            self._under_way += Counter()
            self._freed.set()

        started.task.add_done_callback(ended)

    def _most(self, hint: str) -> int:
        return _PER_BATCHED_CREDENTIAL if hint in self._batched else _PER_CREDENTIAL

    def _room(self) -> int:
        return max(0, _AT_ONCE - self._under_way.total())

    async def _count_due(self) -> None:
        """Update, now and then, which credentials have enough due projects to batch checks."""
        if time.monotonic() - self._counted < _COUNT_EVERY:
            return
        self._counted = time.monotonic()
        due = await self._leases.due_by_credential(await self._database.now() + _DUE_WITHIN)
        self._batched = frozenset(
            hint for hint, count in due.items() if count >= self._batch_threshold
        )

    def wake(self, seconds: float) -> None:
        """Start due syncs that many seconds from now, before the next tick.

        Calls for the same moment become one.
        """
        loop = asyncio.get_running_loop()
        when = math.ceil((loop.time() + seconds) * _WAKES_A_SECOND) / _WAKES_A_SECOND
        if not self._stopped and when not in self._wakes:
            self._wakes[when] = loop.call_at(when, self._start_woken, when)

    def _start_woken(self, when: float) -> None:
        del self._wakes[when]

        async def run() -> None:
            try:
                await self.run_due()
            except StorageError as error:
                _log.warning("looking for due projects failed", code=error.code)

        task = asyncio.create_task(run())
        self._woken.add(task)
        task.add_done_callback(self._woken.discard)

    def stop(self) -> None:
        """Start no more."""
        self._stopped = True
        self._freed.set()
        waiting: list[asyncio.TimerHandle | asyncio.Task[None]] = [
            *self._wakes.values(),
            *self._woken,
        ]
        for each in waiting:
            each.cancel()
