"""A metric over two axes: a table whose cells are the darker, the better they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.web.charts import budget
from benchmark_manager.web.charts.drawing import cut_label, is_finite
from benchmark_manager.web.charts.numbers import NOTHING, cut, measured_text, with_unit, written
from benchmark_manager.web.charts.points import AxisValue, ChartPoint, Quantity, best_of, distinct
from benchmark_manager.web.charts.scales import NumberScale
from benchmark_manager.web.texts.limits import fitting

#: Shades from worst to best; `tokens.css` has their colours.
SHADES: Final = 7
#: The ratio of values from which on shades are of their logarithms.
_DECADES: Final = 100
#: Characters of a heading.
_HEADING: Final = 40
#: Rows and columns of a map.
_MOST: Final = 60


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A measured combination; `shade` is 0 for the worst and `SHADES` - 1 for the best."""

    value: str
    title: str
    href: str
    shade: int
    is_baseline: bool
    is_best: bool
    change: float | None


@dataclass(frozen=True, slots=True)
class HeatRow:
    """The cells of one value of the vertical axis; None where nothing was measured."""

    heading: str
    cells: tuple[HeatCell | None, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A map and what is said about it; `total_rows` and `total_columns` count what there is."""

    metric: Quantity
    across: str
    down: str
    columns: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    total_rows: int
    total_columns: int
    missing: int
    log: bool
    best: str | None
    best_value: str
    lowest: str
    highest: str


def heat_map(
    points: Sequence[ChartPoint], across: Quantity, down: Quantity, metric: Quantity
) -> HeatMap | None:
    """Draw a map of points, whose `series` is the value of the vertical axis.

    None if there is nothing to compare: fewer than two values on an axis, or two points in a cell.
    """
    measured = [point for point in points if is_finite(point.x) and is_finite(point.y)]
    placed = {(point.x, point.series): point for point in measured}
    columns = distinct(x for x, _ in placed if isinstance(x, (int, float, str)))
    headings = list(dict.fromkeys(row for _, row in placed))
    if len(placed) < len(measured) or len(columns) < 2 or len(headings) < 2:  # noqa: PLR2004
        return None
    best = best_of(measured, metric)
    medians = [point.y.median for point in measured]
    shades = _Shades(medians, metric)
    rows = [
        _row(heading, [placed.get((x, heading)) for x in columns[:_MOST]], best, shades, metric)
        for heading in headings[:_MOST]
    ]
    return HeatMap(
        metric=metric,
        across=cut(across.name),
        down=cut(down.name),
        columns=tuple(_heading(column) for column in columns[:_MOST]),
        rows=tuple(fitting(rows, _cost, budget.CELLS)),
        total_rows=len(headings),
        total_columns=len(columns),
        missing=len(columns) * len(headings) - len(placed),
        log=shades.log,
        best=None if best is None else cut_label(best),
        best_value="" if best is None else with_unit(best.y.median, metric),
        lowest=with_unit(min(medians), metric),
        highest=with_unit(max(medians), metric),
    )


class _Shades:
    """Shades of values, the best one the strongest; without a direction, the highest one."""

    def __init__(self, values: Sequence[float], metric: Quantity) -> None:
        low, high = min(values), max(values)
        self.log = low > 0 and high / low > _DECADES
        self._scale = NumberScale(low, high, self.log) if low < high else None
        self._is_lower = metric.direction == "lower"

    def of(self, value: float) -> int:
        if self._scale is None:
            return SHADES // 2
        share = self._scale.share(value)
        return round((1 - share if self._is_lower else share) * (SHADES - 1))


def _row(
    heading: str,
    points: Sequence[ChartPoint | None],
    best: ChartPoint | None,
    shades: _Shades,
    metric: Quantity,
) -> HeatRow:
    cells = tuple(_cell(point, best, shades, metric) for point in points)
    return HeatRow(cut(heading, _HEADING) or NOTHING, cells)


def _cell(
    point: ChartPoint | None, best: ChartPoint | None, shades: _Shades, metric: Quantity
) -> HeatCell | None:
    if point is None:
        return None
    return HeatCell(
        value=written(point.y.median, 3),
        title=f"{cut_label(point)}: {measured_text(point.y, metric)}",
        href=point.href,
        shade=shades.of(point.y.median),
        is_baseline=point.is_baseline,
        is_best=point is best,
        change=point.change,
    )


def _heading(value: AxisValue) -> str:
    return cut(value, _HEADING) if isinstance(value, str) else written(value, 6)


def _cost(row: HeatRow) -> int:
    return budget.texts_cost(row.heading) + sum(
        60 if cell is None else budget.texts_cost(cell.value, cell.title, cell.href)
        for cell in row.cells
    )
