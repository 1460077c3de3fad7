"""Three-way merge of texts by lines, with the verdicts and results of `git merge-file`.

Each side's changes against the base are found as git finds them. Changes of both sides which
overlap or touch are one conflict; it is no conflict where both made the same of it (git's level
"zealous").
"""

from collections.abc import Iterator
from dataclasses import dataclass

from benchmark_manager.domain.text.line_differences import LineChange, line_changes
from benchmark_manager.domain.text.lines import lines_with_ends


@dataclass(frozen=True, slots=True)
class TextConflict:
    """Lines which both sides changed differently; they may be none in a text.

    `line` is where it is in theirs, counted from 1; where theirs has none of it, the line that
    comes next.
    """

    base: str
    theirs: str
    mine: str
    line: int


@dataclass(frozen=True, slots=True)
class TextMerge:
    """The merged text, or None and the conflicts in the order of their lines."""

    content: str | None
    conflicts: tuple[TextConflict, ...]


@dataclass(slots=True)
class _ContestedLines:
    """Lines of the base from `start` to `end` that at least one side changed.

    Each side's changes are in order.
    """

    start: int
    end: int
    theirs: list[LineChange]
    mine: list[LineChange]

    def span(self, changes: list[LineChange]) -> slice:
        """Return the same lines in the side with these changes."""
        if not changes:
            return slice(0, 0)
        first, last = changes[0], changes[-1]
        return slice(
            first.after_start - (first.before_start - self.start),
            last.after_end + (self.end - last.before_end),
        )


def merge_text(base: str, theirs: str, mine: str) -> TextMerge:
    """Merge what `theirs` and `mine` each made of `base`, to the byte.

    A line ends at LF only; its end, and a CR before it, are part of it. Texts with NUL characters,
    which git calls binary and leaves alone, are merged like others. Takes time as `line_changes`
    does.
    """
    if mine in {base, theirs}:
        return TextMerge(theirs, ())
    if theirs == base:
        return TextMerge(mine, ())
    texts = _Texts(lines_with_ends(base), lines_with_ends(theirs), lines_with_ends(mine))
    return texts.merged()


class _Texts:
    """The three texts as lines."""

    def __init__(self, base: list[str], theirs: list[str], mine: list[str]) -> None:
        self._base = base
        self._theirs = theirs
        self._mine = mine

    def merged(self) -> TextMerge:
        pieces: list[str] = []
        conflicts: list[TextConflict] = []
        position = 0
        for stretch in _contested(
            line_changes(self._base, self._theirs), line_changes(self._base, self._mine)
        ):
            pieces += self._base[position : stretch.start]
            position = stretch.end
            made = self._made(stretch)
            if isinstance(made, TextConflict):
                conflicts.append(made)
            else:
                pieces += made
        if conflicts:
            return TextMerge(None, tuple(conflicts))
        return TextMerge("".join(pieces + self._base[position:]), ())

    def _made(self, stretch: _ContestedLines) -> list[str] | TextConflict:
        theirs_span, mine_span = stretch.span(stretch.theirs), stretch.span(stretch.mine)
        theirs, mine = self._theirs[theirs_span], self._mine[mine_span]
        if not stretch.mine:
            return theirs
        if not stretch.theirs or theirs == mine:
            return mine
        base = self._base[stretch.start : stretch.end]
        return TextConflict("".join(base), "".join(theirs), "".join(mine), theirs_span.start + 1)


def _contested(theirs: list[LineChange], mine: list[LineChange]) -> Iterator[_ContestedLines]:
    """Yield stretches of changes which overlap or touch in the base; of one side, no two do."""
    stretch: _ContestedLines | None = None
    tagged = [(change, False) for change in theirs] + [(change, True) for change in mine]
    for change, is_mine in sorted(tagged, key=lambda pair: pair[0].before_start):
        if stretch is None or change.before_start > stretch.end:
            if stretch is not None:
                yield stretch
            stretch = _ContestedLines(change.before_start, change.before_end, [], [])
        stretch.end = max(stretch.end, change.before_end)
        (stretch.mine if is_mine else stretch.theirs).append(change)
    if stretch is not None:
        yield stretch
