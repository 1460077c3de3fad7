"""Two texts compared by lines, for people to read."""

import difflib
import re
from typing import Final

#: Beyond this many differing lines on a side, what differs is shown as one piece: comparing may cost their product.
_COMPARED_AT_MOST: Final = 2000
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_CONTEXT: Final = 3


def unified(before: str, after: str, names: tuple[str, str]) -> str:
    """A unified diff; empty if the texts differ in line ends only."""
    old, new = _LINE_END.split(before), _LINE_END.split(after)
    ahead = _shared(old, new)
    behind = _shared(old[ahead:][::-1], new[ahead:][::-1])
    start = max(0, ahead - _CONTEXT)
    old, new = _window(old, start, behind), _window(new, start, behind)
    if max(len(old), len(new)) > _COMPARED_AT_MOST:
        return "\n".join(
            (f"--- {names[0]}", f"+++ {names[1]}", *(f"-{row}" for row in old), *(f"+{row}" for row in new))
        )
    return "\n".join(_shifted(list(difflib.unified_diff(old, new, *names, lineterm="")), start))


def _window(lines: list[str], start: int, behind: int) -> list[str]:
    return lines[start : len(lines) - max(0, behind - _CONTEXT)]


def _shared(old: list[str], new: list[str]) -> int:
    count = 0
    for mine, theirs in zip(old, new, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _shifted(diff: list[str], by: int) -> list[str]:
    """The hunks' line numbers, which count from the window, as they are in the whole texts."""
    return [
        _HUNK.sub(lambda found: f"{found[1]}{int(found[2]) + by}", row) if row.startswith("@@") else row for row in diff
    ]


_HUNK: Final = re.compile(r"([-+])(\d+)")
