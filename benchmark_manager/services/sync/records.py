"""The records of syncs: what history keeps and answers tell."""

import asyncio
import heapq
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any

from benchmark_manager.domain.sync.tree_changes import TreeChanges
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.heads import Patience
from benchmark_manager.models.project import Lease, Project
from benchmark_manager.models.sync import (
    LISTED_AT_MOST,
    ChangeKind,
    ErrorInfo,
    FileChange,
    GitHubUsage,
    SkippedFile,
    Sync,
    SyncTrigger,
)
from benchmark_manager.services.sync.progress import Progress
from benchmark_manager.services.sync.reader import Moved, Upstream


class CheckAhead:
    """A check which begins while the project is still being claimed; it holds for the project as it was then."""

    def __init__(self, project: Project, check: "_Check") -> None:
        self.project = project
        #: Whose requests it sends; None until that is known.
        self.client: RepositoryClient | None = None
        self.task = asyncio.create_task(check(self))

    def serves(self, claimed: Project) -> bool:
        return (self.project.source, self.project.state) == (claimed.source, claimed.state)


_Check = Callable[[CheckAhead], Coroutine[Any, Any, tuple[RepositoryClient, Upstream | Moved]]]


@dataclass(frozen=True, slots=True)
class SyncRun:
    """One sync under way; `started` is the monotonic clock's, seconds.

    `companion`: it is a poll before its time, as one check serves it together with another
    project's.
    """

    id: str
    project: Project
    lease: Lease
    trigger: SyncTrigger
    started_at: datetime
    started: float
    patience: Patience
    progress: Progress
    companion: bool = False
    ahead: CheckAhead | None = None


def succeeded(
    run: SyncRun,
    upstream: Upstream,
    changes: TreeChanges | None,
    *,
    skipped: tuple[SkippedFile, ...],
    skipped_count: int,
    usage: GitHubUsage,
    now: datetime,
) -> Sync:
    """The record of a sync which went well; `changes` is None where nothing can have changed.

    `skipped` are the first of `skipped_count`.
    """
    last = run.project.state.last_sync
    in_place = (
        len(upstream.files)
        if upstream.files is not None
        else 0
        if last is None
        else last.synced_files
    )
    counts = {"unchanged": in_place} if changes is None else _counts(changes)
    # A place which was read for the first time was learnt, even if it holds nothing.
    learnt = bool(changes) or run.project.state.head_sha is None
    return Sync(
        **_base(run, now),
        status="success" if learnt else "unchanged",
        commit_sha=upstream.commit_sha,
        synced_files=in_place,
        **counts,
        skipped=skipped[:LISTED_AT_MOST],
        changes=() if changes is None else _listed(changes),
        warnings=upstream.warnings,
        github=usage,
        message=_message(in_place, counts, skipped_count),
    )


def failed(run: SyncRun, info: ErrorInfo, usage: GitHubUsage, now: datetime) -> Sync:
    """The record of a sync which changed nothing."""
    last = run.project.state.last_sync
    return Sync(
        **_base(run, now),
        status="failed",
        commit_sha=run.project.state.head_sha,
        synced_files=0 if last is None else last.synced_files,
        github=usage,
        error=info,
        message=f"Failed: {info.detail}",
    )


def _base(run: SyncRun, now: datetime) -> dict[str, Any]:
    return {
        "id": run.id,
        "project_id": run.project.id,
        "trigger": run.trigger,
        "started_at": run.started_at,
        # A clock which was set back in between must not make a sync end before it began.
        "finished_at": max(now, run.started_at),
        "duration_ms": round((time.perf_counter() - run.started) * 1000),
        "previous_commit_sha": run.project.state.head_sha,
    }


def _counts(changes: TreeChanges) -> dict[str, int]:
    return {
        "added": len(changes.added) + len(changes.revived),
        "updated": len(changes.updated),
        "removed": len(changes.removed),
        "renamed": len(changes.moved),
        "unchanged": changes.unchanged,
    }


def _listed(changes: TreeChanges) -> tuple[FileChange, ...]:
    rows: list[tuple[str, ChangeKind, str | None]] = [
        *((new.path, "added", None) for new in changes.added),
        *((new.path, "added", None) for _, new in changes.revived),
        *((new.path, "updated", None) for _, new in changes.updated),
        *((old.path, "removed", None) for old in changes.removed),
        *((new.path, "renamed", old.path) for old, new in changes.moved),
    ]
    # Models are made of those alone which are shown: a first sync adds thousands.
    shown = heapq.nsmallest(LISTED_AT_MOST, rows, key=itemgetter(0))
    return tuple(
        FileChange(path=path, change=kind, previous_path=previous) for path, kind, previous in shown
    )


def _message(in_place: int, counts: dict[str, int], skipped: int) -> str:
    parts = [f"{count} {kind}" for kind, count in counts.items() if count and kind != "unchanged"]
    what = ", ".join(parts) if parts else "nothing changed"
    files = "1 file" if in_place == 1 else f"{in_place} files"
    return f"{files} in place: {what}{f'; {skipped} skipped' if skipped else ''}."
