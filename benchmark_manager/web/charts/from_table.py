"""Charts of a table of results."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.text.json_line import json_line
from benchmark_manager.models.result_table import (
    LabelValue,
    MetricCell,
    MetricColumn,
    ResultTable,
    TableRow,
)
from benchmark_manager.web.charts.heat_map import HeatMap, heat_map
from benchmark_manager.web.charts.metric_chart import MetricChart, metric_chart
from benchmark_manager.web.charts.numbers import NOTHING, UNIT, cut
from benchmark_manager.web.charts.points import AxisValue, ChartPoint, Quantity, Spread, distinct
from benchmark_manager.web.charts.trade_off_chart import TradeOffChart, trade_off_chart

#: Characters of a value.
_VALUE: Final = 30
#: Characters of a digest in a label, and beside a point.
_DIGEST: Final = 12
_SHORT: Final = 7
#: The axis of stages or rates, where their labels do not name one.
_POINT: Final = "point"


@dataclass(frozen=True, slots=True)
class Charts:
    """The charts of a table; None where a chart has nothing to show.

    `axes` and `metrics` are what a reader may choose from, `axis` and `shown` what was chosen.
    """

    axes: tuple[str, ...]
    axis: str
    shown: str
    metric: MetricChart | None
    trade_off: TradeOffChart | None
    heat_map: HeatMap | None


def charts_of(
    table: ResultTable,
    target: Callable[[TableRow], str],
    *,
    x_axis: str = "",
    metric: str = "",
    pareto: tuple[str, str] | None = None,
) -> Charts:
    """Draw the charts of a table, whose points link to the `target` of their row.

    `x_axis` is one of `axes_of`, `metric` one of the table's columns; of other values, the first
    one is chosen. `pareto` are the metrics of the trade-off, else the table's own.
    """
    axes = axes_of(table)
    chosen = x_axis if x_axis in axes else next(iter(axes), "")
    rows = _ChartRows(table, axes, target)
    column = next((one for one in table.metrics if one.name == metric), None)
    column = column or next(iter(table.metrics), None)
    pair = pareto or table.pareto
    return Charts(
        axes=tuple(axes),
        axis=chosen,
        shown="" if column is None else column.name,
        metric=_metric(rows, chosen, column),
        trade_off=None if pair is None else _trade_off(rows, pair),
        heat_map=_heat_map(rows, chosen, column),
    )


Axes = dict[str, Sequence[AxisValue]]


def axes_of(table: ResultTable) -> Axes:
    """Return the values of each axis in the order of the rows, those of settings first.

    Keys come before whole files, which say less. Axes with one value, and those that vary exactly
    as an earlier one does, are none.
    """
    found: Axes = {}
    partitions: set[tuple[int, ...]] = set()
    for name, values in _possible_axes(table):
        partition = _partition(values)
        if max(partition, default=0) > 0 and partition not in partitions:
            partitions.add(partition)
            found.setdefault(name, values)
    return found


def _possible_axes(table: ResultTable) -> list[tuple[str, Sequence[AxisValue]]]:
    assigned = dict.fromkeys(name for row in table.rows for name in row.assignments)
    axes = [
        (name, _same_kind([_value(row.assignments, name) for row in table.rows]))
        for name in assigned
    ]
    axes += [
        (column.key, _same_kind([_value(row.varied, column.key) for row in table.rows]))
        for column in sorted(table.varied, key=lambda column: column.path == "")
    ]
    axes.append(_points_axis([row.point for row in table.rows]))
    axes += [
        (name, [_label_value(row.labels.get(name)) for row in table.rows])
        for name in table.environment
    ]
    return axes


def _partition(values: Sequence[AxisValue]) -> tuple[int, ...]:
    """Return equal numbers for equal values."""
    numbers: dict[AxisValue, int] = {}
    return tuple(numbers.setdefault(value, len(numbers)) for value in values)


def _value(values: dict[str, JsonValue], name: str) -> AxisValue:
    if name not in values:
        return NOTHING
    value = values[name]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(value)
    if isinstance(value, str):
        return cut(value, _VALUE)
    return json_line(value, _VALUE)


def _number(value: float) -> AxisValue:
    """Return a number as a float; a text if it is too large for one."""
    try:
        number = float(value)
    except OverflowError:
        return "> 1e308" if value > 0 else "< -1e308"
    return number if math.isfinite(number) else NOTHING


def _same_kind(values: Sequence[AxisValue]) -> Sequence[AxisValue]:
    """Return numbers if all are, else texts."""
    if all(isinstance(value, float) for value in values):
        return values
    return [value if isinstance(value, str) else _text(value) for value in values]


def _whole(value: float) -> float:
    """Return a number without a fraction as an integer, which is written without a point."""
    return int(value) if value.is_integer() and abs(value) < 1e15 else value  # noqa: PLR2004


def _points_axis(points: Sequence[str]) -> tuple[str, Sequence[AxisValue]]:
    """Return the axis of stages: of numbers where all are called alike, such as `rate=16`."""
    parts = [point.partition("=") for point in points]
    names = {name for name, _, _ in parts}
    numbers = [_read_number(text) for _, _, text in parts]
    if len(names) == 1 and all(number is not None for number in numbers):
        return cut(parts[0][0], _VALUE), [number for number in numbers if number is not None]
    return _POINT, [cut(point, _VALUE) or NOTHING for point in points]


def _read_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _label_value(value: LabelValue | None) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, str):
        return cut(value, _VALUE)
    return cut(", ".join(part or NOTHING for part in value), _VALUE)


class _ChartRows:
    """The rows of a table with the values of their axes, as points."""

    def __init__(self, table: ResultTable, axes: Axes, target: Callable[[TableRow], str]) -> None:
        self.table = table
        self.axes = axes
        self._target = target
        files = {column.key for column in table.varied if not column.path}
        self._names = _short_names(list(axes), files)
        self._texts = {
            name: [f"{self._names[name]}={_text(value)}" for value in values]
            for name, values in axes.items()
        }
        self._shorts = _shorts(table.rows)
        self._labels = [
            self.label(number) or _release(row) for number, row in enumerate(table.rows)
        ]

    def axis(self, name: str) -> Quantity:
        return Quantity(self._names[name])

    def metric(self, name: str) -> Quantity:
        columns = {
            column.name: column for column in (*self.table.available_metrics, *self.table.metrics)
        }
        return _quantity(columns.get(name, MetricColumn(name=name, unit="", direction=None)))

    def label(self, number: int, leaving_out: str = "") -> str:
        """Return the values of the axes of a row, else the name of its release."""
        return ", ".join(
            texts[number] for name, texts in self._texts.items() if name != leaving_out
        )

    def point(
        self, number: int, cell: MetricCell, x: AxisValue | Spread | None, series: str = ""
    ) -> ChartPoint:
        row = self.table.rows[number]
        return ChartPoint(
            x=x,
            y=_measured(cell),
            label=self._labels[number],
            href=self._target(row),
            short=self._shorts[number],
            series=series,
            is_baseline=row.is_baseline,
            is_best=row.pareto is True,
            change=cell.change_pct,
        )

    def having(self, name: str) -> list[tuple[int, MetricCell]]:
        """Return the rows that have a metric."""
        return [
            (number, row.metrics[name])
            for number, row in enumerate(self.table.rows)
            if name in row.metrics
        ]


def _short_names(axes: Sequence[str], files: AbstractSet[str]) -> dict[str, str]:
    """Return the last part of each axis' path, where only one axis has it; of files, all."""
    last = {name: name if name in files else name.rpartition(".")[2] or name for name in axes}
    counts = list(last.values())
    return {
        name: cut(short if counts.count(short) == 1 else name, 60) for name, short in last.items()
    }


def _text(value: AxisValue) -> str:
    return value if isinstance(value, str) else repr(_whole(value))


def _shorts(rows: Sequence[TableRow]) -> Sequence[str]:
    """Return a few characters for each row: of releases with the same name, their digests."""
    names = Counter({row.release: _release(row) for row in rows}.values())
    return [
        f"#{row.cell_index}"
        if row.cell_index is not None
        else _release(row)
        if names[_release(row)] == 1
        else _digest(row)[:_SHORT]
        for row in rows
    ]


def _digest(row: TableRow) -> str:
    return row.release.removeprefix("sha256:")


def _release(row: TableRow) -> str:
    return row.release_name or _digest(row)[:_DIGEST]


def _quantity(column: MetricColumn) -> Quantity:
    return Quantity(cut(column.name), cut(column.unit, UNIT), column.direction)


def _measured(cell: MetricCell) -> Spread:
    return Spread(cell.median, *cell.quartiles, cell.n)


def _metric(rows: _ChartRows, axis: str, column: MetricColumn | None) -> MetricChart | None:
    if column is None or not axis:
        return None
    points = [
        rows.point(number, cell, rows.axes[axis][number], rows.label(number, leaving_out=axis))
        for number, cell in rows.having(column.name)
    ]
    others = ", ".join(name for name in rows.axes if name != axis)
    return metric_chart(points, rows.axis(axis), _quantity(column), others)


def _heat_map(rows: _ChartRows, axis: str, column: MetricColumn | None) -> HeatMap | None:
    if column is None or len(rows.axes) != 2:  # noqa: PLR2004 -- a map has two axes
        return None
    [other] = [name for name in rows.axes if name != axis]
    values = rows.axes[other]
    rank = {value: number for number, value in enumerate(distinct(values))}
    points = [
        rows.point(number, cell, rows.axes[axis][number], _text(values[number]))
        for number, cell in sorted(rows.having(column.name), key=lambda row: rank[values[row[0]]])
    ]
    return heat_map(points, rows.axis(axis), rows.axis(other), _quantity(column))


def _trade_off(rows: _ChartRows, pair: tuple[str, str]) -> TradeOffChart | None:
    one, other = pair
    points = [
        rows.point(number, cell, _measured(rows.table.rows[number].metrics[one]))
        for number, cell in rows.having(other)
        if one in rows.table.rows[number].metrics
    ]
    return trade_off_chart(points, rows.metric(one), rows.metric(other))
