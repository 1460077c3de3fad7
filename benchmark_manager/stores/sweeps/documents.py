"""Convert sweeps and their cells to documents and back.

Values of axes are stored as JSON texts: JSON has integers, and names of members, that the database
has not. Definitions may have a hundred thousand values, so stores convert them in threads.
"""

import json
from collections.abc import Mapping
from typing import Any

from bson import ObjectId

from benchmark_manager.models.sweep import (
    Assignments,
    CellText,
    Sweep,
    SweepCell,
    SweepDefinition,
    SweepVersion,
    SweptBase,
)
from benchmark_manager.stores.database.database import Document


def sort_key(number: int) -> str:
    """Return the number as a text that sorts like it: cursors compare texts."""
    return f"{number:012}"


def sweep_document(sweep: Sweep) -> Document:
    """Return the document of a sweep; its drift is never stored with it."""
    return {
        **sweep.model_dump(exclude={"id", "drift", "definition"}),
        "_id": ObjectId(sweep.id),
        "project_id": ObjectId(sweep.project_id),
        "definition": sweep.definition.model_dump_json(),
    }


def sweep_of(document: Mapping[str, Any]) -> Sweep:
    """Return the sweep of a document."""
    values = {name: document[name] for name in Sweep.model_fields if name in document}
    return Sweep(
        **{
            **values,
            "id": str(document["_id"]),
            "project_id": str(document["project_id"]),
            "definition": SweepDefinition.model_validate_json(document["definition"]),
            "bases": tuple(SweptBase(**base) for base in document["bases"]),
        }
    )


def version_document(version: SweepVersion) -> Document:
    """Return the document of a version."""
    return {
        **version.model_dump(exclude={"sweep_id", "definition"}),
        "sweep_id": ObjectId(version.sweep_id),
        "definition": version.definition.model_dump_json(),
    }


def version_of(document: Mapping[str, Any]) -> SweepVersion:
    """Return the version of a document."""
    values = {name: document[name] for name in SweepVersion.model_fields}
    return SweepVersion(
        **{
            **values,
            "sweep_id": str(document["sweep_id"]),
            "definition": SweepDefinition.model_validate_json(document["definition"]),
            "bases": tuple(SweptBase(**base) for base in document["bases"]),
        }
    )


def cell_document(cell: SweepCell) -> Document:
    """Return the document of a cell."""
    return {
        "sweep_id": ObjectId(cell.sweep_id),
        "place": sort_key(cell.index),
        **cell.model_dump(exclude={"sweep_id", "index", "assignments", "also", "texts"}),
        "assignments": json.dumps(cell.assignments),
        "also": [json.dumps(one) for one in cell.also],
        "texts": [text.model_dump(exclude_none=True) for text in cell.texts],
    }


def cell_of(document: Mapping[str, Any]) -> SweepCell:
    """Return the cell of a document."""
    values = {name: document[name] for name in SweepCell.model_fields if name in document}
    return SweepCell(
        **{
            **values,
            "sweep_id": str(document["sweep_id"]),
            "index": int(document["place"]),
            "assignments": _assignments(document["assignments"]),
            "also": tuple(map(_assignments, document["also"])),
            "texts": tuple(CellText(**text) for text in document["texts"]),
        }
    )


def _assignments(text: str) -> Assignments:
    found: Assignments = json.loads(text)
    return found
