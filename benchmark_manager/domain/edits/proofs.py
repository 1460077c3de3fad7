"""Prove that edits of one text give exactly its changes, once for all edits of one form.

Reading a large text again for each of a thousand combinations of values would take minutes. Two
rules spare it. A scalar on one line ends where it did, whatever it says, if it is in quotes or what
follows ends a plain one: what is around it is read the same, so it is enough to read it alone. And
where a change is proven for one set of scalars, it is for others instead of them.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import (
    Collection,
    DocumentTree,
    Identities,
    Node,
    Scalar,
    Slot,
)
from benchmark_manager.domain.documents.parse import MOST_VALUES, most_values, try_parse
from benchmark_manager.domain.documents.splices import OverlappingSplicesError, Splice, spliced
from benchmark_manager.domain.documents.yaml_tree import compose
from benchmark_manager.domain.edits.anchors import properties_of
from benchmark_manager.domain.edits.changes import Addition, Replacement, TextChange
from benchmark_manager.domain.edits.json_values import reads_as
from benchmark_manager.domain.edits.replacing import scalar_like
from benchmark_manager.domain.edits.saying import says
from benchmark_manager.domain.edits.scalar_text import (
    PlainScalar,
    is_plain,
    json_text,
    scalar_text,
)
from benchmark_manager.domain.text.lines import is_one_line
from benchmark_manager.models.original import FileFormat

#: Blanks below the line of a value.
_BLANK_LINES: Final = re.compile(r"[ \t]*+[\r\n][ \t\r\n]*+")

Write: TypeAlias = Callable[[TextChange], Sequence[Splice]]
"""Returns the edits that make a change."""

_FormKey: TypeAlias = tuple[tuple[type[TextChange], Slot, str], ...]

#: What stands for scalars in the proof of a change's form: for texts which stand without quotes
#: everywhere, in a block only, and nowhere, and for all that is no text.
_ANY_PLAIN: Final = "x"
_ANY_PLAIN_IN_BLOCK: Final = "x, y"
_ANY_QUOTED: Final = "null"
_ANY_NUMBER: Final = 0
#: What is remembered of one text: forms of changes, and short scalars.
_MOST_REMEMBERED: Final = 10_000
_LONGEST_REMEMBERED: Final = 1_000


class Proofs:
    """Proves edits of one text that was read with `identities`."""

    def __init__(self, tree: DocumentTree, identities: Identities, write: Write) -> None:
        self._tree = tree
        self._identities = identities
        self._write = write
        self._forms: dict[_FormKey, list[tuple[int, int]] | None] = {}
        self._tabs: dict[Slot, bool] = {}
        self._alone: dict[tuple[str, bool], _Alone | None] = {}

    def local(self, change: TextChange) -> Splice | None:
        """Return the edit of a scalar on one line by another, if it needs no proof but its own."""
        node, value = change.slot.value, change.value
        if isinstance(change, Addition) or not isinstance(node, Scalar) or _has_parts(value):
            return None
        if self._tree.file_format == "yaml" and not self._is_simple(change, node):
            return None
        text = scalar_like(self._tree, change.slot, _scalar(value))
        if not self._ends(change.slot, text) or self._has_tab_below(change.slot):
            return None
        if not self._says(text, value, in_flow=change.slot.in_flow):
            return None
        return Splice(node.start, node.end, text)

    def _is_simple(self, change: Replacement, node: Scalar) -> bool:
        slot = change.slot
        return (
            slot.plain
            and (slot.in_flow or len(change.chain) > 1)
            and node.style in {"plain", "quoted"}
            and node.start < node.end
            and properties_of(self._tree, node).body == node.start
            and is_one_line(self._tree.source(node))
        )

    def _ends(self, slot: Slot, text: str) -> bool:
        """Return whether a plain scalar ends where the one in quotes did that it replaces."""
        tree, end = self._tree, slot.value.end
        if tree.file_format == "json" or text.startswith(("'", '"')):
            return True
        behind = tree.text[end : end + 1]
        return behind in "\r\n \t" or (slot.in_flow and behind in ",]}")

    def _has_tab_below(self, slot: Slot) -> bool:
        """Return whether blank lines with tabs follow, which only some scalars may be before."""
        if (found := self._tabs.get(slot)) is None:
            blanks = _BLANK_LINES.match(self._tree.text, slot.value.end)
            found = self._tabs[slot] = blanks is not None and "\t" in blanks[0]
        return found

    def hold(self, changes: Sequence[TextChange], splices: Sequence[Splice]) -> bool:
        """Return whether edits make exactly the changes."""
        if not all(self._may_vary(change) for change in changes):
            return self._text_says(changes, splices)
        forms = [_form(change) for change in changes]
        key = tuple((type(form), form.slot, json.dumps(form.value)) for form in forms)
        if key not in self._forms:
            if len(self._forms) >= _MOST_REMEMBERED:
                self._forms.clear()
            self._forms[key] = self._proven_form(forms)
        spans = [(splice.start, splice.end) for splice in splices]
        return self._forms[key] == spans and all(map(self._scalars_say, changes))

    def _may_vary(self, change: TextChange) -> bool:
        """Return whether a change has one form for all scalars; lines of block scalars differ."""
        node = change.slot.value
        is_block_scalar = isinstance(node, Scalar) and node.is_block
        return not (is_block_scalar and isinstance(change.value, str))

    def _proven_form(self, forms: Sequence[TextChange]) -> list[tuple[int, int]] | None:
        splices = [splice for form in forms for splice in self._write(form)]
        if not self._text_says(forms, splices):
            return None
        return [(splice.start, splice.end) for splice in splices]

    def _text_says(self, changes: Sequence[TextChange], splices: Sequence[Splice]) -> bool:
        try:
            text = spliced(self._tree.text, splices)
        except OverlappingSplicesError:
            return False
        if most_values(text) > MOST_VALUES:
            return False
        outcome = try_parse(text, self._tree.file_format, self._identities)
        return outcome is not None and says(self._tree, outcome, changes)

    def _scalars_say(self, change: TextChange) -> bool:
        if isinstance(change, Replacement) and not _has_parts(change.value):
            text = scalar_like(self._tree, change.slot, _scalar(change.value))
            return self._says(text, change.value, in_flow=change.slot.in_flow)
        return all(
            self._says(self._written(value, in_flow=in_flow), value, in_flow=in_flow)
            for value in _scalars(change.value)
            for in_flow in (False, True)
        )

    def _written(self, value: PlainScalar, *, in_flow: bool) -> str:
        if self._tree.file_format == "json":
            return json_text(value, self._tree)
        return scalar_text(value, "", in_flow=in_flow)

    def _says(self, text: str, value: JsonValue, *, in_flow: bool) -> bool:
        """Return whether a scalar alone, in a block or between brackets, is read as a value."""
        key = (text, in_flow)
        if (alone := self._alone.get(key)) is None:
            alone = _read_alone(text, self._tree.file_format, in_flow=in_flow)
            if len(text) <= _LONGEST_REMEMBERED and len(self._alone) < _MOST_REMEMBERED:
                self._alone[key] = alone
        return alone is not None and reads_as(*alone, value)


_Alone: TypeAlias = tuple[DocumentTree, Node]


def _read_alone(text: str, file_format: FileFormat, *, in_flow: bool) -> _Alone | None:
    """Read a scalar as the first of two items; None if it does not end where it should."""
    if file_format == "json":
        tree = try_parse(f"[{text}, 1]", "json")
    else:
        tree = compose(f"[{text}, 1]" if in_flow else f"- {text}\n- 1\n", Identities())
    if tree is None or len(tree.stream.slots) != 1:
        return None
    items = tree.stream.slots[0].value
    if not isinstance(items, Collection) or len(items.slots) != len((text, 1)):
        return None
    return tree, items.slots[0].value


def _has_parts(value: JsonValue) -> bool:
    return isinstance(value, (dict, list))


def _scalar(value: JsonValue) -> PlainScalar:
    return None if isinstance(value, (dict, list)) else value


def _scalars(value: JsonValue) -> Iterator[PlainScalar]:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, list):
            pending += one
        else:
            yield one


def _form(change: TextChange) -> TextChange:
    if isinstance(change, Addition):
        entries = {key: _form_of(value) for key, value in change.value.items()}
        return Addition(change.path, change.chain, entries)
    return Replacement(change.path, change.chain, _form_of(change.value))


def _form_of(value: JsonValue) -> JsonValue:
    # Recursive: values nested too deep are refused before.
    if isinstance(value, dict):
        return {key: _form_of(one) for key, one in value.items()}
    if isinstance(value, list):
        return list(map(_form_of, value))
    if not isinstance(value, str):
        return _ANY_NUMBER
    if is_plain(value, in_flow=True):
        return _ANY_PLAIN
    return _ANY_PLAIN_IN_BLOCK if is_plain(value, in_flow=False) else _ANY_QUOTED
