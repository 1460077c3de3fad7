"""Values that may be set, and what nodes of a text are to their readers."""

import math
from collections.abc import Iterator
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Scalar
from benchmark_manager.domain.documents.parse import MOST_VALUES
from benchmark_manager.domain.documents.scalars import read_plain
from benchmark_manager.domain.documents.values import to_json
from benchmark_manager.domain.edits.anchors import STRING_TAGS, properties_of
from benchmark_manager.domain.yaml.scalars import difference, may_be_number_or_time

#: Levels of a value: far below what readers refuse, also in the depths of a text.
_DEEPEST: Final = 100
#: Python and readers convert longer numbers in quadratic time, or refuse them.
_LARGEST: Final = 10**1000


def is_writable(value: JsonValue) -> bool:
    """Return whether a value has a form in YAML and JSON which all readers take alike."""
    pending: list[tuple[JsonValue, int]] = [(value, 0)]
    count = 0
    while pending:
        one, depth = pending.pop()
        count += 1
        if count > MOST_VALUES or depth > _DEEPEST or not _is_writable(one):
            return False
        pending += [(part, depth + 1) for part in _parts(one)]
    return True


def _is_writable(value: JsonValue) -> bool:
    match value:
        case bool() | None:
            return True
        case int():
            return -_LARGEST < value < _LARGEST
        case float():
            return math.isfinite(value)
        case str():
            return _is_encodable(value)
        case dict():
            return all(map(_is_encodable, value))
        case _:
            return True


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _parts(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def same(one: JsonValue, other: JsonValue) -> bool:
    """Return whether two values are equal in type and value; 1, 1.0 and true differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    # `repr` distinguishes the two zeros.
    return type(one) is type(other) and repr(one) == repr(other)


def reads_as(tree: DocumentTree, node: Node, value: JsonValue) -> bool:
    """Return whether a node is a value to all readers of YAML 1.1 and 1.2, whatever its anchor."""
    if isinstance(node, Scalar):
        return _scalar_reads_as(tree, node, value)
    if not isinstance(node, Collection) or properties_of(tree, node).tag:
        return False
    if node.kind == "mapping":
        return isinstance(value, dict) and _mapping_reads_as(tree, node, value)
    return (
        isinstance(value, list)
        and len(value) == len(node.slots)
        and all(
            reads_as(tree, slot.value, item) for slot, item in zip(node.slots, value, strict=True)
        )
    )


def json_of(tree: DocumentTree, node: Node) -> tuple[JsonValue] | None:
    """Return what a node is in JSON, as a one-tuple; None where JSON has no such value.

    A scalar that readers take differently, such as `on`, is what PyYAML takes it for.
    """
    if not isinstance(node, Scalar):
        value = to_json(tree, node)
        return (value,) if reads_as(tree, node, value) else None
    if properties_of(tree, node).tag not in STRING_TAGS:
        return None
    if node.is_text:
        return (node.text,)
    value = node.value if tree.file_format == "json" else read_plain(node.text).value
    return None if isinstance(value, str) else (value,)


def _mapping_reads_as(tree: DocumentTree, node: Collection, value: dict[str, JsonValue]) -> bool:
    keys = [_key(slot.key) for slot in node.slots]
    return (
        len(keys) == len(value)
        and set(keys) == value.keys()
        and all(
            key is not None and reads_as(tree, slot.value, value[key])
            for key, slot in zip(keys, node.slots, strict=True)
        )
    )


def _key(key: Node | None) -> str | None:
    return key.text if isinstance(key, Scalar) and key.is_text else None


def _scalar_reads_as(tree: DocumentTree, node: Scalar, value: JsonValue) -> bool:
    if isinstance(value, (dict, list)):
        return False
    tag = properties_of(tree, node).tag
    if node.is_text or tag:
        is_unsure = node.style == "plain" and not tag and may_be_number_or_time(node.text)
        return node.is_text and tag in STRING_TAGS and node.text == value and not is_unsure
    # A time, or a number beyond all limits, has no value here, and is shown as it is written.
    if isinstance(value, str):
        return False
    if tree.file_format == "json":
        return same(node.value, value)
    if difference(node.text) is not None:
        return False
    return same(read_plain(node.text).value, value)
