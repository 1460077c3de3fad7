"""Which lines differ between two texts.

They are aligned as `git merge-file` and `git diff --no-indent-heuristic` align them.

A line ends at LF, which belongs to it, as a CR before it does; the last line may have none.
"""

from bisect import bisect
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from benchmark_manager.domain.text.edit_search import (
    DEFAULT_LIMITS,
    SearchLimits,
    power_of_two_root,
    touched,
)

#: A line is common which is in the other text this often, or as often as the root of its own
#: text's size.
_COMMON_CAP: Final = 1024
#: How far around a common line is looked for lines without a match, and which part of them has to
#: be common to keep it.
_WINDOW: Final = 100
_COMMON_SHARE: Final = 4

#: Beyond so many lines of both texts together, what lies between their common ends is one change.
_MOST_LINES: Final = 400_000

#: Lines by which changes are slid in all, for each line of the text, and at most. Real texts
#: need a few; crafted ones of a thousand lines could ask for a million.
_SLIDES_FOR_A_LINE: Final = 32
_MOST_SLIDES: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class LineChange:
    """Lines of one text that became lines of the other, counted from 0.

    They are `before_start` up to `before_end`, and `after_start` up to `after_end`.
    """

    before_start: int
    before_end: int
    after_start: int
    after_end: int


def line_changes(
    before: Sequence[str], after: Sequence[str], *, limits: SearchLimits = DEFAULT_LIMITS
) -> list[LineChange]:
    """Return changes in order, with at least one equal line between two of them.

    Time is bounded as `edit_search.touched` bounds it; so is memory, in proportion to the lines.
    """
    numbers: dict[str, int] = {}
    first = [numbers.setdefault(line, len(numbers)) for line in before]
    second = [numbers.setdefault(line, len(numbers)) for line in after]
    # The byte behind the last line is never set: it ends every search, also one from -1.
    removed, inserted = bytearray(len(first) + 1), bytearray(len(second) + 1)
    _mark(first, second, removed, inserted, limits)
    _slide(first, removed, _gaps_with_changes(inserted), limits.slides)
    _slide(second, inserted, _gaps_with_changes(removed), limits.slides)
    return list(_changes(removed, inserted))


def _mark(
    first: list[int],
    second: list[int],
    removed: bytearray,
    inserted: bytearray,
    limits: SearchLimits,
) -> None:
    """Set the byte of every line that is removed or inserted."""
    begin, end = _common_ends(first, second)
    if len(first) + len(second) > _MOST_LINES:
        for changed, lines in ((removed, first), (inserted, second)):
            changed[begin : len(lines) - end] = b"\1" * (len(lines) - end - begin)
        return
    kept_first = _worth_comparing(first, begin, len(first) - end, Counter(second))
    kept_second = _worth_comparing(second, begin, len(second) - end, Counter(first))
    for changed, lines, kept in ((removed, first, kept_first), (inserted, second, kept_second)):
        changed[begin : len(lines) - end] = b"\1" * (len(lines) - end - begin)
        for index in kept:
            changed[index] = 0
    ranges = touched([first[i] for i in kept_first], [second[i] for i in kept_second], limits)
    for changed, kept, touched_ranges in (
        (removed, kept_first, ranges[0]),
        (inserted, kept_second, ranges[1]),
    ):
        for touched_range in touched_ranges:
            for index in kept[touched_range.start : touched_range.stop]:
                changed[index] = 1


def _common_ends(first: list[int], second: list[int]) -> tuple[int, int]:
    """Return how many lines are equal at the beginning, and how many of the rest at the end."""
    shorter = min(len(first), len(second))
    begin = 0
    while begin < shorter and first[begin] == second[begin]:
        begin += 1
    end = 0
    while end < shorter - begin and first[-1 - end] == second[-1 - end]:
        end += 1
    return begin, end


def _worth_comparing(lines: list[int], begin: int, end: int, others: Counter[int]) -> list[int]:
    """Return the indexes of lines which may match.

    These are not lines without a match, nor common ones in the midst of such.

    That makes the search short, and keeps blank lines from holding together what is new altogether.
    """
    limit = min(power_of_two_root(len(lines)), _COMMON_CAP)
    counts = [others[line] for line in lines[begin:end]]
    common = [index for index, count in enumerate(counts) if count >= limit]
    dropped = set(_among_unmatched(counts, common, limit))
    return [begin + index for index, count in enumerate(counts) if count and index not in dropped]


def _among_unmatched(counts: list[int], common: list[int], limit: int) -> Iterator[int]:
    """Yield the common lines whose surroundings are mostly unmatched.

    The surroundings reach up to the next line that is neither.
    """
    unmatched = list(accumulate((count == 0 for count in counts), initial=0))
    rare = [index for index, count in enumerate(counts) if 0 < count < limit]
    for index in common:
        stop = bisect(rare, index)
        begin = max(rare[stop - 1] + 1 if stop else 0, index - _WINDOW)
        end = min(rare[stop] if stop < len(rare) else len(counts), index + 1 + _WINDOW)
        before, after = unmatched[index] - unmatched[begin], unmatched[end] - unmatched[index]
        # Git weighs the line itself twice, once for either side.
        weight = end - begin + 1
        if before and after and (weight - before - after) * _COMMON_SHARE < weight:
            yield index


@dataclass(slots=True)
class _Group:
    """Changed lines from `start` to `end`, with `kept` unchanged ones before them."""

    lines: list[int]
    changed: bytearray
    start: int
    end: int
    kept: int

    def up(self) -> bool:
        """Move up by a line where the text stays the same.

        A group which is met becomes part of it.
        """
        if not self.start or self.lines[self.start - 1] != self.lines[self.end - 1]:
            return False
        self.start, self.end, self.kept = self.start - 1, self.end - 1, self.kept - 1
        self.changed[self.start], self.changed[self.end] = 1, 0
        self.start = self.changed.rfind(0, 0, self.start) + 1
        return True

    def down(self) -> bool:
        if self.end == len(self.lines) or self.lines[self.start] != self.lines[self.end]:
            return False
        self.changed[self.start], self.changed[self.end] = 0, 1
        self.start, self.end, self.kept = self.start + 1, self.end + 1, self.kept + 1
        self.end = self.changed.find(0, self.end)
        return True


def _slide(lines: list[int], changed: bytearray, partners: AbstractSet[int], slides: int) -> None:
    """Move each group of changes down as far as it goes.

    A group that faces a change on its way stops at the last such position.

    `partners` are the numbers of unchanged lines behind which the other text has a change.
    """
    left = min(_MOST_SLIDES, slides + _SLIDES_FOR_A_LINE * len(lines))
    position = kept = 0
    while left > 0 and (start := changed.find(1, position)) >= 0:
        end, kept = changed.find(0, start), kept + start - position
        # Nearly no group can move; those that can are worth an object.
        is_movable = (start and lines[start - 1] == lines[end - 1]) or (
            end < len(lines) and lines[start] == lines[end]
        )
        if is_movable:
            group = _Group(lines, changed, start, end, kept)
            left -= _settle(group, partners, left)
            end, kept = group.end, group.kept
        position = end


def _settle(group: _Group, partners: AbstractSet[int], most: int) -> int:
    """Find the group's position, in about `most` moves.

    Returns by how many lines it was moved on the way.
    """
    slides, size = 0, -1
    highest = 0
    facing: int | None = None
    # What it meets on its way makes it longer, and may let it go further up than before.
    while size != group.end - group.start:
        size = group.end - group.start
        while group.up():
            slides += 1
        highest = group.end
        facing = group.end if group.kept in partners else None
        while group.down():
            slides += 1
            if group.kept in partners:
                facing = group.end
        if slides > most:
            return slides
    if facing is not None and group.end != highest:
        while group.kept not in partners:
            group.up()
            slides += 1
    return slides


def _gaps_with_changes(changed: bytearray) -> set[int]:
    """Return the numbers of unchanged lines behind which there is a change."""
    gaps = set()
    position = kept = 0
    while (start := changed.find(1, position)) >= 0:
        kept += start - position
        gaps.add(kept)
        position = changed.find(0, start)
    return gaps


def _changes(removed: bytearray, inserted: bytearray) -> Iterator[LineChange]:
    first = second = 0
    while True:
        next_removed, next_inserted = removed.find(1, first), inserted.find(1, second)
        if next_removed < 0 and next_inserted < 0:
            return
        # Between two changes both texts have the same number of lines.
        if next_inserted < 0 or 0 <= next_removed - first <= next_inserted - second:
            equal = next_removed - first
        else:
            equal = next_inserted - second
        first, second = first + equal, second + equal
        ends = removed.find(0, first), inserted.find(0, second)
        yield LineChange(first, ends[0], second, ends[1])
        first, second = ends
