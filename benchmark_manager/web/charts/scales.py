"""Where values are on an axis: as a share of its length, from 0 to 1."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Final

from benchmark_manager.web.charts.ticks import linear_ticks, log_ticks, round_bounds

#: The ratio of two values from which on a metric is shown on a logarithmic axis.
_DECADES: Final = 100
#: The same for an axis of settings whose values grow by factors, such as 128, 256, 512.
_FACTOR: Final = 4
#: Values that such an axis needs.
_GROWING: Final = 3
#: Ranges that are smaller, compared with their values, count as one value.
_EQUAL: Final = 1e-9
_SMALLEST: Final = 1e-300


@dataclass(frozen=True, slots=True)
class NumberScale:
    """A range of numbers, where `low` is less than `high`; both are positive if it is `log`."""

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        if self.log:
            low, high = math.log(self.low), math.log(self.high)
            return (math.log(value) - low) / (high - low)
        # Halves, since the difference of two huge numbers may be infinite.
        return (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)

    def ticks(self, most: int = 5) -> Sequence[Decimal]:
        found = log_ticks(self.low, self.high, most) if self.log else ()
        # Within one decade there may be too few round numbers.
        return found if len(found) > 1 else linear_ticks(self.low, self.high, most)


def metric_scale(values: Sequence[float], empty: float = 0.5) -> NumberScale:
    """Return the scale of a metric: from zero where at most `empty` of the axis is free then."""
    low, high = min(values), max(values)
    if _are_equal(low, high):
        return NumberScale(*round_bounds(*_around(low)))
    if low > 0 and high / low > _DECADES:
        return NumberScale(low, high, log=True)
    if 0 < low <= high * empty:
        low = 0.0
    elif low * empty <= high < 0:
        high = 0.0
    return NumberScale(*round_bounds(low, high))


def setting_scale(values: Sequence[float]) -> NumberScale:
    """Return the scale of a setting; it is logarithmic where the values grow by factors."""
    low, high = min(values), max(values)
    if _are_equal(low, high):
        return NumberScale(*_around(low))
    return NumberScale(low, high, log=_grow_by_factors(sorted(set(values))))


def _grow_by_factors(values: Sequence[float]) -> bool:
    """Return whether the gaps between sorted values are more even between their logarithms."""
    low, high = values[0], values[-1]
    if len(values) < _GROWING or low <= 0 or high / low < _FACTOR:
        return False
    return _unevenness([math.log(value) for value in values]) < _unevenness(values)


def _unevenness(values: Sequence[float]) -> float:
    gaps = [after - before for before, after in pairwise(values)]
    smallest = min(gaps)
    return max(gaps) / smallest if smallest > 0 else math.inf


def _are_equal(low: float, high: float) -> bool:
    size = max(abs(low), abs(high))
    return size < _SMALLEST or high / size - low / size < _EQUAL


def _around(value: float) -> tuple[float, float]:
    """Return a range with a value in its middle."""
    if abs(value) < _SMALLEST:
        return -1.0, 1.0
    low, high = sorted((value * 0.9, value * 1.1))
    # A tenth more than the greatest numbers is infinite.
    return (low, high) if math.isfinite(high / 2 - low / 2) else (min(0.0, value), max(0.0, value))
