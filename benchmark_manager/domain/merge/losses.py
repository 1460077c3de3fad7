"""Whether a merge by lines lost what one side changed, or took one side of what both changed.

Lines which come together without a conflict hold every line that a side added. What can still go wrong: an entry that
one side removed is there again because the other side moved it, an entry that both moved or added is there twice, and
a value which both changed is that of one side. Only paths of keys and of names that are certain are followed; nothing
else is a reason to refuse such a merge.
"""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeAlias

from benchmark_manager.domain.documents.nodes import Collection, Node, Slot, Tree
from benchmark_manager.domain.documents.paths import documents, named_documents, named_items
from benchmark_manager.domain.merge.references import is_torn

Four: TypeAlias = tuple[Node, Node, Node, Node]
"""Base, theirs, mine and what came out."""

Parts: TypeAlias = Sequence[Mapping[Hashable, Node]]


def loses_a_change(trees: tuple[Tree, Tree, Tree], outcome: Tree) -> bool:
    """Hold what lines made of three texts, read with the same `Identities`, against what each side changed."""
    base, theirs, mine = trees
    if is_torn(base, theirs, mine):
        return True
    pending: list[Four] = [(base.stream, theirs.stream, mine.stream, outcome.stream)]
    while pending:
        sides = pending.pop()
        expected = _expected(*sides[:3])
        if expected is not None:
            if sides[3].identity != expected:
                return True
            continue
        deeper = _looked_into(sides)
        if deeper is None:
            return True
        pending += deeper
    return False


def _expected(base: Node, theirs: Node, mine: Node) -> int | None:
    """The value that a merge has where not both sides changed it differently."""
    if mine.identity in {base.identity, theirs.identity}:
        return theirs.identity
    return mine.identity if theirs.identity == base.identity else None


def _looked_into(sides: Four) -> list[Four] | None:
    """What is to be compared inside values which both sides changed; None where a change is lost."""
    nodes = [node for node in sides if isinstance(node, Collection)]
    if len(nodes) != len(sides) or len({node.head for node in nodes}) != 1:
        return None if sides[3].identity in {sides[1].identity, sides[2].identity} else []
    if nodes[0].kind == "mapping":
        return _entries([_by_key(node) for node in nodes])
    label = named_items if nodes[0].kind == "sequence" else _named_documents
    labels = label(nodes)
    if labels is None:
        # A name which came to stand twice was given by both sides, or moved by both.
        return None if label(nodes[:3]) is not None or _is_moved(nodes) else []
    if not _are_certain(labels[:3]):
        return None if _is_moved(nodes) else []
    return _entries([{step: slot.value for step, slot in side.items()} for side in labels])


def _by_key(node: Collection) -> dict[Hashable, Node]:
    return {slot.key.identity: slot.value for slot in node.slots if slot.key is not None}


def _named_documents(streams: Sequence[Collection]) -> list[dict[str, Slot]] | None:
    return documents(streams) if all(len(stream.slots) == 1 for stream in streams) else named_documents(streams)


def _are_certain(labels: Sequence[Mapping[str, Slot]]) -> bool:
    """Whether names can be trusted: where some went and others came on one side, items may have been renamed."""
    base = labels[0].keys()
    return not any(base - side.keys() and side.keys() - base for side in labels[1:])


def _is_moved(nodes: Sequence[Collection]) -> bool:
    """Whether an item that one side removed is there because the other moved it, or twice because both did."""
    base, theirs, mine, outcome = (Counter(slot.value.identity for slot in node.slots) for node in nodes)
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
        elif theirs.identity != mine.identity and outcome.identity in {theirs.identity, mine.identity}:
            return None
    return deeper
