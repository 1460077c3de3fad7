"""Original files: the service's exact copies of upstream files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from benchmark_manager.models.problem import Problem, Validity
from benchmark_manager.models.record import Record

FileType = Literal["config", "job"]
FileFormat = Literal["yaml", "json"]
SkipReason = Literal["too_large", "binary", "not_utf8", "symlink", "submodule", "lfs_pointer"]


class OriginalFile(Record):
    """One original without its content, which the blob store holds under `sha`.

    `problems` are empty where the reader did not ask for them, as for a release of all files.
    """

    id: str
    project_id: str
    path: str
    file_type: FileType
    format: FileFormat
    sha: str
    size: int
    commit_sha: str
    last_modified: datetime
    synced_at: datetime
    removed_at: datetime | None
    validity: Validity
    problems: tuple[Problem, ...]
    modified_files_count: int = 0

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """What a list of thousands tells of an original in place.

    A dataclass, as building a Record costs ten times as much.
    """

    id: str
    path: str
    file_type: FileType
    validity: Validity
    errors: int
    warnings: int
    variants: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]
