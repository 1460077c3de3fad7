"""Applies what a sync has read.

One transaction, guarded by the lease's fence, makes the new originals, the drift of the variants
and the record of the sync visible at once. What is too much for one transaction is published at
once and applied in steps, while the project's readers wait: see `large_syncs`.
"""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from benchmark_manager.domain.sync.tree_changes import TreeChanges, compare
from benchmark_manager.models.access.principal import Principal, service_principal
from benchmark_manager.models.project import Project
from benchmark_manager.models.recorded_change import RecordedChange
from benchmark_manager.models.sync import LISTED_AT_MOST, Sync
from benchmark_manager.models.variant import drift_counts
from benchmark_manager.services.access.recording import ChangeRecorder
from benchmark_manager.services.sync.applying.large_syncs import LargeSyncs
from benchmark_manager.services.sync.applying.renames import RenameFinder
from benchmark_manager.services.sync.applying.variant_updates import UnjudgedError, VariantUpdates
from benchmark_manager.services.sync.outcomes import OutcomeBuilder
from benchmark_manager.services.sync.reading.snapshot import SnapshotFiles, UpstreamSnapshot
from benchmark_manager.services.sync.runs import ReadSync
from benchmark_manager.services.variants.drift import DriftJudge, Judgements
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.originals.skipped import SkippedFileStore
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.stores.sync.staged_changes import Publication
from benchmark_manager.stores.sync.syncs import SyncStore

_log = structlog.get_logger(__name__)


class _TooManyError(Exception):
    """The changes are too many for one transaction; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStores:
    """The stores that a sync writes."""

    database: Database
    leases: LeaseStore
    syncs: SyncStore
    originals: OriginalFileStore
    skipped_files: SkippedFileStore


class SyncApplier:
    """Writes the changes that a sync has found."""

    def __init__(
        self,
        stores: SyncStores,
        *,
        outcomes: OutcomeBuilder,
        variants: VariantUpdates,
        drift: DriftJudge,
        large: LargeSyncs,
        renames: RenameFinder,
        record: ChangeRecorder,
    ) -> None:
        """`record` is called with a sync that changed something and that no person asked for."""
        self._stores = stores
        self._outcomes = outcomes
        self._variants = variants
        self._drift = drift
        self._large = large
        self._renames = renames
        self._record_change = record

    async def finish_published(self, project_id: str) -> None:
        """Apply what a process published before it died: it counts already."""
        await self._large.finish(project_id)

    async def apply(self, read: ReadSync) -> Sync:
        """Apply the changes and record the sync."""
        begin = time.perf_counter()
        sync = await self._applied(replace(read, changes=await self._changes(read.snapshot)))
        _log.debug(
            "sync applied",
            project_id=read.project.id,
            reading_ms=round((begin - read.run.started) * 1000),
            applying_ms=round((time.perf_counter() - begin) * 1000),
        )
        return sync

    async def _applied(self, read: ReadSync) -> Sync:
        judged: Judgements = {}
        while True:
            try:
                return await self._stores.database.transaction(
                    lambda session: self._commit(read, judged, session)
                )
            except UnjudgedError as unjudged:
                judged.update(await self._drift.judge(unjudged.questions))
            except _TooManyError:
                return await self._apply_in_steps(read)

    async def _changes(self, snapshot: UpstreamSnapshot) -> TreeChanges | None:
        """Compare the snapshot with the stored files; None where nothing can have changed.

        The lease's fence proves later that the stored files are still those that were compared.
        """
        if snapshot.files is None:
            return None
        # In a thread, as 100,000 files take a third of a second.
        changes = await asyncio.to_thread(compare, snapshot.files.stored, snapshot.files.upstream)
        return await self._renames.with_similar(changes)

    async def _apply_in_steps(self, read: ReadSync) -> Sync:
        """Do the same as `_commit` where there is too much for one transaction."""
        project, files, changes = read.project, read.snapshot.files, read.changes
        assert files is not None  # noqa: S101 -- something changed
        assert changes is not None  # noqa: S101 -- something changed
        changes = await self._variants.free_of_collisions(project.id, changes, None)
        publication = Publication(
            project_id=project.id,
            fence=read.run.lease.fence,
            commit_sha=read.snapshot.commit.sha,
            committed_at=read.snapshot.commit.known_time,
            same_history=_same_history(project),
            now=self._outcomes.now(),
        )
        confirm = self._confirmation(read)
        await self._large.apply(publication, changes, files.verdicts, confirm)
        # Only syncs read these, and a row is right whatever else becomes of the sync.
        await self._stores.skipped_files.replace_many(
            project.id, files.skipped_before, files.skipped, confirm
        )
        applied = replace(read, changes=changes)
        return await self._stores.database.transaction(
            lambda session: self._record(applied, session)
        )

    def _confirmation(self, read: ReadSync) -> Callable[[Session], Awaitable[None]]:
        async def confirm(session: Session) -> None:
            await self._stores.leases.confirm(read.run.lease, read.project, session)

        return confirm

    async def _commit(self, read: ReadSync, judged: Judgements, session: Session) -> Sync:
        """Write everything that becomes visible with this sync, inside one transaction."""
        files, changes = read.snapshot.files, read.changes
        if files is None or changes is None:
            return await self._record(read, session)
        project_id, most = read.project.id, self._large.steps.at_once
        changes = await self._write_files(read, files, changes, session)
        if await self._variants.follow(project_id, changes, judged, session, at_most=most):
            raise _TooManyError
        if not await self._stores.skipped_files.replace(
            project_id, files.skipped_before, files.skipped, session, at_most=most
        ):
            raise _TooManyError
        return await self._record(replace(read, changes=changes), session)

    async def _write_files(
        self, read: ReadSync, files: SnapshotFiles, changes: TreeChanges, session: Session
    ) -> TreeChanges:
        """Make the originals equal to the snapshot's files.

        Returns:
            The changes without the renames that names forbid.

        Raises:
            _TooManyError: nothing was written.
        """
        project, commit, now = read.project, read.snapshot.commit, self._outcomes.now()
        changes = await self._variants.free_of_collisions(project.id, changes, session)
        anew = not _same_history(project)
        if changes.size + anew * changes.unchanged > self._large.steps.at_once:
            raise _TooManyError
        originals = self._stores.originals
        if anew:
            await originals.see_anew(project.id, commit.sha, commit.known_time, session)
        await originals.apply(
            project.id,
            changes,
            files.verdicts,
            commit_sha=commit.sha,
            committed_at=commit.known_time,
            now=now,
            session=session,
        )
        return changes

    async def _record(self, read: ReadSync, session: Session) -> Sync:
        """Record the sync and the project's new state."""
        project, files = read.project, read.snapshot.files
        drifts = None
        if read.changes is None or files is None:
            skipped = await self._outcomes.first_skipped(project)
        else:
            # There is no variant without an original.
            drifts = (
                await self._variants.drifts(project.id, session)
                if files.stored
                else drift_counts({})
            )
            first = itertools.islice(files.skipped.values(), LISTED_AT_MOST)
            skipped = tuple(file for _, file in first)
        sync = self._outcomes.record(read, skipped)
        sync = sync.model_copy(update={"modified_files_by_drift": drifts})
        now = await self._stores.database.now()
        finished = self._outcomes.finished(read, sync, now, self._outcomes.jitter())
        await self._stores.leases.finish(finished, session)
        await self._stores.syncs.insert(sync, read.run.lease.fence, session)
        # That of a person is on record since it was asked for.
        if sync.trigger != "manual" and sync.status == "success":
            principal = service_principal(sync.trigger)
            await self._record_change([sync_change(principal, project)], session)
        return sync


def sync_change(principal: Principal, project: Project) -> RecordedChange:
    """Return the record of a sync: by whom, or by what."""
    return RecordedChange.of_project("project.sync", principal, project)


def _same_history(project: Project) -> bool:
    """Return whether the stored commits are those of the repository that is read now.

    Commits of another repository say nothing about files of this one, even with equal contents.
    """
    return project.state.repository_key in {None, project.source.repository.key}
