"""Converts documents of originals to models, and the files of a sync to documents."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from benchmark_manager.domain.sync.tree_changes import UpstreamFile
from benchmark_manager.models.original import FILE_TYPES, FileEntry, OriginalFile
from benchmark_manager.models.problem import VALIDITIES, StoredVerdict
from benchmark_manager.models.project import ProjectStats
from benchmark_manager.models.record import known_word
from benchmark_manager.models.variant import drift_counts
from benchmark_manager.stores.contents.problems import APART, Problems, problems_in
from benchmark_manager.stores.database.database import Document

#: The fields that an original and its document have alike.
_KEPT: Final = tuple(
    OriginalFile.model_fields.keys() - {"id", "project_id", "problems", "modified_files_count"}
)
_UNREAD: Final[Mapping[str | None, Problems]] = {}


def original_file(
    document: Mapping[str, Any],
    problems: Mapping[str | None, Problems] = _UNREAD,
    variants: int = 0,
) -> OriginalFile:
    """Return the original of a document, with those of its problems that were read, by their id."""
    return OriginalFile.model_validate(values_of(document, problems, variants))


def values_of(
    document: Mapping[str, Any], problems: Mapping[str | None, Problems], variants: int
) -> dict[str, object]:
    """Return the fields of an original."""
    return {
        "id": str(document["_id"]),
        "project_id": str(document["project_id"]),
        **{name: document[name] for name in _KEPT},
        "problems": problems_in(document, problems),
        "modified_files_count": variants,
    }


def file_entries(rows: Sequence[Document], counts: Mapping[str, int]) -> list[FileEntry]:
    """Return the entries of documents, with the numbers of their variants by id."""
    return [_entry(row, counts.get(str(row["_id"]), 0)) for row in rows]


def _entry(document: Document, variants: int) -> FileEntry:
    inside = [problem["severity"] for problem in document.get("problems", ())]
    errors = document.get("errors", inside.count("error"))
    return FileEntry(
        id=str(document["_id"]),
        path=document["path"],
        file_type=known_word(document["file_type"], FILE_TYPES, "config"),
        validity=known_word(document["validity"], VALIDITIES, "invalid"),
        errors=errors,
        warnings=document.get("warnings", len(inside) - errors),
        variants=variants,
    )


def content_fields(new: UpstreamFile, verdict: StoredVerdict) -> Document:
    """Return the fields of a file's content."""
    return {
        "path": new.path,
        "file_type": new.file_type,
        "format": new.format,
        "sha": new.sha,
        "size": new.size,
        "validity": verdict.validity,
        "errors": verdict.errors,
        "warnings": verdict.warnings,
        "problems": APART,
        # Left out where there are none, so that the index holds no entry for most files.
        **({} if verdict.problems_id is None else {"problems_id": verdict.problems_id}),
    }


def rewritten(content: Document) -> Document:
    """Return the update that stores another content."""
    return (
        {"$set": content}
        if "problems_id" in content
        else {"$set": content, "$unset": {"problems_id": ""}}
    )


def stats_of_counts(kinds: Mapping[str, int], drifts: Mapping[str, int]) -> ProjectStats:
    """Return the statistics of a project from its counts of originals and of variants.

    `kinds` counts the present originals by type, and the `removed` ones; `drifts` the variants.
    """
    job, removed = kinds.get("job", 0), kinds.get("removed", 0)
    # Types that this version does not know are read as config.
    config = sum(kinds.values()) - job - removed
    return ProjectStats(
        original_files=config + job,
        config_files=config,
        job_files=job,
        modified_files=sum(drifts.values()),
        modified_files_by_drift=drift_counts(drifts),
        removed_files=removed,
    )
