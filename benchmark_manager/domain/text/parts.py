"""Cuts a text into parts which are small enough for a page, whatever the text holds."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmark_manager.domain.text.lines import lines_of


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a part may hold; line ends are not counted as characters."""

    lines: int
    characters: int


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line, or a piece of one: `start` characters of the line are in earlier parts."""

    number: int
    text: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class TextPart:
    """Part `number` of a text; parts and lines count from 1.

    `first_lines` holds, for every part, the number of the first line that begins in it, or behind
    it where none does.
    """

    number: int
    lines: tuple[TextLine, ...]
    first_lines: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many parts the text has."""
        return len(self.first_lines)

    def holding(self, line: int) -> int:
        """Return the number of the part in which a line begins.

        Where the text has no such line, it is the nearest part.
        """
        return max(1, bisect_right(self.first_lines, line))


@dataclass(frozen=True, slots=True)
class _PartStart:
    """Where a part begins.

    `line` is counted from 0, `offset` counts the characters of it that earlier parts hold.
    """

    line: int
    offset: int

    @property
    def first_line(self) -> int:
        """The number, from 1, of the first line that begins here or behind."""
        return self.line + (2 if self.offset else 1)


def text_part(text: str, number: int, extent: Extent) -> TextPart:
    """Return one part of a text; a number beyond the last part gives the last one.

    A line which is longer than a part continues in the next one. Time and memory grow with the
    text's length.
    """
    lines = lines_of(text)
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    starts = list(_starts(lines, extent))
    number = min(max(1, number), len(starts))
    begin = starts[number - 1]
    end = starts[number] if number < len(starts) else _PartStart(len(lines), 0)
    return TextPart(
        number, tuple(_between(lines, begin, end)), tuple(start.first_line for start in starts)
    )


def _starts(lines: Sequence[str], extent: Extent) -> Iterator[_PartStart]:
    """Yield where parts begin.

    They begin at every `extent.lines` lines, and within such a window where its characters are too
    many.

    Most windows are passed by one sum, so that a million empty lines take no loop over lines.
    """
    for window in range(0, len(lines), extent.lines):
        some = lines[window : window + extent.lines]
        yield _PartStart(window, 0)
        if sum(map(len, some)) > extent.characters:
            yield from _within(some, window, extent.characters)


def _within(lines: Sequence[str], first: int, characters: int) -> Iterator[_PartStart]:
    left = characters
    for number, line in enumerate(lines, first):
        offset = 0
        while len(line) - offset > left:
            # A line begins in a new part unless no part can hold it whole.
            if offset or left == characters or len(line) > characters:
                offset += left
            if offset or number > first:
                yield _PartStart(number, offset)
            left = characters
        left -= len(line) - offset


def _between(lines: Sequence[str], begin: _PartStart, end: _PartStart) -> Iterator[TextLine]:
    last = min(end.line, len(lines) - 1) if end.offset else end.line - 1
    for index in range(begin.line, last + 1):
        start = begin.offset if index == begin.line else 0
        stop = end.offset if end.offset and index == end.line else None
        yield TextLine(index + 1, lines[index][start:stop], start)
