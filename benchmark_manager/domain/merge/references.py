"""Anchors and aliases: whether a change might make an alias mean another value."""

from collections import Counter
from collections.abc import Sequence

from benchmark_manager.domain.documents.nodes import DocumentTree
from benchmark_manager.domain.merge.three_way import Trees


def is_doubtful(trees: Trees) -> bool:
    """Return whether both sides came near one anchor, or one came near a repeated anchor.

    An alias means the last anchor of its name before it, so that a changed order of equal names
    says something else, though every part is the same.
    """
    base, theirs, mine = trees.base, trees.theirs, trees.mine
    if _touched(base, theirs) & _touched(base, mine) & _touched(theirs, mine):
        return True
    ordered = [_of_repeated(tree, repeated((base, theirs, mine))) for tree in (base, theirs, mine)]
    return any(references != ordered[0] for references in ordered)


def is_torn(base: DocumentTree, theirs: DocumentTree, mine: DocumentTree) -> bool:
    """Return whether both sides changed the order of anchors of one name, or of their aliases."""
    names = repeated((base, theirs, mine))
    ordered = [_of_repeated(tree, names) for tree in (base, theirs, mine)]
    return ordered[0] not in ordered[1:] and ordered[1] != ordered[2]


def _touched(before: DocumentTree, after: DocumentTree) -> set[str]:
    """Return the names whose anchors or aliases became more or fewer."""
    old, new = _counted(before), _counted(after)
    return {
        reference[1:] for reference in old.keys() | new.keys() if old[reference] != new[reference]
    }


def _counted(tree: DocumentTree) -> Counter[str]:
    return Counter(reference for document in tree.references for reference in document)


def repeated(trees: Sequence[DocumentTree]) -> set[str]:
    """Return the names of anchors which occur twice in a document; PyYAML refuses to read it."""
    counts = [Counter(document) for tree in trees for document in tree.references]
    return {
        reference[1:]
        for count in counts
        for reference, number in count.items()
        if number > 1 and reference.startswith("&")
    }


def _of_repeated(tree: DocumentTree, names: set[str]) -> list[str]:
    return [
        reference
        for document in tree.references
        for reference in document
        if reference[1:] in names
    ]
