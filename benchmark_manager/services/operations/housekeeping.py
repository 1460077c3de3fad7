"""Deletes what no reader can reach any more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from benchmark_manager.services.variants.trash import TrashService
from benchmark_manager.stores.operations.sweeps import ContentSweeps
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.sync.syncs import SyncStore
from benchmark_manager.stores.webhooks.deliveries import WebhookDeliveryStore

_log = structlog.get_logger(__name__)

#: How long the history of a file is kept before GitHub is asked for it again.
_HISTORIES_KEPT: Final = timedelta(days=7)


class BelongsToProjects(Protocol):
    """A store whose documents belong to projects."""

    async def delete_of_project(self, project_id: str) -> None:
        """Delete what belonged to a deleted project."""


@dataclass(frozen=True, slots=True)
class SweptStores:
    """The stores that are cleaned up."""

    projects: ProjectStore
    of_projects: Sequence[BelongsToProjects]
    """In the order in which a deleted project is removed from them."""
    syncs: SyncStore
    releases: ReleaseStore
    histories: FileHistoryStore
    deliveries: WebhookDeliveryStore
    contents: ContentSweeps


@dataclass(frozen=True, slots=True)
class Retention:
    """How much of a project's history of syncs is kept."""

    age: timedelta
    count: int


class Housekeeping:
    """Each part may be repeated, and may run in several replicas at once."""

    def __init__(
        self,
        stores: SweptStores,
        trash: TrashService,
        *,
        syncs: Retention,
        clock: Callable[[], datetime],
    ) -> None:
        self._stores = stores
        self._trash = trash
        self._syncs = syncs
        self._clock = clock

    async def sweep_deleted_projects(self) -> None:
        """Delete what belonged to deleted projects, but for releases that others use."""
        # Taken before the deletions: another sweep deletes what a late sync writes during these.
        now = self._clock()
        deleted = await self._stores.projects.deleted()
        for project_id in deleted:
            for store in self._stores.of_projects:
                await store.delete_of_project(project_id)
        # Releases are deleted by transactions, which a nearly full disk refuses. The deletions
        # above make room.
        for project_id in deleted:
            await self._stores.releases.sweep(project_id)
            await self._stores.projects.forget_deleted(project_id, now)

    async def run(self) -> None:
        """Delete old records and old trash, then contents and problems without a reference."""
        now = self._clock()
        await self.sweep_deleted_projects()
        syncs = await self._stores.syncs.purge(now - self._syncs.age, self._syncs.count)
        await self._stores.histories.purge(now - _HISTORIES_KEPT)
        await self._stores.deliveries.purge(now)
        variants = await self._trash.purge(now)
        await self._stores.releases.sweep_files(now)
        blobs = await self._stores.contents.sweep_blobs(now)
        problems = await self._stores.contents.sweep_problems(now)
        if syncs or variants or blobs or problems:
            _log.info(
                "swept",
                syncs=syncs,
                modified_files=variants,
                contents=blobs,
                problem_lists=problems,
            )
