"""What charts are drawn of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmark_manager.models.result import Direction

AxisValue: TypeAlias = float | str
"""A number, or a category's name."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """What an axis shows. `direction` is None where it is not known which values are better."""

    name: str
    unit: str = ""
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class Spread:
    """A median with its quartiles, of `n` repeats."""

    median: float
    low: float
    high: float
    n: int = 1


@dataclass(frozen=True, slots=True)
class ChartPoint:
    """A measured point, and the row that it links to.

    `x` is None where the row lacks it; such a point is not drawn. `label` says what was measured,
    and `short` the same in a few characters. `is_best` is for trade-offs: no other point is better
    in both metrics. `change` is the change against the baseline in percent.
    """

    x: AxisValue | Spread | None
    y: Spread
    label: str
    href: str
    short: str = ""
    series: str = ""
    is_baseline: bool = False
    is_best: bool = False
    change: float | None = None


def best_of(points: Sequence[ChartPoint], quantity: Quantity) -> ChartPoint | None:
    """Return the first point with the best median; None where it is not known what is better."""
    if quantity.direction is None or not points:
        return None
    choose = min if quantity.direction == "lower" else max
    return choose(points, key=lambda point: point.y.median)


def distinct(values: Iterable[AxisValue]) -> list[AxisValue]:
    """Return each value once: numbers by size, else all as texts in the order of appearance."""
    found = list(dict.fromkeys(values))
    if all(isinstance(value, (int, float)) for value in found):
        return sorted(found)
    return found
