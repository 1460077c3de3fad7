"""Convert results, and what a parser read from them, to documents and back.

A point's metrics are stored as one JSON text, beside their values: the results of one
tool have the same text, which is read once for all of them.
"""

import json
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.models.measured_result import MeasuredPoint, MeasuredResult
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.record import known_word, words_of
from benchmark_manager.models.result import (
    Direction,
    Metric,
    ParsedResult,
    ResultPoint,
    StoredResult,
    ToolName,
)
from benchmark_manager.models.result_table import MetricColumn
from benchmark_manager.stores.database.database import Document

_TOOLS: Final = words_of(ToolName)
_DIRECTIONS: Final = words_of(Direction)
#: Texts of metrics that are kept once they were read, and characters of one; usual are 2,000.
_KEPT_TEXTS: Final = 256
_LONGEST_KEPT: Final = 20_000
_BYTES_OF_NUMBER: Final = 8
#: Between a label's name and its value, neither of which has control characters.
_BETWEEN: Final = "\n"


def label_text(name: str, value: str) -> str:
    """Return a label as it is stored, which filters compare."""
    return f"{name}{_BETWEEN}{value}"


def result_document(result: StoredResult) -> Document:
    """Return the document of a result; one that is not deleted has no field about that."""
    document = {
        **result.model_dump(exclude={"id", "labels", "deleted_at", "deleted_by"}),
        "_id": ObjectId(result.id),
        "project_id": ObjectId(result.project_id),
        "labels": [label_text(*pair) for pair in result.labels.items()],
    }
    if result.deleted_at is not None:
        document |= {"deleted_at": result.deleted_at, "deleted_by": result.deleted_by}
    return document


def result_of(document: Mapping[str, Any]) -> StoredResult:
    """Return the result of a document."""
    return StoredResult(
        **{
            **{name: document[name] for name in StoredResult.model_fields if name in document},
            "id": str(document["_id"]),
            "project_id": str(document["project_id"]),
            "labels": labels_of(document),
        }
    )


def labels_of(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of a result's document."""
    pairs = (text.partition(_BETWEEN) for text in document["labels"])
    return {name: value for name, _, value in pairs}


def parsed_document(result: StoredResult, parsed: ParsedResult, version: int) -> Document:
    """Return the document of what a version of the parser read from a result."""
    return {
        "_id": ObjectId(result.id),
        "project_id": ObjectId(result.project_id),
        "release": result.release,
        "version": version,
        "tool": parsed.tool,
        "tool_version": parsed.tool_version,
        "points": [_point_document(point) for point in parsed.points],
        "problems": [problem.model_dump() for problem in parsed.problems],
    }


def _point_document(point: ResultPoint) -> Document:
    described = [[name, m.unit, m.direction, m.called] for name, m in point.metrics.items()]
    return {
        "point": point.point,
        "metrics": json.dumps(described, ensure_ascii=False),
        "values": _packed([metric.value for metric in point.metrics.values()]),
    }


def parsed_of(document: Mapping[str, Any]) -> ParsedResult:
    """Return what was read from a result."""
    return ParsedResult(
        tool=known_word(document["tool"], _TOOLS, "unknown"),
        tool_version=document["tool_version"],
        points=tuple(map(_point_of, document["points"])),
        problems=tuple(Problem(**problem) for problem in document["problems"]),
    )


def _point_of(row: Mapping[str, Any]) -> ResultPoint:
    columns, names = _described(row["metrics"])
    described = zip(columns, names, _unpacked(row["values"]), strict=True)
    metrics = {
        column.name: Metric(
            value=value, unit=column.unit, direction=column.direction, called=called
        )
        for column, called, value in described
    }
    return ResultPoint(point=row["point"], metrics=metrics)


def measured_of(row: Mapping[str, Any], parsed: Mapping[str, Any] | None) -> MeasuredResult:
    """Return what tables need of a result's document, and of what was read from it."""
    points = () if parsed is None else tuple(map(_measured_point, parsed["points"]))
    return MeasuredResult(
        id=str(row["_id"]),
        release=row["release"],
        tool="unknown" if parsed is None else known_word(parsed["tool"], _TOOLS, "unknown"),
        points=points,
        created_at=row["created_at"],
        labels=labels_of(row),
        is_readable=bool(points) and parsed is not None and not parsed["problems"],
    )


def _measured_point(row: Mapping[str, Any]) -> MeasuredPoint:
    return MeasuredPoint(row["point"], _described(row["metrics"])[0], _unpacked(row["values"]))


# As bytes, since an array of BSON names each value: 5,000 results are read in half the time.
def _packed(values: Sequence[float]) -> bytes:
    return struct.pack(f"<{len(values)}d", *values)


def _unpacked(data: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(data) // _BYTES_OF_NUMBER}d", data)


def _described(text: str) -> tuple[tuple[MetricColumn, ...], tuple[str, ...]]:
    """Return the metrics of a text, and what the tool calls them."""
    return _read(text) if len(text) > _LONGEST_KEPT else _kept(text)


@lru_cache(maxsize=_KEPT_TEXTS)
def _kept(text: str) -> tuple[tuple[MetricColumn, ...], tuple[str, ...]]:
    return _read(text)


def _read(text: str) -> tuple[tuple[MetricColumn, ...], tuple[str, ...]]:
    rows = json.loads(text)
    columns = tuple(
        MetricColumn(name=name, unit=unit, direction=known_word(direction, _DIRECTIONS, None))
        for name, unit, direction, _ in rows
    )
    return columns, tuple(called for *_, called in rows)
