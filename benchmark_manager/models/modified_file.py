"""Modified files: people's variants of original files."""

from datetime import datetime
from typing import Literal

from benchmark_manager.models.original_file import FileFormat, FileType
from benchmark_manager.models.problem import Problem, Validity
from benchmark_manager.models.record import Record

Drift = Literal["current", "behind", "conflict", "upstream_removed"]


class ModifiedFile(Record):
    """One variant without its content, which the blob store holds under `content_sha`.

    `problems_id` refers to the stored problems. `problems` are empty where the reader did not ask for them, as for a
    reset of all files; a change of them sets `problems_id` to None, and the store writes them anew.
    """

    id: str
    project_id: str
    original_file_id: str
    original_path: str
    modified_name: str
    file_type: FileType
    format: FileFormat
    description: str
    base_sha: str
    base_commit_sha: str
    content_sha: str
    content_sha256: str
    size: int
    revision: int
    drift: Drift
    validity: Validity
    problems: tuple[Problem, ...]
    problems_id: str | None = None
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str
    #: Whether the present revision stands among the revisions; not so where a version without them changed it last.
    recorded: bool = True

    @property
    def path(self) -> str:
        """The original's folder and this variant's own name."""
        return variant_path(self.original_path, self.modified_name)


def variant_path(original_path: str, modified_name: str) -> str:
    folder, slash, _ = original_path.rpartition("/")
    return f"{folder}{slash}{modified_name}"


class TrashedFile(Record):
    """A deleted variant, as it was before; its deletion was one revision more.

    `reset_id` is that of the reset which deleted it, or None.
    """

    file: ModifiedFile
    deleted_at: datetime
    deleted_by: str
    reset_id: str | None
