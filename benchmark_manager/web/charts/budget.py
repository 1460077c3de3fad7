"""What of a chart's points fits into its bytes."""

from collections.abc import Callable, Sequence
from typing import Final

from markupsafe import escape

from benchmark_manager.web.charts.points import ChartPoint
from benchmark_manager.web.texts.limits import fitting

#: Bytes of the points that are links, of the table beside them, and of the cells of a heat map.
LINKED: Final = 40_000
TABLE: Final = 40_000
CELLS: Final = 120_000
#: Bytes of HTML around the texts of a link or of a row.
_AROUND: Final = 140
#: Points of a chart; further ones are left out evenly.
DRAWN: Final = 1500
#: Points up to which the Tab key goes through all of them.
BY_KEYBOARD: Final = 50


def drawn(points: Sequence[ChartPoint]) -> Sequence[ChartPoint]:
    """Return at most `DRAWN` of the points: all notable ones, and others evenly."""
    if len(points) <= DRAWN:
        return points
    every = -(-len(points) // DRAWN)
    return [
        point for number, point in enumerate(points) if number % every == 0 or point.is_baseline
    ][:DRAWN]


def linked(
    points: Sequence[ChartPoint], cost: Callable[[ChartPoint], int], most: int = LINKED
) -> frozenset[int]:
    """Return the numbers of the points that are links, the notable ones first."""
    order = sorted(
        range(len(points)),
        key=lambda number: (not points[number].is_baseline, not points[number].is_best, number),
    )
    return frozenset(fitting(order, lambda number: cost(points[number]), most))


def texts_cost(*texts: str) -> int:
    """Return the bytes of HTML of a link or row with these texts."""
    return _AROUND + sum(len(str(escape(text)).encode()) for text in texts)
