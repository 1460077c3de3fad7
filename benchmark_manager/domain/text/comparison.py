"""What differs between two texts, line by line, in parts which are small enough for a page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from benchmark_manager.domain.text.line_differences import LineChange, line_changes
from benchmark_manager.domain.text.lines import common_beginning, lines_of, lines_with_ends
from benchmark_manager.domain.text.parts import Extent
from benchmark_manager.domain.text.unified_diff import Hunk, hunks

#: Whether LF, CR and CRLF are different line ends, as in a patch, or all the same, as for a reader.
LineEnds = Literal["exact", "any"]
RowKind = Literal["same", "removed", "added", "hunk", "no_end"]

#: Unchanged lines around a change.
_CONTEXT: Final = 3
#: Characters of a line that a row shows, and how many of those are before the first difference.
_SHOWN_OF_LINE: Final = 2000
_BEFORE_DIFFERENCE: Final = 200
#: Parts of one comparison; a patch holds what is beyond.
_MOST_PARTS: Final = 100


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """A row of a comparison: a line of one text or of both, or what is between lines.

    `hunk` is the range of lines that follow, as a patch writes it; `no_end` says that the line
    above is the last of its text and has no line end. `old` and `new` are line numbers from 1, None
    in the text without the line. Of a long line, `cut_before` and `cut_after` characters are left
    out.
    """

    kind: RowKind
    text: str
    old: int | None = None
    new: int | None = None
    cut_before: int = 0
    cut_after: int = 0


@dataclass(frozen=True, slots=True)
class ComparedPart:
    """Part `number` of `count` of a comparison; without rows, nothing differs.

    `is_cut` says that there is more than the last part holds. `mixed_ends` says that of the lines
    which differ some end with a carriage return and some do not.
    """

    number: int
    count: int
    rows: tuple[ComparedRow, ...]
    is_cut: bool
    mixed_ends: bool


def compared_part(
    before: str, after: str, number: int, extent: Extent, line_ends: LineEnds
) -> ComparedPart:
    """Return one part of what differs; a number beyond the last part gives the last one.

    Where line ends are `exact`, lines end at LF only. Takes time and memory as `line_changes` does.
    """
    split = lines_with_ends if line_ends == "exact" else lines_of
    first, second = split(before), split(after)
    changes = line_changes(first, second)
    parts = 0
    chosen: list[ComparedRow] = []
    is_cut = False
    for rows in _cut(_Rows(first, second, line_ends).of(changes), extent):
        if parts == _MOST_PARTS:
            is_cut = True
            break
        parts += 1
        if parts <= number or not chosen:
            chosen = rows
    mixed = line_ends == "exact" and _are_ends_mixed(first, second, changes)
    return ComparedPart(
        min(max(1, number), max(1, parts)), max(1, parts), tuple(chosen), is_cut, mixed
    )


def _cut(rows: Iterator[ComparedRow], extent: Extent) -> Iterator[list[ComparedRow]]:
    part: list[ComparedRow] = []
    characters = 0
    for row in rows:
        if part and (len(part) == extent.lines or characters + len(row.text) > extent.characters):
            yield part
            part, characters = [], 0
        part.append(row)
        characters += len(row.text)
    if part:
        yield part


def _are_ends_mixed(
    first: Sequence[str], second: Sequence[str], changes: Sequence[LineChange]
) -> bool:
    ends = {
        line.endswith("\r\n")
        for change in changes
        for line in (
            *first[change.before_start : change.before_end],
            *second[change.after_start : change.after_end],
        )
    }
    return len(ends) > 1


class _Rows:
    """The rows of two texts' changes, made one by one as they are asked for."""

    def __init__(self, first: Sequence[str], second: Sequence[str], line_ends: LineEnds) -> None:
        self._first = first
        self._second = second
        self._with_line_ends = line_ends == "exact"

    def of(self, changes: Sequence[LineChange]) -> Iterator[ComparedRow]:
        for hunk in hunks(changes, len(self._first), _CONTEXT):
            yield from self._of_hunk(hunk)

    def _of_hunk(self, hunk: Hunk) -> Iterator[ComparedRow]:
        old, new = hunk.before.start, hunk.after.start
        yield ComparedRow("hunk", hunk.header(), old + 1, new + 1)
        for change in hunk.changes:
            yield from self._same(old, new, change.before_start - old)
            yield from self._changed(change)
            old, new = change.before_end, change.after_end
        yield from self._same(old, new, hunk.before.stop - old)

    def _same(self, old: int, new: int, count: int) -> Iterator[ComparedRow]:
        for index in range(count):
            line = self._first[old + index]
            yield from self._row("same", line, 0, old + index + 1, new + index + 1)

    def _changed(self, change: LineChange) -> Iterator[ComparedRow]:
        removed = range(change.before_start, change.before_end)
        added = range(change.after_start, change.after_end)
        for index in removed:
            start = self._difference(
                index, change.after_start + index - change.before_start, change
            )
            yield from self._row("removed", self._first[index], start, index + 1, None)
        for index in added:
            start = self._difference(
                change.before_start + index - change.after_start, index, change
            )
            yield from self._row("added", self._second[index], start, None, index + 1)

    def _difference(self, old: int, new: int, change: LineChange) -> int:
        """Return where two long lines of a change begin to differ.

        Lines are paired by their number in the change; the result is 0 where one is missing.
        """
        if old >= change.before_end or new >= change.after_end:
            return 0
        first, second = self._first[old], self._second[new]
        if max(len(first), len(second)) <= _SHOWN_OF_LINE:
            return 0
        return common_beginning(first, second)

    def _row(
        self, kind: RowKind, line: str, difference: int, old: int | None, new: int | None
    ) -> Iterator[ComparedRow]:
        has_end = line.endswith("\n") or not self._with_line_ends
        text = line.removesuffix("\n") if self._with_line_ends else line
        start = 0
        if len(text) > _SHOWN_OF_LINE:
            start = min(max(0, difference - _BEFORE_DIFFERENCE), len(text) - _SHOWN_OF_LINE)
        shown = text[start : start + _SHOWN_OF_LINE]
        yield ComparedRow(kind, shown, old, new, start, len(text) - start - len(shown))
        if not has_end:
            yield ComparedRow("no_end", "", old, new)
