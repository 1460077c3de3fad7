"""Removing what nobody can reach any more."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from benchmark_manager.services.variants.trash import TrashService
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.contents.problems import ProblemStore
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.sync.syncs import SyncStore
from benchmark_manager.stores.webhooks.deliveries import WebhookDeliveryStore

_log = structlog.get_logger(__name__)

#: What GitHub told of a file's history is asked anew after this.
_HISTORIES_KEPT: Final = timedelta(days=7)


class Housekeeping:
    """Every part is harmless to repeat, and to run in several replicas at once."""

    def __init__(
        self,
        projects: ProjectStore,
        syncs: SyncStore,
        blobs: BlobStore,
        problems: ProblemStore,
        releases: ReleaseStore,
        histories: FileHistoryStore,
        deliveries: WebhookDeliveryStore,
        trash: TrashService,
        *,
        sync_retention: timedelta,
        sync_retention_count: int,
        clock: Callable[[], datetime],
    ) -> None:
        """A project's syncs are kept for `sync_retention`, and `sync_retention_count` of them at most."""
        self._projects = projects
        self._syncs = syncs
        self._blobs = blobs
        self._problems = problems
        self._releases = releases
        self._histories = histories
        self._deliveries = deliveries
        self._trash = trash
        self._sync_retention = sync_retention
        self._sync_retention_count = sync_retention_count
        self._clock = clock

    async def sweep_deleted_projects(self) -> None:
        await self._projects.sweep_deleted(self._clock())

    async def run(self) -> None:
        """Everything: deleted projects, old records and old trash, then contents and problems nothing refers to."""
        now = self._clock()
        await self._projects.sweep_deleted(now)
        syncs = await self._syncs.purge(now - self._sync_retention, self._sync_retention_count)
        await self._histories.purge(now - _HISTORIES_KEPT)
        await self._deliveries.purge(now)
        modified_files = await self._trash.purge(now)
        await self._releases.sweep_files(now)
        blobs = await self._blobs.sweep(now)
        problems = await self._problems.sweep(now)
        if syncs or modified_files or blobs or problems:
            counts = {
                "syncs": syncs,
                "modified_files": modified_files,
                "contents": blobs,
                "problem_lists": problems,
            }
            _log.info("swept", **counts)
