"""Whether a merged text says what the plan says, and nothing else."""

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Scalar, Slot
from benchmark_manager.domain.merge.edits.plan import Plan, Removed


def says(outcome: DocumentTree, plan: Plan) -> bool:
    """Return whether the tree of an outcome is theirs with the plan's changes.

    Both are read with the same `Identities`.

    Where the plan has a conflict, any string is right: the caller admits only those of long texts.
    """
    free = {difference.sides[1] for difference in plan.conflicts}
    pending: list[tuple[Slot, Node]] = [(plan.root, outcome.stream)]
    while pending:
        slot, node = pending.pop()
        if slot in free:
            if not (isinstance(node, Scalar) and node.is_text):
                return False
        elif slot in plan.parts and slot not in plan.replaced:
            pairs = _pairs(slot, node, plan)
            if pairs is None:
                return False
            pending += pairs
        elif node.identity != _expected(slot, plan):
            return False
    return True


def _expected(slot: Slot, plan: Plan) -> int:
    added = plan.replaced.get(slot)
    return (slot if added is None else added.slot).value.identity


def _pairs(owner: Slot, node: Node, plan: Plan) -> list[tuple[Slot, Node]] | None:
    """Pair what the plan leaves in a collection with what the outcome has there.

    The result is None if they do not pair.
    """
    if (
        not isinstance(owner.value, Collection)
        or not isinstance(node, Collection)
        or node.head != owner.value.head
    ):
        return None
    expected = [part.slot for part in plan.parts[owner] if not isinstance(part, Removed)]
    if len(expected) != len(node.slots):
        return None
    if node.kind != "mapping":
        return [(slot, other.value) for slot, other in zip(expected, node.slots, strict=True)]
    found = node.by_key()
    keys = [None if slot.key is None else found.get(slot.key.identity) for slot in expected]
    return (
        None
        if None in keys
        else [(slot, o.value) for slot, o in zip(expected, keys, strict=True) if o is not None]
    )
