"""What binds values of a text: aliases that read them too, and tags of the collections around."""

import re
from typing import Final, NamedTuple

from benchmark_manager.domain.documents.nodes import (
    Alias,
    Collection,
    DocumentTree,
    Node,
    Slot,
    is_merge_key,
)
from benchmark_manager.domain.edits.anchors import properties_of
from benchmark_manager.domain.edits.locations import Chain

_STANDARD: Final = ("!!", "!<tag:yaml.org,2002:")
_FREE: Final = frozenset({"!!map", "!!seq", "!<tag:yaml.org,2002:map>", "!<tag:yaml.org,2002:seq>"})
#: May also find the text of a string, which only refuses more than it had to.
_ANCHOR: Final = re.compile(r"&([^ \t\r\n,\[\]{}]++)")


class _Bound(NamedTuple):
    """Whether an alias reads a slot's value, and whether a tag restricts what may be in it."""

    is_shared: bool = False
    is_restricted: bool = False


class Bindings:
    """Finds what binds any number of values in one text."""

    def __init__(self, tree: DocumentTree) -> None:
        self._tree = tree
        self._aliased = {
            slot: frozenset(name[1:] for name in names if name.startswith("*"))
            for slot, names in zip(tree.stream.slots, tree.references, strict=False)
        }
        self._known: dict[Slot, _Bound] = {}
        self._anchored: dict[Slot, dict[str, list[Node]]] = {}

    def are_shared(self, chain: Chain, *, replaced: bool) -> bool:
        """Return whether a change in the last of nested slots changes what an alias reads.

        A change in what `<<` merges counts as well. Where the value itself is replaced, an anchor
        in it goes, and an alias may then mean another one of that name.
        """
        names = self._aliased.get(chain[0], frozenset())
        if self._bound(chain).is_shared or not (names and replaced):
            return self._bound(chain).is_shared
        value = chain[-1].value
        found = _ANCHOR.findall(self._tree.text, value.start, value.end)
        return not names.isdisjoint(found)

    def are_restricted(self, chain: Chain) -> bool:
        """Return whether a tag, such as `!!set`, restricts what may be in the last of slots."""
        return bool(chain) and self._bound(chain).is_restricted

    def read_as(self, chain: Chain) -> Node:
        """Return the value in the last of nested slots; for an alias, the value that it reads."""
        value = chain[-1].value
        if not isinstance(value, Alias):
            return value
        document = chain[0]
        if (anchored := self._anchored.get(document)) is None:
            anchored = self._anchored[document] = self._anchored_in(document)
        before = [node for node in anchored.get(value.name, ()) if node.start < value.start]
        return max(before, key=lambda node: node.start, default=value)

    def _anchored_in(self, document: Slot) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        pending: list[Node] = [document.value]
        while pending:
            node = pending.pop()
            if self._tree.text.startswith(("&", "!"), node.start):
                found.setdefault(properties_of(self._tree, node).anchor, []).append(node)
            if isinstance(node, Collection):
                pending += (slot.value for slot in node.slots)
                pending += (slot.key for slot in node.slots if slot.key is not None)
        return found

    def _bound(self, chain: Chain) -> _Bound:
        number = len(chain)
        while number and chain[number - 1] not in self._known:
            number -= 1
        bound = self._known[chain[number - 1]] if number else _Bound()
        for slot in chain[number:]:
            bound = self._known[slot] = self._inside(bound, chain[0], slot)
        return bound

    def _inside(self, around: _Bound, document: Slot, slot: Slot) -> _Bound:
        properties = properties_of(self._tree, slot.value)
        merges = slot.key is not None and is_merge_key(slot.key)
        names = self._aliased.get(document, frozenset())
        tag = properties.tag
        return _Bound(
            around.is_shared or merges or properties.anchor in names,
            around.is_restricted or (tag.startswith(_STANDARD) and tag not in _FREE),
        )
