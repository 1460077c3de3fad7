"""Removing what nobody can reach any more."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from benchmark_manager.stores.blobs import BlobStore
from benchmark_manager.stores.projects import ProjectStore
from benchmark_manager.stores.syncs import SyncStore

_log = structlog.get_logger(__name__)


class Housekeeping:
    """Every part is harmless to repeat, and to run in several replicas at once."""

    def __init__(
        self,
        projects: ProjectStore,
        syncs: SyncStore,
        blobs: BlobStore,
        *,
        sync_retention: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._projects = projects
        self._syncs = syncs
        self._blobs = blobs
        self._sync_retention = sync_retention
        self._clock = clock

    async def sweep_deleted_projects(self) -> None:
        await self._projects.sweep_deleted(self._clock())

    async def run(self) -> None:
        """Everything: deleted projects, old history, contents which nothing refers to."""
        now = self._clock()
        await self._projects.sweep_deleted(now)
        syncs = await self._syncs.purge(now - self._sync_retention)
        blobs = await self._blobs.sweep(now)
        if syncs or blobs:
            _log.info("swept", syncs=syncs, contents=blobs)
