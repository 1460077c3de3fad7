"""Whether a merge by lines lost what one side changed, or took one side of what both changed.

Lines which come together without a conflict hold every line that a side added. What can still go
wrong: an entry that one side removed is there again because the other side moved it, an entry that
both moved or added is there twice, and a value which both changed is that of one side. Only paths
of keys and of names that are certain are followed; nothing else is a reason to refuse such a merge.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, TypeAlias

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Slot
from benchmark_manager.domain.documents.paths import documents, named_documents, named_items
from benchmark_manager.domain.merge.references import is_torn

Four: TypeAlias = tuple[Node, Node, Node, Node]
"""Base, theirs, mine and what came out."""

#: Three collections are held against each other: as it was, as one side made it, as it came out.
_BEFORE_AND_AFTER: Final = 3

Parts: TypeAlias = Sequence[Mapping[Hashable, Node]]


def loses_a_change(
    trees: tuple[DocumentTree, DocumentTree, DocumentTree], outcome: DocumentTree
) -> bool:
    """Compare a merge by lines of three texts with what each side changed.

    All are read with the same `Identities`.
    """
    base, theirs, mine = trees
    if is_torn(base, theirs, mine):
        return True
    moved = False
    pending: list[Four] = [(base.stream, theirs.stream, mine.stream, outcome.stream)]
    while pending:
        sides = pending.pop()
        expected = _expected(*sides[:3])
        if expected is not None:
            if sides[3].identity != expected and not _holds_what_came(sides):
                return True
            moved = moved or sides[3].identity != expected
            continue
        deeper = _looked_into(sides)
        if deeper is None:
            return True
        pending += deeper
    return moved and not _adds_up(trees, outcome)


def _holds_what_came(sides: Four) -> bool:
    """Return whether the outcome differs only in added entries from the side that changed.

    Entries which one side moved here by lines have the changes which the other made where they
    were.
    """
    base, theirs, mine, outcome = sides
    pending = [(base, mine if theirs.identity == base.identity else theirs, outcome)]
    while pending:
        nodes = [node for node in pending.pop() if isinstance(node, Collection)]
        labels = (
            _labels(nodes)
            if len(nodes) == _BEFORE_AND_AFTER and len({node.head for node in nodes}) == 1
            else None
        )
        if (
            labels is None
            or not _are_certain([side.keys() for side in labels[:2]])
            or labels[1].keys() != labels[2].keys()
        ):
            return False
        pending += [
            (labels[0][step], changed, labels[2][step])
            for step, changed in labels[1].items()
            if step in labels[0] and changed.identity != labels[2][step].identity
        ]
    return True


def _adds_up(trees: tuple[DocumentTree, DocumentTree, DocumentTree], outcome: DocumentTree) -> bool:
    """Return whether the result has each value as often as both changes give, wherever it is."""
    base, theirs, mine, made = (_values(tree.stream) for tree in (*trees, outcome))
    return all(
        made[value] == theirs[value] + mine[value] - base[value]
        for value in {*base, *theirs, *mine, *made}
    )


def _values(node: Collection) -> Counter[Hashable]:
    """Return how often each value without parts is under each key."""
    found: Counter[Hashable] = Counter()
    pending = [node]
    while pending:
        for slot in pending.pop().slots:
            if isinstance(slot.value, Collection) and slot.value.slots:
                pending.append(slot.value)
            else:
                found[None if slot.key is None else slot.key.identity, slot.value.identity] += 1
    return found


def _labels(nodes: Sequence[Collection]) -> list[dict[Hashable, Node]] | None:
    """Collections' parts by their keys or names; None where they have none."""
    if nodes[0].kind == "mapping":
        return [_by_key(node) for node in nodes]
    found = named_items(nodes) if nodes[0].kind == "sequence" else _named_documents(nodes)
    return (
        None
        if found is None
        else [{step: slot.value for step, slot in side.items()} for side in found]
    )


def _expected(base: Node, theirs: Node, mine: Node) -> int | None:
    """Return the value that a merge has where not both sides changed it differently."""
    if mine.identity in {base.identity, theirs.identity}:
        return theirs.identity
    return mine.identity if theirs.identity == base.identity else None


def _looked_into(sides: Four) -> list[Four] | None:
    """Return what is to be compared inside values which both sides changed.

    The result is None where a change is lost.
    """
    nodes = [node for node in sides if isinstance(node, Collection)]
    if len(nodes) != len(sides) or len({node.head for node in nodes}) != 1:
        return None if sides[3].identity in {sides[1].identity, sides[2].identity} else []
    if nodes[0].kind == "mapping":
        return _entries([_by_key(node) for node in nodes])
    label = named_items if nodes[0].kind == "sequence" else _named_documents
    labels = label(nodes)
    if labels is None:
        # A name which occurs twice now was given by both sides, or moved by both.
        return None if label(nodes[:3]) is not None or _is_moved(nodes) else []
    if not _are_certain([side.keys() for side in labels[:3]]):
        return None if _is_moved(nodes) else []
    return _entries([{step: slot.value for step, slot in side.items()} for side in labels])


def _by_key(node: Collection) -> dict[Hashable, Node]:
    return {slot.key.identity: slot.value for slot in node.slots if slot.key is not None}


def _named_documents(streams: Sequence[Collection]) -> list[dict[str, Slot]] | None:
    return (
        documents(streams)
        if all(len(stream.slots) == 1 for stream in streams)
        else named_documents(streams)
    )


def _are_certain(names: Sequence[AbstractSet[Hashable]]) -> bool:
    """Return whether items can be found by their names.

    Where some went and others came on one side, items may have been renamed.
    """
    base = names[0]
    return not any(base - side and side - base for side in names[1:])


def _is_moved(nodes: Sequence[Collection]) -> bool:
    """Return whether the outcome holds an item that one side removed, or one twice.

    It does where the other side moved the item, or where both did.
    """
    base, theirs, mine, outcome = (
        Counter(slot.value.identity for slot in node.slots) for node in nodes
    )
    return any(
        (theirs[item] + mine[item] == 1 and outcome[item] > 0)
        or (theirs[item] == mine[item] == 1 and outcome[item] > 1)
        for item, count in base.items()
        if count == 1
    )


def _entries(sides: Parts) -> list[Four] | None:
    deeper: list[Four] = []
    for key in dict.fromkeys(key for side in sides for key in side):
        base, theirs, mine, outcome = (side.get(key) for side in sides)
        if outcome is None:
            continue
        if theirs is None or mine is None:
            if base is not None and theirs is not mine:
                return None
        elif base is not None:
            deeper.append((base, theirs, mine, outcome))
        elif theirs.identity != mine.identity and outcome.identity in {
            theirs.identity,
            mine.identity,
        }:
            return None
    return deeper
