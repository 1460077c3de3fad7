"""Records syncs that found nothing new, many in one transaction.

Nearly all polls end so. Each alone would cost a transaction, acknowledged by a majority. Syncs that
end while one transaction is being written go into the next.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.models.sync import Sync
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.sync.leases import FinishedSync, LeaseStore
from benchmark_manager.stores.sync.syncs import SyncStore

_AT_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class UnchangedSync:
    """A record to write; `target` is the id of the record that `sync` is folded into, or None."""

    finished: FinishedSync
    sync: Sync
    target: str | None


Build = Callable[[datetime], UnchangedSync]


class UnchangedRecorder:
    """Writes the records of unchanged syncs in the order in which they arrive."""

    def __init__(self, database: Database, leases: LeaseStore, syncs: SyncStore) -> None:
        self._database = database
        self._leases = leases
        self._syncs = syncs
        self._waiting: deque[tuple[Build, asyncio.Future[bool]]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def record(self, build: Build) -> bool:
        """Record what `build` returns for the database's time.

        Returns:
            False where the project was changed meanwhile: nothing was recorded.

        Raises:
            StorageError: nothing was recorded.
        """
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((build, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await done

    async def _write_all(self) -> None:
        while self._waiting:
            some = [self._waiting.popleft() for _ in range(min(_AT_MOST, len(self._waiting)))]
            # A caller that was cancelled has given its lease back.
            batch = [(build, done) for build, done in some if not done.done()]
            try:
                written = await self._write([build for build, _ in batch])
            except Exception as error:  # noqa: BLE001 -- each waiting caller gets it
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
                continue
            for (_, done), recorded in zip(batch, written, strict=True):
                if not done.done():
                    done.set_result(recorded)

    async def _write(self, builds: list[Build]) -> list[bool]:
        if not builds:
            return []
        now = await self._database.now()
        rows = [build(now) for build in builds]

        async def work(session: Session) -> set[str]:
            finished = await self._leases.finish_many([row.finished for row in rows], session)
            kept = [row for row in rows if row.finished.lease.project_id in finished]
            folds = [(row.sync, row.finished.lease.fence, row.target) for row in kept]
            await self._syncs.fold_unchanged(folds, session)
            return finished

        written = await self._database.transaction(work)
        return [row.finished.lease.project_id in written for row in rows]
