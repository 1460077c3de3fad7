"""Builds the outcomes of syncs: the record that history keeps, and the project's new state."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from benchmark_manager import messages
from benchmark_manager.domain.projects.schedule import after_failure, after_lag, after_success
from benchmark_manager.errors import (
    BenchmarkManagerError,
    GitHubActionError,
    GitHubError,
    TokenUnreadableError,
)
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
from benchmark_manager.services.sync.reading.snapshot import stored_trees
from benchmark_manager.services.sync.records import failed, succeeded
from benchmark_manager.services.sync.runs import ReadSync, SyncRun
from benchmark_manager.stores.database.database import milliseconds
from benchmark_manager.stores.originals.skipped import SkippedFileStore
from benchmark_manager.stores.sync.leases import FinishedSync


class OutcomeBuilder:
    """Builds the outcomes of all syncs of a process."""

    def __init__(
        self,
        skipped_files: SkippedFileStore,
        credentials: CredentialService,
        *,
        clock: Callable[[], datetime],
        random: Callable[[], float],
    ) -> None:
        self._skipped_files = skipped_files
        self._credentials = credentials
        self._clock = clock
        self._random = random

    def now(self) -> datetime:
        """Return this process's time as the database keeps it."""
        return milliseconds(self._clock())

    def jitter(self) -> float:
        """Return a random number from -1 to 1."""
        return 2 * self._random() - 1

    async def first_skipped(self, project: Project) -> tuple[SkippedFile, ...]:
        """Return what the last sync skipped, which holds as long as nothing changed."""
        if not project.state.skipped_files:
            return ()
        return await self._skipped_files.first(project.id, LISTED_AT_MOST)

    def record(self, read: ReadSync, skipped: tuple[SkippedFile, ...]) -> Sync:
        """Return the record of a sync that succeeded."""
        return succeeded(read, skipped, self.now())

    def finished(self, read: ReadSync, sync: Sync, now: datetime, jitter: float) -> FinishedSync:
        """Return the project's state after a sync that succeeded; `now` is the database's time."""
        project, snapshot, lease = read.project, read.snapshot, read.run.lease
        commit, renamed = snapshot.commit, snapshot.renamed_to
        state = project.state.model_copy(
            update={
                "status": "ok",
                "error": None,
                "last_sync": SyncSummary.of(sync),
                "last_success_at": sync.finished_at,
                "resolved_branch": snapshot.resolved_branch,
                "head_sha": commit.sha,
                "root_tree_sha": commit.tree_sha,
                "folder_trees": stored_trees(project.source, commit),
                "repository_key": (renamed or project.source.repository).key,
                "max_file_size": snapshot.max_file_size,
                "skipped_files": read.skipped_count,
                "originals": _originals(read),
                "warnings": snapshot.warnings,
                "fail_count": 0,
            }
        )
        token = None if renamed is None else self._credentials.moved_token(project, renamed)
        next_poll_at = after_success(project, now, jitter, companion=read.run.companion)
        again = after_lag(project, commit.sha, now)
        if again is not None and (next_poll_at is None or again < next_poll_at):
            return FinishedSync(lease, project, state, again, renamed, token, due_trigger="webhook")
        return FinishedSync(lease, project, state, next_poll_at, renamed, token)

    def failure(
        self, run: SyncRun, error: BenchmarkManagerError, usage: GitHubUsage, now: datetime
    ) -> tuple[Sync, FinishedSync]:
        """Return the record and the state after a failure, which changes nothing that was copied.

        `now` is the database's time.
        """
        project = run.project
        next_poll_at = after_failure(project, error, now, self.jitter())
        next_poll_at = None if next_poll_at is None else milliseconds(next_poll_at)
        # Without polling, what was queued stays queued until it is done.
        still_due = (
            "poll" if project.polling_interval or next_poll_at is None else project.due_trigger
        )
        retry_at = error.retry_at if isinstance(error, GitHubError) else None
        info = ErrorInfo(
            code=error.code, detail=messages.detail(error), retry_at=retry_at or next_poll_at
        )
        sync = failed(run, info, usage, self.now())
        needs_person = isinstance(error, (GitHubActionError, TokenUnreadableError))
        state = project.state.model_copy(
            update={
                "status": "failing" if needs_person else "unavailable",
                "error": info,
                "last_sync": SyncSummary.of(sync),
                "fail_count": project.state.fail_count + 1,
            }
        )
        return sync, FinishedSync(run.lease, project, state, next_poll_at, due_trigger=still_due)


def _originals(read: ReadSync) -> dict[str, int] | None:
    """Count the originals of each type after the sync; None while unknown."""
    files = read.snapshot.files
    if files is None:
        return read.project.state.originals
    return dict(Counter(file.file_type for file in files.upstream.values()))
