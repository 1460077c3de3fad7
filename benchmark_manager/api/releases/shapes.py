"""Shapes of releases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, JsonValue, StringConstraints

from benchmark_manager.api.http.shapes import ID, SHA, RequestBody, one_line
from benchmark_manager.domain.documents import KeyChange
from benchmark_manager.domain.fields import (
    LONGEST_DESCRIPTION,
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_PATH,
)
from benchmark_manager.domain.releases.comparison import ReleaseComparison
from benchmark_manager.models.release import Making, Release, ReleaseContents, ReleaseFile

_DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


ReleaseName = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=LONGEST_NAME), AfterValidator(one_line)
]


class ReleaseCreate(RequestBody):
    """A release to make."""

    name: ReleaseName = Field(
        default="", description="Need not be unique.", examples=["nightly 2026-11-23"]
    )
    description: str = Field(
        default="", max_length=LONGEST_DESCRIPTION, examples=["as run on the H100 cluster"]
    )
    pinned: bool = Field(
        default=False, strict=True, description="Keep it although its project is deleted."
    )
    include: ReleaseContents = Field(
        default="all",
        description="`all`: originals and variants; a variant replaces the original with its path.",
    )
    modified_file_ids: list[Annotated[str, StringConstraints(max_length=LONGEST_ID)]] | None = (
        Field(
            default=None,
            # Only the first problem is reported, not one for each of 100,000 values.
            fail_fast=True,
            max_length=100_000,
            description="Only these variants are included; null: all.",
            examples=[[ID]],
        )
    )
    substitute: dict[
        Annotated[str, StringConstraints(max_length=LONGEST_PATH)],
        Annotated[str, StringConstraints(max_length=LONGEST_ID)],
    ] = Field(
        default={},
        fail_fast=True,
        max_length=10_000,
        description="Ids of variants by the paths of their originals: each stands at that path in "
        "place of the original, whatever the other fields include, and not at its own path.",
        examples=[{"config/llama.yaml": ID}],
    )


class ReleaseUpdate(RequestBody):
    """What changes; fields that are not given, or null, stay as they are."""

    name: ReleaseName | None = Field(default=None, examples=["nightly 2026-11-23"])
    description: str | None = Field(
        default=None, max_length=LONGEST_DESCRIPTION, examples=["as run on the H100 cluster"]
    )
    pinned: bool | None = Field(
        default=None,
        strict=True,
        description="Keep it although its project is deleted. Without its pin, a release whose "
        "projects are all deleted is deleted too.",
    )


class ReleaseFileAnswer(BaseModel):
    """A file of a release, and where it came from."""

    path: str = Field(examples=["config/llama.yaml"])
    sha256: str
    size: int = Field(description="Bytes.")
    source: Literal["original", "modified"]
    original_sha: str = Field(
        description="Git blob id of the original; for a variant, of the original that it was "
        "based on.",
        examples=[SHA],
    )
    commit_sha: str = Field(
        description="The upstream commit with which that was first seen.", examples=[SHA]
    )
    modified_file_id: str | None
    revision: int | None = Field(description="Of the variant.")
    sweep_id: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Only of a file that a sweep edited.",
    )
    assignments: dict[str, JsonValue] | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="What the sweep set in the cell, by the names of its axes.",
        examples=[{"seqs": 256, "tp": "tp2"}],
    )


class MakingAnswer(BaseModel):
    """One time that the release was made."""

    number: int = Field(description="From 1. `?making=` shows the files' origins of that time.")
    project_id: str = Field(examples=[ID])
    name: str
    description: str
    created_at: datetime
    created_by: str
    sweep_id: str | None = Field(
        default=None,
        exclude_if=lambda value: value is None,
        description="Only where a sweep made it.",
    )


class ReleaseAnswer(BaseModel):
    """A release in a list."""

    digest: str = Field(
        description="SHA-256 of what `sha256sum` prints for its files, sorted by path.",
        examples=[_DIGEST],
    )
    name: str
    description: str
    pinned: bool
    project_id: str = Field(description="Of its first making.", examples=[ID])
    created_at: datetime
    created_by: str
    files_count: int
    size: int = Field(description="Bytes of all files.")
    makings_count: int


class ReleaseDetail(ReleaseAnswer):
    """A release with its files and makings."""

    files: list[ReleaseFileAnswer] = Field(description="Sorted by the bytes of their paths.")
    makings: list[MakingAnswer] = Field(
        description="The first 1,000; they begin with the one which made it."
    )


class EffectiveAnswer(BaseModel):
    """A release as it would be now, with the members of a release; nothing is stored."""

    digest: str = Field(examples=[_DIGEST])
    name: Literal[""] = ""
    description: Literal[""] = ""
    pinned: Literal[False] = False
    project_id: str = Field(examples=[ID])
    created_at: None = None
    created_by: None = None
    files_count: int
    size: int = Field(description="Bytes of all files.")
    makings_count: Literal[0] = 0
    files: list[ReleaseFileAnswer] = Field(description="Sorted by the bytes of their paths.")
    makings: list[MakingAnswer] = Field(description="None.", max_length=0)


def release_answer(release: Release) -> ReleaseAnswer:
    return ReleaseAnswer(**_values(release))


def release_detail(
    release: Release, files: Sequence[ReleaseFile], makings: Sequence[Making]
) -> ReleaseDetail:
    return ReleaseDetail(
        **_values(release),
        files=_file_answers(files),
        makings=[
            MakingAnswer(
                **{name: value for name, value in dict(making).items() if name != "provenance"}
            )
            for making in makings
        ],
    )


def effective_answer(project_id: str, digest: str, files: Sequence[ReleaseFile]) -> EffectiveAnswer:
    return EffectiveAnswer(
        digest=digest,
        project_id=project_id,
        files_count=len(files),
        size=sum(file.size for file in files),
        files=_file_answers(files),
        makings=[],
    )


def _values(release: Release) -> dict[str, object]:
    return {name: getattr(release, name) for name in ReleaseAnswer.model_fields}


def _file_answers(files: Sequence[ReleaseFile]) -> list[ReleaseFileAnswer]:
    # Contents are stored by their blob ids; clients know them by their SHA-256.
    return [
        ReleaseFileAnswer(**{name: value for name, value in dict(file).items() if name != "sha"})
        for file in files
    ]


class ChangedFileAnswer(BaseModel):
    """A file with other contents."""

    path: str = Field(examples=["config/llama.yaml"])
    changes: tuple[KeyChange, ...] | None = Field(
        description="By key; empty: only the formatting changed. null: a side does not parse, or "
        "was not "
        "compared."
    )


class ComparisonAnswer(BaseModel):
    """The differences of two releases, sorted by the bytes of the paths."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[ChangedFileAnswer, ...]
    complete: bool = Field(
        description="false: there were too many to compare all of `changed` by key."
    )


def comparison_answer(comparison: ReleaseComparison) -> ComparisonAnswer:
    return ComparisonAnswer(
        added=comparison.added,
        removed=comparison.removed,
        changed=tuple(
            ChangedFileAnswer(path=file.path, changes=file.changes) for file in comparison.changed
        ),
        complete=comparison.complete,
    )
