"""Where things are in a chart, and which texts have room.

A chart is as wide as the page lets it be, and no text is scaled: positions across are in percent
of the width, positions down in pixels. Whether texts have room is computed for the narrowest page.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from benchmark_manager.web.charts.numbers import cut, tick_text
from benchmark_manager.web.charts.points import AxisValue, Quantity, distinct
from benchmark_manager.web.charts.scales import NumberScale, setting_scale

Anchor = Literal["start", "middle", "end"]

#: Pixels: the height of the area of the points, and its width on a phone of 360 pixels.
HEIGHT: Final = 260
NARROW: Final = 252
#: Pixels beside that area; `charts.css` has the same.
LEFT: Final = 60
RIGHT: Final = 16
#: What stays free around the points: pixels above and below, percent at both sides.
_ABOVE: Final = 14
_BESIDE: Final = 5.0
#: Pixels of a text: the height of a line, the width of a character, and of a Korean one.
LINE: Final = 14
_CHARACTER: Final = 7.0
_WIDE_CHARACTER: Final = 12.5
#: Pixels between two texts.
_GAP: Final = 6
#: Characters of a category below the axis, and where it is written at an angle.
_CATEGORY: Final = 24
_TURNED: Final = 13
#: Different values up to which each is a tick.
_FEW: Final = 12


def across(share: float) -> float:
    """Return the position of a share of the horizontal axis, in percent."""
    return round(_BESIDE + share * (100 - 2 * _BESIDE), 2)


def down(share: float) -> float:
    """Return the position of a share of the vertical axis, in pixels from the top."""
    return round(HEIGHT - _ABOVE - share * (HEIGHT - 2 * _ABOVE), 1)


def text_width(text: str) -> float:
    """Return about how many pixels a text takes."""
    return sum(
        _WIDE_CHARACTER if unicodedata.east_asian_width(character) in "WF" else _CHARACTER
        for character in text
    )


@dataclass(frozen=True, slots=True)
class Tick:
    """A label of an axis; `at` is in percent on a horizontal axis, else in pixels."""

    at: float
    text: str
    anchor: Anchor = "middle"

    @property
    def span(self) -> tuple[float, float]:
        """Return where the label begins and ends on a horizontal axis, in pixels."""
        begin = {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor]
        width = text_width(self.text)
        left = self.at * NARROW / 100 - begin * width
        return left, left + width


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis; the labels of a horizontal one may be `turned`."""

    shown: Quantity
    ticks: tuple[Tick, ...]
    log: bool = False
    turned: bool = False


def vertical_axis(shown: Quantity, scale: NumberScale) -> Axis:
    ticks = (Tick(down(scale.share(float(tick))), tick_text(tick)) for tick in scale.ticks())
    return Axis(shown, tuple(ticks), scale.log)


def metric_axis(shown: Quantity, scale: NumberScale) -> Axis:
    """Return a horizontal axis of a metric."""
    ticks = [_tick(scale.share(float(tick)), tick_text(tick)) for tick in scale.ticks()]
    return Axis(shown, _apart(ticks), scale.log)


class NumberPositions:
    """A horizontal axis of numbers."""

    is_number: Final = True

    def __init__(self, values: Sequence[float]) -> None:
        self._values = sorted(set(values))
        self._scale = setting_scale(self._values)

    def share(self, value: AxisValue) -> float:
        return self._scale.share(float(value))

    def axis(self, shown: Quantity) -> Axis:
        few = len(self._values) <= _FEW
        marked = self._values if few else [float(tick) for tick in self._scale.ticks()]
        ticks = [_tick(self._scale.share(value), tick_text(value)) for value in marked]
        return Axis(shown, _apart(ticks), self._scale.log)


class CategoryPositions:
    """A horizontal axis of names, at equal distances."""

    is_number: Final = False

    def __init__(self, values: Sequence[AxisValue]) -> None:
        self._numbers = {value: number for number, value in enumerate(values)}

    def share(self, value: AxisValue) -> float:
        return (self._numbers[value] + 0.5) / len(self._numbers)

    def axis(self, shown: Quantity) -> Axis:
        ticks = [_tick(self.share(value), cut(str(value), _CATEGORY)) for value in self._numbers]
        if len(_apart(ticks)) == len(ticks):
            return Axis(shown, tuple(ticks))
        turned = [
            Tick(across(self.share(value)), cut(str(value), _TURNED), "end")
            for value in self._numbers
        ]
        return Axis(shown, _lines_apart(turned), turned=True)


Positions = NumberPositions | CategoryPositions


def positions_of(values: Iterable[AxisValue]) -> Positions:
    """Return the axis for these values: of numbers if all are."""
    found = distinct(values)
    numbers = [value for value in found if not isinstance(value, str)]
    return NumberPositions(numbers) if len(numbers) == len(found) else CategoryPositions(found)


def _tick(share: float, text: str) -> Tick:
    """Return a tick whose label does not leave the chart at its right end."""
    tick = Tick(across(share), text)
    return tick if tick.span[1] <= NARROW + RIGHT else Tick(tick.at, text, "end")


def _apart(ticks: Iterable[Tick]) -> tuple[Tick, ...]:
    """Return the ticks, without those whose labels would touch the one before."""
    kept: list[Tick] = []
    for tick in ticks:
        if tick.span[0] >= -LEFT and (not kept or tick.span[0] >= kept[-1].span[1] + _GAP):
            kept.append(tick)
    return tuple(kept)


def _lines_apart(ticks: Iterable[Tick]) -> tuple[Tick, ...]:
    """Return the turned labels that have a line's height each."""
    kept: list[Tick] = []
    for tick in ticks:
        if not kept or (tick.at - kept[-1].at) * NARROW / 100 >= LINE + 2:
            kept.append(tick)
    return tuple(kept)
