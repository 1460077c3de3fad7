"""What differs between texts, key by key.

Values are compared by type and value as their readers take them: other quotes, another order of
keys and comments are no change, while `1` and `"1"`, an anchor and a tag are different.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from benchmark_manager.domain.documents.leaves import leaves
from benchmark_manager.domain.documents.limits import PathBudget, affordable, comparable_tree
from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Identities, Node
from benchmark_manager.domain.documents.paths import Path, Slots, children, named_items, shown
from benchmark_manager.domain.documents.values import to_json
from benchmark_manager.models.original import FileFormat


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


def key_changes(before: str, after: str, file_format: FileFormat) -> tuple[KeyChange, ...] | None:
    """Return the differences in the order of `before`.

    The result is None where a side does not parse, is a template, or is too large.

    A value that came or went is one change with all that is in it. A list whose items are addressed
    by name and are in another order is one change; any other list is compared item by item.
    """
    identities = Identities()
    old, new = (comparable_tree(text, file_format, identities) for text in (before, after))
    if old is None or new is None:
        return None
    return affordable(_differences(old, new), PathBudget())


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
    """Return whether named items which both lists have are in another order."""
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
    """Return every value without parts, and every empty collection, by its path, in their order.

    The result is None for a text that does not parse, is a template, or is too large.
    """
    tree = comparable_tree(text, file_format, Identities())
    if tree is None:
        return None
    budget, found = PathBudget(), {}
    for path, (node,) in leaves((tree,)):
        name = shown(path)
        if node is None or not budget.affords(name):
            return None
        found[name] = to_json(tree, node)
    return found
