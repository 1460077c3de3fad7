"""A metric against an axis: medians with their quartiles, one line for each value of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.web.charts import budget
from benchmark_manager.web.charts.drawing import (
    NumbersRow,
    PointMark,
    Table,
    bars,
    cut_label,
    dots,
    is_finite,
    path,
    table_of,
)
from benchmark_manager.web.charts.layout import (
    Axis,
    Positions,
    across,
    down,
    positions_of,
    vertical_axis,
)
from benchmark_manager.web.charts.numbers import cut, measured_text, quartiles_text, with_unit
from benchmark_manager.web.charts.points import AxisValue, ChartPoint, Quantity, best_of
from benchmark_manager.web.charts.scales import NumberScale, metric_scale

#: Lines that readers can distinguish; the style of this number is that of all further ones.
STYLES: Final = 8
#: Characters of a line's name.
_NAME: Final = 60
#: Pixels between lines at one category, and of all of them.
_BESIDE: Final = 6.0
_ALL_BESIDE: Final = 30.0


@dataclass(frozen=True, slots=True)
class Series:
    """A line, or all further ones; `style` is its colour, dashes and marks.

    `shift` moves it aside, in pixels.
    """

    name: str
    style: int
    shift: float
    line: str
    quartiles: str
    dots: str
    marks: tuple[PointMark, ...]


@dataclass(frozen=True, slots=True)
class MetricChart:
    """A chart and what is said about it. `others` counts the lines in the style of the rest.

    `baseline` is None where there are several, one for each line or value of the axis.
    `left_out` counts the points that lack a value, `drawn` those of the others that are shown.
    """

    x: Axis
    y: Axis
    series_axis: str
    series: tuple[Series, ...]
    others: int
    best: str | None
    best_value: str
    lowest: str
    highest: str
    baseline: float | None
    baseline_value: str
    drawn: int
    total: int
    left_out: int
    by_keyboard: bool
    table: Table


def metric_chart(
    points: Sequence[ChartPoint], axis: Quantity, metric: Quantity, series_axis: str = ""
) -> MetricChart | None:
    """Draw a chart; None if no point has both values."""
    measured = [point for point in points if is_finite(point.x) and is_finite(point.y)]
    if not measured:
        return None
    shown = budget.drawn(measured)
    positions = positions_of(_x(point) for point in measured)
    scale = metric_scale([end for point in measured for end in _ends(point)])
    series = _series(shown, positions, scale, metric)
    best = best_of(measured, metric)
    medians = [point.y.median for point in measured]
    baseline = _baseline(measured)
    return MetricChart(
        x=positions.axis(axis),
        y=vertical_axis(metric, scale),
        series_axis=cut(series_axis, _NAME),
        series=series,
        others=max(0, len({point.series for point in measured}) - STYLES),
        best=None if best is None else cut_label(best),
        best_value="" if best is None else with_unit(best.y.median, metric),
        lowest=with_unit(min(medians), metric),
        highest=with_unit(max(medians), metric),
        baseline=None if baseline is None else down(scale.share(baseline)),
        baseline_value="" if baseline is None else with_unit(baseline, metric),
        drawn=len(shown),
        total=len(measured),
        left_out=len(points) - len(measured),
        by_keyboard=len(shown) <= budget.BY_KEYBOARD,
        table=table_of(measured, lambda point: _row(point, metric)),
    )


def _baseline(points: Sequence[ChartPoint]) -> float | None:
    """Return the baseline's median; None where each stage or rate has a baseline of its own."""
    medians = [point.y.median for point in points if point.is_baseline]
    return medians[0] if len(medians) == 1 else None


def _x(point: ChartPoint) -> AxisValue:
    """Return the position of a point that has one."""
    if isinstance(point.x, (int, float, str)):
        return point.x
    raise TypeError(point.x)


def _ends(point: ChartPoint) -> tuple[float, float, float]:
    return point.y.low, point.y.median, point.y.high


@dataclass(frozen=True, slots=True)
class _Placed:
    """A point and where it is."""

    point: ChartPoint
    x: float
    y: float
    is_link: bool


Lines = Sequence[Sequence[_Placed]]


def _series(
    points: Sequence[ChartPoint], positions: Positions, scale: NumberScale, metric: Quantity
) -> tuple[Series, ...]:
    """Return the lines; all further ones are one, the first, so that the others cover it."""
    links = budget.linked(
        points, lambda point: budget.texts_cost(_title(point, metric), point.href)
    )
    lines: dict[str, list[_Placed]] = {}
    for number, point in enumerate(points):
        at = _Placed(
            point,
            across(positions.share(_x(point))),
            down(scale.share(point.y.median)),
            number in links,
        )
        lines.setdefault(point.series, []).append(at)
    own, further = _in_styles(list(lines.values()), metric)
    shifts = _shifts(len(own), positions)
    drawn = [
        _one_series([line], (style, shifts[style]), scale, metric) for style, line in enumerate(own)
    ]
    rest = [_one_series(further, (STYLES, 0.0), scale, metric)] if further else []
    return (*rest, *drawn)


def _in_styles(lines: Lines, metric: Quantity) -> tuple[Lines, Lines]:
    """Return the lines that get a style of their own, and the rest.

    Of many lines, those are chosen that have the baseline or the best medians.
    """

    def rank(line: Sequence[_Placed]) -> tuple[bool, float]:
        medians = [at.point.y.median for at in line]
        best = max(medians) if metric.direction == "higher" else -min(medians)
        return not any(at.point.is_baseline for at in line), -best

    if len(lines) <= STYLES:
        return lines, []
    chosen = {id(line) for line in sorted(lines, key=rank)[:STYLES]}
    return (
        [line for line in lines if id(line) in chosen],
        [line for line in lines if id(line) not in chosen],
    )


def _shifts(count: int, positions: Positions) -> Sequence[float]:
    """Return how far lines are moved aside, so that their points do not cover each other."""
    if positions.is_number:
        return [0.0] * count
    step = min(_BESIDE, _ALL_BESIDE / count)
    return [round((number - (count - 1) / 2) * step, 1) for number in range(count)]


def _one_series(
    lines: Lines,
    style_and_shift: tuple[int, float],
    scale: NumberScale,
    metric: Quantity,
) -> Series:
    """Return lines of one style and one shift."""
    every = [at for line in lines for at in line]
    style, shift = style_and_shift
    return Series(
        name=cut(every[0].point.series, _NAME),
        style=style,
        shift=shift,
        line="".join(_line(line) for line in lines),
        quartiles=bars([_spread(at, scale) for at in every if at.point.y.low < at.point.y.high]),
        dots=dots([(at.x, at.y) for at in every if not at.is_link]),
        marks=tuple(
            PointMark(at.x, at.y, _title(at.point, metric), at.point.href, at.point.is_baseline)
            for at in every
            if at.is_link
        ),
    )


def _line(points: Sequence[_Placed]) -> str:
    """Return the line through points; "" where two are at one position."""
    along = sorted((at.x, at.y) for at in points)
    return path(along) if len({x for x, _ in along}) == len(along) > 1 else ""


def _spread(at: _Placed, scale: NumberScale) -> tuple[float, float, float]:
    return at.x, down(scale.share(at.point.y.high)), down(scale.share(at.point.y.low))


def _title(point: ChartPoint, metric: Quantity) -> str:
    return f"{cut_label(point)}: {cut(metric.name, _NAME)} {measured_text(point.y, metric)}"


def _row(point: ChartPoint, metric: Quantity) -> NumbersRow:
    quartiles = quartiles_text(point.y) if point.y.n > 1 else ""
    cells = (with_unit(point.y.median, metric), quartiles, str(point.y.n))
    return NumbersRow(cut_label(point), point.href, cells, point.is_baseline)
