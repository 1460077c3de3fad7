"""Lists whose items have no names: which items of two lists are the same.

Only what is certain is reported. An item which occurs once in both lists is the same; what lies
between such items is a hunk. A hunk slides where the same change could as well have been made a few
items further up or down (one more `a` in `[a, a]`); all the positions at which it could have been
made count as touched.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ListHunk:
    """Items `start` to `end` of the base became items `other_start` to `other_end`.

    `in_place` says that each became the item of the same number in the other range.
    """

    start: int
    end: int
    other_start: int
    other_end: int
    in_place: bool = False


IsSame: TypeAlias = Callable[[range, range], bool]
"""Whether the items of two ranges of one length are the same items, each changed."""


def align(base: Sequence[int], other: Sequence[int], is_same: IsSame) -> list[ListHunk]:
    """Return the differences of two lists of identities, in order.

    Items that changed in their position are one difference each.
    """
    hunks: list[ListHunk] = []
    for hunk in _hunks(base, other):
        length = hunk.end - hunk.start
        ranges = range(hunk.start, hunk.end), range(hunk.other_start, hunk.other_end)
        if length == len(ranges[1]) and (length == 1 or is_same(*ranges)):
            hunks += [
                ListHunk(i, i + 1, j, j + 1, in_place=True)
                for i, j in zip(*ranges, strict=True)
                if base[i] != other[j]
            ]
        else:
            hunks.append(hunk)
    return hunks


def _hunks(base: Sequence[int], other: Sequence[int]) -> Iterator[ListHunk]:
    """Yield what lies between the items which are known to be the same.

    It has no equal items at its ends.
    """
    start = other_start = 0
    for end, other_end in [*_anchors(base, other), (len(base), len(other))]:
        trimmed = _trimmed(base, other, ListHunk(start, end, other_start, other_end))
        if trimmed.start < trimmed.end or trimmed.other_start < trimmed.other_end:
            yield trimmed
        start, other_start = end, other_end


def _trimmed(base: Sequence[int], other: Sequence[int], hunk: ListHunk) -> ListHunk:
    start, end, other_start, other_end = hunk.start, hunk.end, hunk.other_start, hunk.other_end
    while start < end and other_start < other_end and base[start] == other[other_start]:
        start, other_start = start + 1, other_start + 1
    while start < end and other_start < other_end and base[end - 1] == other[other_end - 1]:
        end, other_end = end - 1, other_end - 1
    return ListHunk(start, end, other_start, other_end)


def _anchors(base: Sequence[int], other: Sequence[int]) -> list[tuple[int, int]]:
    """Return the longest run of pairs, in both lists' order, of items which occur once in each."""
    once = {item for item, count in Counter(base).items() if count == 1}
    once &= {item for item, count in Counter(other).items() if count == 1}
    numbers = {item: number for number, item in enumerate(other) if item in once}
    pairs = [(number, numbers[item]) for number, item in enumerate(base) if item in once]
    return _longest_rising(pairs)


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the longest subsequence which rises in the second number (patience sorting)."""
    ends: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, position) in enumerate(pairs):
        pile = bisect_left(ends, position)
        before.append(last[pile - 1] if pile else -1)
        ends[pile : pile + 1] = [position]
        last[pile : pile + 1] = [number]
    rising: list[tuple[int, int]] = []
    number = last[-1] if last else -1
    while number >= 0:
        rising.append(pairs[number])
        number = before[number]
    return rising[::-1]


@dataclass(frozen=True, slots=True)
class Touched:
    """Items of the base, and gaps between them: gap n is in front of item n."""

    items: frozenset[int]
    gaps: frozenset[int]


def touched(hunk: ListHunk, base: Sequence[int], other: Sequence[int]) -> Touched:
    """Return what a change of the other side would be in doubt about."""
    if hunk.in_place:
        return Touched(frozenset({hunk.start}), frozenset())
    if hunk.start == hunk.end:
        up, down = _slides(other, hunk.other_start, hunk.other_end)
        low, high = max(0, hunk.start - up), min(len(base), hunk.end + down)
        return Touched(frozenset(range(low, high)), frozenset(range(low, high + 1)))
    if hunk.other_start == hunk.other_end:
        up, down = _slides(base, hunk.start, hunk.end)
        low, high = hunk.start - up, hunk.end + down
        return Touched(frozenset(range(low, high)), frozenset(range(low + 1, high)))
    return Touched(
        frozenset(range(hunk.start, hunk.end)), frozenset(range(hunk.start, hunk.end + 1))
    )


def _slides(items: Sequence[int], start: int, end: int) -> tuple[int, int]:
    """Return how far a range could be moved up and down with the list staying the same."""
    up = 0
    while start - up > 0 and items[start - up - 1] == items[end - up - 1]:
        up += 1
    down = 0
    while end + down < len(items) and items[start + down] == items[end + down]:
        down += 1
    return up, down


def positions(hunks: Sequence[ListHunk], length: int) -> list[int]:
    """Return where each gap of the base, from 0 to `length`, is in the other list.

    A gap inside a hunk is where the hunk begins.
    """
    found: list[int] = []
    shift = 0
    for hunk in hunks:
        found += [gap + shift for gap in range(len(found), hunk.start + 1)]
        found += [hunk.other_start] * (hunk.end - len(found))
        shift = hunk.other_end - hunk.end
    return [*found, *(gap + shift for gap in range(len(found), length + 1))]
