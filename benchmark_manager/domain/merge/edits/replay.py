"""Making a plan's changes in theirs' text, by position. Every byte outside them stays."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from benchmark_manager.domain.documents.comments import Comment
from benchmark_manager.domain.documents.entry_lines import behind_lines, first_line, owns_line
from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Scalar, Slot
from benchmark_manager.domain.documents.splices import (
    OverlappingSplicesError,
    Splice,
    spliced,
)
from benchmark_manager.domain.merge.comments.mine import CommentPlan
from benchmark_manager.domain.merge.edits.excerpts import (
    UnreplayableError,
    block_lines,
    indentation,
    moved,
    source_in_flow,
    value_end,
    value_in_flow,
)
from benchmark_manager.domain.merge.edits.plan import Added, Kept, Part, Plan, Removed
from benchmark_manager.domain.merge.edits.replay_documents import replay_documents
from benchmark_manager.domain.text.lines import lines_of

_BLANKS = " \t\r\n"
# Behind an entry between brackets, before the next one.
_FLOW_COMMENT = re.compile(r"[ \t\r\n,]*+#")
# Behind the mark of a block scalar, before which a tag may hold a `#` but no blank with it.
_HEADER_COMMENT = re.compile(r"(?<![ \t])[ \t]++#.*")


Splices: TypeAlias = Iterator[Splice]
Staying: TypeAlias = Mapping[Slot, Sequence[Comment]]
"""Comment lines which stay although the entry beside them goes."""


def replay(plan: Plan, theirs: DocumentTree, comments: CommentPlan) -> str:
    """Return theirs' text with the changes, and with those of its comments.

    Raises:
        UnreplayableError: where a change has no certain position or form; the text may still
            turn out to be wrong, which `verify` finds.
    """
    if plan.root in plan.replaced:
        return plan.replaced[plan.root].tree.text
    splices: list[Splice] = []
    for slot, added in plan.replaced.items():
        splices += _value(theirs, slot, added, comments.heads)
    # The innermost first: where an inner and an outer block end on one line, the inner one's new
    # lines come first.
    for slot, parts in reversed(plan.parts.items()):
        if slot not in plan.replaced and any(not isinstance(part, Kept) for part in parts):
            splices += _collection(theirs, slot, parts, comments.of_theirs.staying)
    try:
        return spliced(theirs.text, [*splices, *comments.splices])
    except OverlappingSplicesError:
        raise UnreplayableError from None


def _value(
    theirs: DocumentTree, slot: Slot, added: Added, heads: Mapping[Slot, tuple[str, ...]]
) -> Splices:
    """Another value for an entry."""
    old, new = slot.value, added.slot.value
    indent = indentation(theirs, slot)
    if old.is_block or (new.is_block and not slot.in_flow):
        yield from _block_value(theirs, slot, added, heads.get(slot))
        return
    text = value_in_flow(added, theirs, indent)
    if old.start < old.end and text:
        yield Splice(old.start, old.end, text)
    else:
        yield Splice(slot.gap, old.end, f" {text}" if text and slot.gap > slot.start else text)


def _block_value(
    theirs: DocumentTree, slot: Slot, added: Added, comments: tuple[str, ...] | None
) -> Splices:
    """Replace a value which has lines of its own, or had them: all from the colon or dash on."""
    source = added.slot
    indent = indentation(theirs, slot)
    text = moved(added, source.gap, value_end(added.tree, source), theirs, indent)
    if slot.gap > slot.start and text and not text.startswith(tuple(_BLANKS)):
        text = f" {text}"
    if _is_block_scalar(slot.value) and _is_block_scalar(source.value):
        if comments is None:
            old = _HEADER_COMMENT.search(lines_of(theirs.text[slot.gap : slot.end])[0])
            comment = "" if old is None else old[0]
        else:
            comment = "".join(f"  {each}" for each in comments)
        text = _with_comment(text, comment, theirs.line_end)
    if slot.value.is_block or not source.value.is_block:
        yield Splice(slot.gap, value_end(theirs, slot), text)
        return
    # A comment behind the old value stays in its line: behind the new one it could become part of
    # it.
    head, separator, tail = text.partition(theirs.line_end)
    yield Splice(slot.gap, slot.end, head)
    yield Splice(theirs.lines.end(slot.end), theirs.lines.end(slot.end), separator + tail)


def _is_block_scalar(node: Node) -> bool:
    return isinstance(node, Scalar) and node.is_block


def _with_comment(text: str, comment: str, line_end: str) -> str:
    """Return a block scalar with another comment behind its mark (`| # why`)."""
    head, separator, lines = text.partition(line_end)
    return _HEADER_COMMENT.sub("", head) + comment + separator + lines


def _collection(
    theirs: DocumentTree, owner: Slot, parts: Sequence[Part], staying: Staying
) -> Splices:
    node = owner.value
    if not isinstance(node, Collection):
        raise UnreplayableError
    if node.kind == "stream":
        return (Splice(*splice) for splice in replay_documents(theirs, parts))
    if not node.is_block:
        return _flow(theirs, node, parts)
    if all(isinstance(part, Removed) for part in parts):
        return _emptied(theirs, owner, node, staying)
    return _block(theirs, parts, staying)


def _emptied(theirs: DocumentTree, owner: Slot, node: Collection, staying: Staying) -> Splices:
    """Replace all entries by brackets, with the comments around these."""
    text = "{}" if node.kind == "mapping" else "[]"
    if owner.gap > owner.start:
        text = f" {text}"
    first, *others = node.slots
    if owner.gap > owner.start and owns_line(theirs, first):
        yield Splice(owner.gap, owner.gap, text)
        others = [first, *others]
    else:
        yield Splice(owner.gap, value_end(theirs, first), text)
    for slot in others:
        yield from _removed(theirs, slot, staying)


def _removed(theirs: DocumentTree, slot: Slot, staying: Staying) -> Splices:
    """Remove the lines of an entry, except for comments around it which stay."""
    at, end = first_line(theirs, slot), behind_lines(theirs, slot)
    for comment in staying.get(slot, ()):
        yield Splice(at, theirs.lines.start(comment.start), "")
        at = theirs.lines.next_line(comment.start)
    yield Splice(at, max(at, end), "")


def _block(theirs: DocumentTree, parts: Sequence[Part], staying: Staying) -> Splices:
    slots = [part.slot for part in parts if not isinstance(part, Added)]
    head: set[Slot] = set()
    if not owns_line(theirs, slots[0]):
        kept = [part.slot for part in parts if isinstance(part, Kept)]
        if not kept:
            yield _other_entries(theirs, slots, [part for part in parts if isinstance(part, Added)])
            return
        head = set(slots[: slots.index(kept[0])])
        if head:
            yield _without_head(theirs, slots, kept[0])
    before: Slot | None = None
    for part in parts:
        if isinstance(part, Added):
            lines = block_lines(part, theirs, theirs.lines.column(slots[0].start))
            yield _new_lines(theirs, slots[0], before, lines)
            continue
        before = part.slot
        if isinstance(part, Removed) and part.slot not in head:
            yield from _removed(theirs, part.slot, staying)


def _without_head(theirs: DocumentTree, slots: Sequence[Slot], kept: Slot) -> Splice:
    """Remove the first entries behind a dash (`- name: x`).

    The next entry moves up to their position.
    """
    last = slots[slots.index(kept) - 1]
    if theirs.text[behind_lines(theirs, last) : kept.start].strip(" "):
        raise UnreplayableError
    return Splice(slots[0].start, kept.start, "")


def _other_entries(theirs: DocumentTree, slots: Sequence[Slot], added: Sequence[Added]) -> Splice:
    """Replace all entries behind a dash."""
    column = theirs.lines.column(slots[0].start)
    lines = theirs.line_end.join(block_lines(part, theirs, column) for part in added)
    end = behind_lines(theirs, slots[-1])
    return Splice(slots[0].start, theirs.lines.end(end - 1), lines.lstrip(" "))


def _new_lines(theirs: DocumentTree, first: Slot, before: Slot | None, text: str) -> Splice:
    line_end = theirs.line_end
    if before is not None:
        at = behind_lines(theirs, before)
        # Without a line end at the end of the file the new lines have none either.
        is_open = at == len(theirs.text) and not theirs.text.endswith(("\r", "\n"))
        return Splice(at, at, line_end + text if is_open else text + line_end)
    if owns_line(theirs, first):
        at = first_line(theirs, first)
        return Splice(at, at, text + line_end)
    column = theirs.lines.column(first.start)
    return Splice(first.start, first.start, f"{text.lstrip(' ')}{line_end}{' ' * column}")


def _flow(theirs: DocumentTree, node: Collection, parts: Sequence[Part]) -> Splices:
    """Yield entries between brackets, with their commas."""
    if any(isinstance(part, Kept) for part in parts):
        yield from _removed_from_flow(theirs, parts)
        yield from _added_to_flow(theirs, node, parts)
        return
    start, end = (
        (node.slots[0].start, node.slots[-1].end) if node.slots else (node.end - 1, node.end - 1)
    )
    indent = indentation(theirs, Slot(node, start, start, start, in_flow=True))
    yield Splice(
        start,
        end,
        ", ".join(
            source_in_flow(part, theirs, indent) for part in parts if isinstance(part, Added)
        ),
    )


def _removed_from_flow(theirs: DocumentTree, parts: Sequence[Part]) -> Splices:
    kept: Slot | None = None
    run: list[Slot] = []
    for part in parts:
        if isinstance(part, Removed):
            run.append(part.slot)
        elif isinstance(part, Kept):
            if run:
                # A comment in the line of what goes belongs to it; one above what stays does not.
                _expect_no_comment(theirs, theirs.lines.end(run[-1].end), part.slot.start)
                yield Splice(run[0].start, part.slot.start, "")
            kept, run = part.slot, []
    if run and kept is not None:
        _expect_no_comment(theirs, kept.end, run[0].start)
        _expect_no_comment(theirs, run[-1].end, theirs.lines.end(run[-1].end))
        yield Splice(kept.end, run[-1].end, "")


def _expect_no_comment(theirs: DocumentTree, start: int, end: int) -> None:
    """Refuse a change between brackets that would move a comment.

    The comment would go along, or move beside another entry.
    """
    if theirs.file_format == "yaml" and _FLOW_COMMENT.match(theirs.text, start, max(start, end)):
        raise UnreplayableError


def _added_to_flow(theirs: DocumentTree, node: Collection, parts: Sequence[Part]) -> Splices:
    first = next(part.slot for part in parts if isinstance(part, Kept))
    blanks = _separator(theirs, node)
    indent = indentation(theirs, first)
    before: Slot | None = None
    for part in parts:
        if isinstance(part, Added):
            text = source_in_flow(part, theirs, indent)
            at = first.start if before is None else before.end
            if before is not None:
                _expect_no_comment(theirs, at, theirs.lines.end(at))
            yield Splice(at, at, f"{text},{blanks}" if before is None else f",{blanks}{text}")
        elif isinstance(part, Kept):
            before = part.slot


def _separator(theirs: DocumentTree, node: Collection) -> str:
    """Return what theirs has between a comma, or the bracket, and the next entry."""
    last = node.slots[-1]
    start = last.start - 1
    while start >= 0 and theirs.text[start] in _BLANKS:
        start -= 1
    blanks = theirs.text[start + 1 : last.start]
    return blanks if blanks or len(node.slots) > 1 else " "
