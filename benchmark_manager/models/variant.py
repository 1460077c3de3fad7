"""Modified files: people's variants of original files."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import Field

from benchmark_manager.models.original import StoredFileFormat, StoredFileType
from benchmark_manager.models.problem import Problem, StoredValidity
from benchmark_manager.models.record import OrElse, Record, known_word, words_of

Drift = Literal["current", "behind", "conflict", "upstream_removed"]
StoredDrift = Annotated[Drift, OrElse("conflict")]


#: For those who build no model of what is stored.
DRIFTS: Final[frozenset[Drift]] = words_of(Drift)


def drift_counts(counted: Mapping[str, int]) -> dict[Drift, int]:
    """Counts by drift, zeros included; words that this version does not know count as `conflict`."""
    counts: dict[Drift, int] = dict.fromkeys(get_args(Drift), 0)
    for word, count in counted.items():
        counts[known_word(word, DRIFTS, "conflict")] += count
    return counts


class Variant(Record):
    """One variant without its content, which the blob store holds under `content_sha`.

    `problems_id` refers to the stored problems. `problems` are empty where the reader did not ask
    for them, as for a reset of all files; a change of them sets `problems_id` to None, and the
    store writes them anew.
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
    #: Whether the present revision stands among the revisions; not so where a version without them
    #: changed it last.
    recorded: bool = True
    #: What a newer version stores beside these, for the stores alone: it goes into the trash and
    #: back with the rest.
    kept: dict[str, Any] = Field(default_factory=dict, exclude=True, repr=False)

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

    file: Variant
    deleted_at: datetime
    deleted_by: str
    reset_id: str | None
