"""Walking several trees at once, to every value without parts."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Slot
from benchmark_manager.domain.documents.paths import Path, children_beside

Nodes: TypeAlias = tuple[Node | None, ...]
"""What each text has at one path, None where it has nothing."""

_Group: TypeAlias = tuple[Nodes, Nodes]
"""Collections of one kind that are walked together, and those that follow them."""


def leaves(
    trees: Sequence[DocumentTree],
    followers: Sequence[DocumentTree] = (),
    *,
    without_equal: bool = False,
) -> Iterator[tuple[Path, Nodes]]:
    """Yield each path at which a text has a value without parts, with what all texts have there.

    `trees` decide how items and documents are addressed. `followers`, whose nodes come last, are
    read by the same paths; their paths of their own follow those of `trees`. `without_equal`
    leaves out what is the same in all texts.

    A collection is one value if it is empty, or if two of `trees` have different anchors or tags
    on it: their paths inside would be equal.
    """
    count = len(trees)
    pending: list[tuple[Path, Nodes]] = [((), tuple(tree.stream for tree in (*trees, *followers)))]
    while pending:
        path, nodes = pending.pop()
        if without_equal and are_equal(nodes):
            continue
        groups, apart = _groups(nodes[:count], nodes[count:])
        values = tuple(node if node in apart or _is_leaf(node) else None for node in nodes)
        if any(node is not None for node in values):
            yield path, values
        for compared, following in reversed(groups):
            parts = children_beside(trees, compared, followers, following)
            pending += [
                ((*path, step), tuple(map(_value, slots))) for step, slots in reversed(parts)
            ]


def _value(slot: Slot | None) -> Node | None:
    return None if slot is None else slot.value


def are_equal(nodes: Nodes) -> bool:
    """Return whether all texts have the same there, or all have nothing."""
    return len({None if node is None else node.identity for node in nodes}) == 1


def _is_leaf(node: Node | None) -> bool:
    return node is not None and (
        not isinstance(node, Collection) or not (node.slots or node.kind == "stream")
    )


def _groups(nodes: Nodes, following: Nodes) -> tuple[list[_Group], frozenset[Node]]:
    """Return the collections that can be walked together, by kind, and those that cannot."""
    kinds: dict[str, list[Collection]] = {}
    for node in (*nodes, *following):
        if isinstance(node, Collection) and node.slots:
            kinds.setdefault(node.kind, []).append(node)
    groups: list[_Group] = []
    apart: set[Node] = set()
    compared = frozenset(nodes)
    for same in kinds.values():
        if len({node.head for node in same if node in compared}) > 1:
            apart.update(same)
        else:
            together = frozenset(same)
            groups.append((_only(nodes, together), _only(following, together)))
    return groups, frozenset(apart)


def _only(nodes: Nodes, among: frozenset[Collection]) -> Nodes:
    return tuple(node if node in among else None for node in nodes)
