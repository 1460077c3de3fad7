"""Nodes as JSON values."""

from operator import attrgetter
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import Alias, Collection, DocumentTree, Node, Scalar
from benchmark_manager.domain.text.characters import holds_half_pair

_VALUE: Final = attrgetter("value")


def to_json(tree: DocumentTree, node: Node) -> JsonValue:
    """Return the node's value; its source text if it is, or holds, what JSON has no form for.

    Such are aliases, anchors, tags, merged keys (`<<`), keys which become equal as strings, and
    keys with half of a surrogate pair. A number which is too large and a date are strings of their
    own source; a string with such a half is one of its JSON.
    """
    try:
        return _plain(node)
    except _NoJsonError:
        return tree.source(node)


def value_of(tree: DocumentTree, node: Node | None) -> tuple[JsonValue] | None:
    """Return the node's value as a one-tuple, None where there is no node."""
    return None if node is None else (to_json(tree, node),)


class _NoJsonError(Exception):
    """The node is, or holds, what JSON has no form for."""


def _plain(node: Node) -> JsonValue:
    # Recursive: `validate` admits no more than 200 levels.
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Alias) or not node.is_json or node.merge_key() is not None:
        raise _NoJsonError
    return _mapping(node) if node.kind == "mapping" else _sequence(node)


def _mapping(node: Collection) -> JsonValue:
    values: dict[str, JsonValue] = {}
    for slot in node.slots:
        if not isinstance(slot.key, Scalar) or slot.key.text in values:
            raise _NoJsonError
        if holds_half_pair(slot.key.text):
            raise _NoJsonError
        values[slot.key.text] = _plain(slot.value)
    return values


def _sequence(node: Collection) -> JsonValue:
    # `map`, because a comprehension would cost a second frame for each level.
    return list(map(_plain, map(_VALUE, node.slots)))
