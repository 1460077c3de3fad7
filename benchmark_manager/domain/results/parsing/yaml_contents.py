"""The values of YAML documents, in which aliases of single values are followed."""

import re
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import (
    MERGE_KEY,
    Alias,
    Collection,
    DocumentTree,
    Node,
    Scalar,
    is_merge_key,
)
from benchmark_manager.domain.documents.scalars import read_plain
from benchmark_manager.domain.results.parsing.collector import Collector

_NUMBER: Final = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
#: Where a node begins that has an anchor, behind its tag if it has one.
_ANCHOR: Final = re.compile(r"(?:!\S*\s+)?&([^\s,\[\]{}]+)")


def yaml_values(tree: DocumentTree, most: int, found: Collector) -> list[JsonValue]:
    """Return the values of the first `most` documents.

    An alias of a list or an object, and a merge key, is left out, which `found` gets to know:
    followed, a few lines of them could stand for any number of values.
    """
    return [_DocumentReader(tree, found).value(slot.value) for slot in tree.stream.slots[:most]]


class _DocumentReader:
    """Reads one document, from its beginning to its end: an anchor may be defined again."""

    def __init__(self, tree: DocumentTree, found: Collector) -> None:
        self._tree = tree
        self._found = found
        self._anchored: dict[str, Scalar] = {}

    def value(self, node: Node, called: str = "") -> JsonValue:
        """Return the value of a node, which is under the key `called`."""
        # Recursive: `validate` admits no more than 200 levels.
        if isinstance(node, Alias):
            scalar = self._anchored.get(node.name)
            if scalar is None:
                self._found.report("alias_not_read", called or f"*{node.name}")
                return None
            return self._scalar_value(scalar)
        self._note_anchor(node)
        if isinstance(node, Scalar):
            return self._scalar_value(node)
        if node.kind == "mapping":
            return self._members(node)
        return [self.value(slot.value, called) for slot in node.slots]

    def _members(self, node: Collection) -> dict[str, JsonValue]:
        members: dict[str, JsonValue] = {}
        for slot in node.slots:
            name = self._name(slot.key)
            if is_merge_key(slot.key):
                self._found.report("alias_not_read", MERGE_KEY)
                continue
            value = self.value(slot.value, name or "")
            if name is None:
                self._found.report("other_format", self._tree.text[slot.start : slot.gap])
                continue
            if name in members:
                self._found.report("duplicate_key", name)
            members[name] = value
        return members

    def _name(self, key: Node | None) -> str | None:
        """Return the text of a key; None for a list or an object."""
        if isinstance(key, Alias):
            key = self._anchored.get(key.name)
        elif key is not None:
            self._note_anchor(key)
        return key.text if isinstance(key, Scalar) else None

    def _note_anchor(self, node: Node) -> None:
        anchor = _ANCHOR.match(self._tree.text, node.start)
        if anchor is None:
            return
        if isinstance(node, Scalar):
            self._anchored[anchor[1]] = node
        else:
            self._anchored.pop(anchor[1], None)

    def _scalar_value(self, node: Scalar) -> JsonValue:
        if node.style == "plain" and _NUMBER.fullmatch(node.text):
            return float(node.text)
        if _ANCHOR.match(self._tree.text, node.start) is None:
            return node.value
        # What the tree has as the value is the source, with the anchor.
        return node.text if node.is_text else read_plain(node.text).value
