"""All values of a text that can be set, with their paths and positions."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Slot
from benchmark_manager.domain.documents.paths import Path, children, shown
from benchmark_manager.domain.documents.values import to_json
from benchmark_manager.domain.edits.anchors import STRING_TAGS, properties_of
from benchmark_manager.domain.edits.bindings import Bindings
from benchmark_manager.domain.edits.flags import FlagValue, flags_of
from benchmark_manager.domain.edits.locations import Chain, Location
from benchmark_manager.domain.text.characters import half_pairs_escaped

#: Characters of all paths that are returned: a long key is part of every path below it.
_MOST_PATHS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class SettableValue:
    """A value that can be set: its path, what it is now, and where.

    `line` and `end_line` count from 1, `column` and `end_column` from 0, in characters; the value
    ends before `end_column`. `is_flag` says that the path is that of a command line flag; the
    position is then that of its value alone.
    """

    path: str
    value: JsonValue
    line: int
    column: int
    end_line: int
    end_column: int
    is_flag: bool = False


def locations_of(tree: DocumentTree, most: int = _MOST_PATHS) -> Iterator[Location]:
    """Find every value with its path, collections before their parts and flags behind their lists.

    The search ends when all paths together are longer than `most` characters.
    """
    pending: list[tuple[Path, Chain]] = [
        ((step,), (slot,)) for step, slot in reversed(_parts(tree, tree.stream))
    ]
    while pending and most > 0:
        path, chain = pending.pop()
        text = shown(path)
        most -= len(text)
        yield Location(text, chain)
        node = chain[-1].value
        if not isinstance(node, Collection):
            continue
        for flag in _lone_flags(node):
            most -= len(text) + len(flag.flag)
            yield Location(shown((*path, f"[{flag.flag}]")), (*chain, flag.slot), flag)
        pending += [((*path, step), (*chain, slot)) for step, slot in reversed(_parts(tree, node))]


def _lone_flags(node: Collection) -> Iterator[FlagValue]:
    """Find the flags that occur once in a list, and have a value."""
    if node.kind == "sequence":
        for found in flags_of(node).values():
            if len(found) == 1 and found[0] is not None:
                yield found[0]


def _parts(tree: DocumentTree, node: Collection) -> list[tuple[str, Slot]]:
    parts = children((tree,), (node,)) or []
    return [(step, slots[0]) for step, slots in parts if slots[0] is not None]


def settable_values(tree: DocumentTree, bindings: Bindings) -> Iterator[SettableValue]:
    """Find the values without parts, the empty collections and the flags that can be set."""
    for location in locations_of(tree):
        node = location.slot.value
        if isinstance(node, Collection) and node.slots:
            continue
        if _is_bound(tree, bindings, location):
            continue
        yield _settable(tree, location)


def _is_bound(tree: DocumentTree, bindings: Bindings, location: Location) -> bool:
    """Return whether an alias, a tag or an unusual form keeps a value from being set."""
    return (
        bindings.are_shared(location.chain, replaced=True)
        or bindings.are_restricted(location.chain[:-1])
        or not location.slot.plain
        or properties_of(tree, location.slot.value).tag not in STRING_TAGS
    )


def _settable(tree: DocumentTree, location: Location) -> SettableValue:
    start, end = _span(tree, location)
    lines = tree.lines
    return SettableValue(
        location.path,
        value_of(tree, location.slot, location.flag),
        lines.number(start),
        lines.column(start),
        lines.number(end),
        lines.column(end),
        location.flag is not None,
    )


def _span(tree: DocumentTree, location: Location) -> tuple[int, int]:
    """Return where a value stands; of a flag, the part of its item behind the `=`."""
    node, flag = location.slot.value, location.flag
    start, end = properties_of(tree, node).body, node.end
    if flag is None or not flag.prefix:
        return start, end
    quote = 1 if tree.text.startswith(("'", '"'), start) else 0
    if tree.text.startswith(flag.prefix, start + quote):
        return start + quote + len(flag.prefix), end - quote
    return start, end


def value_of(tree: DocumentTree, slot: Slot, flag: FlagValue | None) -> JsonValue:
    """Return a value as differences report it; of a flag, its text."""
    return to_json(tree, slot.value) if flag is None else half_pairs_escaped(flag.text)
