"""Paths: the names of values' positions, the same on all sides of a comparison.

`spec.template.spec.containers[name=main].image`, `items[2]`, and with several documents in the
stream `Job/bench spec.parallelism` or, where not every document has a kind and a name of its own,
`#2 spec.parallelism`. Where a kind and name is in two namespaces it is `Job/team-a/bench`.
The root of a single document is `.`, a document of several is its prefix.

A key stands bare if it is made of letters, digits and a few signs, else in quotes as in JSON
(`limits."nvidia.com/gpu"`). A string which is written without quotes would be something else, such
as `"1"` or `"no"`, is always quoted, so that no two keys share a path; other keys in odd forms
stand in parentheses. Items are counted from 0, documents from 1.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Scalar, Slot
from benchmark_manager.domain.documents.scalars import read_plain

ITEM_KEYS: Final = ("name", "id", "key")
"""By which of its keys an item is addressed; the first wins which all items of the list have."""

ROOT: Final = "."

_BARE: Final = re.compile(r"[\w$@*+~/<>:-]+")

Step: TypeAlias = str
"""One part of a path as it is shown.

Two steps are equal exactly when they lead to the same entry.
"""

Path: TypeAlias = tuple[Step, ...]
"""The first step is the document's: empty for a single document."""

Slots: TypeAlias = tuple[Slot | None, ...]
"""What stands at one path: a slot for each side, or None where the side has nothing there."""


def shown(path: Path) -> str:
    """The path in one text."""
    steps = "".join(path[1:]).removeprefix(".")
    return " ".join(part for part in ("".join(path[:1]), steps) if part) or ROOT


def children(
    trees: Sequence[DocumentTree], nodes: Sequence[Node | None]
) -> list[tuple[Step, Slots]] | None:
    """The parts of collections side by side, in the order of the first side which has them.

    None unless all sides which have something here have collections of one kind, tag and anchor.
    """
    collections = [node for node in nodes if isinstance(node, Collection)]
    if not collections or any(
        node is not None and not isinstance(node, Collection) for node in nodes
    ):
        return None
    if len({node.head for node in collections}) != 1:
        return None
    labels = _labels(
        [tree for tree, node in zip(trees, nodes, strict=True) if node is not None], collections
    )
    by_side = iter(labels)
    return side_by_side([{} if node is None else next(by_side) for node in nodes])


def side_by_side(labels: Sequence[Mapping[Step, Slot]]) -> list[tuple[Step, Slots]]:
    """Labelled parts, each with what the sides have under its label."""
    steps = dict.fromkeys(step for side in labels for step in side)
    return [(step, tuple(side.get(step) for side in labels)) for step in steps]


def _labels(
    trees: Sequence[DocumentTree], collections: Sequence[Collection]
) -> list[dict[Step, Slot]]:
    if collections[0].kind == "mapping":
        return [entries(tree, node) for tree, node in zip(trees, collections, strict=True)]
    if collections[0].kind == "sequence":
        return named_items(collections) or [_numbered(node) for node in collections]
    return documents(collections)


def entries(tree: DocumentTree, mapping: Collection) -> dict[Step, Slot]:
    """A mapping's entries by their steps."""
    return {f".{_key_step(tree, slot.key)}": slot for slot in mapping.slots if slot.key is not None}


def named_items(lists: Sequence[Collection]) -> list[dict[Step, Slot]] | None:
    """The items of lists by `name`, `id` or `key`; None unless all have one, unique in its list."""
    for name in ITEM_KEYS:
        found = [_named(node, name) for node in lists]
        if all(
            len(labels) == len(node.slots) for labels, node in zip(found, lists, strict=True)
        ) and any(found):
            return found
    return None


def _named(node: Collection, name: str) -> dict[Step, Slot]:
    labels: dict[Step, Slot] = {}
    for slot in node.slots:
        value = entry_value(slot.value, name)
        if not isinstance(value, Scalar):
            break
        labels[f"[{name}={scalar_step(value)}]"] = slot
    return labels


def documents(streams: Sequence[Collection]) -> list[dict[Step, Slot]]:
    """Find the documents of streams by kind and name where all have their own, else by number."""
    if all(len(stream.slots) <= 1 for stream in streams):
        return [{"": stream.slots[0]} if stream.slots else {} for stream in streams]
    return named_documents(streams) or [
        {f"#{number}": slot for number, slot in enumerate(stream.slots, 1)} for stream in streams
    ]


def named_documents(streams: Sequence[Collection]) -> list[dict[Step, Slot]] | None:
    """Find the documents of streams by `kind` and `metadata.name`.

    The result is None unless all have them, unique in their stream.

    Where a stream has one kind and name twice, `metadata.namespace` stands between them on all
    sides.
    """
    for with_namespace in (False, True):
        found = [
            {
                label: slot
                for slot in stream.slots
                if (label := document_label(slot, with_namespace=with_namespace))
            }
            for stream in streams
        ]
        if all(
            len(labels) == len(stream.slots) for labels, stream in zip(found, streams, strict=True)
        ):
            return found
    return None


def document_label(slot: Slot, *, with_namespace: bool = False) -> Step | None:
    kind = entry_value(slot.value, "kind")
    metadata = entry_value(slot.value, "metadata")
    name, namespace = entry_value(metadata, "name"), entry_value(metadata, "namespace")
    if not isinstance(kind, Scalar) or not isinstance(name, Scalar):
        return None
    between = (
        f"{document_step(namespace)}/" if with_namespace and isinstance(namespace, Scalar) else ""
    )
    return f"{document_step(kind)}/{between}{document_step(name)}"


def entry_value(node: Node | None, key: str) -> Node | None:
    """The value under a key which is a string, or None."""
    if not isinstance(node, Collection) or node.kind != "mapping":
        return None
    found = (
        slot.value for slot in node.slots if isinstance(slot.key, Scalar) and slot.key.text == key
    )
    return next(found, None)


def _numbered(node: Collection) -> dict[Step, Slot]:
    return {item_step(number): slot for number, slot in enumerate(node.slots)}


def item_step(number: int) -> Step:
    return f"[{number}]"


def _key_step(tree: DocumentTree, key: Node) -> str:
    if not isinstance(key, Scalar) or tree.text.startswith(("&", "!"), key.start):
        return f"({json.dumps(tree.source(key), ensure_ascii=False)})"
    return scalar_step(key)


def scalar_step(scalar: Scalar) -> str:
    bare = _BARE.fullmatch(scalar.text) is not None
    if not scalar.is_text:
        return scalar.text if bare else f"({json.dumps(scalar.text, ensure_ascii=False)})"
    # Unquoted it has to be the same string, or it would share its path with a number.
    return (
        scalar.text
        if bare and read_plain(scalar.text).is_text
        else json.dumps(scalar.text, ensure_ascii=False)
    )


def document_step(scalar: Scalar) -> str:
    step = scalar_step(scalar)
    return (
        json.dumps(step, ensure_ascii=False) if "/" in step and not step.startswith('"') else step
    )
