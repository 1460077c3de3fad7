"""Releases: immutable sets of files, named by the digest of what they hold."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from benchmark_manager.models.record import OrElse, Record

ReleaseContents = Literal["originals", "modified", "all"]
ArchiveFormat = Literal["tar.gz", "zip"]

#: How many makings one answer lists; their count is always complete.
MAKINGS_LISTED = 1000


class ReleaseFile(Record):
    """One file of a release and where it came from; the blob store holds its content under `sha`."""

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
    """One time that a release was made; `number` counts from 1, `provenance` names the files' origins of that time."""

    number: int
    project_id: str
    name: str
    description: str
    created_at: datetime
    created_by: str
    provenance: str


class Release(Record):
    """A release without its files. `project_id`, `created_at` and `created_by` are those of its first making.

    `revision` counts people's changes of what may change: name, description, pinned.
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
    """What a making is asked for; its files come with it."""

    project_id: str
    name: str
    description: str
    pinned: bool
    created_at: datetime
    created_by: str
