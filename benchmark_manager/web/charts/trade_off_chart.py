"""Two metrics against each other, with the points that no other one beats in both."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from benchmark_manager.models.result import Direction
from benchmark_manager.web.charts import budget
from benchmark_manager.web.charts.drawing import (
    NumbersRow,
    PointMark,
    Table,
    cut_label,
    dots,
    is_finite,
    path,
    table_of,
)
from benchmark_manager.web.charts.layout import (
    HEIGHT,
    LINE,
    NARROW,
    RIGHT,
    Anchor,
    Axis,
    across,
    down,
    metric_axis,
    text_width,
    vertical_axis,
)
from benchmark_manager.web.charts.numbers import cut, measured_text, with_unit
from benchmark_manager.web.charts.points import ChartPoint, Quantity, Spread
from benchmark_manager.web.charts.scales import NumberScale, metric_scale

Corner = Literal["upper_left", "upper_right", "lower_left", "lower_right"]

_CORNERS: Final[dict[tuple[Direction, Direction], Corner]] = {
    ("lower", "higher"): "upper_left",
    ("higher", "higher"): "upper_right",
    ("lower", "lower"): "lower_left",
    ("higher", "lower"): "lower_right",
}
#: How much of an axis may be free between zero and the first point.
_EMPTY: Final = 0.2
#: Points up to which all get a label; of more, only those of the front.
_LABELLED: Final = 30
#: Points that labels avoid: going round thousands would take longer than all the rest.
_OBSTACLES: Final = 300
#: Characters of a label.
_SHORT: Final = 14
#: Points that are named in the summary.
_NAMED: Final = 3
#: Pixels between a point's middle and its label, outside the ring of the baseline, and around the
#: point.
_OFF: Final = 9
_OFF_BASELINE: Final = 14
_POINT: Final = 7


@dataclass(frozen=True, slots=True)
class Label:
    """A label beside a point: `x` in percent, moved by `dx` and `dy` pixels from `y`."""

    x: float
    y: float
    dx: int
    dy: int
    anchor: Anchor
    text: str


@dataclass(frozen=True, slots=True)
class TradeOffChart:
    """A chart and what is said about it; `best` and `beaten` are the points that are links.

    `names` are the labels of the front's first points. `corner` is where better points are.
    """

    x: Axis
    y: Axis
    corner: Corner | None
    front: str
    best: tuple[PointMark, ...]
    beaten: tuple[PointMark, ...]
    dots: str
    labels: tuple[Label, ...]
    front_count: int
    names: tuple[str, ...]
    drawn: int
    total: int
    left_out: int
    by_keyboard: bool
    table: Table


@dataclass(frozen=True, slots=True)
class _PlacedPair:
    """A point and where it is."""

    point: ChartPoint
    x: float
    y: float
    is_link: bool


def trade_off_chart(
    points: Sequence[ChartPoint], across_metric: Quantity, up_metric: Quantity
) -> TradeOffChart | None:
    """Draw a chart of points whose `x` is measured too; None if no point has both metrics."""
    measured = [point for point in points if _is_measured(point)]
    if not measured:
        return None
    front = [point for point in measured if point.is_best]
    in_order = [*front, *(point for point in measured if not point.is_best)]
    shown = budget.drawn(in_order)
    wide = metric_scale([_x(point) for point in measured], _EMPTY)
    high = metric_scale([point.y.median for point in measured], _EMPTY)
    metrics = across_metric, up_metric
    corner = _corner(*metrics)
    placed = _placed(shown, wide, high, metrics)
    return TradeOffChart(
        x=metric_axis(across_metric, wide),
        y=vertical_axis(up_metric, high),
        corner=corner,
        front=path(_steps(placed, up_metric)),
        best=_marks(placed, metrics, best=True),
        beaten=_marks(placed, metrics, best=False),
        dots=dots([(at.x, at.y) for at in placed if not at.is_link]),
        labels=tuple(_labels(placed, corner)),
        front_count=len(front),
        names=tuple(_name(point) for point in front[:_NAMED]),
        drawn=len(shown),
        total=len(measured),
        left_out=len(points) - len(measured),
        by_keyboard=len(shown) <= budget.BY_KEYBOARD,
        table=table_of(in_order, lambda point: _row(point, metrics)),
    )


def _is_measured(point: ChartPoint) -> bool:
    return isinstance(point.x, Spread) and is_finite(point.x) and is_finite(point.y)


def _x(point: ChartPoint) -> float:
    """Return the horizontal median of a point that has one."""
    if isinstance(point.x, Spread):
        return point.x.median
    raise TypeError(point.x)


def _corner(across_metric: Quantity, up_metric: Quantity) -> Corner | None:
    if across_metric.direction is None or up_metric.direction is None:
        return None
    return _CORNERS[across_metric.direction, up_metric.direction]


def _placed(
    points: Sequence[ChartPoint],
    wide: NumberScale,
    high: NumberScale,
    metrics: tuple[Quantity, Quantity],
) -> list[_PlacedPair]:
    links = budget.linked(
        points, lambda point: budget.texts_cost(_title(point, metrics), point.href)
    )
    return [
        _PlacedPair(
            point,
            across(wide.share(_x(point))),
            down(high.share(point.y.median)),
            number in links,
        )
        for number, point in enumerate(points)
    ]


def _steps(placed: Sequence[_PlacedPair], up_metric: Quantity) -> list[tuple[float, float]]:
    """Return the corners of the front: a step from each point to the next one.

    Nothing was measured between two points, so the line encloses only what they are known to beat.
    """
    front = sorted({(at.x, at.y) for at in placed if at.point.is_best})
    corners: list[tuple[float, float]] = []
    for x, y in front:
        if corners:
            before = corners[-1]
            corners.append(_behind(before, (x, y), is_up=up_metric.direction == "higher"))
        corners.append((x, y))
    return corners


def _behind(
    before: tuple[float, float], after: tuple[float, float], *, is_up: bool
) -> tuple[float, float]:
    """Return the corner between two points of the front that is worse than both."""
    worse = max if is_up else min
    y = worse(before[1], after[1])
    return (after[0] if y == before[1] else before[0]), y


def _marks(
    placed: Sequence[_PlacedPair], metrics: tuple[Quantity, Quantity], *, best: bool
) -> tuple[PointMark, ...]:
    return tuple(
        PointMark(at.x, at.y, _title(at.point, metrics), at.point.href, at.point.is_baseline)
        for at in placed
        if at.is_link and at.point.is_best == best
    )


def _title(point: ChartPoint, metrics: tuple[Quantity, Quantity]) -> str:
    return f"{_name(point)}: {'; '.join(_values(point, metrics))}"


def _name(point: ChartPoint) -> str:
    """Return what was measured, after the label that the chart shows."""
    short, label = cut(point.short, _SHORT), cut_label(point)
    return label if short in {"", label} else f"{short}: {label}"


def _values(point: ChartPoint, metrics: tuple[Quantity, Quantity]) -> Iterator[str]:
    for metric, value in zip(metrics, (point.x, point.y), strict=True):
        if isinstance(value, Spread):
            yield f"{cut(metric.name, 60)} {measured_text(value, metric)}"


def _row(point: ChartPoint, metrics: tuple[Quantity, Quantity]) -> NumbersRow:
    cells = (with_unit(_x(point), metrics[0]), with_unit(point.y.median, metrics[1]))
    return NumbersRow(_name(point), point.href, cells, point.is_baseline, point.is_best)


Box = tuple[float, float, float, float]


def _labels(placed: Sequence[_PlacedPair], corner: Corner | None) -> Iterator[Label]:
    """Place a label beside each point that has room for one, those of the front first."""
    front = [at for at in placed if at.point.is_best]
    others = [at for at in placed if not at.point.is_best] if len(placed) <= _LABELLED else []
    taken = [_point_box(at) for at in placed[:_OBSTACLES]]
    for at in [*front[:_LABELLED], *others]:
        for label in _choices(at, corner):
            box = _box(label)
            if _is_inside(box) and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                yield label
                break


def _choices(at: _PlacedPair, corner: Corner | None) -> Iterator[Label]:
    """Return where a label may be; on the front, only where its line is not."""
    text = cut(at.point.short, _SHORT)
    if not text:
        return
    off = _OFF_BASELINE if at.point.is_baseline else _OFF
    right = Label(at.x, at.y, off, 4, "start", text)
    left = Label(at.x, at.y, -off, 4, "end", text)
    above = Label(at.x, at.y, 0, -off, "middle", text)
    below = Label(at.x, at.y, 0, LINE - 4 + off, "middle", text)
    if at.point.is_best and corner is not None:
        yield left if corner.endswith("left") else right
        yield above if corner.startswith("upper") else below
    else:
        yield from (right, left, above, below)


def _point_box(at: _PlacedPair) -> Box:
    x = at.x * NARROW / 100
    return x - _POINT, at.y - _POINT, x + _POINT, at.y + _POINT


def _box(label: Label) -> Box:
    begin = {"start": 0.0, "middle": 0.5, "end": 1.0}[label.anchor]
    width = text_width(label.text)
    left = label.x * NARROW / 100 + label.dx - begin * width
    bottom = label.y + label.dy + 2
    return left, bottom - LINE + 1, left + width, bottom


def _is_inside(box: Box) -> bool:
    return box[0] >= -_OFF / 2 and box[1] >= 0 and box[2] <= NARROW + RIGHT and box[3] <= HEIGHT


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
