"""Find the location in a text that a path names."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node, Scalar, Slot
from benchmark_manager.domain.documents.paths import (
    ITEM_KEYS,
    Step,
    children,
    document_label,
    entry_value,
)
from benchmark_manager.domain.documents.scalars import read_plain
from benchmark_manager.domain.edits.closest import closest_path
from benchmark_manager.domain.edits.errors import EditError, EditErrorCode
from benchmark_manager.domain.edits.flags import FlagValue, flags_of
from benchmark_manager.domain.edits.path_text import (
    OPTIONAL,
    FlagStep,
    IndexStep,
    KeyStep,
    NamedStep,
    PathStep,
    PathSyntaxError,
    document_of,
    steps_of,
)

Chain: TypeAlias = tuple[Slot, ...]
"""Slots, each inside the one before; the first is a document."""


@dataclass(frozen=True, slots=True, eq=False)
class Location:
    """What a path names: the last slot of `chain`, or the value of a flag in it.

    With `missing`, the keys of entries that are not there, the outermost first: the last slot's
    value is the mapping that they are added to.
    """

    path: str
    chain: Chain
    flag: FlagValue | None = None
    missing: tuple[str, ...] = ()

    @property
    def slot(self) -> Slot:
        return self.chain[-1]


class _MissingStepError(Exception):
    """Nothing is there under a step."""

    def __init__(self, reason: str = "not_addable", code: EditErrorCode = "path_not_found") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code: EditErrorCode = code


class Locations:
    """Finds any number of locations in one text."""

    def __init__(self, tree: DocumentTree, paths: Callable[[], Sequence[str]]) -> None:
        """Prepare to search; `paths` returns what may be suggested instead of a missing path."""
        self._tree = tree
        self._paths = paths
        self._labels: dict[Node, dict[Step, Slot]] = {}
        self._texts: dict[Node, dict[str, list[Slot]]] = {}
        self._items: dict[tuple[Node, str], dict[str, list[Slot]]] = {}
        self._flags: dict[Node, dict[str, list[FlagValue | None]]] = {}
        self._selectors: dict[str, list[Slot]] | None = None
        self._found: dict[str, Location] = {}

    def find(self, path: str) -> Location:
        """Return the location of a path.

        Raises:
            EditError: `path_not_found`, `path_ambiguous`, or `edit_not_possible` where a missing
                key cannot be added.
        """
        if (location := self._found.get(path)) is None:
            location = self._found[path] = self._find(path)
        return location

    def _find(self, path: str) -> Location:
        optional = path.endswith(OPTIONAL)
        if path in {"", OPTIONAL}:
            raise EditError("path_not_found", path, reason="syntax")
        try:
            document, rest = self._document(path.removesuffix(OPTIONAL))
            return self._walked(path, document, steps_of(rest), optional=optional)
        except PathSyntaxError:
            raise EditError("path_not_found", path, self._closest(path), "syntax") from None
        except _MissingStepError as error:
            closest = self._closest(path) if error.code == "path_not_found" else None
            raise EditError(error.code, path, closest, error.reason) from None

    def _closest(self, path: str) -> str | None:
        return closest_path(path.removesuffix(OPTIONAL), self._paths())

    def _walked(
        self, path: str, document: Slot, steps: Sequence[PathStep], *, optional: bool
    ) -> Location:
        chain = [document]
        for number, step in enumerate(steps):
            node = chain[-1].value
            if isinstance(step, FlagStep):
                if number + 1 < len(steps):
                    raise _MissingStepError("syntax")
                flag = self._flag(node, step.flag)
                return Location(path, (*chain, flag.slot), flag)
            slot = self._child(node, step)
            if slot is None:
                if not optional:
                    raise _MissingStepError(_why_missing(node, steps[number:]))
                return Location(path, tuple(chain), missing=self._missing(node, steps[number:]))
            chain.append(slot)
        return Location(path, tuple(chain))

    def _missing(self, node: Node, steps: Sequence[PathStep]) -> tuple[str, ...]:
        keys = [step for step in steps if isinstance(step, KeyStep)]
        if len(keys) != len(steps):
            raise _MissingStepError
        if not _is_mapping(node):
            raise _MissingStepError("no_mapping", "edit_not_possible")
        for key in keys:
            # A path without quotes names a number or a word here, which no JSON has as a key.
            if key.odd or not (key.quoted or self._tree.file_format == "json" or _is_text(key)):
                raise _MissingStepError("key", "edit_not_possible")
        return tuple(key.text for key in keys)

    def _document(self, path: str) -> tuple[Slot, str]:
        """Return the document that a path's selector names, and the rest of the path."""
        slots = self._tree.stream.slots
        if not slots:
            raise _MissingStepError
        selector, rest = document_of(path)
        if len(slots) == 1:
            named = rest or selector.startswith("#")
            return (slots[0], rest) if named and self._selects(selector) else (slots[0], path)
        found = self._selected(selector)
        if len(found) != 1:
            raise _MissingStepError("", "path_ambiguous" if found else "path_not_found")
        return found[0], rest

    def _selects(self, selector: str) -> bool:
        return bool(self._selected(selector))

    def _selected(self, selector: str) -> list[Slot]:
        exact = self._labels_of(self._tree.stream).get(selector)
        if exact is not None:
            return [exact]
        if self._selectors is None:
            self._selectors = self._other_selectors()
        return self._selectors.get(selector, [])

    def _other_selectors(self) -> dict[str, list[Slot]]:
        selectors: dict[str, list[Slot]] = {}
        for number, slot in enumerate(self._tree.stream.slots, 1):
            labels = {
                f"#{number}",
                document_label(slot),
                document_label(slot, with_namespace=True),
            }
            for label in labels - {None}:
                selectors.setdefault(str(label), []).append(slot)
        return selectors

    def _labels_of(self, node: Collection) -> dict[Step, Slot]:
        if (labels := self._labels.get(node)) is None:
            parts = children((self._tree,), (node,)) or []
            labels = {step: slots[0] for step, slots in parts if slots[0] is not None}
            self._labels[node] = labels
        return labels

    def _child(self, node: Node, step: PathStep) -> Slot | None:
        if not isinstance(node, Collection):
            return None
        match step:
            case KeyStep():
                return self._entry(node, step) if node.kind == "mapping" else None
            case IndexStep(number):
                within = node.kind == "sequence" and number < len(node.slots)
                return node.slots[number] if within else None
            case NamedStep():
                return self._named(node, step) if node.kind == "sequence" else None
            case _:
                return None

    def _entry(self, node: Collection, step: KeyStep) -> Slot | None:
        labels = self._labels_of(node)
        source = json.dumps(step.text, ensure_ascii=False)
        if step.odd:
            return labels.get(f".({source})")
        exact = labels.get(f".{source}" if step.quoted else f".{step.text}")
        if exact is not None:
            return exact
        others = self._by_text(node).get(step.text, [])
        if step.quoted:
            others = [slot for slot in others if isinstance(slot.key, Scalar) and slot.key.is_text]
        return _only(others)

    def _by_text(self, node: Collection) -> dict[str, list[Slot]]:
        if (texts := self._texts.get(node)) is None:
            texts = self._texts[node] = {}
            for slot in node.slots:
                if isinstance(slot.key, Scalar):
                    texts.setdefault(slot.key.text, []).append(slot)
        return texts

    def _named(self, node: Collection, step: NamedStep) -> Slot | None:
        exact = self._labels_of(node).get(step.source)
        if exact is not None or step.key not in ITEM_KEYS:
            return exact
        return _only(self._by_entry(node, step.key).get(step.text, []))

    def _by_entry(self, node: Collection, key: str) -> dict[str, list[Slot]]:
        if (items := self._items.get((node, key))) is None:
            items = self._items[node, key] = {}
            for slot in node.slots:
                if isinstance(value := entry_value(slot.value, key), Scalar):
                    items.setdefault(value.text, []).append(slot)
        return items

    def _flag(self, node: Node, name: str) -> FlagValue:
        if not isinstance(node, Collection) or node.kind != "sequence":
            raise _MissingStepError
        if (flags := self._flags.get(node)) is None:
            flags = self._flags[node] = flags_of(node)
        found = flags.get(name, [])
        if len(found) > 1:
            raise _MissingStepError("", "path_ambiguous")
        if not found:
            raise _MissingStepError("flag")
        if found[0] is None:
            raise _MissingStepError("no_value")
        return found[0]


def _only(found: Sequence[Slot]) -> Slot | None:
    if len(found) > 1:
        raise _MissingStepError("", "path_ambiguous")
    return found[0] if found else None


def _why_missing(node: Node, steps: Sequence[PathStep]) -> str:
    """Return the reason of a path whose last steps are not there: can they be added?"""
    addable = _is_mapping(node) and all(isinstance(step, KeyStep) for step in steps)
    return "" if addable else "not_addable"


def _is_mapping(node: Node) -> bool:
    return isinstance(node, Collection) and node.kind == "mapping"


def _is_text(key: KeyStep) -> bool:
    return read_plain(key.text).is_text
