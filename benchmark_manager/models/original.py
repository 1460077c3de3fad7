"""Original files: the service's exact copies of upstream files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from benchmark_manager.models.problem import Problem, StoredValidity, Validity
from benchmark_manager.models.record import OrElse, Record, words_of

FileType = Literal["config", "job"]
FileFormat = Literal["yaml", "json"]
#: `other`: a reason that a newer version of the service recorded.
SkipReason = Literal[
    "too_large",
    "binary",
    "not_utf8",
    "name_not_utf8",
    "symlink",
    "submodule",
    "lfs_pointer",
    "not_yaml",
    "other",
]
#: For code that builds no model of stored documents.
FILE_TYPES: Final[frozenset[FileType]] = words_of(FileType)
FILE_FORMATS: Final[frozenset[FileFormat]] = words_of(FileFormat)
StoredFileType = Annotated[FileType, OrElse("config")]
StoredFileFormat = Annotated[FileFormat, OrElse("yaml")]


class OriginalFile(Record):
    """One original without its content, which the blob store has under `sha`.

    `problems` are empty where they were not read, as for a release of all files.
    """

    id: str
    project_id: str
    path: str
    file_type: StoredFileType
    format: StoredFileFormat
    sha: str
    size: int
    commit_sha: str
    last_modified: datetime
    synced_at: datetime
    removed_at: datetime | None
    validity: StoredValidity
    problems: tuple[Problem, ...]
    modified_files_count: int = 0

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """An original in a list of thousands.

    A dataclass, as making a Record takes ten times as long.
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
