"""How the texts of a sweep's cells differ, from what the cells set.

A cell's text is proven to be its base with exactly the values that the cell sets. So it is enough
to read each value once, alone, instead of the text of each combination.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents import values_at
from benchmark_manager.domain.documents.paths import ITEM_KEYS
from benchmark_manager.domain.edits import Assignment, EditableText, EditError
from benchmark_manager.domain.results.varied import (
    MOST_COLUMNS,
    VariedFile,
    VariedPath,
    VariedValue,
    varied_paths,
)
from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.models.original import FileFormat

#: The value under such a key may be what items and documents are called by in paths.
_NAMING: Final = re.compile(rf"(?:.*[.\] ])?(?:{'|'.join((*ITEM_KEYS, 'kind', 'namespace'))})")


def swept_paths(
    base: str, file_format: FileFormat, wanted: Sequence[Sequence[Assignment]]
) -> VariedFile | None:
    """Return how the texts differ that these assignments make of the base.

    Returns:
        None where that is not certain without reading each text: values were added or removed, or
        two paths change one value.
    """
    order = values_at(base, file_format)
    swept = _swept_values(wanted)
    if order is None:
        return None
    found: dict[str, VariedPath] = {}
    try:
        editable = EditableText.read(base, file_format)
        for path, values in swept.items():
            changed = values.changes(editable, base, path, file_format)
            if changed is None or not found.keys().isdisjoint(changed):
                return None
            found |= changed
    except EditError:
        return None
    ordered = [found[path] for path in order if path in found]
    if len(ordered) < len(found):
        return None
    differing = [one for one in ordered if len({value_key(_only(v)) for v in one.values}) > 1]
    return VariedFile(tuple(differing[:MOST_COLUMNS]), complete=len(differing) <= MOST_COLUMNS)


@dataclass(slots=True)
class _SweptValues:
    """The different values that texts set at a path, and which of them each text sets.

    Number 0 is the base's own value, where a text sets none.
    """

    numbers: list[int]
    values: list[JsonValue] = field(default_factory=list)
    _known: dict[str, int] = field(default_factory=dict)

    def set(self, text: int, value: JsonValue) -> None:
        key = value_key(value)
        if key not in self._known:
            self.values.append(value)
            self._known[key] = len(self.values)
        self.numbers[text] = self._known[key]

    def changes(
        self, editable: EditableText, base: str, path: str, file_format: FileFormat
    ) -> dict[str, VariedPath] | None:
        """Return the values of all texts at each path that these values change."""
        texts = [base, *self._edited(editable, path)]
        # Of equal texts the first is compared.
        numbers = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        varied = varied_paths(list(numbers), file_format)
        if varied is None or varied.unreadable or not varied.complete:
            return None
        if any(
            one.as_written or None in one.values or _NAMING.fullmatch(one.path)
            for one in varied.paths
        ):
            return None
        positions = [numbers[texts[number]] for number in self.numbers]
        return {
            one.path: VariedPath(one.path, tuple(one.values[position] for position in positions))
            for one in varied.paths
        }

    def _edited(self, editable: EditableText, path: str) -> Iterator[str]:
        for value in self.values:
            yield editable.edited([Assignment(path, value)])


def _swept_values(wanted: Sequence[Sequence[Assignment]]) -> dict[str, _SweptValues]:
    found: dict[str, _SweptValues] = {}
    for number, assignments in enumerate(wanted):
        for assignment in assignments:
            values = found.setdefault(assignment.path, _SweptValues([0] * len(wanted)))
            values.set(number, assignment.value)
    return found


def _only(value: VariedValue) -> JsonValue:
    return None if value is None else value[0]
