"""A value that one side changed, in the quotes which the other side put around the old one."""

import json

from benchmark_manager.domain.documents.nodes import (
    Collection,
    DocumentTree,
    Identities,
    Node,
    Scalar,
    Slot,
)
from benchmark_manager.domain.documents.quoting import double_quoted, single_quoted
from benchmark_manager.domain.documents.scalars import read_text
from benchmark_manager.domain.merge.edits.plan import Added


def requoted(
    trees: tuple[DocumentTree, DocumentTree, DocumentTree],
    slots: tuple[Slot, Slot, Slot],
    identities: Identities,
) -> Added | None:
    """Write the new value in the new quotes.

    The result is None unless one side changed the text only and the other the quotes only.

    `4` that became `"4"` in theirs and `8` in mine is `"8"`. Null has no form in quotes.
    """
    values = [slot.value for slot in slots]
    scalars = [value for value in values if isinstance(value, Scalar)]
    if len(scalars) != len(values) or any(map(_is_marked, trees, values)):
        return None
    base, theirs, mine = scalars
    if _is_quoted(base, theirs) and _has_form(mine):
        return _written(mine.text, _source(trees[1], theirs), trees[1], identities)
    if _is_quoted(base, mine) and _has_form(theirs):
        return _written(theirs.text, _source(trees[2], mine), trees[1], identities)
    return None


def _is_marked(tree: DocumentTree, node: Node) -> bool:
    return tree.text.startswith(("&", "!"), node.start)


def _is_quoted(base: Scalar, other: Scalar) -> bool:
    """Return whether a side put quotes around the value.

    A block that says the same counts where it makes a string of it.
    """
    if base.style != "plain" or base.text != other.text or not other.is_text:
        return False
    return other.style == "quoted" or (other.is_block and not base.is_text)


def _has_form(new: Scalar) -> bool:
    return not new.is_block and bool(new.text) and new.value is not None


def _source(tree: DocumentTree, node: Scalar) -> str:
    return tree.text[node.start : node.start + 1]


def _written(text: str, quote: str, theirs: DocumentTree, identities: Identities) -> Added:
    if theirs.file_format == "json":
        source = json.dumps(text, ensure_ascii=False)
    elif quote == "'" and text.isprintable():
        source = single_quoted(text)
    else:
        source = double_quoted(text)
    identity = identities.number("scalar", read_text(text).identity, None)
    scalar = Scalar(0, len(source), identity, "quoted", text, text, is_text=True)
    slot = Slot(scalar, 0, 0, 0, in_flow=True)
    stream = Collection("stream", 0, len(source), identity, identity, "flow", (slot,))
    return Added(DocumentTree(source, theirs.file_format, stream), slot)
