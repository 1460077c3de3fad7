"""Texts that can be edited by path: read once, edited any number of times."""

from collections.abc import Sequence
from itertools import islice
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents.nodes import (
    DocumentTree,
    Identities,
)
from benchmark_manager.domain.documents.parse import MOST_VALUES, most_values, try_parse
from benchmark_manager.domain.documents.splices import OverlappingSplicesError, Splice, spliced
from benchmark_manager.domain.edits.adding import added
from benchmark_manager.domain.edits.assignments import Assignment
from benchmark_manager.domain.edits.bindings import Bindings
from benchmark_manager.domain.edits.changes import Addition, Replacement, TextChange, changes_of
from benchmark_manager.domain.edits.errors import EditError
from benchmark_manager.domain.edits.json_values import json_of, reads_as
from benchmark_manager.domain.edits.layout import Layout
from benchmark_manager.domain.edits.locations import Locations
from benchmark_manager.domain.edits.proofs import Proofs
from benchmark_manager.domain.edits.replacing import Replacing
from benchmark_manager.domain.edits.settable import (
    SettableValue,
    locations_of,
    settable_values,
    value_of,
)
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.yaml.events import BYTE_ORDER_MARK
from benchmark_manager.models.original import FileFormat

#: Paths, and characters of them, among which a missing one is searched for.
_SUGGESTED: Final = 5_000
_SUGGESTED_CHARACTERS: Final = 500_000
#: Changes that are tried alone to find which one is not possible; each reads the text again.
_MOST_SUSPECTS: Final = 4


class EditableText:
    """A text of YAML or JSON whose values can be set by path.

    Every result is proven: parsed, it is this text with exactly the assigned values, for readers
    of YAML 1.1 and of YAML 1.2. Every character outside of the values stays.
    """

    def __init__(self, tree: DocumentTree, identities: Identities, mark: str) -> None:
        """Take a tree that was read with `identities`; `mark` was before its text."""
        self._tree = tree
        self._mark = mark
        self._layout = Layout(tree)
        self._bindings = Bindings(tree)
        self._locations = Locations(tree, self._suggested)
        self._proofs = Proofs(tree, identities, self._splices)

    @classmethod
    def read(cls, text: str, file_format: FileFormat) -> "EditableText":
        """Read a text.

        Raises:
            EditError: `not_editable`, for a template, for what does not parse, and for a text
                that may have too many values.
        """
        if most_values(text) > MOST_VALUES:
            raise EditError("not_editable", reason="too_large")
        body = text.removeprefix(BYTE_ORDER_MARK)
        identities = Identities()
        tree = try_parse(body, file_format, identities)
        if tree is None:
            is_template = validate(body, file_format).validity == "template"
            raise EditError("not_editable", reason="template" if is_template else "unreadable")
        return cls(tree, identities, text[: len(text) - len(body)])

    def value_at(self, path: str) -> JsonValue:
        """Return the value at a path, as differences report it; the text of a flag's value.

        None also stands for an optional path that is absent.

        Raises:
            EditError: `path_not_found` or `path_ambiguous`.
        """
        location = self._locations.find(path)
        return None if location.missing else value_of(self._tree, location.slot, location.flag)

    def json_at(self, path: str) -> tuple[JsonValue] | None:
        """Return the value at a path as JSON has it, as a one-tuple; what an alias reads for one.

        None where JSON has no such value: it is a date, infinite or tagged, or holds such values.

        Raises:
            EditError: `path_not_found` or `path_ambiguous`.
        """
        location = self._locations.find(path)
        if location.missing:
            return (None,)
        if location.flag is not None:
            return (location.flag.text,)
        return json_of(self._tree, self._bindings.read_as(location.chain))

    def paths(self) -> tuple[SettableValue, ...]:
        """Return every value without parts, every empty collection and every flag.

        Values that cannot be set, because an alias reads them too or for their tag, are left out.
        """
        return tuple(settable_values(self._tree, self._bindings))

    def edited(self, assignments: Sequence[Assignment]) -> str:
        """Return the text with values set, all at once.

        A value that is already there, as every reader takes it, changes nothing.

        Raises:
            EditError: `path_not_found`, `path_ambiguous` or `edit_not_possible`, with the path.
        """
        local: list[Splice] = []
        others: list[TextChange] = []
        for change in self._wanted(assignments):
            splice = self._proofs.local(change)
            if splice is None:
                others.append(change)
            else:
                local.append(splice)
        try:
            text = spliced(self._tree.text, [*local, *self._proven(others)])
        except OverlappingSplicesError:
            raise EditError("edit_not_possible", others[0].path, reason="form") from None
        return self._mark + text

    def _wanted(self, assignments: Sequence[Assignment]) -> list[TextChange]:
        """Return the changes without those that change nothing."""
        wanted = [
            change
            for change in changes_of(assignments, self._locations).all()
            if isinstance(change, Addition)
            or not reads_as(self._tree, self._bindings.read_as(change.chain), change.value)
        ]
        for change in wanted:
            replaced = isinstance(change, Replacement)
            if self._bindings.are_restricted(change.chain[:-1] if replaced else change.chain):
                raise EditError("edit_not_possible", change.path, reason="tag")
            if self._bindings.are_shared(change.chain, replaced=replaced):
                raise EditError("edit_not_possible", change.path, reason="shared")
        return wanted

    def _proven(self, changes: Sequence[TextChange]) -> list[Splice]:
        if not changes:
            return []
        splices = [splice for change in changes for splice in self._splices(change)]
        if self._proofs.hold(changes, splices):
            return splices
        raise EditError("edit_not_possible", self._culprit(changes).path, reason="form")

    def _culprit(self, changes: Sequence[TextChange]) -> TextChange:
        """Return the first change that is not possible alone, of a few, else the first of all."""
        for change in changes[:_MOST_SUSPECTS]:
            if not self._proofs.hold([change], self._splices(change)):
                return change
        return changes[0]

    def _splices(self, change: TextChange) -> list[Splice]:
        if isinstance(change, Addition):
            return list(added(self._tree, self._layout, change))
        return list(Replacing(self._tree, self._layout, change).splices())

    def _suggested(self) -> list[str]:
        locations = locations_of(self._tree, _SUGGESTED_CHARACTERS)
        return [location.path for location in islice(locations, _SUGGESTED)]
