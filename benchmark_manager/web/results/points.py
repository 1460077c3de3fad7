"""The metrics of a result as rows, with a column for each point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.models.result import Direction, Metric, ResultPoint
from benchmark_manager.web.charts.numbers import written
from benchmark_manager.web.texts.limits import NAME, Window, fitting
from benchmark_manager.web.texts.visible import html_size

#: Points on one page, and bytes of HTML of all rows.
_POINTS: Final = 12
_BYTES: Final = 900_000
_ROW_BYTES: Final = 400
_VALUE_BYTES: Final = 160


@dataclass(frozen=True, slots=True)
class DrawnValue:
    """A value, shortened and as it was read."""

    short: str
    exact: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric, and its value at each point; None where it was not measured."""

    name: str
    unit: str
    direction: Direction | None
    called: str
    values: tuple[DrawnValue | None, ...]

    @property
    def cost(self) -> int:
        """Return the bytes of HTML of the row."""
        names = sum(html_size(text[:NAME]) for text in (self.name, self.called, self.unit))
        return _ROW_BYTES + names + _VALUE_BYTES * len(self.values)


@dataclass(frozen=True, slots=True)
class DrawnPoints:
    """The points from one on that fit on a page; `more` counts the metrics that do not."""

    window: Window[ResultPoint]
    rows: Sequence[MetricRow]
    more: int

    @classmethod
    def of(cls, points: Sequence[ResultPoint], start: int) -> "DrawnPoints":
        start = start if start < len(points) else 0
        shown = points[start : start + _POINTS]
        names = dict.fromkeys(name for point in shown for name in point.metrics)
        rows = [_row(name, shown) for name in names]
        fits = fitting(rows, lambda row: row.cost, _BYTES)
        return cls(Window(shown, start, len(points)), fits, len(rows) - len(fits))

    @property
    def points(self) -> list[str]:
        return [point.point for point in self.window.rows]

    @property
    def points_count(self) -> int:
        return self.window.total


def _row(name: str, points: Sequence[ResultPoint]) -> MetricRow:
    metrics = [point.metrics.get(name) for point in points]
    first = next(metric for metric in metrics if metric is not None)
    values = tuple(None if metric is None else _value(metric) for metric in metrics)
    return MetricRow(name, first.unit, first.direction, first.called, values)


def _value(metric: Metric) -> DrawnValue:
    return DrawnValue(written(metric.value), repr(metric.value))
