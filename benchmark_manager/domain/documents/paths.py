"""Paths: the names of values' positions, the same on all sides of a comparison.

`spec.template.spec.containers[name=main].image`, `items[2]`, and with several documents in the
stream `Job/bench spec.parallelism` or, where not every document has a kind and a name of its own,
`#2 spec.parallelism`. Where a kind and name is in two namespaces it is `Job/team-a/bench`.
The root of a single document is `.`, a document of several is its prefix.

A key stands bare if it is made of letters, digits and a few signs, else in quotes as in JSON
(`limits."nvidia.com/gpu"`). A string which is written without quotes would be something else, such
as `"1"` or `"no"`, is always quoted, so that no two keys share a path; other keys in odd forms
are in parentheses. Items are counted from 0, documents from 1.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Final, TypeAlias

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Scalar, Slot
from benchmark_manager.domain.documents.scalars import read_plain
from benchmark_manager.domain.text.characters import in_quotes

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
"""What is at one path: a slot for each side, or None where the side has nothing there."""

Labels: TypeAlias = dict[Step, Slot]
"""The parts of a collection by their steps."""

Labelling: TypeAlias = Callable[[DocumentTree, Collection], Labels]
"""How the parts of some collections are labelled, for others of their kind."""

Side: TypeAlias = tuple[DocumentTree, Collection]


def shown(path: Path) -> str:
    """Return the path in one text."""
    steps = "".join(path[1:]).removeprefix(".")
    return " ".join(part for part in ("".join(path[:1]), steps) if part) or ROOT


def children(
    trees: Sequence[DocumentTree], nodes: Sequence[Node | None]
) -> list[tuple[Step, Slots]] | None:
    """Return the parts of collections side by side, in the order of the first side which has them.

    None unless all sides which have something here have collections of one kind, tag and anchor.
    """
    collections = [node for node in nodes if isinstance(node, Collection)]
    if not collections or any(
        node is not None and not isinstance(node, Collection) for node in nodes
    ):
        return None
    if len({node.head for node in collections}) != 1:
        return None
    labels, _ = _labelled(_present(trees, nodes))
    by_side = iter(labels)
    return side_by_side([{} if node is None else next(by_side) for node in nodes])


def children_beside(
    trees: Sequence[DocumentTree],
    nodes: Sequence[Node | None],
    followers: Sequence[DocumentTree],
    following: Sequence[Node | None],
) -> list[tuple[Step, Slots]]:
    """Pair the parts of collections of one kind, and of others that follow their labels.

    The slots are those of all sides, followers last. `nodes` alone decide how parts are labelled,
    unless there are none.
    """
    compared, others = _present(trees, nodes), _present(followers, following)
    labels, label = _labelled(compared or others)
    found = labels + [label(tree, node) for tree, node in others] if compared else labels
    by_side = iter(found)
    return side_by_side([{} if node is None else next(by_side) for node in chain(nodes, following)])


def _present(trees: Sequence[DocumentTree], nodes: Sequence[Node | None]) -> list[Side]:
    return [
        (tree, node)
        for tree, node in zip(trees, nodes, strict=True)
        if isinstance(node, Collection)
    ]


def side_by_side(labels: Sequence[Mapping[Step, Slot]]) -> list[tuple[Step, Slots]]:
    """Labelled parts, each with what the sides have under its label."""
    steps = dict.fromkeys(step for side in labels for step in side)
    return [(step, tuple(side.get(step) for side in labels)) for step in steps]


def _labelled(sides: Sequence[Side]) -> tuple[list[Labels], Labelling]:
    """Label the parts of each side; return also how to label those of others alike."""
    collections = [node for _, node in sides]
    if collections[0].kind == "mapping":
        return [entries(tree, node) for tree, node in sides], entries
    if collections[0].kind == "sequence":
        return _labelled_items(collections)
    return _labelled_documents(collections)


def _labelled_items(lists: Sequence[Collection]) -> tuple[list[Labels], Labelling]:
    if (found := _by_item_key(lists)) is None:
        return [_numbered(node) for node in lists], lambda _, node: _numbered(node)
    key, labels = found
    return labels, lambda _, node: _items_with(node, key)


def _labelled_documents(streams: Sequence[Collection]) -> tuple[list[Labels], Labelling]:
    if all(len(stream.slots) <= 1 for stream in streams):
        labels = [_only_document(stream) for stream in streams]
        found = (document_label(slot) for stream in streams for slot in stream.slots)
        names = frozenset(label for label in found if label)
        return labels, lambda _, node: _only_document(node) or _document_named(node, names)
    if (named := _by_document_name(streams)) is not None:
        with_namespace, labels = named
        return labels, lambda _, node: _named_documents(node, with_namespace=with_namespace)
    return [_numbered_documents(stream) for stream in streams], lambda _, node: _numbered_documents(
        node
    )


def entries(tree: DocumentTree, mapping: Collection) -> Labels:
    """Return a mapping's entries by their steps."""
    return {f".{_key_step(tree, slot.key)}": slot for slot in mapping.slots if slot.key is not None}


def named_items(lists: Sequence[Collection]) -> list[Labels] | None:
    """Return the items of lists by `name`, `id` or `key`; None unless all have a unique one."""
    found = _by_item_key(lists)
    return None if found is None else found[1]


def _by_item_key(lists: Sequence[Collection]) -> tuple[str, list[Labels]] | None:
    for name in ITEM_KEYS:
        found = [_named(node, name) for node in lists]
        if all(
            len(labels) == len(node.slots) for labels, node in zip(found, lists, strict=True)
        ) and any(found):
            return name, found
    return None


def _named(node: Collection, name: str) -> Labels:
    """Return the items by a key's value, up to the first that has none."""
    labels: Labels = {}
    for slot in node.slots:
        value = entry_value(slot.value, name)
        if not isinstance(value, Scalar):
            break
        labels[f"[{name}={scalar_step(value)}]"] = slot
    return labels


def _items_with(node: Collection, name: str) -> Labels:
    """Return the items that have a key, by its value; the first of those with one value."""
    labels: Labels = {}
    for slot in node.slots:
        value = entry_value(slot.value, name)
        if isinstance(value, Scalar):
            labels.setdefault(f"[{name}={scalar_step(value)}]", slot)
    return labels


def documents(streams: Sequence[Collection]) -> list[Labels]:
    """Find the documents of streams by kind and name where all have their own, else by number."""
    return _labelled_documents(streams)[0]


def named_documents(streams: Sequence[Collection]) -> list[Labels] | None:
    """Find the documents of streams by `kind` and `metadata.name`.

    The result is None unless all have them, unique in their stream.

    Where a stream has one kind and name twice, `metadata.namespace` is between them on all
    sides.
    """
    found = _by_document_name(streams)
    return None if found is None else found[1]


def _by_document_name(streams: Sequence[Collection]) -> tuple[bool, list[Labels]] | None:
    for with_namespace in (False, True):
        found = [_named_documents(stream, with_namespace=with_namespace) for stream in streams]
        if all(
            len(labels) == len(stream.slots) for labels, stream in zip(found, streams, strict=True)
        ):
            return with_namespace, found
    return None


def _named_documents(stream: Collection, *, with_namespace: bool) -> Labels:
    labels: Labels = {}
    for slot in stream.slots:
        if label := document_label(slot, with_namespace=with_namespace):
            labels.setdefault(label, slot)
    return labels


def _only_document(stream: Collection) -> Labels:
    return {"": stream.slots[0]} if len(stream.slots) == 1 else {}


def _document_named(stream: Collection, names: frozenset[Step | None]) -> Labels:
    """Return the first document with one of these names, where the others have only one."""
    for slot in stream.slots:
        if document_label(slot) in names:
            return {"": slot}
    return {}


def _numbered_documents(stream: Collection) -> Labels:
    return {f"#{number}": slot for number, slot in enumerate(stream.slots, 1)}


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
    """Return the value under a key which is a string, or None."""
    if not isinstance(node, Collection) or node.kind != "mapping":
        return None
    found = (
        slot.value for slot in node.slots if isinstance(slot.key, Scalar) and slot.key.text == key
    )
    return next(found, None)


def _numbered(node: Collection) -> Labels:
    return {item_step(number): slot for number, slot in enumerate(node.slots)}


def item_step(number: int) -> Step:
    return f"[{number}]"


def _key_step(tree: DocumentTree, key: Node) -> str:
    if not isinstance(key, Scalar) or tree.text.startswith(("&", "!"), key.start):
        return f"({in_quotes(tree.source(key))})"
    return scalar_step(key)


def scalar_step(scalar: Scalar) -> str:
    bare = _BARE.fullmatch(scalar.text) is not None
    if not scalar.is_text:
        return scalar.text if bare else f"({in_quotes(scalar.text)})"
    # Unquoted it has to be the same string, or it would share its path with a number.
    return scalar.text if bare and read_plain(scalar.text).is_text else in_quotes(scalar.text)


def document_step(scalar: Scalar) -> str:
    step = scalar_step(scalar)
    return in_quotes(step) if "/" in step and not step.startswith('"') else step
