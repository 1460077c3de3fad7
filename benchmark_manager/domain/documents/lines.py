"""Line ends as YAML 1.2.2 (section 5.4) and JSON know them."""

import re
from bisect import bisect_right
from typing import Final

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


def line_end_of(text: str) -> str:
    """How the text ends its first line; LF where it has no line end."""
    match = _LINE_END.search(text)
    return "\n" if match is None else match[0]


def split_lines(text: str) -> list[str]:
    """The lines without what ends them; at least one."""
    return _LINE_END.split(text)


class LineStarts:
    """Where the lines of a text are; every question takes logarithmic time, however long a line is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def number(self, index: int) -> int:
        """The line of a place, from 1."""
        return bisect_right(self._starts, index)

    def start(self, index: int) -> int:
        return self._starts[self.number(index) - 1]

    def column(self, index: int) -> int:
        """Characters before this place in its line."""
        return index - self.start(index)

    def next_line(self, index: int) -> int:
        """Where the line behind this place begins, or the end of the text."""
        line = self.number(index)
        return self._starts[line] if line < len(self._starts) else len(self._text)

    def end(self, index: int) -> int:
        """The end of the line without the characters which end it."""
        following = self.next_line(index)
        start = self.start(index)
        if following > start and self._text[following - 1] == "\n":
            following -= 1
        if following > start and self._text[following - 1] == "\r":
            following -= 1
        return following
