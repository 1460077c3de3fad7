"""Parts of pipelines that stores share, which read in one command what a document refers to.

A command costs this process more than what it reads, so one which joins takes a third of the time
of four.
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
    """Adds `project`: empty once the project is deleted, be its files still there."""
    return _joined("projects", "project_id", "_id", _PROJECT, {"$project": {"_id": 1}})


def joined_content(field: str) -> Document:
    """Adds the content whose blob id stands in `field`, for `content_in`."""
    return _joined("blobs", field, "_id", _CONTENT, {"$project": {"_id": 0, "data": 1}})


def content_in(document: Mapping[str, Any]) -> bytes:
    """The content that was joined. What a document refers to is always there."""
    [content] = document[_CONTENT]
    return bytes(content["data"])


def joined_problems() -> Document:
    """Adds `stored_problems`, the list that `problems_id` refers to, for `stores.problems.joined_problems_in`."""
    return _joined("problems", "problems_id", "_id", _PROBLEMS, {"$project": {"data": 1}})


def without_joined(document: Mapping[str, Any]) -> Document:
    """The document as it is stored."""
    return {name: value for name, value in document.items() if name not in _JOINED}


def counted_variants() -> Document:
    """Adds `variants` to an original: a row with their number `n`, none where there are none."""
    return _joined("modified_files", "_id", "original_file_id", _VARIANTS, _counted())


def counted(match: Mapping[str, Any]) -> list[Document]:
    """A row with the number `n` of documents which match, none where there are none."""
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
    # Not `$count`, which the embedded server does not know.
    return {"$group": {"_id": None, "n": {"$sum": 1}}}


def _joined(collection: str, local: str, foreign: str, name: str, stage: Document) -> Document:
    fields = {"localField": local, "foreignField": foreign}
    return {"$lookup": {"from": collection, **fields, "pipeline": [stage], "as": name}}
