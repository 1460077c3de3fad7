"""Releases: immutable sets of files, named by the digest of their contents."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from benchmark_manager.models.record import OrElse, Record

ReleaseContents = Literal["originals", "modified", "all"]
ArchiveFormat = Literal["tar.gz", "zip"]

#: How many makings one answer lists; their count is of all.
MAKINGS_LISTED = 1000


class ReleaseFile(Record):
    """One file of a release and its origin; the blob store has its content under `sha`.

    A file that a sweep edited has the sweep's id, and what was set by the names of the axes.
    """

    path: str
    sha: str
    sha256: str
    size: int
    source: Annotated[Literal["original", "modified"], OrElse("original")]
    original_sha: str
    commit_sha: str
    modified_file_id: str | None = None
    revision: int | None = None
    sweep_id: str | None = None
    assignments: dict[str, JsonValue] | None = None


class Making(Record):
    """One making of a release.

    `number` counts from 1. `provenance` is the id of the files' origins at that time. `sweep_id` is
    None where a person made it.
    """

    number: int
    project_id: str
    name: str
    description: str
    created_at: datetime
    created_by: str
    provenance: str
    sweep_id: str | None = None


class Release(Record):
    """A release without its files.

    It is as one principal may read it: `project_ids` are the projects that made it, without those
    that the principal may not read; `project_id`, `created_at`, `created_by` and `provenance` are
    those of the first making by one of them; `makings_count` counts theirs. Name, description and
    `pinned` are the same for all, and `revision` counts their changes.
    """

    digest: str = Field(description="`sha256:` and 64 hex digits.")
    name: str
    description: str
    pinned: bool
    revision: int
    project_id: str
    project_ids: tuple[str, ...]
    created_at: datetime
    created_by: str
    files_count: int
    size: int
    makings_count: int
    provenance: str


class ReleaseDraft(Record):
    """What a person says of a making, beside its files."""

    project_id: str
    name: str
    description: str
    pinned: bool
    created_at: datetime
    created_by: str


class CellMaking(Record):
    """A making of one cell of a sweep: a base list of files in which some are replaced."""

    digest: str
    provenance: str
    base_provenance: str
    replacements: tuple[ReleaseFile, ...]
    files_count: int
    size: int
    sweep_id: str
