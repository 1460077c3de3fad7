"""Variants: people's changed copies of original files."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field

from benchmark_manager.models.original import (
    FileFormat,
    FileType,
    StoredFileFormat,
    StoredFileType,
)
from benchmark_manager.models.problem import Problem, StoredValidity
from benchmark_manager.models.record import OrElse, Record, known_word, words_of

Drift = Literal["current", "behind", "conflict", "upstream_removed"]
StoredDrift = Annotated[Drift, OrElse("conflict")]


#: For code that reads stored words without a model.
DRIFTS: Final[frozenset[Drift]] = words_of(Drift)


def drift_counts(counted: Mapping[str, int]) -> dict[Drift, int]:
    """Return counts by drift, zeros included; a word that is not known counts as `conflict`."""
    counts: dict[Drift, int] = dict.fromkeys(get_args(Drift), 0)
    for word, count in counted.items():
        counts[known_word(word, DRIFTS, "conflict")] += count
    return counts


class Variant(Record):
    """One variant without its content, which the blob store has under `content_sha`.

    `problems_id` refers to the stored problems. `problems` are empty where they were not read, for
    example for a reset of all variants; a change of them sets `problems_id` to None, and the store
    writes them again.
    """

    id: str
    project_id: str
    original_file_id: str
    original_path: str
    modified_name: str
    file_type: StoredFileType
    format: StoredFileFormat
    description: str
    base_sha: str
    base_commit_sha: str
    content_sha: str
    content_sha256: str
    size: int
    revision: int
    drift: StoredDrift
    validity: StoredValidity
    problems: tuple[Problem, ...]
    problems_id: str | None = None
    created_at: datetime
    updated_at: datetime
    created_by: str
    updated_by: str
    #: Whether the present revision is stored as one; it is not where a version without revisions
    #: wrote the variant last.
    recorded: bool = True
    #: Fields of a newer version, used by the stores alone: they move to the trash and back with the
    #: others.
    kept: dict[str, Any] = Field(default_factory=dict, exclude=True, repr=False)

    @property
    def path(self) -> str:
        """The path: the original's folder and this variant's own name."""
        return variant_path(self.original_path, self.modified_name)


def variant_path(original_path: str, modified_name: str) -> str:
    """Return the path of a variant with this name of an original at this path."""
    folder, slash, _ = original_path.rpartition("/")
    return f"{folder}{slash}{modified_name}"


@dataclass(frozen=True, slots=True)
class SyncedVariant:
    """The fields of a variant that a sync reads.

    A sync may change `original_path`, `file_type` and `drift`. A dataclass, as a sync reads
    thousands of them.
    """

    id: str
    original_file_id: str
    original_path: str
    modified_name: str
    file_type: FileType
    format: FileFormat
    base_sha: str
    content_sha: str
    drift: Drift

    @property
    def path(self) -> str:
        """The original's folder and the variant's own name."""
        return variant_path(self.original_path, self.modified_name)

    def at(self, original_path: str, file_type: FileType, drift: Drift) -> "SyncedVariant":
        """Return the variant after a change of its original."""
        return replace(self, original_path=original_path, file_type=file_type, drift=drift)


class TrashedVariant(Record):
    """A deleted variant as it was before; its deletion was one revision more.

    `reset_id` is the id of the reset that deleted it, or None.
    """

    file: Variant
    deleted_at: datetime
    deleted_by: str
    reset_id: str | None
