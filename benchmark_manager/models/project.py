"""Projects: each reads two folders of one branch, tag or commit of one repository."""

from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from benchmark_manager.models.record import OrElse, Record, words_of
from benchmark_manager.models.sync import ErrorInfo, StoredTrigger, SyncSummary, SyncWarning
from benchmark_manager.models.variant import Drift, drift_counts

#: `failing`: a person must act. `unavailable`: GitHub failed, or limited the requests.
SyncStatus = Literal["never", "running", "ok", "failing", "unavailable"]
SYNC_STATUSES: Final[frozenset[SyncStatus]] = words_of(SyncStatus)
#: The filters of lists of projects: how the last sync ended, or paused by a person.
Standing = Literal["never", "ok", "failing", "unavailable", "paused"]
LONGEST_NAME: Final = 200
#: The kinds of what a project reads of a repository.
RefKind = Literal["branch", "tag", "commit"]
#: Seconds between polls, at least and at most; 0 besides: manual syncs and webhooks only.
POLLING_INTERVALS: Final = (10, 604_800)


class RepositoryAddress(Record):
    """A repository of one API base; owner and name are those that GitHub returned last."""

    api_url: str
    owner: str
    name: str

    @property
    def url(self) -> str:
        """The address in the API."""
        return f"{self.api_url}/repos/{self.owner}/{self.name}"

    @property
    def key(self) -> str:
        """A text that is equal for equal repositories: GitHub ignores the case of names."""
        return f"{self.api_url}/repos/{self.owner}/{self.name}".lower()


class Ref(Record):
    """A branch or tag by its name after `refs/heads/` or `refs/tags/`, or a commit by its id."""

    kind: Annotated[RefKind, OrElse("commit")]
    name: str

    @classmethod
    def of_branch(cls, name: str) -> "Ref":
        """Return the branch of this name."""
        return cls(kind="branch", name=name)

    @property
    def short(self) -> str:
        """`heads/NAME`, `tags/NAME`, or the commit's id.

        This is the form of GitHub's `git/ref` and `git/matching-refs`. Elsewhere it is ambiguous: a
        tag may be called `heads/NAME`.
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
    """What a sync reads; `ref` is None for the default branch.

    `version` is increased whenever a person changes the source or the polling interval, pauses or
    resumes the project.
    """

    repository: RepositoryAddress
    ref: Ref | None = None
    config_folder: str
    job_folder: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    encrypted_token: str | None = Field(default=None, repr=False)
    token_fingerprint: str | None = None
    #: Whether an administrator chose the repository: who reads a project reads what the service's
    #: own credentials read for it. Those of versions without roles count as chosen.
    confirmed: bool = True
    version: int = 1

    @property
    def branch(self) -> str | None:
        """The chosen branch; None for the default branch, a tag or a commit."""
        return self.ref.name if self.ref is not None and self.ref.kind == "branch" else None

    @property
    def is_fixed(self) -> bool:
        """Whether the files never change, so that there is nothing to poll."""
        return self.ref is not None and self.ref.kind == "commit"

    @property
    def credential_hint(self) -> str:
        """A text that is equal for projects that share a credential, found without decryption."""
        service = self.repository.api_url if self.confirmed else f"{self.repository.api_url} none"
        return self.token_fingerprint or service

    def reads_same_as(self, other: "Source") -> bool:
        """Return whether both read the same files, so that what was read of one holds for both."""
        names = ("ref", "config_folder", "job_folder", "include", "exclude")
        return self.repository.key == other.repository.key and all(
            getattr(self, name) == getattr(other, name) for name in names
        )


class SyncState(Record):
    """The results of the last syncs.

    `head_sha` is None until the source was read once. `folder_trees` are the object ids of the
    trees of the config and the job folder, each None where there is no such folder, and None as a
    whole while unknown. `repository_key` and `max_file_size` are those of the last success: its
    results hold only while they are the same. `originals` are the numbers of originals by type,
    without removed ones; None while unknown. Only a sync changes them, and writes the numbers in
    the same transaction. A sync that publishes its changes before it is recorded makes
    `max_file_size` and `originals` unknown until then.
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

    `revision` counts changes by people, `fence` leases, and `wishes` how often a sync was queued.
    Neither polls nor webhooks sync a `paused` project; only a person can. `pushed_sha` is the last
    commit that a webhook reported, if it queued a sync or changed nothing for this project;
    `pushed_at` is when it queued one, by the database's clock.
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
        """Return `running` while a replica has its lease, else the status of the last sync."""
        return (
            "running"
            if self.lease_until is not None and self.lease_until > now
            else self.state.status
        )


class ProjectStats(Record):
    """A project's counts; removed originals are counted separately."""

    original_files: int = 0
    config_files: int = 0
    job_files: int = 0
    modified_files: int = 0
    modified_files_by_drift: dict[Drift, int] = Field(default_factory=lambda: drift_counts({}))
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
    """The right to sync one project, until another takes it over with the next fence."""

    project_id: str
    owner: str
    fence: int


class Claim(Record):
    """A project that was claimed, with its lease.

    `lateness` is for how many seconds it has been due, negative where it was not due yet, None
    where it never is. `taken_over`: the lease of another worker had expired.
    """

    project: Project
    lease: Lease
    lateness: float | None
    taken_over: bool
