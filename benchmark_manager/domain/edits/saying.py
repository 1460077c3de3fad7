"""Whether an edited text says what the text before says with exactly its changes."""

from collections.abc import Mapping, Sequence

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Scalar, Slot
from benchmark_manager.domain.edits.anchors import properties_of
from benchmark_manager.domain.edits.changes import Addition, Replacement, TextChange
from benchmark_manager.domain.edits.json_values import reads_as


def says(base: DocumentTree, outcome: DocumentTree, changes: Sequence[TextChange]) -> bool:
    """Return whether a text is another with changes. Both are read with the same `Identities`."""
    replaced = {one.slot: one.value for one in changes if isinstance(one, Replacement)}
    added = {one.slot: one.value for one in changes if isinstance(one, Addition)}
    root = Slot(base.stream, 0, 0, 0)
    touched = {root, *(slot for change in changes for slot in change.chain)}
    pending: list[tuple[Slot, Node]] = [(root, outcome.stream)]
    while pending:
        slot, node = pending.pop()
        if slot in replaced:
            if not _replaced(base, slot.value, outcome, node, replaced[slot]):
                return False
        elif slot not in touched:
            if slot.value.identity != node.identity:
                return False
        else:
            pairs = _pairs(slot.value, outcome, node, added.get(slot, {}))
            if pairs is None:
                return False
            pending += pairs
    return True


def _replaced(
    base: DocumentTree, before: Node, outcome: DocumentTree, after: Node, value: JsonValue
) -> bool:
    old, new = properties_of(base, before), properties_of(outcome, after)
    return (old.anchor, old.tag) == (new.anchor, new.tag) and reads_as(outcome, after, value)


def _pairs(
    before: Node, outcome: DocumentTree, after: Node, added: Mapping[str, JsonValue]
) -> list[tuple[Slot, Node]] | None:
    """Pair the parts of a collection with those of the outcome; None if they do not pair."""
    if (
        not isinstance(before, Collection)
        or not isinstance(after, Collection)
        or before.head != after.head
        or len(before.slots) + len(added) != len(after.slots)
    ):
        return None
    count = len(before.slots)
    if not all(
        isinstance(slot.key, Scalar)
        and slot.key.is_text
        and slot.key.text == key
        and reads_as(outcome, slot.value, value)
        for slot, (key, value) in zip(after.slots[count:], added.items(), strict=True)
    ):
        return None
    pairs: list[tuple[Slot, Node]] = []
    for old, new in zip(before.slots, after.slots[:count], strict=True):
        if (old.key and old.key.identity) != (new.key and new.key.identity):
            return None
        pairs.append((old, new.value))
    return pairs
