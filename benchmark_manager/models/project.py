"""Projects: one repository, one branch, tag or commit of it, and two folders in it."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from benchmark_manager.models.record import OrElse, Record, words_of
from benchmark_manager.models.sync import ErrorInfo, StoredTrigger, SyncSummary, SyncWarning
from benchmark_manager.models.variant import Drift

#: `failing`: a person must act. `unavailable`: GitHub's side, or its limits.
SyncStatus = Literal["never", "running", "ok", "failing", "unavailable"]
SYNC_STATUSES: Final[frozenset[SyncStatus]] = words_of(SyncStatus)
#: What lists of projects are filtered by: how the last sync ended, or that a person has paused it.
Standing = Literal["never", "ok", "failing", "unavailable", "paused"]
LONGEST_NAME: Final = 200
#: What of a repository a project reads.
RefKind = Literal["branch", "tag", "commit"]
#: Seconds between polls, at least and at most; 0 besides: manual syncs and webhooks only.
POLLING_INTERVALS: Final = (10, 604_800)


class RepositoryAddress(Record):
    """A repository behind one API base; owner and name as they were last heard from GitHub."""

    api_url: str
    owner: str
    name: str

    @property
    def url(self) -> str:
        return f"{self.api_url}/repos/{self.owner}/{self.name}"

    @property
    def key(self) -> str:
        """Equal for equal repositories: GitHub's names ignore case."""
        return f"{self.api_url}/repos/{self.owner}/{self.name}".lower()


class Ref(Record):
    """A branch or a tag, by its name behind `refs/heads/` or `refs/tags/`, or a commit, by its whole id."""

    kind: Annotated[RefKind, OrElse("commit")]
    name: str

    @classmethod
    def of_branch(cls, name: str) -> "Ref":
        return cls(kind="branch", name=name)

    @property
    def short(self) -> str:
        """`heads/NAME`, `tags/NAME`, or the commit's id: the form of GitHub's `git/ref` and `git/matching-refs`.

        Elsewhere it is ambiguous: a tag may be called `heads/NAME`.
        """
        return {"branch": f"heads/{self.name}", "tag": f"tags/{self.name}"}.get(
            self.kind, self.name
        )

    @property
    def full(self) -> str:
        """`refs/heads/NAME`, `refs/tags/NAME`, or the commit's id: never ambiguous.

        GitHub refuses branches and tags whose names begin with `refs/`.
        """
        return self.name if self.kind == "commit" else f"refs/{self.short}"


class Source(Record):
    """What a sync reads; `ref` is None for the default branch, whichever that is.

    `version` rises whenever a person changes it or the polling interval, pauses or resumes.
    """

    repository: RepositoryAddress
    ref: Ref | None = None
    config_folder: str
    job_folder: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    encrypted_token: str | None = Field(default=None, repr=False)
    token_fingerprint: str | None = None
    version: int = 1

    @property
    def branch(self) -> str | None:
        """The branch that was chosen; None for the default branch, a tag or a commit."""
        return self.ref.name if self.ref is not None and self.ref.kind == "branch" else None

    @property
    def is_fixed(self) -> bool:
        """Whether what is read never changes, so that there is nothing to poll."""
        return self.ref is not None and self.ref.kind == "commit"

    @property
    def credential_hint(self) -> str:
        """Equal for projects which certainly share a credential, as far as that is known without opening tokens."""
        return self.token_fingerprint or self.repository.api_url

    def same_place(self, other: "Source") -> bool:
        """Whether both name the same files: what was seen of one holds for the other."""
        names = ("ref", "config_folder", "job_folder", "include", "exclude")
        return self.repository.key == other.repository.key and all(
            getattr(self, name) == getattr(other, name) for name in names
        )


class SyncState(Record):
    """What the last syncs left behind.

    `head_sha` is None until the source was read once. `folder_trees` are the object ids of the
    config and the job folder's trees (None: that folder is not there), None as a whole while
    unknown. `repository_key` and `max_file_size` are those of the last success: what it saw holds
    only where they are the same. `originals` are the numbers of originals in place by type, None
    while unknown: only a sync adds and removes them, and writes this in the same transaction. A
    sync that publishes its changes before it is recorded makes these two unknown until then.
    """

    status: Annotated[SyncStatus, OrElse("unavailable")] = "never"
    error: ErrorInfo | None = None
    last_sync: SyncSummary | None = None
    last_success_at: datetime | None = None
    resolved_branch: str | None = None
    head_sha: str | None = None
    root_tree_sha: str | None = None
    folder_trees: tuple[str | None, str | None] | None = None
    repository_key: str | None = None
    max_file_size: int | None = None
    skipped_files: int = 0
    originals: dict[str, int] | None = None
    warnings: tuple[SyncWarning, ...] = ()
    fail_count: int = 0


class Project(Record):
    """A project as stored.

    `revision` counts people's changes, `fence` leases, and `wishes` how often a sync was queued. A
    `paused` one is neither polled nor moved by webhooks; only what a person asks for syncs it.
    `pushed_sha` is the last commit of which a webhook told, if it queued a sync or had nothing for
    this project; `pushed_at` is when it queued one, by the database's clock.
    """

    id: str
    name: str
    source: Source
    polling_interval: int
    created_at: datetime
    updated_at: datetime
    revision: int = 1
    state: SyncState = SyncState()
    next_poll_at: datetime | None = None
    due_trigger: StoredTrigger = "poll"
    paused: bool = False
    wishes: int = 0
    fence: int = 0
    pushed_sha: str | None = None
    pushed_at: datetime | None = None
    lease_owner: str | None = None
    lease_until: datetime | None = None

    def status_at(self, now: datetime) -> SyncStatus:
        """`running` while somebody holds its lease, else what the last sync left behind."""
        return (
            "running"
            if self.lease_until is not None and self.lease_until > now
            else self.state.status
        )


class ProjectStats(Record):
    """A project's counts; originals are those in place, removed ones are counted apart."""

    original_files: int = 0
    config_files: int = 0
    job_files: int = 0
    modified_files: int = 0
    modified_files_by_drift: dict[Drift, int] = Field(default_factory=dict)
    removed_files: int = 0


class Totals(Record):
    """Counts over all projects."""

    projects: int
    original_files: int
    modified_files: int
    projects_by_sync_status: dict[str, int]
    projects_paused: int
    next_poll_at: datetime | None
    projects_due: int


class Lease(Record):
    """The right to sync one project, until another takes it over and raises the fence."""

    project_id: str
    owner: str
    fence: int


class Claim(Record):
    """A project that was taken with its lease.

    `lateness` is how many seconds ago it fell due, negative where it was not due yet, None where it
    never is. `taken_over`: another worker's lease on it had run out.
    """

    project: Project
    lease: Lease
    lateness: float | None
    taken_over: bool
