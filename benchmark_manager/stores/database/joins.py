"""Parts of pipelines that read what a document refers to in the same command.

A command costs this process more than what it reads: one with joins takes a third of the time of
four.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from benchmark_manager.stores.database.database import Document

_PROJECT: Final = "project"
_CONTENT: Final = "content"
_PROBLEMS: Final = "stored_problems"
_VARIANTS: Final = "variants"
_JOINED: Final = frozenset({_PROJECT, _CONTENT, _PROBLEMS, _VARIANTS})


def joined_project() -> Document:
    """Add `project`, which is empty once the project is deleted."""
    return _joined("projects", "project_id", "_id", _PROJECT, {"$project": {"_id": 1}})


def joined_content(field: str) -> Document:
    """Add the content whose blob id is in `field`, for `content_in`."""
    return _joined("blobs", field, "_id", _CONTENT, {"$project": {"_id": 0, "data": 1}})


def content_in(document: Mapping[str, Any]) -> bytes:
    """Return the content that was joined; what a document refers to always exists."""
    [content] = document[_CONTENT]
    return bytes(content["data"])


def joined_problems() -> Document:
    """Add `stored_problems`, the list of `problems_id`, for `problems.joined_problems_in`."""
    return _joined("problems", "problems_id", "_id", _PROBLEMS, {"$project": {"data": 1}})


def without_joined(document: Mapping[str, Any]) -> Document:
    """Return the document as it is stored."""
    return {name: value for name, value in document.items() if name not in _JOINED}


def counted_variants() -> Document:
    """Add `variants` to an original: a row with their number `n`; no row where there are none."""
    return _joined("modified_files", "_id", "original_file_id", _VARIANTS, _counted())


def counted(match: Mapping[str, Any]) -> list[Document]:
    """Read a row with the number `n` of documents that match; no row where there are none."""
    return [{"$match": match}, _counted()]


def counted_by_project(value: object) -> Document:
    """Count documents by their project and by `value`, for `by_project`."""
    return {"$group": {"_id": {"project": "$project_id", "value": value}, "n": {"$sum": 1}}}


def by_project(rows: Iterable[Document]) -> dict[str, dict[str, int]]:
    """Return the counts of `counted_by_project` by value, by project."""
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        found.setdefault(str(row["_id"]["project"]), {})[row["_id"]["value"]] = row["n"]
    return found


def _counted() -> Document:
    # The embedded server does not know `$count`.
    return {"$group": {"_id": None, "n": {"$sum": 1}}}


def _joined(collection: str, local: str, foreign: str, name: str, stage: Document) -> Document:
    fields = {"localField": local, "foreignField": foreign}
    return {"$lookup": {"from": collection, **fields, "pipeline": [stage], "as": name}}
