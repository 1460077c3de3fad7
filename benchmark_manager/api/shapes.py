"""The contract's shapes: requests, which refuse unknown fields, and answers."""

import re
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from benchmark_manager.domain.projects.file_patterns import MOST_PATTERNS
from benchmark_manager.domain.projects.repository_url import web_url
from benchmark_manager.domain.text.characters import holds_control
from benchmark_manager.models.governor import GovernorStatus, LimitResource, RateLimit
from benchmark_manager.models.original import FileFormat, FileType, OriginalFile
from benchmark_manager.models.problem import Problem, Validity
from benchmark_manager.models.project import (
    LONGEST_NAME,
    POLLING_INTERVALS,
    Project,
    ProjectStats,
    RefKind,
    SyncStatus,
)
from benchmark_manager.models.sync import ErrorInfo, SyncSummary
from benchmark_manager.models.variant import Drift, Variant

_ID = "65f0c0ffee65f0c0ffee65f0"
_SHA = "3f786850e387550fdab836ed7e6dc881de23001b"
#: More than any body has, by far.
_MOST_FIELDS = 100
_SURROGATE = re.compile("[\ud800-\udfff]")


def _one_line(value: str) -> str:
    if holds_control(value):
        raise ValueError("must hold no control characters")
    return value


ProjectName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME),
    AfterValidator(_one_line),
]


Patterns = Annotated[
    list[Annotated[str, StringConstraints(max_length=1000)]], Field(max_length=MOST_PATTERNS)
]
INCLUDE = (
    "Patterns as in gitignore, relative to the repository's root: of the files in both folders, only those which match "
    "one belong to the project. Empty: all. At most 50, each of at most 256 characters. "
    "Blanks at a pattern's start belong to it; canonically equivalent names (NFC, NFD) match alike."
)
EXCLUDE = "Patterns of the same form: files which match one do not belong to the project, whatever `include` says."


class RequestBody(BaseModel):
    """What every body of a request is: it refuses unknown fields, and text which is none."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _check_count(cls, value: object) -> object:
        # Each unknown field would be told: hundreds of thousands take seconds, and four times the
        # body's bytes.
        if isinstance(value, dict) and len(value) > _MOST_FIELDS:
            raise ValueError(f"must not have more than {_MOST_FIELDS} fields")
        return value

    @field_validator("*")
    @classmethod
    def _check_text(cls, value: object) -> object:
        # JSON can say "\ud800", which is no character: neither UTF-8 nor a database can hold it.
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and _SURROGATE.search(text) is not None for text in texts):
            raise ValueError("must not hold half of a surrogate pair")
        return value


def _nothing() -> None:
    return None


class RefGiven(RequestBody):
    """What of the repository is read."""

    kind: RefKind = Field(
        description="A tag is followed when it moves; a commit never changes, and is read once.",
        examples=["tag"],
    )
    name: str = Field(
        max_length=1000,
        description="The name behind `refs/heads/` or `refs/tags/`, or all 40 digits of a commit's id.",
        examples=["v1.2.0"],
    )


_BRANCH = (
    "The short form of a `ref` of the kind branch; `refs/heads/NAME` and `heads/NAME` mean NAME. "
    "null: the repository's default branch."
)
_REF = "A branch, a tag or a commit. Beside `branch` it must say the same."


class _ProjectFields(RequestBody):
    github_token: SecretStr | None = Field(
        default=None,
        description="Used for this project instead of the service's own. Write-only: no answer ever holds it.",
    )
    branch: str | None = Field(default=None, description=_BRANCH, examples=["main"])
    ref: RefGiven | None = Field(default=None, description=_REF)
    polling_interval: int | None = Field(
        default=None,
        strict=True,
        description="Seconds between polls: 10 to 604800, or 0 for manual syncs and webhooks only.",
        examples=[180],
    )

    @field_validator("polling_interval")
    @classmethod
    def _check_interval(cls, value: int | None) -> int | None:
        low, high = POLLING_INTERVALS
        if value is not None and value != 0 and not low <= value <= high:
            raise ValueError(f"must be 0, or {low} to {high} seconds")
        return value


class ProjectCreate(_ProjectFields):
    """A repository to register."""

    name: ProjectName = Field(description="Unique, regardless of case.", examples=["vLLM nightly"])
    github_repo_url: str = Field(
        max_length=2000,
        description="https://github.com/OWNER/REPO[/tree/BRANCH[/FOLDER]], the API address, "
        "git@github.com:OWNER/REPO.git, or OWNER/REPO; also other pages of the repository, and without a scheme. "
        "GitHub is asked where the branch's name ends; the folder becomes config_folder where that is not given. "
        "A `branch` or `ref` beside it counts more; where a folder of another branch would be lost, it is refused.",
        examples=["https://github.com/acme/benchmarks"],
    )
    config_folder: str | None = Field(
        default=None, max_length=2000, description="`.` or empty is the root.", examples=["config"]
    )
    job_folder: str | None = Field(default=None, max_length=2000, examples=["job"])
    include: Patterns | None = Field(
        default=None, description=INCLUDE, examples=[["config/serving/*.yaml"]]
    )
    exclude: Patterns | None = Field(default=None, description=EXCLUDE, examples=[["**/archive/"]])


class ProjectUpdate(_ProjectFields):
    """What changes; fields that are not given stay as they are."""

    # Factories: a plain default would be described as what a field becomes which is not given.
    name: ProjectName = Field(
        default_factory=str, description="Unique, regardless of case.", examples=["vLLM nightly"]
    )
    github_repo_url: str = Field(
        default_factory=str, max_length=2000, examples=["https://github.com/acme/benchmarks"]
    )
    github_token: SecretStr | None = Field(
        default_factory=_nothing,
        description="Write-only. null removes the project's own token, as does another repository without a new one.",
    )
    branch: str | None = Field(default_factory=_nothing, description=_BRANCH, examples=["main"])
    ref: RefGiven | None = Field(default_factory=_nothing, description=_REF)
    config_folder: str = Field(default_factory=str, max_length=2000, examples=["config"])
    job_folder: str = Field(default_factory=str, max_length=2000, examples=["job"])
    include: Patterns = Field(
        default_factory=list, description=INCLUDE, examples=[["config/serving/*.yaml"]]
    )
    exclude: Patterns = Field(default_factory=list, description=EXCLUDE, examples=[["**/archive/"]])
    polling_interval: int = Field(
        default_factory=int,
        strict=True,
        description="Seconds between polls: 10 to 604800, or 0 for manual syncs and webhooks only.",
        examples=[180],
    )


class ModifiedFileCreate(RequestBody):
    """A variant of an original file."""

    original_file_id: str = Field(max_length=100, examples=[_ID])
    modified_name: str | None = Field(
        default=None,
        description="A file name, not a path, with an ending that fits the original's format; else the original's.",
        examples=["llama-tp4.yaml"],
    )
    content: str | None = Field(
        default=None, description="Else the original's.", examples=["model: llama\n"]
    )
    description: str | None = Field(
        default=None, max_length=10_000, examples=["tensor parallelism 4"]
    )


class ModifiedFileUpdate(RequestBody):
    """What changes; fields that are not given, or null, stay as they are."""

    modified_name: str | None = Field(default=None, examples=["llama-tp8.yaml"])
    content: str | None = Field(default=None, examples=["model: llama\ntensor_parallel_size: 8\n"])
    description: str | None = Field(
        default=None, max_length=10_000, examples=["tensor parallelism 8"]
    )


class RestoreRequest(RequestBody):
    """Which revision a modified file becomes again."""

    revision: int = Field(strict=True, ge=1, examples=[3])


class UndeleteRequest(RequestBody):
    """How a deleted modified file comes back."""

    modified_name: str | None = Field(
        default=None,
        description="Where its own name is taken meanwhile; else it keeps it.",
        examples=["llama-2.yaml"],
    )


class UndoResetRequest(RequestBody):
    """Which reset is undone."""

    reset_id: str = Field(max_length=100, description="As the reset answered it.", examples=[_ID])


class RefAnswer(BaseModel):
    """A branch, a tag or a commit."""

    kind: RefKind
    name: str = Field(examples=["v1.2.0"])


class ProjectAnswer(BaseModel):
    """A project as lists show it."""

    id: str = Field(examples=[_ID])
    name: str
    github_repo_url: str = Field(examples=["https://api.github.com/repos/acme/benchmarks"])
    github_web_url: str = Field(examples=["https://github.com/acme/benchmarks"])
    branch: str | None = Field(description="As set; null: the default branch, or what `ref` says.")
    ref: RefAnswer | None = Field(
        description="The branch, tag or commit that was set; null: the default branch."
    )
    resolved_branch: str | None = Field(
        description="The branch that is read; null until known, and of a tag or a commit."
    )
    config_folder: str
    job_folder: str
    include: list[str] = Field(description=INCLUDE, examples=[["config/serving/*.yaml"]])
    exclude: list[str] = Field(description=EXCLUDE, examples=[["**/archive/"]])
    polling_interval: int
    github_token_set: bool
    created_at: datetime
    updated_at: datetime
    sync_status: SyncStatus
    error: ErrorInfo | None
    last_sync: SyncSummary | None
    last_success_at: datetime | None
    next_poll_at: datetime | None
    paused: bool = Field(description="Neither polled nor moved by webhooks, until it is resumed.")


class ProjectDetail(ProjectAnswer):
    """A project with its counts."""

    stats: ProjectStats


def project_answer(project: Project, now: datetime) -> ProjectAnswer:
    source, state = project.source, project.state
    return ProjectAnswer(
        id=project.id,
        name=project.name,
        github_repo_url=source.repository.url,
        github_web_url=web_url(source.repository),
        branch=source.branch,
        ref=None if source.ref is None else RefAnswer(kind=source.ref.kind, name=source.ref.name),
        resolved_branch=source.branch or state.resolved_branch,
        config_folder=source.config_folder,
        job_folder=source.job_folder,
        include=list(source.include),
        exclude=list(source.exclude),
        polling_interval=project.polling_interval,
        github_token_set=source.encrypted_token is not None,
        created_at=project.created_at,
        updated_at=project.updated_at,
        sync_status=project.status_at(now),
        error=state.error,
        last_sync=state.last_sync,
        last_success_at=state.last_success_at,
        next_poll_at=project.next_poll_at,
        paused=project.paused,
    )


def project_detail(project: Project, stats: ProjectStats, now: datetime) -> ProjectDetail:
    return ProjectDetail(**dict(project_answer(project, now)), stats=stats)


class OriginalFileAnswer(BaseModel):
    """An original file as lists show it."""

    id: str = Field(examples=[_ID])
    project_id: str
    name: str = Field(examples=["llama.yaml"])
    path: str = Field(examples=["config/vllm/llama.yaml"])
    file_type: FileType
    format: FileFormat
    sha: str = Field(description="Git blob id.", examples=[_SHA])
    size: int = Field(description="Bytes.")
    commit_sha: str = Field(
        description="The head commit with which this content was first seen.", examples=[_SHA]
    )
    last_modified: datetime = Field(description="That commit's committer date.")
    synced_at: datetime
    removed_at: datetime | None = Field(
        description="When it was found gone upstream; null while it is there."
    )
    validity: Validity
    problems: tuple[Problem, ...]
    modified_files_count: int


class OriginalFileWithContent(OriginalFileAnswer):
    """An original file, whole."""

    content: str = Field(description="The exact text: byte order mark, line ends and all.")


#: An answer as it is written: the fields of a shape, in its order.
Answer = dict[str, object]


def _shaped(shape: type[BaseModel], file: OriginalFile | Variant, **more: object) -> Answer:
    """What an answer of this shape says of a file, and `more` that the file does not hold.

    No object of the shape is made: the file's values were checked when it was read, and to check
    them once more takes longer than to write a list of a hundred.
    """
    values = file.__dict__ | more
    return {name: values[name] for name in shape.model_fields}


def original_answer(file: OriginalFile) -> Answer:
    """An `OriginalFileAnswer`."""
    return _shaped(OriginalFileAnswer, file, name=file.name)


def original_with_content(file: OriginalFile, data: bytes) -> Answer:
    """An `OriginalFileWithContent`."""
    return _shaped(OriginalFileWithContent, file, name=file.name, content=data.decode())


class ModifiedFileAnswer(BaseModel):
    """A modified file as lists show it."""

    id: str = Field(examples=[_ID])
    project_id: str
    original_file_id: str
    original_path: str
    modified_name: str
    path: str = Field(description="The original's folder and modified_name.")
    file_type: FileType
    format: FileFormat
    description: str
    base_sha: str = Field(
        description="Git blob id of the original that it was based on.", examples=[_SHA]
    )
    base_commit_sha: str = Field(examples=[_SHA])
    content_sha256: str
    size: int = Field(description="Bytes.")
    revision: int = Field(description="From 1; every save that changes something counts.")
    drift: Drift = Field(description="What became of the original since.")
    validity: Validity
    problems: tuple[Problem, ...]
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str


class ModifiedFileWithContent(ModifiedFileAnswer):
    """A modified file, whole."""

    content: str


def modified_answer(file: Variant) -> Answer:
    """A `ModifiedFileAnswer`."""
    return _shaped(ModifiedFileAnswer, file, path=file.path)


def modified_with_content(file: Variant, data: bytes) -> Answer:
    """A `ModifiedFileWithContent`."""
    return _shaped(ModifiedFileWithContent, file, path=file.path, content=data.decode())


class ResetAnswer(BaseModel):
    """What a reset did."""

    deleted_count: int
    reset_id: str | None = Field(
        description="Undoes it: POST /projects/{project_id}/undo-reset. null: nothing was deleted.",
        examples=[_ID],
    )


class QueuedAnswer(BaseModel):
    """The projects whose syncs were queued."""

    queued: list[str] = Field(description="Ids of projects.", examples=[[_ID]])


class WebhookAnswer(BaseModel):
    """What became of a webhook's delivery."""

    event: str = Field(description="As `X-GitHub-Event` named it.", examples=["push"])
    outcome: Literal["pong", "queued", "ignored", "repeated"] = Field(
        description="`pong`: a ping was answered. `queued`: syncs begin in about a second. `ignored`: there is nothing "
        "to do. `repeated`: the delivery was taken before."
    )
    projects: list[str] = Field(
        description="Ids of the projects whose syncs were queued.", examples=[[_ID]]
    )
    detail: str = Field(
        description="The same in a sentence.", examples=["1 project is synced in a moment."]
    )


class HealthAnswer(BaseModel):
    """Whether the service serves."""

    status: Literal["healthy", "unhealthy"]
    service: Literal["benchmark-manager"] = "benchmark-manager"
    timestamp: datetime
    version: str


class SchedulerAnswer(BaseModel):
    """The scheduler of this process, and what is due in all."""

    running: bool
    next_poll_at: datetime | None
    projects_due: int


class DatabaseAnswer(BaseModel):
    """The database behind the service."""

    kind: Literal["embedded", "mongodb"]
    version: str
    latency_ms: float


class ResourceLimitAnswer(BaseModel):
    """One of a credential's primary limits, in points an hour; null while GitHub has not told it."""

    limit: int | None
    remaining: int | None
    reset_at: datetime | None


class RateLimitAnswer(ResourceLimitAnswer):
    """One credential: what GitHub last told of its limits, and how busy it is. `limit` is that of REST if known."""

    api_url: str
    credential: str = Field(
        description="The credential's fingerprint, as in GET /metrics.", examples=["3f786850e387"]
    )
    kind: str = Field(
        description="`token`, `app` (an installation of the GitHub App) or `anonymous`."
    )
    resources: dict[LimitResource, ResourceLimitAnswer] = Field(
        description="`core` is REST, `graphql` is counted apart."
    )
    blocked_until: datetime | None = Field(description="GitHub asked to be left alone until then.")
    points_last_minute: dict[LimitResource, int] = Field(
        description="Of all replicas, as far as they told; at most 900 and 2,000."
    )
    requests_running: int
    requests_waiting: int


class StatusAnswer(BaseModel):
    """The service at a glance."""

    service: Literal["benchmark-manager"] = "benchmark-manager"
    status: Literal["healthy"] = "healthy"
    version: str
    uptime_seconds: float
    database: DatabaseAnswer
    total_projects: int
    total_files: int = Field(description="Original and modified files together.")
    total_original_files: int
    total_modified_files: int
    projects_by_sync_status: dict[SyncStatus, int]
    projects_paused: int = Field(
        description="Those which are neither polled nor moved by webhooks."
    )
    scheduler: SchedulerAnswer
    github: list[RateLimitAnswer]


def rate_limit_answer(status: GovernorStatus) -> RateLimitAnswer:
    known = status.limits.get("core") or next(iter(status.limits.values()), None)
    return RateLimitAnswer(
        **_told(known).model_dump(),
        api_url=status.api_url,
        credential=status.fingerprint,
        kind=status.kind,
        resources={name: _told(limit) for name, limit in status.limits.items()},
        blocked_until=status.blocked_until,
        points_last_minute=status.points_last_minute,
        requests_running=status.requests_running,
        requests_waiting=status.requests_waiting,
    )


def _told(known: RateLimit | None) -> ResourceLimitAnswer:
    if known is None:
        return ResourceLimitAnswer(limit=None, remaining=None, reset_at=None)
    return ResourceLimitAnswer(**known.model_dump())


class ValidateRequest(RequestBody):
    """A content to check."""

    name: str = Field(
        min_length=1,
        max_length=4096,
        description="Its ending tells the format.",
        examples=["run.yaml"],
    )
    content: str = Field(examples=["apiVersion: batch/v1\nkind: Job\n"])
    file_type: FileType = Field(
        description="What is asked of it: a `job` is a manifest, a `config` one document."
    )
    project_id: str | None = Field(
        default=None,
        max_length=100,
        description="With `path`: check against this project's originals too.",
        examples=[_ID],
    )
    path: str | None = Field(
        default=None,
        min_length=1,
        max_length=4096,
        description="Where it would stand, from the repository's root.",
        examples=["job/run.yaml"],
    )

    @model_validator(mode="after")
    def _check_place(self) -> Self:
        if (self.project_id is None) != (self.path is None):
            raise ValueError("project_id and path are given together, or not at all")
        return self


class KubernetesCheckAnswer(BaseModel):
    """Whether the content was held to Kubernetes' own schemas."""

    enabled: bool
    versions: tuple[str, ...] = Field(
        description="Newest first; empty unless enabled.", examples=[["1.37", "1.36"]]
    )
    reason: str | None = Field(description="Why it was not; null if it was.")


class ValidationAnswer(BaseModel):
    """The verdict on a content which was not saved."""

    name: str
    format: FileFormat
    file_type: FileType
    validity: Validity
    problems: tuple[Problem, ...] = Field(description="At most 100, in the order of their places.")
    kubernetes: KubernetesCheckAnswer
