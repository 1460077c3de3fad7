"""Releases: immutable sets of files, named by the digest of their contents."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from benchmark_manager.models.record import OrElse, Record

ReleaseContents = Literal["originals", "modified", "all"]
ArchiveFormat = Literal["tar.gz", "zip"]

#: How many makings one answer lists; their count is of all.
MAKINGS_LISTED = 1000


class ReleaseFile(Record):
    """One file of a release and its origin; the blob store has its content under `sha`."""

    path: str
    sha: str
    sha256: str
    size: int
    source: Annotated[Literal["original", "modified"], OrElse("original")]
    original_sha: str
    commit_sha: str
    modified_file_id: str | None = None
    revision: int | None = None


class Making(Record):
    """One making of a release.

    `number` counts from 1. `provenance` is the id of the files' origins at that time.
    """

    number: int
    project_id: str
    name: str
    description: str
    created_at: datetime
    created_by: str
    provenance: str


class Release(Record):
    """A release without its files.

    `project_id`, `created_at` and `created_by` are those of its first making. `revision` counts the
    changes of name, description and `pinned`.
    """

    digest: str = Field(description="`sha256:` and 64 hex digits.")
    name: str
    description: str
    pinned: bool
    revision: int
    project_id: str
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
