"""The lines of a file, with a button at each value that an axis can set."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from benchmark_manager.domain.edits import SettableValue
from benchmark_manager.domain.fields import LONGEST_PATH
from benchmark_manager.domain.text import Extent, TextLine
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.errors import InvalidInputError, WorkersBusyError
from benchmark_manager.factory import Services
from benchmark_manager.services.sweeps.drafting import SweptText
from benchmark_manager.web.texts.visible import raw, visible

#: A part of the lines, and the bytes of HTML of its buttons.
_SHOWN: Final = Extent(400, 20_000)
_BUTTON_BYTES: Final = 500_000
_EMPTY: Final = "\N{EMPTY SET}"


@dataclass(frozen=True, slots=True)
class DrawnPicks:
    """A part of a file as HTML; `refusal` says why nothing can be chosen in it."""

    alias: str
    path: str
    html: Markup
    number: int
    count: int
    refusal: InvalidInputError | WorkersBusyError | None = None
    #: Whether some values have no button, because there are too many.
    is_cut: bool = False


async def drawn_picks(
    services: Services, alias: str, text: SweptText, part: int, targets: Mapping[str, int]
) -> DrawnPicks:
    """Return a part of a text; `targets` are those of axes, with the axes' numbers.

    Raises:
        TooComplexError, WorkersBusyError: the text cannot be cut into parts.
    """
    found = await services.texts.part(text.text, part, _SHOWN)
    values: Sequence[SettableValue] = ()
    refusal: InvalidInputError | WorkersBusyError | None = None
    if found.lines:
        try:
            values = await services.sweeps.drafting.settable(
                text, found.lines[0].number, found.lines[-1].number
            )
        except (InvalidInputError, WorkersBusyError) as error:
            refusal = error
    by_line: dict[int, list[SettableValue]] = {}
    for value in values:
        by_line.setdefault(value.line, []).append(value)
    mark = len(BYTE_ORDER_MARK) if text.text.startswith(BYTE_ORDER_MARK) else 0
    buttons = _Buttons(alias, targets)
    html = "".join(
        _line(line, by_line.get(line.number, ()), buttons, mark if line.number == 1 else 0)
        for line in found.lines
    )
    return DrawnPicks(
        alias, text.path, raw(html), found.number, found.count, refusal, buttons.left < 0
    )


class _Buttons:
    """Draws the buttons of one file, until they take too much of the page."""

    def __init__(self, alias: str, targets: Mapping[str, int]) -> None:
        self._alias = alias
        self._targets = targets
        self.left = _BUTTON_BYTES

    def drawn(self, value: SettableValue, text: str) -> str:
        """Return the HTML of a value: a button, or a link to the axis that sets it."""
        label, target = visible(text) or _EMPTY, f"{self._alias}:{value.path}"
        axis = self._targets.get(target)
        path = escape(value.path)
        if axis is not None:
            html = f'<a class="pick picked" href="#axis-{axis}" title="{path}">{label}</a>'
        else:
            html = (
                f'<button class="pick" name="do" value="pick:{escape(target)}" data-redraws '
                f'title="{path}" aria-label="{path}: {escape(text)}">{label}</button>'
            )
        self.left -= len(html.encode())
        return html if self.left >= 0 and len(value.path) < LONGEST_PATH else visible(text)


def _line(line: TextLine, values: Iterable[SettableValue], buttons: _Buttons, mark: int) -> str:
    number = "…" if line.start else str(line.number)
    anchor = "" if line.start else f' id="L{line.number}"'
    pieces = "".join(_pieces(line, values, buttons, mark))
    return f'<span class="line" data-n="{number}"{anchor}>{pieces}\n</span>'


def _apart(values: Iterable[SettableValue]) -> list[SettableValue]:
    """Return the values of a line by their position: a flag instead of the item that has it."""
    ordered = sorted(values, key=_start)
    flags = [value for value in ordered if value.is_flag]
    starts = list(map(_start, flags))
    found: list[SettableValue] = []
    for value in ordered:
        following = bisect_left(starts, _start(value))
        has_flag = following < len(flags) and _end(flags[following]) <= _end(value)
        if value.is_flag or not has_flag:
            found.append(value)
    return found


def _start(value: SettableValue) -> tuple[int, int]:
    return value.line, value.column


def _end(value: SettableValue) -> tuple[int, int]:
    return value.end_line, value.end_column


def _pieces(
    line: TextLine, values: Iterable[SettableValue], buttons: _Buttons, mark: int
) -> Iterator[str]:
    """Yield the HTML of a line."""
    at, offset = 0, mark - line.start
    for value in _apart(values):
        start = value.column + offset
        end = value.end_column + offset if value.end_line == value.line else len(line.text)
        if start < at or start > len(line.text) or (start == at and start == end and at):
            continue
        yield visible(line.text[at:start])
        yield buttons.drawn(value, line.text[start:end])
        at = max(start, min(end, len(line.text)))
    yield visible(line.text[at:])
