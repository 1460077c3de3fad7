"""Pieces of a text, and what form they have at another position."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from benchmark_manager.domain.documents.entry_lines import behind_lines, first_line, owns_line
from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Slot
from benchmark_manager.domain.documents.values import to_json
from benchmark_manager.domain.merge.edits.plan import Added
from benchmark_manager.domain.text.lines import lines_of

#: Lines are not moved to a deeper column than this: many short lines there would make gigabytes of
#: a megabyte.
_DEEPEST_COLUMN: Final = 1_000


class UnreplayableError(Exception):
    """A change cannot be written into theirs' text with certainty."""


def value_end(tree: DocumentTree, slot: Slot) -> int:
    """Return the end of an entry's value; of a block collection, with the comments of it."""
    if isinstance(slot.value, Collection) and slot.value.is_block:
        behind = behind_lines(tree, slot)
        return tree.lines.end(behind - 1) if behind and tree.text[behind - 1] in "\r\n" else behind
    return slot.end


def block_lines(added: Added, to: DocumentTree, column: int) -> str:
    """Return an entry as lines of a block at a column, the last without its line end."""
    tree, slot = added.tree, added.slot
    if column > _DEEPEST_COLUMN:
        raise UnreplayableError
    if slot.in_flow:
        return _from_flow(added, to, column)
    start = block_start(added)
    lines = lines_of(tree.text[start : behind_lines(tree, slot)].rstrip("\r\n"))
    own = tree.lines.column(slot.start)
    if start == slot.start:
        lines[0] = " " * own + lines[0]
    return to.line_end.join(_all_moved(lines, " " * own, " " * column))


def block_start(added: Added) -> int:
    """Return where the lines begin which come with an entry of a block."""
    tree, slot = added.tree, added.slot
    start = first_line(tree, slot) if owns_line(tree, slot) else slot.start
    return start if added.above is None else min(start, tree.lines.start(added.above))


def _from_flow(added: Added, to: DocumentTree, column: int) -> str:
    text = source_in_flow(added, to, " " * column)
    return f"{' ' * column}{text if added.slot.key is not None else f'- {text}'}"


def source_in_flow(added: Added, to: DocumentTree, indent: str) -> str:
    """Return an entry in the form which it has between brackets.

    Further lines are moved to an indentation.
    """
    tree, slot = added.tree, added.slot
    value = value_in_flow(added, to, indent)
    if slot.key is None:
        return value
    colon = tree.text[slot.key.end : slot.value.start] if slot.in_flow and value else ": "
    return f"{tree.source(slot.key)}{colon if not colon.strip(': ') else ': '}{value}".rstrip(" ")


def value_in_flow(added: Added, to: DocumentTree, indent: str) -> str:
    """Return a value for a position between brackets, where a block cannot stand.

    It becomes JSON, without its comments.
    """
    value = added.slot.value
    if value.is_block:
        return json.dumps(to_json(added.tree, value), ensure_ascii=False)
    return moved(added, value.start, value.end, to, indent)


def moved(added: Added, start: int, end: int, to: DocumentTree, indent: str) -> str:
    """Return a piece of an entry, its lines moved as far as the entry itself is.

    The first line stays as it is.
    """
    lines = lines_of(added.tree.text[start:end])
    own = indentation(added.tree, added.slot)
    return to.line_end.join([lines[0], *_all_moved(lines[1:], own, indent)])


def indentation(tree: DocumentTree, slot: Slot) -> str:
    """Return the least indentation of an entry's further lines.

    It is the entry's column in a block, its line's blanks in brackets.
    """
    if not slot.in_flow:
        return " " * tree.lines.column(slot.start)
    return tree.blanks_before(slot.start)


def _all_moved(lines: Sequence[str], old: str, new: str) -> Iterator[str]:
    if lines and len(new) > _DEEPEST_COLUMN:
        raise UnreplayableError
    return (_moved(line, old, new) for line in lines)


def _moved(line: str, old: str, new: str) -> str:
    if not line.strip(" \t"):
        # A blank line of a block scalar keeps what is deeper than its indentation.
        return new + line[len(old) :] if line.startswith(old) and len(line) > len(old) else ""
    return new + (line.removeprefix(old) if line.startswith(old) else line.lstrip(" \t"))
