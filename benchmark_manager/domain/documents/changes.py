"""What differs between texts, key by key.

Values are compared by type and value as their readers take them: other quotes, another order of
keys and comments are no change, while `1` and `"1"`, an anchor and a tag are different.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import (
    Collection,
    DocumentTree,
    Identities,
    Node,
    Scalar,
    Slot,
)
from benchmark_manager.domain.documents.parse import most_values, try_parse
from benchmark_manager.domain.documents.paths import Path, Slots, children, named_items, shown
from benchmark_manager.domain.documents.scalar_edits import ScalarEdit, ScalarEdits
from benchmark_manager.domain.documents.values import to_json
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.models.original import FileFormat

#: Texts which may have more values than this are not compared by key: their trees would take
#: seconds to read and hundreds of megabytes. Real files reach 2,200.
_MOST_VALUES: Final = 40_000
#: Characters of all paths of one answer: a key of half a megabyte is part of the path of everything
#: below it.
_MOST_PATHS: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class KeyChange:
    """One difference between two texts.

    `before` is None for what was added, `after` for what was removed; null is None as well.

    Values are JSON's, or the source text where JSON has none; doubtful scalars as PyYAML takes
    them.
    """

    path: str
    kind: Literal["changed", "added", "removed"]
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A path, and what each text has there: one-tuples of a JSON value, None where it has nothing.

    `differs` says for each text whether it has something else there than the first has.
    """

    path: str
    values: tuple[tuple[JsonValue] | None, ...]
    differs: tuple[bool, ...]


def key_changes(before: str, after: str, file_format: FileFormat) -> tuple[KeyChange, ...] | None:
    """Return the differences in the order of `before`.

    The result is None where a side does not parse, is a template, or is too large.

    A value that came or went is one change with all that is in it. A list whose items are addressed
    by name and stand in another order is one change; any other list is compared item by item.
    """
    identities = Identities()
    old, new = (_tree(text, file_format, identities) for text in (before, after))
    if old is None or new is None:
        return None
    return _affordable(_differences(old, new), _ValueBudget())


@dataclass(slots=True)
class _ValueBudget:
    """Characters that paths may still have."""

    left: int = _MOST_PATHS


_Shown = TypeVar("_Shown", "KeyChange", "ValueRow")


def _affordable(found: Iterable[_Shown], budget: _ValueBudget) -> tuple[_Shown, ...] | None:
    """All of them, or None where their paths are too long together."""
    kept: list[_Shown] = []
    for one in found:
        budget.left -= len(one.path)
        if budget.left < 0:
            return None
        kept.append(one)
    return tuple(kept)


def _tree(text: str, file_format: FileFormat, identities: Identities) -> DocumentTree | None:
    return None if most_values(text) > _MOST_VALUES else try_parse(text, file_format, identities)


def _differences(old: DocumentTree, new: DocumentTree) -> Iterator[KeyChange]:
    pending: list[tuple[Path, Node | None, Node | None]] = [((), old.stream, new.stream)]
    while pending:
        path, before, after = pending.pop()
        if before is not None and after is not None:
            if before.identity == after.identity:
                continue
            parts = None if _is_reordered(before, after) else children((old, new), (before, after))
            if parts is not None:
                pending += [((*path, step), *_values(slots)) for step, slots in reversed(parts)]
                continue
        yield _change(path, (old, before), (new, after))


def _values(slots: Slots) -> tuple[Node | None, Node | None]:
    before, after = (None if slot is None else slot.value for slot in slots)
    return before, after


def _change(
    path: Path, old: tuple[DocumentTree, Node | None], new: tuple[DocumentTree, Node | None]
) -> KeyChange:
    before, after = (None if node is None else to_json(tree, node) for tree, node in (old, new))
    kind: Literal["changed", "added", "removed"] = "changed"
    if old[1] is None or new[1] is None:
        kind = "added" if old[1] is None else "removed"
    return KeyChange(shown(path), kind, before, after)


def _is_reordered(before: Node, after: Node) -> bool:
    """Whether named items which both lists have stand in another order."""
    if not isinstance(before, Collection) or not isinstance(after, Collection):
        return False
    if before.kind != "sequence" or after.kind != "sequence":
        return False
    labels = named_items((before, after))
    if labels is None:
        return False
    return [step for step in labels[0] if step in labels[1]] != [
        step for step in labels[1] if step in labels[0]
    ]


def values_at(text: str, file_format: FileFormat) -> Mapping[str, JsonValue] | None:
    """Return every value without parts, and every empty collection, by its path.

    The result is None for a text without a tree.
    """
    rows = value_rows([text], file_format)
    if rows is None:
        return None
    return {row.path: row.values[0][0] for row in rows if row.values[0] is not None}


def value_rows(texts: Sequence[str], file_format: FileFormat) -> tuple[ValueRow, ...] | None:
    """Return the values of several texts side by side, each row under one path.

    None where one of them does not parse, is a template, or is too large.
    """
    identities = Identities()
    trees = [tree for text in texts if (tree := _tree(text, file_format, identities)) is not None]
    if len(trees) != len(texts):
        return None
    return _affordable(_rows(trees), _ValueBudget())


def rows_beside(
    original: str, texts: Sequence[str], file_format: FileFormat
) -> list[tuple[ValueRow, ...] | None]:
    """For each text the rows in which it differs from the original, each compared with that alone.

    None for a text without a tree, and for all of them where the original has none.
    """
    identities = Identities()
    first = _tree(original, file_format, identities)
    if first is None:
        return [None] * len(texts)
    quick = _scalar_edits(first, identities) if file_format == "yaml" else None
    budget = _ValueBudget()

    def rows(text: str) -> tuple[ValueRow, ...] | None:
        edits = quick.of(text.removeprefix(BYTE_ORDER_MARK)) if quick is not None else None
        if edits is not None:
            return _affordable((_edited(first, edit) for edit in edits), budget)
        tree = _tree(text, file_format, identities)
        return None if tree is None else _affordable(_differing([first, tree]), budget)

    return [rows(text) for text in texts]


def _scalar_edits(tree: DocumentTree, identities: Identities) -> ScalarEdits:
    leaves = ((path, nodes[0]) for path, nodes in _leaves([tree]))
    return ScalarEdits(
        tree, [(path, node) for path, node in leaves if isinstance(node, Scalar)], identities
    )


def _edited(tree: DocumentTree, edit: ScalarEdit) -> ValueRow:
    return ValueRow(
        shown(edit.path), ((to_json(tree, edit.node),), (edit.reading.value,)), (False, True)
    )


def _differing(trees: Sequence[DocumentTree]) -> Iterator[ValueRow]:
    return (row for row in _rows(trees, _are_alike) if any(row.differs))


def _are_alike(nodes: Sequence[Node | None]) -> bool:
    """Return whether two texts hold the same.

    Most of a variant is as the original has it.
    """
    return len({None if node is None else node.identity for node in nodes}) == 1


def _rows(
    trees: Sequence[DocumentTree],
    left_out: Callable[[Sequence[Node | None]], bool] = lambda _nodes: False,
) -> Iterator[ValueRow]:
    return (_row(path, trees, leaves) for path, leaves in _leaves(trees, left_out))


def _leaves(
    trees: Sequence[DocumentTree],
    left_out: Callable[[Sequence[Node | None]], bool] = lambda _nodes: False,
) -> Iterator[tuple[Path, tuple[Node | None, ...]]]:
    pending: list[tuple[Path, tuple[Node | None, ...]]] = [
        ((), tuple(tree.stream for tree in trees))
    ]
    while pending:
        path, nodes = pending.pop()
        if left_out(nodes):
            continue
        groups, apart = _groups(nodes)
        leaves = tuple(node if node in apart or _is_leaf(node) else None for node in nodes)
        if any(node is not None for node in leaves):
            yield path, leaves
        for group in reversed(groups):
            parts = children(trees, group) or []
            pending += [
                ((*path, step), tuple(_value(slot) for slot in slots))
                for step, slots in reversed(parts)
            ]


def _value(slot: Slot | None) -> Node | None:
    return None if slot is None else slot.value


def _is_leaf(node: Node | None) -> bool:
    return node is not None and (
        not isinstance(node, Collection) or not (node.slots or node.kind == "stream")
    )


def _groups(nodes: Sequence[Node | None]) -> tuple[list[tuple[Node | None, ...]], frozenset[Node]]:
    """Return the sides whose collections can be walked together, by kind, and the others.

    Collections of one kind with different tags or anchors have equal paths inside, so that each of
    them is one value.
    """
    kinds: dict[str, list[Collection]] = {}
    for node in nodes:
        if isinstance(node, Collection) and node.slots:
            kinds.setdefault(node.kind, []).append(node)
    groups: list[tuple[Node | None, ...]] = []
    apart: set[Node] = set()
    for same in kinds.values():
        together = frozenset(same) if len({node.head for node in same}) == 1 else frozenset()
        apart.update(() if together else same)
        groups += [tuple(node if node in together else None for node in nodes)] if together else []
    return groups, frozenset(apart)


def _row(path: Path, trees: Sequence[DocumentTree], nodes: Sequence[Node | None]) -> ValueRow:
    values = tuple(
        None if node is None else (to_json(tree, node),)
        for tree, node in zip(trees, nodes, strict=True)
    )
    identities = [None if node is None else node.identity for node in nodes]
    return ValueRow(
        shown(path), values, tuple(identity != identities[0] for identity in identities)
    )
