"""Finds dead replicas and frees their projects, which need not wait for leases to run out."""

import time
from collections.abc import Callable
from typing import Final

import structlog

from benchmark_manager.stores.operations.process_identity import (
    ProcessIdentity,
    is_known_to_be_gone,
)
from benchmark_manager.stores.operations.replicas import Replica, ReplicaStore

_log = structlog.get_logger(__name__)

#: Seconds between two beats.
BEAT: Final = 1.5
#: Seconds for which a replica's count stands still before it counts as dead.
DEAD_AFTER: Final = 7.0


class Replicas:
    """Beats for this process, and watches the beats of others."""

    def __init__(
        self,
        store: ReplicaStore,
        process: ProcessIdentity | None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._process = process
        self._clock = clock
        self._former = clock()
        #: Per owner: its count, and for how many seconds it has stood still.
        self._still: dict[str, tuple[int, float]] = {}

    async def run(self) -> None:
        """Beat once, and free what dead replicas held.

        A replica on this machine is dead once its process is gone. Of others only their count is
        known, and how long it stood still by this process's own clock. A pause in which this
        process, or the database, stood still too counts as two beats at most: the others could not
        count on either.
        """
        others = await self._store.beat()
        now = self._clock()
        elapsed, self._former = min(now - self._former, 2 * BEAT), now
        self._still = {one.owner: (one.beats, self._stood_still(one, elapsed)) for one in others}
        for one in others:
            if self._is_dead(one):
                freed = await self._store.give_up(one)
                _log.warning("a replica is dead", replica=one.owner, projects_freed=freed)

    def _stood_still(self, replica: Replica, elapsed: float) -> float:
        beats, seconds = self._still.get(replica.owner, (-1, 0.0))
        return seconds + elapsed if beats == replica.beats else 0.0

    def _is_dead(self, replica: Replica) -> bool:
        is_gone = (
            replica.process is not None
            and self._process is not None
            and is_known_to_be_gone(replica.process, self._process)
        )
        return is_gone or self._still[replica.owner][1] >= DEAD_AFTER

    async def leave(self) -> None:
        """Take this process out: it stops and has given its leases back."""
        await self._store.leave()
