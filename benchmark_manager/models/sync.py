"""Syncs: comparisons of a project with GitHub, and what each changed."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from benchmark_manager.models.original import SkipReason
from benchmark_manager.models.record import OrElse, Record
from benchmark_manager.models.variant import Drift

SyncTrigger = Literal["manual", "poll", "webhook"]
SyncOutcome = Literal["success", "unchanged", "failed"]
SyncPhase = Literal["checking", "waiting", "listing", "fetching", "applying"]
ChangeKind = Literal["added", "updated", "removed", "renamed"]
StoredTrigger = Annotated[SyncTrigger, OrElse("poll")]

#: How many changes and skipped files one sync's record lists; the counts are always complete.
LISTED_AT_MOST = 1000


class ErrorInfo(Record):
    """Why something failed, for people and programs."""

    code: str = Field(examples=["github_unavailable"])
    detail: str
    retry_at: datetime | None = Field(
        default=None, description="When the next attempt is made, or can be made."
    )


class FileChange(Record):
    """The change of one original in a sync."""

    path: str
    change: Annotated[ChangeKind, OrElse("updated")]
    previous_path: str | None = Field(default=None, description="Where a renamed file was before.")


class SkippedFile(Record):
    """A file that belongs to the project but is not copied."""

    path: str
    reason: Annotated[SkipReason, OrElse("other")]


class SyncWarning(Record):
    """Something that a person should know although the sync succeeded."""

    code: str = Field(examples=["folder_not_found"])
    detail: str


class GitHubUsage(Record):
    """What a sync cost. `points_used` counts against the primary rate limit; a 304 is free."""

    requests: int = 0
    points_used: int = 0
    rate_limit_remaining: int | None = None


class SyncSummary(Record):
    """A finished sync in short, as its project reports it."""

    id: str
    trigger: StoredTrigger
    status: Annotated[SyncOutcome, OrElse("failed")]
    started_at: datetime
    finished_at: datetime
    duration_ms: int
    commit_sha: str | None
    synced_files: int
    added: int = 0
    updated: int = 0
    removed: int = 0
    renamed: int = 0
    unchanged: int = 0
    error: ErrorInfo | None = None
    message: str
    repeated: int = Field(
        default=0,
        description="How many further polls have found the same since. Unchanged polls in a row "
        "are folded into one record, for at most a day: `started_at` is the first one's, "
        "`finished_at` and `duration_ms` are the last one's, and `github` is the cost of all.",
    )

    @classmethod
    def of(cls, sync: "Sync") -> "SyncSummary":
        return cls(**{name: getattr(sync, name) for name in SyncSummary.model_fields})


class Sync(SyncSummary):
    """One finished sync, as history keeps it."""

    project_id: str
    previous_commit_sha: str | None
    skipped: tuple[SkippedFile, ...] = ()
    changes: tuple[FileChange, ...] = ()
    warnings: tuple[SyncWarning, ...] = ()
    github: GitHubUsage = GitHubUsage()
    modified_files_by_drift: dict[Drift, int] | None = Field(
        default=None,
        description="The variants after this sync, by what became of their originals; null where "
        "it read no files, as then no original changed.",
    )


class DriftMoment(Record):
    """The variants of a project after a sync: how many there were of each drift."""

    when: datetime
    counts: dict[Drift, int]


class SyncProgress(Record):
    """The progress of a project's sync, or that none runs."""

    status: Annotated[Literal["running", "idle"], OrElse("running")] = Field(
        description="`idle`: `last_sync` is the last one."
    )
    sync_id: str | None = Field(
        default=None, description="The id that the Sync will have, unless it is folded."
    )
    trigger: Annotated[SyncTrigger | None, OrElse("poll")] = None
    phase: Annotated[SyncPhase | None, OrElse("checking")] = Field(
        default=None,
        description="`checking` the branch, `waiting` for its turn, `listing` the folders, "
        "`fetching` contents, `applying` the changes.",
    )
    started_at: datetime | None = None
    updated_at: datetime | None = Field(
        default=None, description="When this was so; other replicas store it each second."
    )
    files_total: int | None = Field(
        default=None, description="Contents to fetch; null while that is not known yet."
    )
    files_fetched: int = 0
    bytes_total: int | None = None
    bytes_fetched: int = 0
    last_sync: SyncSummary | None = None
