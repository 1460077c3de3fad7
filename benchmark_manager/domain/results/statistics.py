"""Medians and quartiles of a few values, as NumPy computes them by default."""

import math
from collections.abc import Sequence
from typing import Final

_PERCENT: Final = 100.0
_HALF: Final = 0.5


def median(ordered: Sequence[float]) -> float:
    """Return the median of finite values in ascending order, at least one.

    >>> median([1.0, 2.0, 4.0, 8.0])
    3.0
    """
    middle, is_odd = divmod(len(ordered), 2)
    if is_odd:
        return ordered[middle]
    low, high = ordered[middle - 1], ordered[middle]
    mean = (low + high) / 2
    return mean if math.isfinite(mean) else low / 2 + high / 2


def quartiles(ordered: Sequence[float]) -> tuple[float, float]:
    """Return the first and the third quartile of finite values in ascending order, at least one.

    Between two values they are interpolated linearly.

    >>> quartiles([1.0, 2.0, 4.0, 8.0])
    (1.75, 5.0)
    """
    return _quantile(ordered, 0.25), _quantile(ordered, 0.75)


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = (len(ordered) - 1) * share
    number = math.floor(position)
    low, high = ordered[number], ordered[min(number + 1, len(ordered) - 1)]
    return _between(low, high, position - number)


def _between(low: float, high: float, share: float) -> float:
    """Return the value at a share of the way, with NumPy's rounding."""
    step = high - low
    if not math.isfinite(step):
        return low * (1 - share) + high * share
    return low + step * share if share < _HALF else high - step * (1 - share)


def change_percent(before: float, after: float) -> float | None:
    """Return the change in percent of the size of `before`, so that more is always positive.

    None where `before` is 0, or the change is beyond all numbers.

    >>> change_percent(-10.0, -5.0)
    50.0
    """
    if before == 0:
        return None
    size = abs(before)
    change = (after - before) / size * _PERCENT
    if not math.isfinite(change):
        change = (after / size - before / size) * _PERCENT
    return change if math.isfinite(change) else None
