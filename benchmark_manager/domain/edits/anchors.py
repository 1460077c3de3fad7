"""Anchors and tags of values."""

import re
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.documents.nodes import (
    Alias,
    Collection,
    DocumentTree,
    Node,
)

_PROPERTY: Final = re.compile(r"(?:!<[^>]*+>|[&!][^ \t\r\n,\[\]{}]*+)")
#: Under this tag every reader takes a string. `!` alone is one to readers of YAML 1.2 only.
STRING_TAGS: Final = frozenset({"", "!!str", "!<tag:yaml.org,2002:str>"})
_BLANKS: Final = re.compile(r"[ \t\r\n]*+")


@dataclass(frozen=True, slots=True)
class Properties:
    """A value's anchor and tag, "" without; they end at `end`, the value itself is at `body`."""

    anchor: str
    tag: str
    end: int
    body: int


def properties_of(tree: DocumentTree, node: Node) -> Properties:
    """Return what is before a value itself."""
    # The first key of a block begins where the block does, and may have an anchor of its own.
    if tree.file_format == "json" or isinstance(node, Alias) or _is_bare(node):
        return Properties("", "", node.start, node.start)
    anchor = tag = ""
    end = at = node.start
    limit = _first_part(node)
    while (match := _PROPERTY.match(tree.text, at, limit)) is not None:
        if match[0].startswith("&"):
            anchor = match[0][1:]
        else:
            tag = match[0]
        end = match.end()
        blanks = _BLANKS.match(tree.text, end, limit)
        at = end if blanks is None else blanks.end()
    is_block = isinstance(node, Collection) and node.is_block
    return Properties(anchor, tag, end, limit if is_block else at)


def _first_part(node: Node) -> int:
    """Return where the first part of a block begins, else where the value ends."""
    if isinstance(node, Collection) and node.is_block and node.slots:
        return node.slots[0].start
    return node.end


def _is_bare(node: Node) -> bool:
    return isinstance(node, Collection) and node.is_json
