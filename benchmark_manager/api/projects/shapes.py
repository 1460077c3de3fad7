"""Shapes of projects."""

from datetime import datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
)

from benchmark_manager.api.http.shapes import ID, RequestBody, one_line
from benchmark_manager.domain.fields import (
    LONGEST_ADDRESS,
    LONGEST_ENTERED_PATTERN,
    LONGEST_FOLDER,
    LONGEST_NAME,
    LONGEST_REF_NAME,
    POLLING_INTERVALS,
    is_polling_interval,
)
from benchmark_manager.domain.projects.file_patterns import MOST_PATTERNS
from benchmark_manager.domain.projects.repository_url import web_url
from benchmark_manager.models.project import Project, ProjectStats, RefKind, SyncStatus
from benchmark_manager.models.sync import ErrorInfo, SyncSummary

ProjectName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME),
    AfterValidator(one_line),
]


Patterns = Annotated[
    list[Annotated[str, StringConstraints(max_length=LONGEST_ENTERED_PATTERN)]],
    Field(max_length=MOST_PATTERNS),
]

INCLUDE = (
    "Patterns as in gitignore, relative to the repository's root: of the files in both folders, "
    "only "
    "those that match one belong to the project. Empty: all. At most 50, each of at most 256 "
    "characters. Blanks at a pattern's start belong to it; canonically equivalent names (NFC, NFD) "
    "match alike."
)
EXCLUDE = (
    "Patterns of the same form: files that match one do not belong to the project, even if they "
    "match "
    "`include`."
)


def _nothing() -> None:
    return None


class RefGiven(RequestBody):
    """The branch, tag or commit of the repository that is read."""

    kind: RefKind = Field(
        description="A tag is followed when it moves; a commit never changes, and is read once.",
        examples=["tag"],
    )
    name: str = Field(
        max_length=LONGEST_REF_NAME,
        description="The name behind `refs/heads/` or `refs/tags/`, or all 40 digits of a commit's "
        "id.",
        examples=["v1.2.0"],
    )


_BRANCH = (
    "The short form of a `ref` of the kind branch; `refs/heads/NAME` and `heads/NAME` mean NAME. "
    "null: the repository's default branch."
)
_REF = "A branch, a tag or a commit. If `branch` is given too, both must be the same."


class _ProjectFields(RequestBody):
    github_token: SecretStr | None = Field(
        default=None,
        description="Used for this project instead of the service's own. Write-only: no answer "
        "has it.",
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
        if value is not None and not is_polling_interval(value):
            low, high = POLLING_INTERVALS
            raise ValueError(f"must be 0, or {low} to {high} seconds")
        return value


class ProjectCreate(_ProjectFields):
    """A repository to register."""

    name: ProjectName = Field(description="Unique, regardless of case.", examples=["vLLM nightly"])
    github_repo_url: str = Field(
        max_length=LONGEST_ADDRESS,
        description="https://github.com/OWNER/REPO[/tree/BRANCH[/FOLDER]], the API address, "
        "git@github.com:OWNER/REPO.git, or OWNER/REPO; also other pages of the repository, and "
        "without a scheme. GitHub is asked where the branch's name ends; the folder becomes "
        "config_folder where that is not given. A `branch` or `ref` in the request takes "
        "precedence; "
        "where a folder of another branch would be lost, the request is refused.",
        examples=["https://github.com/acme/benchmarks"],
    )
    config_folder: str | None = Field(
        default=None,
        max_length=LONGEST_FOLDER,
        description="`.` or empty is the root.",
        examples=["config"],
    )
    job_folder: str | None = Field(default=None, max_length=LONGEST_FOLDER, examples=["job"])
    include: Patterns | None = Field(
        default=None, description=INCLUDE, examples=[["config/serving/*.yaml"]]
    )
    exclude: Patterns | None = Field(default=None, description=EXCLUDE, examples=[["**/archive/"]])


class ProjectUpdate(_ProjectFields):
    """What changes; fields that are not given stay as they are."""

    # Factories: the description would show a plain default as the value of fields left out.
    name: ProjectName = Field(
        default_factory=str, description="Unique, regardless of case.", examples=["vLLM nightly"]
    )
    github_repo_url: str = Field(
        default_factory=str,
        max_length=LONGEST_ADDRESS,
        examples=["https://github.com/acme/benchmarks"],
    )
    github_token: SecretStr | None = Field(
        default_factory=_nothing,
        description="Write-only. null removes the project's own token, as does another repository "
        "without a new one.",
    )
    branch: str | None = Field(default_factory=_nothing, description=_BRANCH, examples=["main"])
    ref: RefGiven | None = Field(default_factory=_nothing, description=_REF)
    config_folder: str = Field(default_factory=str, max_length=LONGEST_FOLDER, examples=["config"])
    job_folder: str = Field(default_factory=str, max_length=LONGEST_FOLDER, examples=["job"])
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


class RefAnswer(BaseModel):
    """A branch, a tag or a commit."""

    kind: RefKind
    name: str = Field(examples=["v1.2.0"])


class ProjectAnswer(BaseModel):
    """A project in a list."""

    id: str = Field(examples=[ID])
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
    paused: bool = Field(description="Neither polls nor webhooks sync it, until it is resumed.")


class ProjectDetail(ProjectAnswer):
    """A project with its counts of files."""

    stats: ProjectStats


def project_answer(project: Project, now: datetime) -> ProjectAnswer:
    """Return a project as it is at a time: a sync may have become overdue."""
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
    """Return a project with its counts."""
    return ProjectDetail(**dict(project_answer(project, now)), stats=stats)


class QueuedAnswer(BaseModel):
    """The projects whose syncs were queued."""

    queued: list[str] = Field(description="Ids of projects.", examples=[[ID]])
