"""The records of syncs: what history keeps and the API returns."""

import heapq
import time
from datetime import datetime
from operator import itemgetter
from typing import Any

from benchmark_manager.domain.sync.tree_changes import TreeChanges
from benchmark_manager.models.sync import (
    LISTED_AT_MOST,
    ChangeKind,
    ErrorInfo,
    FileChange,
    GitHubUsage,
    SkippedFile,
    Sync,
)
from benchmark_manager.services.sync.runs import ReadSync, SyncRun


def succeeded(read: ReadSync, skipped: tuple[SkippedFile, ...], now: datetime) -> Sync:
    """Return the record of a sync that succeeded; `skipped` are the first skipped files."""
    snapshot, changes, state = read.snapshot, read.changes, read.project.state
    present = _originals_after(read)
    counts = {"unchanged": present} if changes is None else _counts(changes)
    # The first reading of folders is a change, even if they hold nothing.
    changed = bool(changes) or state.head_sha is None
    return Sync(
        **_base(read.run, now),
        status="success" if changed else "unchanged",
        commit_sha=snapshot.commit.sha,
        synced_files=present,
        **counts,
        skipped=skipped[:LISTED_AT_MOST],
        changes=() if changes is None else _listed(changes),
        warnings=snapshot.warnings,
        github=read.usage,
        message=_message(present, counts, read.skipped_count),
    )


def _originals_after(read: ReadSync) -> int:
    """Count the project's originals after the sync."""
    if read.snapshot.files is not None:
        return len(read.snapshot.files.upstream)
    last = read.project.state.last_sync
    return 0 if last is None else last.synced_files


def failed(run: SyncRun, info: ErrorInfo, usage: GitHubUsage, now: datetime) -> Sync:
    """Return the record of a sync that failed and changed nothing."""
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
        # A clock that was set back in between must not make a sync end before it began.
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
    # Models are made only of the rows that are shown: a first sync adds thousands.
    shown = heapq.nsmallest(LISTED_AT_MOST, rows, key=itemgetter(0))
    return tuple(
        FileChange(path=path, change=kind, previous_path=previous) for path, kind, previous in shown
    )


def _message(present: int, counts: dict[str, int], skipped: int) -> str:
    parts = [f"{count} {kind}" for kind, count in counts.items() if count and kind != "unchanged"]
    what = ", ".join(parts) if parts else "nothing changed"
    files = "1 file" if present == 1 else f"{present} files"
    return f"{files} in place: {what}{f'; {skipped} skipped' if skipped else ''}."
