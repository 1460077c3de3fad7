"""Which elements of two sequences an edit has to touch: Myers' search from both ends at once.

Source: E. W. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), section 4b, the
    linear-space version.
Which of several equally short edits comes out, and when a costly search takes the best path so far,
is what git does: a merge of texts with repeated lines depends on it. Beyond the work which a person
waits for, git continues; here the rest is compared coarsely, which is correct, but no longer the
shortest edit.

A path is at (x, y): x elements of the first sequence and y of the second are behind it. Its
diagonal is x - y.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

#: Git's limits: a split which costs more edits than this (or than the root of the sizes) takes the
#: furthest path.
_LEAST_CAP: Final = 256
#: From this cost on, a path which had a long run of matches and came far enough may end the split.
_EARLY_END_COST: Final = 256
_LONG_RUN: Final = 20
_FAR: Final = 4

#: Steps for each element that are taken in any case, as in `SearchLimits`.
_THOROUGH_STEPS_FOR_AN_ELEMENT: Final = 230
_STEPS_FOR_AN_ELEMENT: Final = 300

_NOWHERE: Final = -1
_BEYOND: Final = 1 << 60


@dataclass(frozen=True, slots=True)
class SearchLimits:
    """How much work a comparison may be; a step takes about 0.3 µs."""

    #: Steps after which splits end early. Sequences of fewer than 600 elements together never need
    #: so many for each of them.
    thorough_steps: int = 1_000_000
    #: Steps after which no box is searched at all.
    steps: int = 1_300_000
    #: The cost of a split that ends early.
    hurried_cap: int = 8
    #: Lines by which changes are slid in all, beside those for each line of the text.
    slides: int = 10_000


DEFAULT_LIMITS: Final = SearchLimits()


@dataclass(frozen=True, slots=True)
class _Box:
    """The part from (x, y) to (x_end, y_end).

    `exact` where a path is known to cost little, so that none is cut.
    """

    x: int
    x_end: int
    y: int
    y_end: int
    exact: bool


@dataclass(slots=True)
class _Frontier:
    """The furthest x on each diagonal, for paths from one corner.

    Diagonals go from `low` to `high` by steps of two.

    `reached` is indexed by diagonals; negative ones wrap around to its end, for which it is long
    enough.
    """

    reached: list[int]
    middle: int
    low: int
    high: int
    long_run: bool = False

    def widen(self, lowest: int, highest: int, unreached: int) -> None:
        """Go one edit further: a diagonal more on both sides, or one less where the box ends."""
        if self.low > lowest:
            self.low -= 1
            self.reached[self.low - 1] = unreached
        else:
            self.low += 1
        if self.high < highest:
            self.high += 1
            self.reached[self.high + 1] = unreached
        else:
            self.high -= 1

    def diagonals(self) -> range:
        return range(self.high, self.low - 1, -2)


_Point: TypeAlias = tuple[int, int]


def touched(
    first: list[int], second: list[int], limits: SearchLimits
) -> tuple[list[range], list[range]]:
    """Return the ranges of `first` that an edit removes and of `second` that it inserts.

    All else matches, in order.

    Time is bounded: in proportion to the sizes, beside a fixed number of steps.
    """
    search = _Search(first, second, limits)
    search.run()
    return search.removed, search.inserted


class _Search:
    def __init__(self, first: list[int], second: list[int], limits: SearchLimits) -> None:
        self.removed: list[range] = []
        self.inserted: list[range] = []
        self._first = first
        self._second = second
        diagonals = len(first) + len(second) + 3
        self._cap = max(_LEAST_CAP, power_of_two_root(diagonals))
        self._forward = [0] * diagonals
        self._backward = [0] * diagonals
        self._steps = 0
        self._most_steps = min(limits.steps, _STEPS_FOR_AN_ELEMENT * diagonals)
        self._thorough_steps = min(
            limits.thorough_steps, _THOROUGH_STEPS_FOR_AN_ELEMENT * diagonals
        )
        self._hurried_cap = limits.hurried_cap

    def run(self) -> None:
        boxes = [_Box(0, len(self._first), 0, len(self._second), exact=False)]
        while boxes:
            box = self._shrunk(boxes.pop())
            if box.x == box.x_end or box.y == box.y_end or self._steps > self._most_steps:
                self.removed.append(range(box.x, box.x_end))
                self.inserted.append(range(box.y, box.y_end))
            else:
                boxes.extend(self._split(box))

    def _shrunk(self, box: _Box) -> _Box:
        """Without what matches at both corners."""
        first, second = self._first, self._second
        x, x_end, y, y_end = box.x, box.x_end, box.y, box.y_end
        while x < x_end and y < y_end and first[x] == second[y]:
            x += 1
            y += 1
        while x < x_end and y < y_end and first[x_end - 1] == second[y_end - 1]:
            x_end -= 1
            y_end -= 1
        return _Box(x, x_end, y, y_end, box.exact)

    def _split(self, box: _Box) -> tuple[_Box, _Box]:
        """Return two boxes which meet on a good path.

        Where the search reached the end, the path is a best one.
        """
        lowest, highest = box.x - box.y_end, box.x_end - box.y
        ahead = _Frontier(self._forward, box.x - box.y, box.x - box.y, box.x - box.y)
        back = _Frontier(
            self._backward, box.x_end - box.y_end, box.x_end - box.y_end, box.x_end - box.y_end
        )
        ahead.reached[ahead.middle], back.reached[back.middle] = box.x, box.x_end
        cost = 0
        while True:
            cost += 1
            ahead.widen(lowest, highest, _NOWHERE)
            meeting = self._advance(box, ahead, back)
            if meeting is None:
                back.widen(lowest, highest, _BEYOND)
                meeting = self._retreat(box, ahead, back)
            if meeting is not None:
                return _halves(box, meeting, exact=(True, True))
            self._steps += (ahead.high - ahead.low + back.high - back.low) // 2 + 2
            cut = self._cut(box, ahead, back, cost)
            if cut is not None:
                return cut

    def _advance(self, box: _Box, ahead: _Frontier, back: _Frontier) -> _Point | None:
        """Make one edit more from the beginning; return where a path meets one from the end."""
        first, second, x_end, y_end = self._first, self._second, box.x_end, box.y_end
        reached, other = ahead.reached, back.reached
        meets = (ahead.middle - back.middle) % 2 == 1
        ahead.long_run = back.long_run = False
        for diagonal in ahead.diagonals():
            removing, inserting = reached[diagonal - 1] + 1, reached[diagonal + 1]
            # `max()` takes twice the time.
            x = start = removing if removing > inserting else inserting  # noqa: FURB136
            y = x - diagonal
            while x < x_end and y < y_end and first[x] == second[y]:
                x += 1
                y += 1
            reached[diagonal] = x
            if x > start:
                self._steps += x - start
                ahead.long_run = ahead.long_run or x - start > _LONG_RUN
            if meets and back.low <= diagonal <= back.high and other[diagonal] <= x:
                return x, y
        return None

    def _retreat(self, box: _Box, ahead: _Frontier, back: _Frontier) -> _Point | None:
        """Make one edit more from the end, in the same way."""
        first, second, x_begin, y_begin = self._first, self._second, box.x, box.y
        reached, other = back.reached, ahead.reached
        meets = (ahead.middle - back.middle) % 2 == 0
        for diagonal in back.diagonals():
            inserting, removing = reached[diagonal - 1], reached[diagonal + 1] - 1
            x = start = inserting if inserting <= removing else removing  # noqa: FURB136
            y = x - diagonal
            while x > x_begin and y > y_begin and first[x - 1] == second[y - 1]:
                x -= 1
                y -= 1
            reached[diagonal] = x
            if x < start:
                self._steps += start - x
                back.long_run = back.long_run or start - x > _LONG_RUN
            if meets and ahead.low <= diagonal <= ahead.high and other[diagonal] >= x:
                return x, y
        return None

    def _cut(
        self, box: _Box, ahead: _Frontier, back: _Frontier, cost: int
    ) -> tuple[_Box, _Box] | None:
        """Return the split at the path which came furthest, where the search takes too long."""
        if self._steps > self._thorough_steps:
            return _furthest(box, ahead, back) if cost >= self._hurried_cap else None
        if box.exact:
            return None
        if cost > _EARLY_END_COST and (ahead.long_run or back.long_run):
            promising = self._promising_ahead(box, ahead, cost)
            if promising is not None:
                return _halves(box, promising, exact=(True, False))
            promising = self._promising_back(box, back, cost)
            if promising is not None:
                return _halves(box, promising, exact=(False, True))
        return _furthest(box, ahead, back) if cost >= self._cap else None

    def _promising_ahead(self, box: _Box, ahead: _Frontier, cost: int) -> _Point | None:
        """Return the furthest of the paths that came far for their cost.

        They end in a long run of matches.
        """
        best, found = _FAR * cost, None
        for diagonal in ahead.diagonals():
            x = ahead.reached[diagonal]
            y = x - diagonal
            value = (x - box.x) + (y - box.y) - abs(diagonal - ahead.middle)
            inside = box.x + _LONG_RUN <= x < box.x_end and box.y + _LONG_RUN <= y < box.y_end
            if value > best and inside and self._matches(x - _LONG_RUN, y - _LONG_RUN):
                best, found = value, (x, y)
        return found

    def _promising_back(self, box: _Box, back: _Frontier, cost: int) -> _Point | None:
        best, found = _FAR * cost, None
        for diagonal in back.diagonals():
            x = back.reached[diagonal]
            y = x - diagonal
            value = (box.x_end - x) + (box.y_end - y) - abs(diagonal - back.middle)
            inside = box.x < x <= box.x_end - _LONG_RUN and box.y < y <= box.y_end - _LONG_RUN
            if value > best and inside and self._matches(x, y):
                best, found = value, (x, y)
        return found

    def _matches(self, x: int, y: int) -> bool:
        return self._first[x : x + _LONG_RUN] == self._second[y : y + _LONG_RUN]


def _furthest(box: _Box, ahead: _Frontier, back: _Frontier) -> tuple[_Box, _Box]:
    """Return the split at the path, from either corner, which has most elements behind it."""
    done, near = -1, (0, 0)
    for diagonal in ahead.diagonals():
        # Paths may stand one edit outside the box.
        x = min(ahead.reached[diagonal], box.x_end, box.y_end + diagonal)
        if done < 2 * x - diagonal:
            done, near = 2 * x - diagonal, (x, x - diagonal)
    left, far = _BEYOND, (0, 0)
    for diagonal in back.diagonals():
        x = max(back.reached[diagonal], box.x, box.y + diagonal)
        if left > 2 * x - diagonal:
            left, far = 2 * x - diagonal, (x, x - diagonal)
    if box.x_end + box.y_end - left < done - box.x - box.y:
        return _halves(box, near, exact=(True, False))
    return _halves(box, far, exact=(False, True))


def _halves(box: _Box, point: _Point, *, exact: tuple[bool, bool]) -> tuple[_Box, _Box]:
    x, y = point
    return _Box(box.x, x, box.y, y, exact[0]), _Box(x, box.x_end, y, box.y_end, exact[1])


def power_of_two_root(number: int) -> int:
    """Return a power of two near the square root, by which git's limits grow with the size."""
    return 1 << (number.bit_length() + 1) // 2
