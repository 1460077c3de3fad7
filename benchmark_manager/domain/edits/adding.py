"""New entries at the end of a mapping, as edits of the text."""

import re
from collections.abc import Iterator
from typing import Final

from benchmark_manager.domain.documents.entry_lines import behind_lines
from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Slot
from benchmark_manager.domain.documents.splices import Splice
from benchmark_manager.domain.edits.anchors import properties_of
from benchmark_manager.domain.edits.changes import Addition
from benchmark_manager.domain.edits.errors import EditError
from benchmark_manager.domain.edits.layout import Layout, flow_text, is_block, key_text
from benchmark_manager.domain.edits.scalar_text import json_text

_BLANKS: Final = " \t\r\n"
# Behind an entry between brackets, before the next one.
_COMMENT: Final = re.compile(r"[ \t\r\n,]*+#")
_COLON: Final = re.compile(r"[ ]?:[ \t]*+")


def added(tree: DocumentTree, layout: Layout, change: Addition) -> Iterator[Splice]:
    """Return the edits that add entries.

    Raises:
        EditError: the mapping has a form that is not edited.
    """
    mapping = change.slot.value
    if not isinstance(mapping, Collection):
        raise EditError("edit_not_possible", change.path, reason="no_mapping")
    if not mapping.is_block:
        return _in_brackets(tree, layout, mapping, change)
    return _in_block(tree, layout, mapping, change)


def _in_block(
    tree: DocumentTree, layout: Layout, mapping: Collection, change: Addition
) -> Iterator[Splice]:
    # An entry in an unusual form (`? key`) begins before its key.
    first = mapping.start if mapping.is_json else mapping.slots[0].start
    column = tree.lines.column(first)
    lines = [
        line for key, value in change.value.items() for line in layout.entry(key, value, column)
    ]
    text = tree.line_end.join(lines)
    # What is commented out below the last entry, deeper than that, belongs to it.
    at = behind_lines(tree, mapping.slots[-1])
    is_open = at == len(tree.text) and not tree.text.endswith(("\r", "\n"))
    yield Splice(at, at, tree.line_end + text if is_open else text + tree.line_end)


def _in_brackets(
    tree: DocumentTree, layout: Layout, mapping: Collection, change: Addition
) -> Iterator[Splice]:
    slots = mapping.slots
    if not slots:
        entries = _entries(tree, layout, change, ": ", "")
        at = _inside(tree, mapping)
        yield Splice(at, at, ", ".join(entries))
        return
    blanks = _separator(tree, mapping)
    end = slots[-1].end
    if tree.file_format == "yaml" and _COMMENT.match(tree.text, end, mapping.end):
        # The comment of the last entry would move beside the new one.
        raise EditError("edit_not_possible", change.path, reason="form")
    indent = blanks.rpartition("\n")[2] if "\n" in blanks else ""
    entries = _entries(tree, layout, change, _colon(tree, slots[-1]), indent)
    yield Splice(end, end, "".join(f",{blanks}{entry}" for entry in entries))


def _inside(tree: DocumentTree, mapping: Collection) -> int:
    """Return where the first entry of an empty mapping is added.

    The line of its closing bracket may be indented too little for an entry.
    """
    start, last = properties_of(tree, mapping).body + 1, mapping.end - 1
    return start if tree.text[start:last].strip(" ") else last


def _entries(
    tree: DocumentTree, layout: Layout, change: Addition, colon: str, indent: str
) -> list[str]:
    if tree.file_format == "yaml":
        return [
            f"{key_text(key, in_flow=True)}: {flow_text(value)}"
            for key, value in change.value.items()
        ]
    return [
        f"{json_text(key, tree)}{colon}"
        + (
            layout.json_lines(value, indent)
            if indent and is_block(value)
            else json_text(value, tree)
        )
        for key, value in change.value.items()
    ]


def _colon(tree: DocumentTree, slot: Slot) -> str:
    """Return the colon of an entry as it is written, where that is usual."""
    if slot.key is None:
        return ": "
    found = _COLON.fullmatch(tree.text, slot.key.end, slot.value.start)
    return ": " if found is None else found[0]


def _separator(tree: DocumentTree, mapping: Collection) -> str:
    """Return what is between a comma, or the bracket, and the next entry."""
    last = mapping.slots[-1]
    start = last.start - 1
    while start >= 0 and tree.text[start] in _BLANKS:
        start -= 1
    blanks = tree.text[start + 1 : last.start]
    return blanks if blanks or len(mapping.slots) > 1 else " "
