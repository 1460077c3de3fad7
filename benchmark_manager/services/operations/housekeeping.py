"""Deletes what no reader can reach any more."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.services.variants.trash import TrashService
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.access.setup_links import SetupLinkStore
from benchmark_manager.stores.access.sign_in_attempts import SignInAttemptStore
from benchmark_manager.stores.access.used_codes import UsedCodeStore
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


class RemovesDeleted(Protocol):
    """What removes objects that are not found any more."""

    async def finish_all(self) -> None:
        """Remove all of them, as after a crash."""


class KeepsUp(Protocol):
    """What removes old objects of one feature, and the contents that only these had."""

    async def run(self, now: datetime) -> int:
        """Return how many objects were removed."""


@dataclass(frozen=True, slots=True)
class EndedCredentials:
    """What ends by itself: sessions, tokens, failed sign-ins and set-up links."""

    sessions: SessionStore
    tokens: ApiTokenStore
    attempts: SignInAttemptStore
    setup_links: SetupLinkStore
    used_codes: UsedCodeStore
    #: How long a session may be unused.
    idle: timedelta

    async def purge(self, now: datetime) -> None:
        """Delete what has ended."""
        await self.sessions.purge(now, self.idle)
        await self.tokens.purge(now)
        await self.attempts.purge(now)
        await self.setup_links.purge(now)
        await self.used_codes.purge(now)


@dataclass(frozen=True, slots=True)
class SweptStores:
    """The stores that are cleaned up."""

    projects: ProjectStore
    of_projects: Sequence[BelongsToProjects]
    """In the order in which a deleted project is removed from them."""
    syncs: SyncStore
    releases: ReleaseStore
    deleted_sweeps: RemovesDeleted
    results: KeepsUp
    histories: FileHistoryStore
    deliveries: WebhookDeliveryStore
    contents: ContentSweeps
    credentials: EndedCredentials


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
        audit: AuditLog,
        *,
        syncs: Retention,
        clock: Callable[[], datetime],
    ) -> None:
        self._stores = stores
        self._trash = trash
        self._audit = audit
        self._syncs = syncs
        self._clock = clock

    async def sweep_deleted_projects(self) -> None:
        """Delete what belonged to deleted projects, except for releases that others use."""
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
        await self._stores.deleted_sweeps.finish_all()
        syncs = await self._stores.syncs.purge(now - self._syncs.age, self._syncs.count)
        await self._stores.histories.purge(now - _HISTORIES_KEPT)
        await self._stores.deliveries.purge(now)
        await self._stores.credentials.purge(now)
        variants = await self._trash.purge(now)
        results = await self._stores.results.run(now)
        records = await self._audit.purge(now)
        await self._stores.releases.sweep_files(now)
        blobs = await self._stores.contents.sweep_blobs(now)
        problems = await self._stores.contents.sweep_problems(now)
        if syncs or variants or results or records or blobs or problems:
            _log.info(
                "swept",
                syncs=syncs,
                modified_files=variants,
                results=results,
                audit_records=records,
                contents=blobs,
                problem_lists=problems,
            )
