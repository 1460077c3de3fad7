"""Line ends of a text which was edited where every line end is LF, as in a form."""

from typing import Final, Literal

LineEnd = Literal["lf", "crlf", "cr"]

ENDS: Final[dict[LineEnd, str]] = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}


def line_ends_of(text: str) -> dict[LineEnd, int]:
    """How often each kind of line end stands in a text, those which do not left out."""
    crlf = text.count("\r\n")
    counts: dict[LineEnd, int] = {
        "lf": text.count("\n") - crlf,
        "crlf": crlf,
        "cr": text.count("\r") - crlf,
    }
    return {end: count for end, count in counts.items() if count}


def with_stored_ends(stored: str, shown: str, edited: str, ending: str) -> str:
    """`edited` with the lines which it shares with the beginning and the end of a stored text exactly as stored.

    All other lines get `ending`. Linear, by searches and slices alone, since there may be a million
    lines.

    Args:
        stored: the text as it is.
        shown: the same with as many characters and line ends, as the form shows it.
        edited: the text as the form sends it.
        ending: the line end of lines which are not shared.
    """
    old, new = _with_lf(shown), _with_lf(edited)
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
    """How many characters two texts share at their beginning; found by halving, as comparing slices is fast."""
    low, high = 0, min(len(first), len(second))
    while low < high:
        middle = (low + high + 1) // 2
        if first[low:middle] == second[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _with_lf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _common_end(old: str, new: str) -> int:
    """How many characters of whole lines two texts share at their end."""
    count = common_beginning(old[::-1], new[::-1])
    if _begins_line(old, count) and _begins_line(new, count):
        return count
    first_end = old.find("\n", len(old) - count)
    return 0 if first_end < 0 else len(old) - first_end - 1


def _begins_line(text: str, count: int) -> bool:
    """Whether the last `count` characters begin with a line."""
    return count == len(text) or text[len(text) - count - 1] == "\n"


def _stored_length(stored: str, length: int) -> int:
    """How long the beginning of a text is which has `length` characters where CRLF counts as one."""
    pairs = -1
    found = 0
    while found != pairs:
        pairs, found = found, stored.count("\r\n", 0, length + found)
    end = length + found
    return end + 1 if end and stored[end - 1 : end + 1] == "\r\n" else end


def _stored_length_behind(stored: str, length: int) -> int:
    """The same of a text's end."""
    pairs = -1
    found = 0
    while found != pairs:
        pairs, found = found, stored.count("\r\n", len(stored) - length - found)
    start = len(stored) - length - found
    return len(stored) - start + (1 if start and stored[start - 1 : start + 1] == "\r\n" else 0)
