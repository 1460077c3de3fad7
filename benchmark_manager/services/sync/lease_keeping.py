"""Keeps the lease of a sync while it runs."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Final

import structlog

from benchmark_manager.errors import LeaseLostError, StorageError
from benchmark_manager.models.sync import Sync
from benchmark_manager.services.sync.runs import SyncRun
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.stores.sync.progress import SyncProgressStore

_log = structlog.get_logger(__name__)

#: How often a sync that reads or writes stores its progress, seconds.
_PROGRESS: Final = 1.0


class LeaseKeeper:
    """Renews the leases of running syncs, and stores their progress."""

    def __init__(
        self, leases: LeaseStore, progress: SyncProgressStore, *, renew_every: float
    ) -> None:
        """`renew_every` is in seconds."""
        self._leases = leases
        self._progress = progress
        self._renew_every = renew_every

    async def under_lease(self, run: SyncRun, work: Awaitable[Sync]) -> Sync:
        """Run `work` while the lease is renewed; stop it when the lease is lost.

        Raises:
            LeaseLostError
        """
        renewal = asyncio.create_task(self._renew(run))
        main = asyncio.ensure_future(work)
        try:
            await asyncio.wait({renewal, main}, return_when=asyncio.FIRST_COMPLETED)
            if not main.done():
                raise LeaseLostError
            return main.result()
        finally:
            for task in (renewal, main):
                task.cancel()
            await asyncio.gather(renewal, main, return_exceptions=True)

    async def _renew(self, run: SyncRun) -> None:
        """Renew the lease and store the progress; return when the lease is lost.

        A database that does not answer does not mean that the lease is lost: the fence decides.
        """
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(_PROGRESS)
            try:
                if run.progress.phase not in {"checking", "waiting"}:
                    await self._progress.put(
                        run.project.id, run.lease.fence, run.progress.snapshot()
                    )
                if time.monotonic() - renewed >= self._renew_every:
                    renewed = time.monotonic()
                    if await self._leases.renew([run.lease]):
                        return
            except StorageError:
                _log.warning("a lease could not be renewed", project_id=run.project.id)
