"""Documents which come or go as a whole, in theirs' text: each with the mark (`---`) before it."""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from benchmark_manager.domain.documents.nodes import DocumentTree, Slot
from benchmark_manager.domain.merge.edits.excerpts import UnreplayableError, value_in_flow
from benchmark_manager.domain.merge.edits.plan import Added, Part, Removed
from benchmark_manager.domain.text.lines import lines_of

_MARK: Final = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)


def replay_documents(theirs: DocumentTree, parts: Sequence[Part]) -> Iterator[tuple[int, int, str]]:
    """Yield what becomes of which characters: start, end, text.

    Raises:
        UnreplayableError: where a document cannot be distinguished from its neighbours by its
            mark, for one which would move before all others, and for one which goes beside
            comments that may not be its own.
    """
    extents = _extents(theirs)
    trees = {part.tree for part in parts if isinstance(part, Added) and not part.slot.in_flow}
    sources = {slot: extent for tree in trees for slot, extent in _extents(tree).items()}
    added: list[str] = []
    at: int | None = None
    for part in parts:
        if isinstance(part, Added):
            added.append(_document(part, sources.get(part.slot), theirs))
            continue
        start, end = extents[part.slot]
        if added:
            yield _position(at), _position(at), "".join(added)
        added, at = [], end
        if isinstance(part, Removed):
            _expect_own_comments(theirs, part.slot, start, end)
            yield start, end, ""
    if added:
        yield _position(at), _position(at), _opened(theirs) + "".join(added)


def _position(at: int | None) -> int:
    if at is None:
        raise UnreplayableError
    return at


def _expect_own_comments(theirs: DocumentTree, slot: Slot, start: int, end: int) -> None:
    """Refuse comments above the first document, or above the next one's mark.

    They may not be about this document.
    """
    above = "" if theirs.text.startswith("---", start) else theirs.text[start : slot.start]
    below = theirs.text[theirs.lines.next_line(slot.end) : end] if end < len(theirs.text) else ""
    if "#" in above + below:
        raise UnreplayableError


def _opened(theirs: DocumentTree) -> str:
    return "" if theirs.text.endswith(("\n", "\r")) else theirs.line_end


def _document(added: Added, extent: tuple[int, int] | None, theirs: DocumentTree) -> str:
    """Return a document as it is in its tree at `extent`; None: a person gave its value."""
    text = value_in_flow(added, theirs, "") if extent is None else added.tree.text[slice(*extent)]
    lines = lines_of(text.rstrip("\r\n"))
    if not _MARK.match(lines[0]):
        lines.insert(0, "---")
    line_end = theirs.line_end
    return line_end.join(lines) + line_end


def _extents(tree: DocumentTree) -> dict[Slot, tuple[int, int]]:
    """Return where each document begins, with its mark, and where the next one does."""
    slots = tree.stream.slots
    starts: list[int] = []
    floor = 0
    for slot in slots:
        marks = [mark.start() for mark in _MARK.finditer(tree.text, floor, max(floor, slot.start))]
        if len(marks) != 1 and (marks or floor):
            raise UnreplayableError
        starts.append(marks[0] if marks else 0)
        floor = slot.value.end
    return dict(zip(slots, zip(starts, [*starts[1:], len(tree.text)], strict=True), strict=True))
