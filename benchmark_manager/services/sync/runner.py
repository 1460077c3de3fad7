"""What one sync does under its lease.

GitHub is read, contents and problems going to their stores where nothing refers to them. Then one
transaction, guarded by the lease's fence, makes the new state, the drift of the modified files and
the record of the sync visible at once. What is too much for one is published at once, and the
project's readers wait until it is applied: see `services.large_syncs`.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import structlog

from benchmark_manager.domain.sync.record_folding import fold_target, folded
from benchmark_manager.domain.sync.schedule import after_failure, after_lag, after_success
from benchmark_manager.domain.sync.tree_changes import TreeChanges, compare
from benchmark_manager.errors import (
    BenchmarkManagerError,
    GitHubActionError,
    GitHubError,
    StorageError,
    TokenUnreadableError,
)
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.heads import Patience
from benchmark_manager.models.project import Project
from benchmark_manager.models.sync import (
    LISTED_AT_MOST,
    ErrorInfo,
    GitHubUsage,
    SkippedFile,
    Sync,
    SyncSummary,
)
from benchmark_manager.services.projects.credentials import CredentialService
from benchmark_manager.services.sync.following import Following, UnjudgedError
from benchmark_manager.services.sync.large_syncs import LargeSyncs
from benchmark_manager.services.sync.reader import Moved, Upstream, UpstreamReader
from benchmark_manager.services.sync.records import CheckAhead, SyncRun, failed, succeeded
from benchmark_manager.services.sync.renames import RenameFinder
from benchmark_manager.services.sync.slots import SyncPlaces
from benchmark_manager.services.sync.unchanged import UnchangedRecorder, UnchangedSync
from benchmark_manager.services.variants.drift import DriftJudge, Judgements
from benchmark_manager.stores.database.database import Database, Session, milliseconds
from benchmark_manager.stores.database.failures import DATABASE_ERRORS
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.sync.leases import Finished, LeaseStore
from benchmark_manager.stores.sync.staged_changes import Publication
from benchmark_manager.stores.sync.syncs import SyncStore
from benchmark_manager.workers.caller import Caller, calling_as

_log = structlog.get_logger(__name__)


class _TooManyError(Exception):
    """The changes are too many for one transaction; nothing was written."""


class SyncWork:
    """Compares a project with GitHub, and records what came of it."""

    def __init__(
        self,
        database: Database,
        leases: LeaseStore,
        files: OriginalFileStore,
        following: Following,
        drift: DriftJudge,
        syncs: SyncStore,
        reader: UpstreamReader,
        credentials: CredentialService,
        places: SyncPlaces,
        unchanged: UnchangedRecorder,
        large: LargeSyncs,
        renames: RenameFinder,
        *,
        clock: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._database = database
        self._leases = leases
        self._files = files
        self._following = following
        self._drift = drift
        self._syncs = syncs
        self._reader = reader
        self._credentials = credentials
        self._places = places
        self._unchanged = unchanged
        self._large = large
        self._renames = renames
        #: Projects whose last sync the database interrupted, as it was away.
        self._interrupted: set[str] = set()
        self._clock = clock
        self._random = random

    def look_ahead(self, project: Project, asked_at: float) -> CheckAhead:
        """Begin the check for somebody who waits, while the project is still being claimed.

        `asked_at` is the monotonic clock's, seconds.
        """

        async def check(ahead: CheckAhead) -> tuple[RepositoryClient, Upstream | Moved]:
            client = ahead.client = await self._credentials.client(project, urgent=True)
            return client, await self._reader.check(project, client, Patience(asked_at))

        return CheckAhead(project, check)

    async def run(self, run: SyncRun) -> Sync:
        """Sync; a failure of GitHub's or the database's, or a fault of ours, becomes a record with `status: failed`.

        Raises:
            LeaseLostError, SourceChangedError, StorageError, PyMongoError: nothing was recorded.
        """
        with calling_as(Caller(f"project:{run.project.id}", background=True)):
            sync = await self._run(run)
        self._interrupted.discard(run.project.id)
        return sync

    async def _run(self, run: SyncRun) -> Sync:
        client: RepositoryClient | None = None
        try:
            ahead = run.ahead
            if ahead is not None and ahead.serves(run.project):
                client, found = await ahead.task
            else:
                if ahead is not None:
                    ahead.task.cancel()
                client = await self._credentials.client(run.project, urgent=run.trigger == "manual")
                found = await self._reader.check(run.project, client, run.patience)
            if isinstance(found, Upstream):
                return await self._record_unchanged(run, found, client.usage)
            run.progress.enter("waiting")
            async with self._places.taken(run.trigger, client.requests.credential.fingerprint):
                # What a process that died had published counts already.
                await self._large.finish(run.project.id)
                upstream = await self._reader.read(run.project, client, found, run.progress)
                run.progress.enter("applying")
                return await self._apply(run, upstream, client.usage)
        except (GitHubError, TokenUnreadableError) as error:
            return await self._fail(run, error, _usage(client, run.ahead))
        except (StorageError, *DATABASE_ERRORS) as error:
            return await self._fail_in_store(run, error, _usage(client, run.ahead))
        except BenchmarkManagerError:
            raise
        except Exception:  # noqa: BLE001 -- a fault of ours must neither stop other projects nor be repeated at once
            _log.exception("sync failed unexpectedly", project_id=run.project.id)
            fault = BenchmarkManagerError(
                "internal_error",
                "The service failed while it synced this project; its log says how.",
            )
            return await self._fail(run, fault, _usage(client, run.ahead))

    async def _record_unchanged(self, run: SyncRun, upstream: Upstream, usage: GitHubUsage) -> Sync:
        """Record, together with others, that nothing can have changed."""
        skipped = await self._skipped(run.project)
        sync = self._succeeded(run, upstream, None, skipped, usage)
        previous = run.project.state.last_sync
        target = fold_target(previous, sync)
        shown = sync if target is None or previous is None else folded(previous, sync)
        jitter = self._jitter()

        def build(now: datetime) -> UnchangedSync:
            return UnchangedSync(self._finished(run, upstream, shown, now, jitter), shown, target)

        if await self._unchanged.record(build):
            return shown
        # Somebody changed the project meanwhile: by itself, it can be told what follows from that.
        return await self._apply(run, upstream, usage)

    async def _skipped(self, project: Project) -> tuple[SkippedFile, ...]:
        """What the last sync skipped, which holds as long as nothing changed."""
        if not project.state.skipped_files:
            return ()
        return await self._files.first_skipped(project.id, LISTED_AT_MOST)

    def _succeeded(
        self,
        run: SyncRun,
        upstream: Upstream,
        changes: TreeChanges | None,
        skipped: tuple[SkippedFile, ...],
        usage: GitHubUsage,
    ) -> Sync:
        count = _skipped_count(run, upstream)
        now = milliseconds(self._clock())
        return succeeded(
            run, upstream, changes, skipped=skipped, skipped_count=count, usage=usage, now=now
        )

    async def _apply(self, run: SyncRun, upstream: Upstream, usage: GitHubUsage) -> Sync:
        begin = time.perf_counter()
        sync = await self._applied(run, upstream, usage)
        _log.debug(
            "sync applied",
            project_id=run.project.id,
            reading_ms=round((begin - run.started) * 1000),
            applying_ms=round((time.perf_counter() - begin) * 1000),
        )
        return sync

    async def _applied(self, run: SyncRun, upstream: Upstream, usage: GitHubUsage) -> Sync:
        judged: Judgements = {}
        changes = await self._changes(upstream)
        while True:
            try:
                return await self._database.transaction(
                    lambda session: self._commit(run, upstream, changes, usage, judged, session)
                )
            except UnjudgedError as unjudged:
                judged.update(await self._drift.judge(unjudged.questions))
            except _TooManyError:
                assert changes is not None  # noqa: S101 -- something changed
                return await self._apply_in_steps(run, upstream, changes, usage)

    async def _changes(self, upstream: Upstream) -> TreeChanges | None:
        """What upstream changes; None where nothing can have changed.

        The lease's fence proves later that the stored files are still those which were compared.
        """
        if upstream.files is None:
            return None
        # In a thread, as 100,000 files take a third of a second.
        changes = await asyncio.to_thread(compare, upstream.stored, upstream.files)
        return await self._renames.with_similar(changes)

    async def _apply_in_steps(
        self, run: SyncRun, upstream: Upstream, changes: TreeChanges, usage: GitHubUsage
    ) -> Sync:
        """The same as `_commit` where there is too much for one transaction."""
        project = run.project
        assert upstream.committed_at is not None  # noqa: S101 -- something changed
        changes = await self._following.free_of_collisions(project.id, changes, None)
        publication = Publication(
            project_id=project.id,
            fence=run.lease.fence,
            commit_sha=upstream.commit_sha,
            committed_at=upstream.committed_at,
            same_history=_same_history(project),
            now=milliseconds(self._clock()),
        )

        async def confirm(session: Session) -> None:
            await self._leases.confirm(run.lease, project, session)

        await self._large.apply(publication, changes, upstream.verdicts, confirm)
        # Syncs alone read these, and a row holds whatever else became of the sync.
        await self._files.replace_many_skipped(project.id, upstream.skipped, confirm)
        return await self._database.transaction(
            lambda session: self._record(run, upstream, changes, usage, session)
        )

    async def _commit(
        self,
        run: SyncRun,
        upstream: Upstream,
        changes: TreeChanges | None,
        usage: GitHubUsage,
        judged: Judgements,
        session: Session,
    ) -> Sync:
        """Everything that becomes visible with this sync, inside one transaction."""
        project = run.project
        if changes is not None:
            changes = await self._write_files(
                run, upstream, changes, milliseconds(self._clock()), session
            )
            if await self._following.follow(
                project.id, changes, judged, session, at_most=self._large.steps.at_once
            ):
                raise _TooManyError
            if not await self._files.replace_skipped(
                project.id, upstream.skipped, session, at_most=self._large.steps.at_once
            ):
                raise _TooManyError
        return await self._record(run, upstream, changes, usage, session)

    async def _record(
        self,
        run: SyncRun,
        upstream: Upstream,
        changes: TreeChanges | None,
        usage: GitHubUsage,
        session: Session,
    ) -> Sync:
        """Record the sync, and what it leaves behind in its project."""
        project = run.project
        drifts = None
        if changes is None:
            skipped = await self._skipped(project)
        else:
            drifts = await self._following.drifts(project.id, session)
            skipped = tuple(
                file for _, file in itertools.islice(upstream.skipped.values(), LISTED_AT_MOST)
            )
        sync = self._succeeded(run, upstream, changes, skipped, usage)
        sync = sync.model_copy(update={"modified_files_by_drift": drifts})
        now = await self._database.now()
        await self._leases.finish(self._finished(run, upstream, sync, now, self._jitter()), session)
        await self._syncs.insert(sync, run.lease.fence, session)
        return sync

    def _finished(
        self, run: SyncRun, upstream: Upstream, sync: Sync, now: datetime, jitter: float
    ) -> Finished:
        """The project behind a sync which went well; `now` is the database's time."""
        project = run.project
        state = project.state.model_copy(
            update={
                "status": "ok",
                "error": None,
                "last_sync": SyncSummary.of(sync),
                "last_success_at": sync.finished_at,
                "resolved_branch": upstream.resolved_branch,
                "head_sha": upstream.commit_sha,
                "root_tree_sha": upstream.root_tree_sha,
                "folder_trees": upstream.folder_trees,
                "repository_key": (upstream.renamed_to or project.source.repository).key,
                "max_file_size": upstream.max_file_size,
                "skipped_files": _skipped_count(run, upstream),
                "originals": _originals(run, upstream),
                "warnings": upstream.warnings,
                "fail_count": 0,
            }
        )
        renamed = upstream.renamed_to
        token = None if renamed is None else self._credentials.moved_token(project, renamed)
        next_poll_at = after_success(project, now, jitter, companion=run.companion)
        again = after_lag(project, upstream.commit_sha, now)
        if again is not None and (next_poll_at is None or again < next_poll_at):
            return Finished(run.lease, project, state, again, renamed, token, due_trigger="webhook")
        return Finished(run.lease, project, state, next_poll_at, renamed, token)

    async def _write_files(
        self,
        run: SyncRun,
        upstream: Upstream,
        changes: TreeChanges,
        now: datetime,
        session: Session,
    ) -> TreeChanges:
        """Make the originals what upstream has; return the changes without renames that names forbid.

        Raises:
            _TooManyError: nothing was written.
        """
        project = run.project
        assert upstream.committed_at is not None  # noqa: S101 -- something changed
        changes = await self._following.free_of_collisions(project.id, changes, session)
        anew = not _same_history(project)
        if changes.size + anew * changes.unchanged > self._large.steps.at_once:
            raise _TooManyError
        if anew:
            await self._files.see_anew(
                project.id, upstream.commit_sha, upstream.committed_at, session
            )
        await self._files.apply(
            project.id,
            changes,
            upstream.verdicts,
            commit_sha=upstream.commit_sha,
            committed_at=upstream.committed_at,
            now=now,
            session=session,
        )
        return changes

    async def _fail_in_store(self, run: SyncRun, error: Exception, usage: GitHubUsage) -> Sync:
        """Record that the database failed, so that the project's polling slows down.

        A database which is away for once is no failure of the sync: the project stays due, for the
        next one to go on.
        """
        found = error if isinstance(error, StorageError) else await self._database.failure(error)
        project_id = run.project.id
        if found.code == "database_unavailable" and project_id not in self._interrupted:
            self._interrupted.add(project_id)
            raise error
        _log.error(
            "a sync failed in the database",
            project_id=project_id,
            code=found.code,
            error=f"{type(error).__name__}: {error}"[:2000],
        )
        return await self._fail(run, found, usage)

    async def _fail(self, run: SyncRun, error: BenchmarkManagerError, usage: GitHubUsage) -> Sync:
        """Record a failure; nothing that was copied before changes."""
        project = run.project
        next_poll_at = after_failure(project, error, await self._database.now(), self._jitter())
        next_poll_at = None if next_poll_at is None else milliseconds(next_poll_at)
        # Where nothing polls, what was queued stays queued until it was done.
        still_due = (
            "poll" if project.polling_interval or next_poll_at is None else project.due_trigger
        )
        retry_at = error.retry_at if isinstance(error, GitHubError) else None
        info = ErrorInfo(code=error.code, detail=error.detail, retry_at=retry_at or next_poll_at)
        sync = failed(run, info, usage, milliseconds(self._clock()))
        needs_person = isinstance(error, (GitHubActionError, TokenUnreadableError))
        state = project.state.model_copy(
            update={
                "status": "failing" if needs_person else "unavailable",
                "error": info,
                "last_sync": SyncSummary.of(sync),
                "fail_count": project.state.fail_count + 1,
            }
        )

        async def work(session: Session) -> None:
            finished = Finished(run.lease, project, state, next_poll_at, due_trigger=still_due)
            await self._leases.finish(finished, session)
            await self._syncs.insert(sync, run.lease.fence, session)

        await self._database.transaction(work, small=True)
        return sync

    def _jitter(self) -> float:
        return 2 * self._random() - 1


def _skipped_count(run: SyncRun, upstream: Upstream) -> int:
    return run.project.state.skipped_files if upstream.files is None else len(upstream.skipped)


def _originals(run: SyncRun, upstream: Upstream) -> dict[str, int] | None:
    """How many originals of each type are in place behind this sync; None while unknown."""
    if upstream.files is None:
        return run.project.state.originals
    return dict(Counter(file.file_type for file in upstream.files.values()))


def _same_history(project: Project) -> bool:
    """Commits of another repository say nothing about files of this one, be their contents the same."""
    return project.state.repository_key in {None, project.source.repository.key}


def _usage(client: RepositoryClient | None, ahead: CheckAhead | None) -> GitHubUsage:
    client = client or (None if ahead is None else ahead.client)
    return GitHubUsage() if client is None else client.usage
