"""Convert variants to documents and back."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.models.problem import Verdict
from benchmark_manager.models.revision import Revision, unrecorded_revision
from benchmark_manager.models.variant import Variant
from benchmark_manager.stores.contents.problems import (
    APART,
    Problems,
    ProblemStore,
    problems_in,
)
from benchmark_manager.stores.database.database import Document

#: The fields that a variant and its document have alike.
_KEPT: Final = tuple(
    Variant.model_fields.keys()
    - {"id", "project_id", "original_file_id", "problems", "problems_id", "recorded", "kept"}
)
_UNREAD: Final[Mapping[str | None, Problems]] = {}
#: Every write of a variant also writes its revision.
RECORDED: Final[Mapping[str, Any]] = {"recorded": True}
#: The fields that this version knows, those of the trash included; all others are kept as they are.
_KNOWN: Final = (Variant.model_fields.keys() - {"id", "kept"}) | {
    *("_id", "path", "deleted_at", "deleted_by", "reset_id"),
}


def missing_revisions(files: Sequence[Variant]) -> list[Revision]:
    """Return the present revisions that are not stored: a version without revisions wrote last."""
    return [unrecorded_revision(file) for file in files if not file.recorded]


async def with_stored_problems(
    problems: ProblemStore, files: Sequence[Variant]
) -> Sequence[Variant]:
    """Store the problems that are not stored yet, and return the variants with their `problems_id`.

    Those of a new verdict, or of a document of version 0.1.0. They are stored before the
    transaction that refers to them, as `ProblemStore` says.
    """
    unstored = [file for file in files if file.problems and file.problems_id is None]
    if not unstored:
        return files
    verdicts = [Verdict(validity=file.validity, problems=file.problems) for file in unstored]
    now = max(file.updated_at for file in unstored)
    stored = await problems.put(verdicts, now)
    ids = {file.id: verdict.problems_id for file, verdict in zip(unstored, stored, strict=True)}
    return [
        file.model_copy(update={"problems_id": ids[file.id]}) if file.id in ids else file
        for file in files
    ]


def modified_document(file: Variant) -> Document:
    """Return the document of a variant whose problems are stored.

    It has no `problems_id` where there are no problems.
    """
    left_out = {"id", "problems", *(("problems_id",) if file.problems_id is None else ())}
    return {
        **file.kept,
        **file.model_dump(exclude=left_out),
        "_id": ObjectId(file.id),
        "project_id": ObjectId(file.project_id),
        "original_file_id": ObjectId(file.original_file_id),
        "path": file.path,
        "problems": APART,
        **RECORDED,
    }


def modified_file(document: Document, problems: Mapping[str | None, Problems] = _UNREAD) -> Variant:
    """Return the variant of a document; `problems` are the stored ones by id, if they were read."""
    return Variant.model_validate(variant_values(document, problems))


def variant_values(
    document: Document, problems: Mapping[str | None, Problems]
) -> dict[str, object]:
    """Return the fields of the variant of a document, not validated yet."""
    return {
        **{name: document[name] for name in _KEPT},
        "id": str(document["_id"]),
        "project_id": str(document["project_id"]),
        "original_file_id": str(document["original_file_id"]),
        "problems": problems_in(document, problems),
        "problems_id": document.get("problems_id"),
        "recorded": document.get("recorded", False),
        "kept": {name: document[name] for name in document.keys() - _KNOWN},
    }
