"""Collections as text, in the layout that a text has already."""

from collections.abc import Iterator
from functools import cached_property
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Slot
from benchmark_manager.domain.edits.scalar_text import json_text, scalar_text

_USUAL_STEP: Final = 2
_WIDEST_STEP: Final = 8


class Layout:
    """How a text indents what it nests, found once."""

    def __init__(self, tree: DocumentTree) -> None:
        self._tree = tree

    def inline(self, value: JsonValue) -> str:
        """Return a value on one line, for a position between brackets."""
        if self._tree.file_format == "json":
            return json_text(value, self._tree)
        return flow_text(value)

    def json_lines(self, value: JsonValue, indent: str) -> str:
        """Return a value of JSON with a line for each part; further lines begin with `indent`."""
        text = json_text(value, self._tree, self._unit)
        return text.replace("\n", f"{self._tree.line_end}{indent}")

    def block_lines(self, value: JsonValue, column: int) -> list[str]:
        """Return the lines of a collection with parts as a block at a column."""
        blanks = " " * column
        if isinstance(value, dict):
            return [line for key, part in value.items() for line in self.entry(key, part, column)]
        parts = value if isinstance(value, list) else []
        return [
            line for part in parts for line in self._after(f"{blanks}- ", part, column + len("- "))
        ]

    def entry(self, key: str, value: JsonValue, column: int) -> list[str]:
        """Return the lines of an entry of a block mapping."""
        head = f"{' ' * column}{key_text(key, in_flow=False)}:"
        if not is_block(value):
            return [f"{head} {flow_or_scalar(value)}"]
        return [head, *self.block_lines(value, column + self.offset(value))]

    def _after(self, head: str, value: JsonValue, column: int) -> list[str]:
        if not is_block(value):
            return [head + flow_or_scalar(value)]
        first, *others = self.block_lines(value, column)
        return [head + first[column:], *others]

    def offset(self, value: JsonValue) -> int:
        """Return how much deeper than its key a collection stands."""
        return self._list_offset if isinstance(value, list) else self._step

    @cached_property
    def _step(self) -> int:
        return self._found("mapping", _USUAL_STEP)

    @cached_property
    def _list_offset(self) -> int:
        return self._found("sequence", self._step)

    def _found(self, kind: str, usual: int) -> int:
        lines = self._tree.lines
        for slot in _slots(self._tree.stream):
            value = slot.value
            # The mark of an unusual form (`? key`) is before the key, at another column.
            if not isinstance(value, Collection) or slot.key is None or not slot.plain:
                continue
            if not value.slots:
                continue
            first = value.slots[0].start
            if (
                value.kind == kind
                and value.is_block
                and lines.number(first) > lines.number(slot.start)
            ):
                return max(0, min(lines.column(first) - lines.column(slot.start), _WIDEST_STEP))
        return usual

    @cached_property
    def _unit(self) -> str:
        """What one level of JSON is indented by."""
        for slot in _slots(self._tree.stream):
            if isinstance(slot.value, Collection) and slot.value.slots:
                outer = self._tree.blanks_before(slot.start)
                inner = self._tree.blanks_before(slot.value.slots[0].start)
                if inner.startswith(outer) and inner != outer:
                    return inner.removeprefix(outer)
        return " " * _USUAL_STEP


def is_block(value: JsonValue) -> bool:
    """Return whether a value has lines of its own in a block: a collection with parts."""
    return isinstance(value, (dict, list)) and bool(value)


def flow_or_scalar(value: JsonValue) -> str:
    """Return a scalar or an empty collection for a position in a block."""
    if isinstance(value, (dict, list)):
        return flow_text(value)
    return scalar_text(value, "", in_flow=False)


def flow_text(value: JsonValue) -> str:
    """Return a value of YAML as it is between brackets, on one line."""
    # Recursive: values nested too deep are refused before.
    if isinstance(value, dict):
        entries = (f"{key_text(key, in_flow=True)}: {flow_text(one)}" for key, one in value.items())
        return f"{{{', '.join(entries)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow_text, value))}]"
    return scalar_text(value, "", in_flow=True)


def key_text(key: str, *, in_flow: bool) -> str:
    """Return a key that is a string."""
    return scalar_text(key, "", in_flow=in_flow)


def _slots(top: Collection) -> Iterator[Slot]:
    pending: list[Node] = [top]
    while pending:
        node = pending.pop()
        if isinstance(node, Collection):
            yield from node.slots
            pending += [slot.value for slot in reversed(node.slots)]
