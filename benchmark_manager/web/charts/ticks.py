"""Round numbers for the ticks of an axis: 1, 2 and 5 times a power of ten."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Final

#: Digits of the computation: more than numbers that differ in their last bits need.
_PRECISION: Final = 40
_ROUND: Final = (1, 2, 5, 10)
#: Decades that are divided: on a longer axis, only powers of ten are ticks.
_DIVIDED: Final = 2


def nice_step(low: float, high: float, most: int) -> Decimal:
    """Return the smallest round step that gives at most `most` steps from `low` to `high`.

    >>> nice_step(0, 97, 5)
    Decimal('2E+1')
    """
    rough = (_decimal(high) - _decimal(low)) / most
    power = Decimal(1).scaleb(rough.adjusted())
    return next(power * factor for factor in _ROUND if power * factor >= rough)


def linear_ticks(low: float, high: float, most: int = 5) -> Sequence[Decimal]:
    """Return the multiples of a round step from `low` to `high`, where `low` is the smaller one.

    >>> [str(tick) for tick in linear_ticks(0.1, 0.3)]
    ['0.10', '0.15', '0.20', '0.25', '0.30']
    """
    with localcontext(prec=_PRECISION):
        step = nice_step(low, high, most)
        first = _multiple(low, step, ROUND_CEILING)
        last = _multiple(high, step, ROUND_FLOOR)
        return [step * number for number in range(first, last + 1)]


def round_bounds(low: float, high: float, most: int = 5) -> tuple[float, float]:
    """Return the multiples of a round step around `low` and `high`."""
    with localcontext(prec=_PRECISION):
        step = nice_step(low, high, most)
        wide = (
            float(step * _multiple(low, step, ROUND_FLOOR)),
            float(step * _multiple(high, step, ROUND_CEILING)),
        )
    return wide if all(map(math.isfinite, wide)) else (low, high)


def log_ticks(low: float, high: float, most: int = 6) -> Sequence[Decimal]:
    """Return round numbers for a logarithmic axis, at most about `most`; both ends are positive."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    parts = (1, 2, 5) if last - first <= _DIVIDED else (1,)
    every = max(1, math.ceil((last - first) / most))
    ticks = [
        Decimal(part).scaleb(power) for power in range(first, last + 1, every) for part in parts
    ]
    return [tick for tick in ticks if _decimal(low) <= tick <= _decimal(high)]


def _decimal(value: float) -> Decimal:
    """Return a number as it is written: 0.1 is a tenth, not the nearest binary fraction."""
    return Decimal(repr(float(value)))


def _multiple(value: float, step: Decimal, rounding: str) -> int:
    return int((_decimal(value) / step).to_integral_value(rounding))
