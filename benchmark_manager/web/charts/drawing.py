"""The parts that charts of points are drawn of."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.web.charts import budget
from benchmark_manager.web.charts.numbers import NOTHING, cut
from benchmark_manager.web.charts.points import ChartPoint, Spread

#: Units across of the paths, which are stretched to the chart's width.
ACROSS: Final = 1000


@dataclass(frozen=True, slots=True)
class PointMark:
    """A point that is a link; `x` is in percent, `y` in pixels."""

    x: float
    y: float
    title: str
    href: str
    is_baseline: bool = False


@dataclass(frozen=True, slots=True)
class NumbersRow:
    """A row of the table beside a chart."""

    label: str
    href: str
    cells: tuple[str, ...]
    is_baseline: bool = False
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The first rows of a chart's data, of `total`."""

    rows: Sequence[NumbersRow]
    total: int


def table_of(points: Sequence[ChartPoint], row_of: Callable[[ChartPoint], NumbersRow]) -> Table:
    """Return the rows that fit; of further points, no text is made."""
    left = budget.TABLE
    rows = []
    for point in points:
        row = row_of(point)
        left -= budget.texts_cost(row.label, row.href, *row.cells)
        if left < 0:
            break
        rows.append(row)
    return Table(rows, len(points))


def path(corners: Sequence[tuple[float, float]]) -> str:
    """Return a line through positions in percent and pixels, as a path."""
    return "".join(
        f"{'L' if number else 'M'}{_units(x)} {y:g}" for number, (x, y) in enumerate(corners)
    )


def dots(corners: Sequence[tuple[float, float]]) -> str:
    """Return lines without a length, which are drawn as dots because of their round ends."""
    return "".join(f"M{_units(x)} {y:g}h0" for x, y in corners)


def bars(ends: Sequence[tuple[float, float, float]]) -> str:
    """Return vertical lines, each from one height to another one."""
    return "".join(f"M{_units(x)} {top:g}V{bottom:g}" for x, top, bottom in ends)


def is_finite(value: object) -> bool:
    """Return whether a value can be drawn."""
    if isinstance(value, Spread):
        return all(map(math.isfinite, (value.median, value.low, value.high)))
    return isinstance(value, str) or (isinstance(value, (int, float)) and math.isfinite(value))


def cut_label(point: ChartPoint) -> str:
    return cut(point.label) or NOTHING


def _units(percent: float) -> str:
    return f"{percent * ACROSS / 100:g}"
