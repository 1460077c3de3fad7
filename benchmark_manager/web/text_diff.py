"""Two texts compared by lines, for people to read."""

import difflib
import re
from dataclasses import dataclass
from typing import Final, Literal

from markupsafe import Markup

from benchmark_manager.web.rendering import raw
from benchmark_manager.web.visible import visible

#: Beyond this many differing lines on a side, what differs is shown as one piece: comparing may cost their product.
_COMPARED_AT_MOST: Final = 2000
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_CONTEXT: Final = 3
_RETURN: Final = "\N{SYMBOL FOR CARRIAGE RETURN}"


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A line of a unified diff as HTML."""

    kind: Literal["added", "removed", "place", ""]
    text: Markup


def diff_rows(diff: str) -> tuple[DiffRow, ...]:
    """The lines of a unified diff, ready to be shown; none of an empty one.

    A carriage return is shown where the lines which differ do not all end with one.
    """
    lines = diff.split("\n")
    if not lines[-1]:
        lines.pop()
    kinds = _kinds(lines)
    ends = {line.endswith("\r") for line, kind in zip(lines, kinds, strict=True) if kind in {"added", "removed"}}
    shown = _RETURN if len(ends) > 1 else ""
    return tuple(
        DiffRow(kind, raw(visible(line.removesuffix("\r") + (shown if line.endswith("\r") else ""))))
        for line, kind in zip(lines, kinds, strict=True)
    )


def _kinds(lines: list[str]) -> list[Literal["added", "removed", "place", ""]]:
    """What stands before the first place are the names of the two texts."""
    kinds: list[Literal["added", "removed", "place", ""]] = []
    within = False
    for line in lines:
        within = within or line.startswith("@@")
        kinds.append(_KINDS.get(line[:1], "") if within else "place")
    return kinds


_KINDS: Final[dict[str, Literal["added", "removed", "place"]]] = {
    "+": "added",
    "-": "removed",
    "@": "place",
    "\\": "place",
}


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
