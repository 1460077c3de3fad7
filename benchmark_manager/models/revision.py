"""Revisions: the state of a variant after each change."""

from datetime import datetime
from typing import Annotated, Literal

from benchmark_manager.models.record import OrElse, Record
from benchmark_manager.models.variant import Variant

RevisionKind = Literal[
    "created", "edited", "renamed", "rebased", "reattached", "restored", "deleted"
]


class Revision(Record):
    """A variant's state after one change. It never changes; the content is in the blob store."""

    modified_file_id: str
    project_id: str
    number: int
    what: Annotated[RevisionKind, OrElse("edited")]
    modified_name: str
    description: str
    content_sha: str
    content_sha256: str
    size: int
    base_sha: str
    base_commit_sha: str
    created_at: datetime
    created_by: str

    @classmethod
    def of(cls, file: Variant, what: RevisionKind, *, at: datetime, by: str) -> "Revision":
        """Return the revision that `file` is since `by` did `what` to it."""
        same = cls.model_fields.keys() & type(file).model_fields.keys() - {
            "created_at",
            "created_by",
        }
        return cls(
            **{name: getattr(file, name) for name in same},
            modified_file_id=file.id,
            number=file.revision,
            what=what,
            created_at=at,
            created_by=by,
        )


def unrecorded_revision(file: Variant) -> Revision:
    """Return the present revision of a variant that a version without revisions wrote last."""
    what: RevisionKind = "created" if file.revision == 1 else "edited"
    return Revision.of(file, what, at=file.updated_at, by=file.updated_by)
