"""Lines of a text and what ends them: LF, CR or CRLF, as in YAML 1.2.2 (section 5.4) and JSON.

Git and patches end a line at LF alone; `lines_with_ends` is for those.
"""

import re
from bisect import bisect_right
from typing import Final, Literal

LineEnd = Literal["lf", "crlf", "cr"]

ENDS: Final[dict[LineEnd, str]] = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}

_LINE_END: Final = re.compile(r"\r\n|\r|\n")


def with_lf(text: str) -> str:
    """Return the text with LF for every line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def lines_of(text: str) -> list[str]:
    """Return the lines without what ends them; behind a final line end there is an empty line."""
    return with_lf(text).split("\n")


def lines_with_ends(text: str) -> list[str]:
    """Return the lines as git counts them, each with its LF; joined, they are the text."""
    *lines, last = text.split("\n")
    # Blank lines share one text: a file of nothing else would take fifty times its size.
    ended = [f"{line}\n" if line else "\n" for line in lines]
    return [*ended, last] if last else ended


def is_one_line(text: str) -> bool:
    """Return whether the text has no line end."""
    return "\n" not in text and "\r" not in text


def line_starts(text: str) -> list[int]:
    """Return where each line begins."""
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


def line_end_of(text: str) -> str:
    """Return what ends the first line; LF for a text of one line."""
    match = _LINE_END.search(text)
    return "\n" if match is None else match[0]


def line_ends_of(text: str) -> dict[LineEnd, int]:
    """Count each kind of line end that the text has."""
    crlf = text.count("\r\n")
    counts: dict[LineEnd, int] = {
        "lf": text.count("\n") - crlf,
        "crlf": crlf,
        "cr": text.count("\r") - crlf,
    }
    return {end: count for end, count in counts.items() if count}


class LineStarts:
    """Positions of the lines of a text.

    Each look-up takes logarithmic time, however long a line is.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = line_starts(text)

    def number(self, index: int) -> int:
        """Return the number of a position's line, from 1."""
        return bisect_right(self._starts, index)

    def start(self, index: int) -> int:
        return self._starts[self.number(index) - 1]

    def column(self, index: int) -> int:
        """Count the characters before a position in its line."""
        return index - self.start(index)

    def next_line(self, index: int) -> int:
        """Return where the line behind a position begins, or the end of the text."""
        line = self.number(index)
        return self._starts[line] if line < len(self._starts) else len(self._text)

    def end(self, index: int) -> int:
        """Return the end of a position's line, without the characters which end it."""
        following = self.next_line(index)
        start = self.start(index)
        if following > start and self._text[following - 1] == "\n":
            following -= 1
        if following > start and self._text[following - 1] == "\r":
            following -= 1
        return following


def with_stored_ends(stored: str, shown: str, edited: str, ending: str) -> str:
    """Return `edited` with the line ends of a stored text.

    Lines which both share at their beginning and end are exactly as stored, all others get
    `ending`. Searches and slices alone keep it linear, since there may be a million lines.

    Args:
        stored: the text as it is.
        shown: the same with as many characters and line ends, as the form shows it.
        edited: the text as the form sends it.
        ending: the line end of lines which are not shared.
    """
    old, new = with_lf(shown), with_lf(edited)
    if old == new:
        return stored
    begin = old.rfind("\n", 0, common_beginning(old, new)) + 1
    end = _common_end(old[begin:], new[begin:])
    return "".join(
        (
            stored[: _stored_length(stored, begin)],
            new[begin : len(new) - end].replace("\n", ending),
            stored[len(stored) - _stored_length_behind(stored, end) :],
        )
    )


def common_beginning(first: str, second: str) -> int:
    """Count the characters which two texts share at their beginning.

    The number is found by halving, since comparing slices is fast.
    """
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(old: str, new: str) -> int:
    """Count the characters of whole lines which two texts share at their end."""
    count = common_beginning(old[::-1], new[::-1])
    if _begins_line(old, count) and _begins_line(new, count):
        return count
    first_end = old.find("\n", len(old) - count)
    return 0 if first_end < 0 else len(old) - first_end - 1


def _begins_line(text: str, count: int) -> bool:
    """Return whether the last `count` characters begin with a line."""
    return count == len(text) or text[len(text) - count - 1] == "\n"


def _stored_length(stored: str, length: int) -> int:
    """Return the length of a beginning which has `length` characters where CRLF counts as one."""
    pairs = -1
    found = 0
    while found != pairs:
        pairs, found = found, stored.count("\r\n", 0, length + found)
    end = length + found
    return end + 1 if end and stored[end - 1 : end + 1] == "\r\n" else end


def _stored_length_behind(stored: str, length: int) -> int:
    """Return the same of a text's end."""
    pairs = -1
    found = 0
    while found != pairs:
        pairs, found = found, stored.count("\r\n", len(stored) - length - found)
    start = len(stored) - length - found
    return len(stored) - start + (1 if start and stored[start - 1 : start + 1] == "\r\n" else 0)
