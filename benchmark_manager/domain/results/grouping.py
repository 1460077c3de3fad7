"""Rows of a table: the repeats of one release at one point."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from benchmark_manager.domain.results.environment import Environment, Labels
from benchmark_manager.models.measured_result import MeasuredPoint, MeasuredResult
from benchmark_manager.models.result_table import MetricColumn, RowGroup

_NUMBER: Final = re.compile(r"(\d{1,18}(?:\.\d{1,18})?)")

RowKey: TypeAlias = tuple[str, str, Environment]
"""A release, a point, and in a table by environment the values of the labels that differ."""


@dataclass(slots=True)
class Repeats:
    """The results of a row, and the values of each metric in their order."""

    release: str
    point: str
    environment: Environment
    results: dict[str, MeasuredResult] = field(default_factory=dict)
    values: dict[str, list[float]] = field(default_factory=dict)


def grouped(
    results: Sequence[MeasuredResult],
    point: str | None,
    metrics: Iterable[MetricColumn],
    labels: Labels,
    group: RowGroup,
) -> list[Repeats]:
    """Return the repeats of each release at each point, or at `point` alone.

    They are in the order of each release's first result, and then of points and environments.
    """
    wanted = _WantedMetrics({metric.name: metric.unit for metric in metrics})
    order: dict[str, int] = {}
    found: dict[RowKey, Repeats] = {}
    for result in results:
        environment = labels.environment(result) if group == "environment" else ()
        for each in result.points:
            if point is not None and each.point != point:
                continue
            order.setdefault(result.release, len(order))
            key = result.release, each.point, environment
            if (row := found.get(key)) is None:
                row = found[key] = Repeats(*key)
            row.results[result.id] = result
            for name, number in wanted.positions(each):
                if math.isfinite(value := each.values[number]):
                    row.values.setdefault(name, []).append(value)
    return sorted(
        found.values(),
        key=lambda row: (order[row.release], point_order(row.point), _sortable(row.environment)),
    )


class _WantedMetrics:
    """Where points have the wanted metrics, in their units."""

    def __init__(self, units: Mapping[str, str]) -> None:
        self._units = units
        # By identity, as points of one tool have one object for their metrics.
        self._known: dict[int, list[tuple[str, int]]] = {}

    def positions(self, point: MeasuredPoint) -> list[tuple[str, int]]:
        """Return names of wanted metrics, and the numbers of their values."""
        key = id(point.metrics)
        if (found := self._known.get(key)) is None:
            found = self._known[key] = [
                (metric.name, number)
                for number, metric in enumerate(point.metrics)
                if self._units.get(metric.name) == metric.unit
            ]
        return found


def point_order(point: str) -> tuple[tuple[float, str], ...]:
    """Return what points are sorted by: numbers in them by their size.

    >>> sorted(["rate=16", "rate=2", ""], key=point_order)
    ['', 'rate=2', 'rate=16']
    """
    parts = _NUMBER.split(point)
    return tuple(
        (float(part), "") if number % 2 else (-1.0, part) for number, part in enumerate(parts)
    )


def _sortable(environment: Environment) -> tuple[tuple[bool, str], ...]:
    return tuple((value is not None, value or "") for value in environment)
