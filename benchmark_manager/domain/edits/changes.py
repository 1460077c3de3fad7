"""What is to be changed in a text, apart from how its characters are edited."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import Slot
from benchmark_manager.domain.edits.assignments import Assignment
from benchmark_manager.domain.edits.errors import EditError
from benchmark_manager.domain.edits.flags import flag_text
from benchmark_manager.domain.edits.json_values import is_writable, same
from benchmark_manager.domain.edits.locations import Chain, Location, Locations


class AddedMapping(dict[str, JsonValue]):
    """A mapping that is missing around added values."""


@dataclass(frozen=True, slots=True, eq=False)
class Replacement:
    """Another value for a slot."""

    path: str
    chain: Chain
    value: JsonValue

    @property
    def slot(self) -> Slot:
        return self.chain[-1]


@dataclass(frozen=True, slots=True, eq=False)
class Addition:
    """Entries that are added to the mapping in a slot, under the first of their paths."""

    path: str
    chain: Chain
    value: dict[str, JsonValue] = field(default_factory=AddedMapping)

    @property
    def slot(self) -> Slot:
        return self.chain[-1]


TextChange: TypeAlias = Replacement | Addition


@dataclass(slots=True)
class Changes:
    """All changes of one text, by the slots that they are made in."""

    replaced: dict[Slot, Replacement] = field(default_factory=dict)
    added: dict[Slot, Addition] = field(default_factory=dict)

    def all(self) -> list[TextChange]:
        """Return the changes; additions inside others come before these.

        Where an inner and an outer mapping end on one line, the inner one's new lines come first.
        """
        inner_first = sorted(self.added.values(), key=lambda addition: -len(addition.chain))
        return [*self.replaced.values(), *inner_first]


def changes_of(assignments: Sequence[Assignment], locations: Locations) -> Changes:
    """Find the locations of assignments, and hold these against each other.

    Raises:
        EditError: a location cannot be found, a value has no form, or two assignments contradict
            each other.
    """
    changes = Changes()
    for assignment in assignments:
        if not is_writable(assignment.value):
            raise EditError("edit_not_possible", assignment.path, reason="value")
        location = locations.find(assignment.path)
        if location.missing:
            _add(changes, location, assignment.value)
        else:
            _replace(changes, location, assignment.value)
    for addition in changes.added.values():
        if not is_writable(addition.value):
            raise EditError("edit_not_possible", addition.path, reason="value")
    for change in changes.all():
        around = change.chain[:-1] if isinstance(change, Replacement) else change.chain
        if any(slot in changes.replaced for slot in around):
            raise _contradiction(change.path)
    return changes


def _replace(changes: Changes, location: Location, value: JsonValue) -> None:
    if location.flag is not None:
        value = location.flag.prefix + flag_text(value)
    known = changes.replaced.setdefault(
        location.slot, Replacement(location.path, location.chain, value)
    )
    if not same(known.value, value):
        raise _contradiction(location.path)


def _add(changes: Changes, location: Location, value: JsonValue) -> None:
    addition = changes.added.setdefault(location.slot, Addition(location.path, location.chain))
    around = addition.value
    *outer, last = location.missing
    for key in outer:
        inner = around.setdefault(key, AddedMapping())
        if not isinstance(inner, AddedMapping):
            raise _contradiction(location.path)
        around = inner
    known = around.setdefault(last, value)
    if isinstance(known, AddedMapping) or not same(known, value):
        raise _contradiction(location.path)


def _contradiction(path: str) -> EditError:
    return EditError("edit_not_possible", path, reason="contradiction")
