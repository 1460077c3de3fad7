"""Documents of releases and of their makings.

Two fields say which releases only sweeps made: `cells_in` are the projects in which only sweeps
made a release, and `cells_only` is true where those are all of its projects, else null. A release
that was never a cell has neither.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from bson import ObjectId

from benchmark_manager.domain.releases.digest import PREFIX
from benchmark_manager.models.release import CellMaking, Making, Release, ReleaseDraft, ReleaseFile
from benchmark_manager.stores.database.database import Document
from benchmark_manager.stores.releases.rows import digits_of

Row: TypeAlias = Mapping[str, Any]

#: What a release has from its first making.
OF_FIRST_MAKING: Final = ("project_id", "created_at", "created_by", "provenance")


def new_document(
    draft: ReleaseDraft, digest: str, provenance: str, files: Sequence[ReleaseFile]
) -> Document:
    """Return the document of a release that a person makes for the first time."""
    size = sum(file.size for file in files)
    return _new(draft, digest, provenance) | {"files_count": len(files), "size": size}


def new_cell(draft: ReleaseDraft, cell: CellMaking) -> Document:
    """Return the document of a release that a sweep makes for the first time."""
    return _new(draft, cell.digest, cell.provenance) | {
        "files_count": cell.files_count,
        "size": cell.size,
        "cells_in": [ObjectId(draft.project_id)],
        "cells_only": True,
    }


def _new(draft: ReleaseDraft, digest: str, provenance: str) -> Document:
    return {
        **draft.model_dump(exclude={"project_id"}),
        "_id": ObjectId(),
        "digest": digits_of(digest),
        "project_id": ObjectId(draft.project_id),
        "project_ids": [ObjectId(draft.project_id)],
        "revision": 1,
        "makings_count": 1,
        "provenance": provenance,
    }


def made_again(row: Row, draft: ReleaseDraft) -> Document:
    """Return the fields that another making by a person changes; it may pin the release."""
    project_id = ObjectId(draft.project_id)
    pins = draft.pinned and not row["pinned"]
    fields = {
        "project_ids": _with(row["project_ids"], project_id),
        "pinned": row["pinned"] or draft.pinned,
        "revision": row["revision"] + pins,
        "makings_count": row["makings_count"] + 1,
    }
    if "cells_in" in row:
        others = [key for key in row["cells_in"] if key != project_id]
        fields |= {"cells_in": others, "cells_only": None}
    return fields


def swept_again(row: Row, project_id: str) -> Document:
    """Return the fields that another making by a sweep changes."""
    key = ObjectId(project_id)
    fields = {
        "project_ids": _with(row["project_ids"], key),
        "makings_count": row["makings_count"] + 1,
    }
    if key not in row["project_ids"]:
        fields["cells_in"] = [*row.get("cells_in", ()), key]
    return fields


def without_makings(left: Sequence[Row]) -> Document:
    """Return the fields of a release of whose makings only these are left, in order."""
    projects = list(dict.fromkeys(making["project_id"] for making in left))
    by_people = {making["project_id"] for making in left if making.get("sweep_id") is None}
    cells_in = [key for key in projects if key not in by_people]
    return {
        **{name: left[0][name] for name in OF_FIRST_MAKING},
        "project_ids": projects,
        "makings_count": len(left),
        "cells_in": cells_in,
        "cells_only": None if by_people else True,
    }


def _with(keys: Sequence[ObjectId], key: ObjectId) -> list[ObjectId]:
    return [*keys, *([] if key in keys else [key])]


def making_document(
    draft: ReleaseDraft, digits: str, number: int, provenance: str, sweep_id: str | None = None
) -> Document:
    """Return the document of a making."""
    of_sweep = {} if sweep_id is None else {"sweep_id": sweep_id}
    return {
        **draft.model_dump(exclude={"pinned"}),
        "project_id": ObjectId(draft.project_id),
        "digest": digits,
        "number": number,
        "provenance": provenance,
        **of_sweep,
    }


def release_of(row: Row) -> Release:
    """Return the release that a document is."""
    values = {name: row[name] for name in Release.model_fields}
    return Release(
        **{
            **values,
            "digest": PREFIX + row["digest"],
            "project_id": str(row["project_id"]),
            "project_ids": tuple(map(str, row["project_ids"])),
        }
    )


def making_of(row: Row, number: int) -> Making:
    """Return the making that a document is, under this number."""
    values = {name: row[name] for name in Making.model_fields if name in row}
    return Making(**{**values, "number": number, "project_id": str(row["project_id"])})
