"""Another value instead of one, as edits of the text."""

from collections.abc import Iterator

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Scalar, Slot
from benchmark_manager.domain.documents.splices import Splice
from benchmark_manager.domain.edits.anchors import STRING_TAGS, Properties, properties_of
from benchmark_manager.domain.edits.block_scalars import block_scalar, header_comment
from benchmark_manager.domain.edits.changes import Replacement
from benchmark_manager.domain.edits.errors import EditError
from benchmark_manager.domain.edits.layout import Layout, flow_text, is_block
from benchmark_manager.domain.edits.scalar_text import (
    PlainScalar,
    Quotes,
    json_text,
    quotes_of,
    scalar_text,
)


def scalar_like(tree: DocumentTree, slot: Slot, value: PlainScalar) -> str:
    """Return a scalar in the quotes of the one that it replaces, on one line."""
    node = slot.value
    if tree.file_format == "json":
        return json_text(value, tree)
    body = properties_of(tree, node).body
    quotes = quotes_of(tree.text[body : body + 1]) if isinstance(node, Scalar) else ""
    return scalar_text(value, quotes, in_flow=slot.in_flow)


class Replacing:
    """One replacement in a text of any form."""

    def __init__(self, tree: DocumentTree, layout: Layout, change: Replacement) -> None:
        self._tree = tree
        self._layout = layout
        self._change = change
        self._slot = change.slot
        self._node: Node = change.slot.value
        self._properties: Properties = properties_of(tree, self._node)

    def splices(self) -> Iterator[Splice]:
        """Return the edits.

        Raises:
            EditError: the value has a tag which contradicts the new one, or a form that is not
                edited.
        """
        self._expect_plain()
        value = self._change.value
        if self._slot.in_flow or self._tree.file_format == "json":
            return self._inline(self._in_brackets(value))
        if is_block(value) and not self._stays_in_brackets() and not self._is_behind_anchor():
            return self._lines(value)
        return self._inline(self._in_block(value))

    def _expect_plain(self) -> None:
        is_string = isinstance(self._change.value, str)
        if self._properties.tag and not (is_string and self._properties.tag in STRING_TAGS):
            raise EditError("edit_not_possible", self._change.path, reason="tag")
        if not self._slot.plain:
            raise EditError("edit_not_possible", self._change.path, reason="form")

    def _stays_in_brackets(self) -> bool:
        node = self._node
        return isinstance(node, Collection) and not node.is_block and bool(node.slots)

    def _is_behind_anchor(self) -> bool:
        """Return whether an anchor is before an item, in the line where a block would begin.

        The anchor would become that of the block's first key.
        """
        end, body = self._properties.end, self._properties.body
        lines = self._tree.lines
        return (
            self._slot.key is None
            and end > self._node.start
            and (body >= self._node.end or lines.number(body) == lines.number(end))
        )

    def _in_brackets(self, value: JsonValue) -> str:
        if not isinstance(value, (dict, list)):
            return scalar_like(self._tree, self._slot, value)
        tree, node = self._tree, self._node
        if tree.file_format == "json" and is_block(value) and _has_lines(tree, node):
            return self._layout.json_lines(value, tree.blanks_before(node.start))
        return self._layout.inline(value)

    def _in_block(self, value: JsonValue) -> str:
        """Return a value that begins behind its colon or dash; a block scalar may have lines."""
        if isinstance(value, (dict, list)):
            return flow_text(value) + self._block_comment()
        node = self._node
        if not isinstance(node, Scalar) or not node.is_block:
            return scalar_like(self._tree, self._slot, value)
        block = (
            block_scalar(self._tree, self._slot, node, value) if isinstance(value, str) else None
        )
        if block is not None:
            return block
        quotes: Quotes = '"' if isinstance(value, str) and "\n" in value else ""
        text = scalar_text(value, quotes, in_flow=False)
        return text + header_comment(self._tree, node)

    def _inline(self, text: str) -> Iterator[Splice]:
        body, end = self._properties.body, self._node.end
        if body >= end:
            at = self._head
            yield Splice(at, at, f" {text}" if self._slot.gap > self._slot.start else text)
        elif self._owns_lines() and isinstance(self._node, Collection) and self._node.is_block:
            yield Splice(self._head, self._head, f" {text}")
            yield self._without_lines(body, end)
        else:
            yield Splice(body, end, text)

    def _lines(self, value: JsonValue) -> Iterator[Splice]:
        if self._slot.key is None:
            return self._item_lines(value)
        if self._owns_lines():
            return iter([self._other_lines(value)])
        return self._new_lines(value)

    def _item_lines(self, value: JsonValue) -> Iterator[Splice]:
        tree, end = self._tree, self._node.end
        body = self._properties.body
        is_empty = body >= end
        column = (
            tree.lines.column(self._slot.start) + len("- ") if is_empty else tree.lines.column(body)
        )
        first, *others = self._layout.block_lines(value, column)
        first = first[column:] + self._block_comment()
        rest = "".join(f"{tree.line_end}{line}" for line in others)
        if isinstance(self._node, Collection) and self._node.is_block:
            yield Splice(body, end, first + rest)
            return
        at = self._head if is_empty else body
        yield Splice(at, end, f" {first}" if is_empty else first)
        yield Splice(self._line_end(end), self._line_end(end), rest)

    def _other_lines(self, value: JsonValue) -> Splice:
        """Return lines instead of lines, at the same column where it is deep enough."""
        lines = self._tree.lines
        body, own = self._properties.body, lines.column(self._slot.start)
        column = lines.column(body)
        if column == own and not isinstance(value, list):
            column += self._layout.offset(value) or len("  ")
        text = self._tree.line_end.join(self._layout.block_lines(value, column))
        return Splice(lines.start(body), self._node.end, text)

    def _new_lines(self, value: JsonValue) -> Iterator[Splice]:
        tree, end = self._tree, self._node.end
        column = tree.lines.column(self._slot.start) + self._layout.offset(value)
        lines = self._layout.block_lines(value, column)
        text = "".join(f"{tree.line_end}{line}" for line in lines)
        head = self._head
        if isinstance(self._node, Scalar) and self._node.is_block:
            yield Splice(head, end, self._block_comment() + text)
            return
        yield Splice(head, max(head, end), "")
        at = self._line_end(max(head, end))
        yield Splice(at, at, text)

    @property
    def _head(self) -> int:
        """Where the colon, the dash or the anchor before the value ends."""
        properties = self._properties
        if properties.end > self._node.start:
            return properties.end
        return self._slot.gap if self._slot.gap > self._slot.start else properties.body

    def _owns_lines(self) -> bool:
        """Return whether a value begins in a line below its key."""
        lines, body = self._tree.lines, self._properties.body
        return (
            self._slot.key is not None
            and body < self._node.end
            and lines.number(body) > lines.number(self._head)
        )

    def _without_lines(self, start: int, end: int) -> Splice:
        """Return the removal of a block's lines; a comment behind the last one stays."""
        text, lines = self._tree.text, self._tree.lines
        behind = text[end : lines.end(end)]
        if behind.strip(" \t"):
            return Splice(start, end + len(behind) - len(behind.lstrip(" \t")), "")
        first = lines.start(start)
        if (following := lines.next_line(end)) > lines.end(end):
            return Splice(first, following, "")
        # The text ends here without a line end, and still does.
        return Splice(lines.end(first - 1), len(text), "")

    def _block_comment(self) -> str:
        node = self._node
        if isinstance(node, Scalar) and node.is_block:
            return header_comment(self._tree, node)
        return ""

    def _line_end(self, index: int) -> int:
        return self._tree.lines.end(index)


def _has_lines(tree: DocumentTree, node: Node) -> bool:
    return isinstance(node, Collection) and "\n" in tree.source(node).replace("\r", "\n")
