"""The plain form, for everybody's own scripts; see docs/results.md."""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.results.parsing.collector import (
    Collector,
    PointMetrics,
    as_number,
    version_text,
)
from benchmark_manager.domain.results.parsing.contents import mapping_at
from benchmark_manager.domain.results.parsing.labels import shown_number
from benchmark_manager.models.result import Direction

_DIRECTIONS: Final[Mapping[str, Direction]] = {"lower": "lower", "higher": "higher"}


def is_plain(value: Mapping[str, JsonValue]) -> bool:
    """Return whether there is a number where the plain form has its metrics."""
    return any(_has_numbers(mapping_at(part)) for part in _parts(value))


def read_plain(value: Mapping[str, JsonValue], found: Collector, _: str) -> None:
    """Read the metrics at the top, and those of all points."""
    found.tool_version = version_text(value.get("tool_version"))
    for part in _parts(value):
        label = mapping_at(part).get("point")
        point = found.point(_label(label))
        for name, entry in mapping_at(part, "metrics").items():
            _add(point, name, entry)


def _parts(value: Mapping[str, JsonValue]) -> list[JsonValue]:
    points = value.get("points")
    return [dict(value), *(points if isinstance(points, list) else [])]


def _has_numbers(part: Mapping[str, JsonValue]) -> bool:
    return any(
        as_number(mapping_at(entry).get("value") if isinstance(entry, dict) else entry) is not None
        for entry in mapping_at(part, "metrics").values()
    )


def _add(point: PointMetrics, name: str, entry: JsonValue) -> None:
    if not isinstance(entry, dict):
        point.add(name, entry)
        return
    unit, direction = entry.get("unit"), entry.get("direction")
    point.add(
        name,
        entry.get("value"),
        unit=unit if isinstance(unit, str) else None,
        direction=_DIRECTIONS.get(direction) if isinstance(direction, str) else None,
    )


def _label(label: JsonValue) -> str:
    """Return a point's label, which may be a number, as a text."""
    if isinstance(label, str):
        return label
    return "" if isinstance(label, bool) or not isinstance(label, float) else shown_number(label)
