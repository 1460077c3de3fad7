"""Limits of what one page holds, so that no page is larger than 2 MB.

Each limit assumes the worst text: `visible.BYTES_A_CHARACTER` bytes of HTML per character. Pages
hold at most:

- a file: the editor for reading, 600 kB; a part of its lines, 670 kB; its problems, 200 kB;
- an editor: 1.2 MB; problems, 200 kB; two comparisons of 250 kB each;
- a comparison: the two texts for scripts, 900 kB; changes by key, 350 kB; a part of the differing
  lines, 500 kB;
- a merge: conflicts, 850 kB; two comparisons of 250 kB each;
- a table: rows of up to 1.2 MB.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from benchmark_manager.domain.text import Extent

T = TypeVar("T")

#: Bytes of any page; `rendering` refuses to send more.
PAGE: Final = 2_000_000

#: One part of the lines of a file.
LISTING: Final = Extent(2000, 60_000)
#: One part of a comparison on its own page, and next to other content.
COMPARED: Final = Extent(1000, 50_000)
COMPARED_BESIDE: Final = Extent(500, 25_000)

#: Bytes of HTML of an editor's text: 1 MiB of ordinary text, plus an eighth for escapes.
EDITOR: Final = 1_200_000
#: The same for a read-only editor, whose page repeats the lines for readers without scripts.
READING_EDITOR: Final = 600_000
#: The same for two texts that scripts show side by side.
SIDE_BY_SIDE: Final = 900_000
#: Bytes of the changes by key on the page of a comparison.
CHANGES: Final = 350_000
#: The same for a typed text that an error page repeats.
TYPED: Final = 1_800_000

#: Characters of all sides of the conflicts on a page of a merge.
CONFLICT_CHARACTERS: Final = 45_000

#: Bytes of the rows of a table or a list.
ROWS: Final = 1_200_000
#: Bytes of a tree of files.
TREE: Final = 1_200_000
#: Characters of a name or path in a list, and of a sentence about it.
NAME: Final = 300
SENTENCE: Final = 1000

#: Problems of a text that a page lists, and characters of all of them together.
PROBLEMS: Final = 100
PROBLEM_CHARACTERS: Final = 8000


@dataclass(frozen=True, slots=True)
class Window(Generic[T]):
    """The rows of a list from `start` on that fit on a page, of `total` rows."""

    rows: Sequence[T]
    start: int
    total: int

    @property
    def end(self) -> int:
        return self.start + len(self.rows)

    @property
    def following(self) -> int | None:
        """Return the first row of the next page, or None on the last page."""
        return self.end if self.end < self.total else None


def window(
    rows: Sequence[T], start: int, count: int, cost: Callable[[T], int], most: int = ROWS
) -> Window[T]:
    """Return at most `count` rows whose costs add up to at most `most`.

    A start after the last row counts as 0.
    """
    start = start if 0 <= start < len(rows) else 0
    return Window(fitting(rows[start : start + count], cost, most), start, len(rows))


def fitting(rows: Sequence[T], cost: Callable[[T], int], most: int = ROWS) -> Sequence[T]:
    """Return the first rows, at least one, whose costs add up to at most `most`."""
    left = most
    for index, row in enumerate(rows):
        left -= cost(row)
        if left < 0:
            return rows[: max(1, index)]
    return rows
