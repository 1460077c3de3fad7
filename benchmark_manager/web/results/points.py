"""The metrics of a result as rows, with a column for each point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from benchmark_manager.models.result import Direction, Metric, ResultPoint
from benchmark_manager.web.charts.numbers import written
from benchmark_manager.web.texts.limits import NAME, Window, fitting
from benchmark_manager.web.texts.visible import html_size

#: Points on one page, and bytes of HTML of all rows.
_POINTS: Final = 12
_BYTES: Final = 900_000
_ROW_BYTES: Final = 400
_VALUE_BYTES: Final = 160

_Form: TypeAlias = tuple[str, str, Direction | None]
"""The name, the unit and the direction of a metric."""


@dataclass(frozen=True, slots=True)
class DrawnValue:
    """A value, shortened and as it was read."""

    short: str
    exact: str


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A metric in one unit, and its value at each point; None where it was not measured so."""

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
        measured = [pair for point in shown for pair in point.metrics.items()]
        # One that has another unit at another point has another row.
        firsts = {_form(name, metric): metric for name, metric in reversed(measured)}
        forms = dict.fromkeys(_form(name, metric) for name, metric in measured)
        rows = [_row(form, firsts[form].called, shown) for form in forms]
        fits = fitting(rows, lambda row: row.cost, _BYTES)
        return cls(Window(shown, start, len(points)), fits, len(rows) - len(fits))

    @property
    def points(self) -> list[str]:
        return [point.point for point in self.window.rows]

    @property
    def points_count(self) -> int:
        return self.window.total


def _form(name: str, metric: Metric) -> _Form:
    return name, metric.unit, metric.direction


def _row(form: _Form, called: str, points: Sequence[ResultPoint]) -> MetricRow:
    metrics = (point.metrics.get(form[0]) for point in points)
    values = tuple(
        _value(metric) if metric is not None and _form(form[0], metric) == form else None
        for metric in metrics
    )
    return MetricRow(*form, called, values)


def _value(metric: Metric) -> DrawnValue:
    return DrawnValue(written(metric.value), repr(metric.value))
