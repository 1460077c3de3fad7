"""Numbers and texts as charts write them.

Both languages of the pages write numbers alike, so that no language is asked for.
"""

import math
from decimal import Decimal
from typing import Final

from benchmark_manager.domain.text.json_line import json_line, shortened
from benchmark_manager.web.charts.points import Quantity, Spread

#: Stands for a value that does not exist, and between the ends of a range.
NOTHING: Final = "\N{EN DASH}"
#: Significant digits of a value.
_DIGITS: Final = 4
#: From here on, and below, a number is written with an exponent.
_HUGE: Final = 1e15
_TINY: Final = 1e-4
_SUFFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"))
#: Characters of a unit.
UNIT: Final = 16
#: Characters of a label.
LABEL: Final = 120


def written(value: float, digits: int = _DIGITS) -> str:
    """Return a number with at most `digits` significant digits, but every digit of its integer.

    >>> [written(value) for value in (12345.678, 0.012345, 1e-9, -3.0)]
    ['12,346', '0.01235', '1e-9', '-3']
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else NOTHING
    size = abs(value)
    if size >= _HUGE or size < _TINY:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{_trimmed(mantissa)}e{int(exponent)}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    return _trimmed(f"{value:,.{decimals}f}")


def tick_text(value: Decimal | float) -> str:
    """Return a short label of a tick, such as `1.5M`.

    >>> [tick_text(value) for value in (1500, 1500000, 0.25)]
    ['1,500', '1.5M', '0.25']
    """
    number = float(value)
    if abs(number) < _HUGE:
        for size, suffix in _SUFFIXES:
            if abs(number) >= size:
                return f"{written(number / size, 6)}{suffix}"
    return written(number, 6)


def with_unit(value: float, quantity: Quantity) -> str:
    return f"{written(value)} {quantity.unit}".rstrip()


def measured_text(measured: Spread, quantity: Quantity) -> str:
    """Return a median with its unit, and where it is one of several repeats, their quartiles."""
    text = with_unit(measured.median, quantity)
    if measured.n < 2:  # noqa: PLR2004 -- one value has no spread
        return text
    return f"{text} (IQR {quartiles_text(measured)}, n={measured.n})"


def quartiles_text(measured: Spread) -> str:
    return f"{written(measured.low)} {NOTHING} {written(measured.high)}"


def cut(text: str, most: int = LABEL) -> str:
    """Return a text on one line of at most `most` characters; what cannot be seen is escaped."""
    if text.isprintable():
        return shortened(text, most)
    return shortened(json_line(text, most + 2).removeprefix('"').removesuffix('"'), most)


def _trimmed(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number
