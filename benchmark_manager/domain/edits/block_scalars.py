"""Strings as block scalars (`|`, `>`), where a text has one already."""

import re
from typing import Final

from benchmark_manager.domain.documents.nodes import DocumentTree, Scalar, Slot
from benchmark_manager.domain.edits.anchors import properties_of
from benchmark_manager.domain.text.lines import lines_of

_COMMENT: Final = re.compile(r"(?<![ \t])[ \t]++#.*")
#: Line ends between two lines: a reader of a folded text drops one of them. It drops none of those
#: before the first line.
_INNER_ENDS: Final = re.compile(r"(?<=[^\n])\n+(?=[^\n])")
_BLANKS: Final = re.compile(r"[ \t\r\n]*+")
_DEEPER: Final = 2


def header_comment(tree: DocumentTree, node: Scalar) -> str:
    """Return the comment behind a block scalar's mark, with the blanks before it."""
    body = properties_of(tree, node).body
    found = _COMMENT.search(tree.text, body, tree.lines.end(body))
    return "" if found is None else found[0].rstrip(" \t")


def block_scalar(tree: DocumentTree, slot: Slot, node: Scalar, text: str) -> str | None:
    """Return a string in the block style of the scalar that it replaces.

    None for a string that a block cannot hold with certainty.
    """
    content = text.rstrip("\n")
    if not content or not _fits(tree, node, text):
        return None
    body = properties_of(tree, node).body
    style = tree.text[body]
    if style == ">" and not _is_foldable(content):
        style = "|"
    ends = text[len(content) :]
    mark = style + ("-" if not ends else "" if ends == "\n" else "+")
    if style == ">":
        content = _INNER_ENDS.sub(lambda match: f"{match[0]}\n", content)
    indent = _indent(tree, slot, node)
    if not _ends_alone(tree, node, text, len(indent)):
        return None
    lines = (content + ends[1:]).split("\n")
    written = [f"{indent}{line}" if line else "" for line in lines]
    return tree.line_end.join([mark + header_comment(tree, node), *written])


def _fits(tree: DocumentTree, node: Scalar, text: str) -> bool:
    lines = text.split("\n")
    # At the end of a text without a line end, a block has none either.
    is_open = node.end == len(tree.text)
    first = next(line for line in lines if line)
    return (
        all(line.replace("\t", "").isprintable() for line in lines)
        and not first.startswith((" ", "\t"))
        and not (is_open and text.endswith("\n"))
    )


def _ends_alone(tree: DocumentTree, node: Scalar, text: str, indent: int) -> bool:
    """Return whether blank lines below a block stay outside of it."""
    start = tree.lines.next_line(node.end)
    blanks = _BLANKS.match(tree.text, start)
    below = "" if blanks is None else blanks[0]
    if start + len(below) < len(tree.text):
        below = below[: max(below.rfind("\n"), below.rfind("\r")) + 1]
    is_kept = bool(below) and text.endswith("\n\n")
    return not is_kept and all(len(line) <= indent for line in below.splitlines())


def _is_foldable(content: str) -> bool:
    return not any(line.startswith((" ", "\t")) for line in content.split("\n"))


def _indent(tree: DocumentTree, slot: Slot, node: Scalar) -> str:
    """Return what the lines of a block are indented by, also where its mark says how much."""
    first = _first_written(lines_of(tree.source(node))[1:])
    said = _first_written(node.text.split("\n"))
    if first is None or said is None:
        return " " * (tree.lines.column(slot.start) + _DEEPER)
    return " " * (_blanks_before(first) - _blanks_before(said))


def _first_written(lines: list[str]) -> str | None:
    return next((line for line in lines if line.strip(" ")), None)


def _blanks_before(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
