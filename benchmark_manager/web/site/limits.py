"""How much one page holds, so that none is over 2 MB, whatever the data.

Each limit counts for the worst text: `visible.BYTES_A_CHARACTER` bytes of HTML a character. What a
page holds at most:

    a file         an editor to read it in, 600 kB; a part of its lines, 670 kB; its problems, 200
    kB an editor      1.2 MB; problems, 200 kB; beside it, two comparisons of 250 kB each a
    comparison   the two texts for scripts, 900 kB; changes by key, 350 kB; a part of what differs,
    500 kB a merge        conflicts, 850 kB; two comparisons of 250 kB each a table        rows up
    to 1.2 MB
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from benchmark_manager.domain.text import Extent

T = TypeVar("T")

#: Bytes of any page. `rendering` refuses to send more.
PAGE: Final = 2_000_000

#: A part of a file's lines.
LISTING: Final = Extent(2000, 60_000)
#: A part of what differs, on a page of its own, and beside other things.
COMPARED: Final = Extent(1000, 50_000)
COMPARED_BESIDE: Final = Extent(500, 25_000)

#: Bytes of HTML that the text of an editor may take: 1 MiB of ordinary text, and an eighth for what
#: is escaped in it.
EDITOR: Final = 1_200_000
#: The same of an editor for reading, below which the lines stand once more for those without
#: scripts.
READING_EDITOR: Final = 600_000
#: The same of two texts which scripts put side by side.
SIDE_BY_SIDE: Final = 900_000
#: Bytes of the changes by key beside them.
CHANGES: Final = 350_000
#: The same of what somebody typed, on a page that says why it was not saved.
TYPED: Final = 1_800_000

#: Characters of all sides of the conflicts on a page of a merge.
CONFLICT_CHARACTERS: Final = 45_000

#: Bytes of the rows of a table or a list.
ROWS: Final = 1_200_000
#: Bytes of a tree of files.
TREE: Final = 1_200_000
#: Characters of a name or path in a list, and of one sentence about it.
NAME: Final = 300
SENTENCE: Final = 1000

#: Problems of a text that a page lists, and characters of all of them together.
PROBLEMS: Final = 100
PROBLEM_CHARACTERS: Final = 8000


@dataclass(frozen=True, slots=True)
class Window(Generic[T]):
    """The rows of a list from `start` on for which a page has room, of `total` in all."""

    rows: Sequence[T]
    start: int
    total: int

    @property
    def end(self) -> int:
        return self.start + len(self.rows)

    @property
    def following(self) -> int | None:
        """Where the next page starts."""
        return self.end if self.end < self.total else None


def window(
    rows: Sequence[T], start: int, count: int, cost: Callable[[T], int], most: int = ROWS
) -> Window[T]:
    """At most `count` rows, whose costs together are at most `most`; a start behind the last row gives the first."""
    start = start if 0 <= start < len(rows) else 0
    return Window(fitting(rows[start : start + count], cost, most), start, len(rows))


def fitting(rows: Sequence[T], cost: Callable[[T], int], most: int = ROWS) -> Sequence[T]:
    """The first rows, at least one, whose costs together are at most `most`."""
    left = most
    for index, row in enumerate(rows):
        left -= cost(row)
        if left < 0:
            return rows[: max(1, index)]
    return rows
