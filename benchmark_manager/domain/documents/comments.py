"""The comments of a YAML text, each with the entry that it belongs to.

A comment behind something in its line belongs to the entry which that is a part of. A comment line
belongs to the entry below it; one that is indented deeper than the entry below, or has none below,
belongs to the entry above which it is deeper than, or to the document.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Slot

Position: TypeAlias = Literal["above", "head", "tail", "below", "inside", "end"]
"""Where a comment is.

In order: in lines above an entry, behind its key, behind its value, in deeper lines below it,
before the bracket that ends it, behind all of a document.
"""

_COMMENT: Final = re.compile(r"(?<![^ \t\r\n,\[\]{}])#[^\r\n]*+")
_MARK: Final = re.compile(r"^(?:---|\.\.\.)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Comment:
    """Characters `start` to `end` of a text, from the `#` on, without blanks at the end."""

    start: int
    end: int
    text: str


Owned: TypeAlias = Mapping[tuple[Slot | None, Position], Sequence[Comment]]
"""Comments in their order by entry and position.

None has those on the marks of documents and in empty texts.
"""


@dataclass(frozen=True, slots=True)
class Comments:
    """`owned` are all comments of a tree, `parents` the entries around each entry."""

    owned: Owned
    parents: Mapping[Slot, Slot | None]

    def at(self, slot: Slot | None, position: Position) -> Sequence[Comment]:
        return self.owned.get((slot, position), ())


def comments_of(tree: DocumentTree) -> Comments:
    """Find all comments of a tree; JSON has none."""
    if tree.file_format == "json" or "#" not in tree.text:
        return Comments({}, {})
    finder = _Finder(tree)
    owned: dict[tuple[Slot | None, Position], list[Comment]] = {}
    for comment in _found(tree, finder.leaves):
        owned.setdefault(finder.owner(comment), []).append(comment)
    return Comments(owned, finder.parents)


def _found(tree: DocumentTree, leaves: Sequence[tuple[int, int]]) -> Iterator[Comment]:
    """Return what may be a comment between the values."""
    end = 0
    for start, behind in [*leaves, (len(tree.text), len(tree.text))]:
        for match in _COMMENT.finditer(tree.text, end, max(end, start)):
            text = match[0].rstrip(" \t")
            yield Comment(match.start(), match.start() + len(text), text)
        end = max(end, behind)


class _Finder:
    """All entries of a tree in the order of the text."""

    def __init__(self, tree: DocumentTree) -> None:
        self._tree = tree
        self.leaves: list[tuple[int, int]] = []
        self.parents: dict[Slot, Slot | None] = {}
        self._slots: list[Slot] = []
        self._documents: list[int] = []
        self._marks: dict[int, int] = {}
        self._walk()
        self._starts = [slot.start for slot in self._slots]

    def _walk(self) -> None:
        pending: list[tuple[Slot, Slot | None]] = [
            (slot, None) for slot in reversed(self._tree.stream.slots)
        ]
        while pending:
            slot, parent = pending.pop()
            self.parents[slot] = parent
            self._slots.append(slot)
            self._documents.append(
                (self._documents[-1] if self._documents else -1) + (parent is None)
            )
            if slot.key is not None:
                self.leaves.append((slot.key.start, slot.key.end))
            self.leaves += _spans(self._tree, slot.value)
            if isinstance(slot.value, Collection):
                pending += [(inner, slot) for inner in reversed(slot.value.slots)]

    def owner(self, comment: Comment) -> tuple[Slot | None, Position]:
        line = self._tree.lines.start(comment.start)
        before = self._tree.text[line : comment.start]
        if not before.strip(" \t"):
            return self._of_line(comment)
        if _MARK.match(before):
            return None, "above"
        return self._behind(comment)

    def _behind(self, comment: Comment) -> tuple[Slot | None, Position]:
        number = bisect_left(self._starts, comment.start) - 1
        if number < 0:
            return None, "above"
        slot: Slot = self._slots[number]
        while (
            (parent := self.parents[slot]) is not None
            and not parent.value.is_block
            and parent.end <= comment.start
        ):
            slot = parent
        return slot, "head" if comment.start < slot.value.end else "tail"

    def _of_line(self, comment: Comment) -> tuple[Slot | None, Position]:
        number = bisect_right(self._starts, comment.start)
        above = self._slots[number - 1] if number else None
        below = self._slots[number] if number < len(self._slots) else None
        around = self._brackets(above, comment.start)
        if around is not None:
            is_last = below is None or below.start >= around.end
            return (around, "inside") if is_last else (below, "above")
        if above is None or (below is not None and not self._is_deeper(comment, number)):
            return below, "above"
        return self._at_end(
            above, comment, ends_document=below is None or self.parents[below] is None
        )

    def _brackets(self, slot: Slot | None, index: int) -> Slot | None:
        while slot is not None:
            if (
                not slot.value.is_block
                and isinstance(slot.value, Collection)
                and slot.value.start < index < slot.end
            ):
                return slot
            slot = self.parents[slot]
        return None

    def _is_deeper(self, comment: Comment, number: int) -> bool:
        """Return whether a comment does not belong to the entry below.

        It is indented deeper, or a mark is between.
        """
        below = self._slots[number]
        if self._documents[number] != self._documents[number - 1]:
            return comment.start < self._mark(number)
        return self._tree.lines.column(comment.start) > self._tree.lines.column(below.start)

    def _mark(self, number: int) -> int:
        """Return where the mark before a document is, searched for once."""
        if number not in self._marks:
            found = _MARK.search(
                self._tree.text, self._slots[number - 1].end, self._slots[number].start
            )
            self._marks[number] = -1 if found is None else found.start()
        return self._marks[number]

    def _at_end(
        self, above: Slot, comment: Comment, *, ends_document: bool
    ) -> tuple[Slot, Position]:
        column = self._tree.lines.column(comment.start)
        slot = above
        while (parent := self.parents[slot]) is not None and self._tree.lines.column(
            slot.start
        ) >= column:
            slot = parent
        if parent is None:
            return (slot, "end") if ends_document else (above, "below")
        return slot, "below"


def _spans(tree: DocumentTree, node: Node) -> list[tuple[int, int]]:
    if isinstance(node, Collection):
        return []
    if not node.is_block:
        return [(node.start, node.end)]
    # Behind the mark of a block scalar there may be a comment.
    head = tree.lines.end(node.start)
    comment = _COMMENT.search(tree.text, node.start, head)
    return [(node.start, head if comment is None else comment.start()), (head, node.end)]
