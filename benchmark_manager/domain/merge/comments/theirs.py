"""Theirs' comments around what I removed or replaced.

Which are removed, and how many of each a result must have.

A comment above an entry that I removed goes only where I removed it too; so does one below, unless
theirs added it. What is inside an entry, or behind it in its line, goes with it.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from benchmark_manager.domain.documents.comments import Comment, Comments
from benchmark_manager.domain.documents.entry_lines import behind_lines, first_line, owns_line
from benchmark_manager.domain.documents.nodes import DocumentTree, Scalar, Slot
from benchmark_manager.domain.merge.edits.excerpts import block_start, value_end
from benchmark_manager.domain.merge.edits.plan import Added, Difference, Plan, Removed

_Span = tuple[int, int]


@dataclass(slots=True)
class TheirComments:
    """What becomes of theirs' comments around my changes."""

    staying: dict[Slot, list[Comment]] = field(default_factory=dict)
    """Comment lines which stay, by the entry beside them that goes."""
    required: Counter[str] = field(default_factory=Counter)
    """How often each comment has to be in the result, at least."""


@dataclass(frozen=True, slots=True)
class _Text:
    """A tree's comments in their order, and the characters which go or come with my changes."""

    tree: DocumentTree
    comments: Sequence[Comment]
    starts: Sequence[int]
    spans: list[_Span] = field(default_factory=list)

    @classmethod
    def of(cls, tree: DocumentTree, comments: Comments) -> "_Text":
        found = sorted(
            chain.from_iterable(comments.owned.values()), key=lambda comment: comment.start
        )
        return cls(tree, found, [comment.start for comment in found])

    def between(self, start: int, end: int) -> Sequence[Comment]:
        return self.comments[bisect_left(self.starts, start) : bisect_left(self.starts, end)]

    def outside(self) -> Counter[str]:
        inside = _inside(self, self.spans)
        return _counted(comment for comment in self.comments if comment.start not in inside)


def _counted(comments: Iterable[Comment]) -> Counter[str]:
    return Counter(comment.text for comment in comments)


def _inside(text: _Text, spans: Iterable[_Span]) -> set[int]:
    found: set[int] = set()
    end = 0
    for span in sorted(spans):
        found.update(comment.start for comment in text.between(max(end, span[0]), span[1]))
        end = max(end, span[1])
    return found


def their_comments(
    texts: tuple[
        tuple[DocumentTree, Comments], tuple[DocumentTree, Comments], tuple[DocumentTree, Comments]
    ],
    plan: Plan,
    dropped: Mapping[str, int],
) -> TheirComments:
    """Decide about theirs' comments.

    `dropped` are those which the plan for my comments takes out of theirs.
    """
    made = TheirComments()
    if plan.root in plan.replaced:
        return made
    base, theirs, mine = (_Text.of(tree, comments) for tree, comments in texts)
    if not theirs.comments:
        return made
    come: list[_Span] = []
    removed = _spans(plan, (base, theirs, mine), come)
    in_base, in_mine = base.outside(), mine.outside()
    gone = in_base - in_mine
    # I left these alone where all around them went.
    left = (
        (in_mine - in_base)
        & (_counted(theirs.comments) - theirs.outside())
        & _counted(base.comments)
    )
    for difference in removed:
        _decide(difference, base, theirs, gone, made)
    added = _inside(mine, come)
    required = theirs.outside() + _counted(chain.from_iterable(made.staying.values()))
    excused = gone | Counter(dropped)
    made.required = (
        left + (required - excused) + _counted(c for c in mine.comments if c.start in added)
    )
    return made


def _spans(plan: Plan, texts: tuple[_Text, _Text, _Text], come: list[_Span]) -> list[Difference]:
    """Note what goes and comes in each text; return what I removed in the order of theirs."""
    base, theirs, mine = texts
    parts = [part for some in plan.parts.values() for part in some]
    gone = {part.slot for part in parts if isinstance(part, Removed)}
    added = {part.slot: part for part in parts if isinstance(part, Added)}
    removed: list[Difference] = []
    for difference in plan.edits:
        _, now, new = difference.sides
        if now in gone:
            removed.append(difference)
            _go(difference, (base, theirs))
        elif now is not None and now in plan.replaced:
            if _replace(texts, difference) and plan.replaced[now].slot is new:
                come.append(mine.spans[-1])
        elif new in added:
            part = added[new]
            mine.spans.append((block_start(part), behind_lines(mine.tree, part.slot)))
            come.append(mine.spans[-1])
            _go(difference, (base,))
    return sorted(removed, key=lambda each: each.sides[1].start if each.sides[1] is not None else 0)


def _go(difference: Difference, texts: Sequence[_Text]) -> None:
    for text, slot in zip(texts, difference.sides, strict=False):
        if slot is not None:
            text.spans.append(_lines(text.tree, slot, is_document=len(difference.path) == 1))


def _replace(texts: Sequence[_Text], difference: Difference) -> bool:
    """Note a value that replaces another.

    The result is False for two block scalars, whose comments are merged on their own.
    """
    values = [
        (text, slot) for text, slot in zip(texts, difference.sides, strict=True) if slot is not None
    ]
    if all(isinstance(slot.value, Scalar) and slot.value.is_block for _, slot in values):
        return False
    for text, slot in values:
        text.spans.append((slot.gap, value_end(text.tree, slot)))
    return True


def _lines(tree: DocumentTree, slot: Slot, *, is_document: bool) -> _Span:
    """Return an entry with what is behind it in its last line.

    A document reaches from its mark to the next one.
    """
    if is_document:
        mark, following = (
            tree.text.rfind("\n---", slot.floor, slot.start),
            tree.text.find("\n---", slot.end),
        )
        return (slot.start if mark < 0 else mark, len(tree.text) if following < 0 else following)
    return slot.start, tree.lines.end(slot.end)


def _around(tree: DocumentTree, slot: Slot) -> tuple[_Span, _Span]:
    """Return the comment lines above and below an entry which are removed with it."""
    below = tree.lines.next_line(slot.end)
    return (first_line(tree, slot), slot.start), (below, max(below, behind_lines(tree, slot)))


def _decide(
    difference: Difference, base: _Text, theirs: _Text, gone: Counter[str], made: TheirComments
) -> None:
    """Divide the comments around a removed entry into those which stay and those which go."""
    before, slot, _ = difference.sides
    if (
        slot is None
        or slot.in_flow
        or len(difference.path) == 1
        or not owns_line(theirs.tree, slot)
    ):
        return
    above, below = _around(theirs.tree, slot)
    old = (
        set()
        if before is None
        else {comment.text for comment in base.between(*_around(base.tree, before)[1])}
    )
    theirs.spans.extend((above, below))
    for comment in (*theirs.between(*above), *theirs.between(*below)):
        if gone[comment.text] > 0:
            gone[comment.text] -= 1
        elif comment.start < slot.start or comment.text in old:
            made.staying.setdefault(slot, []).append(comment)
