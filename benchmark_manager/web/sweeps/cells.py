"""Cells of sweeps as rows of tables."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.filters import PREFIX as FILTER
from benchmark_manager.domain.sweeps.typed_values import written_value
from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.domain.text.json_line import json_line, shortened
from benchmark_manager.messages.notes import note_words
from benchmark_manager.models.problem import Validity
from benchmark_manager.models.sweep import (
    Axis,
    CellChange,
    SweepCell,
    SweepDefinition,
    SweepNote,
    ValuesAxis,
)
from benchmark_manager.services.sweeps.sweeps import PreviewedCell, SweepPreview
from benchmark_manager.web.site.reader import Reader
from benchmark_manager.web.sweeps.field_names import field_words
from benchmark_manager.web.texts.limits import NAME, fitting
from benchmark_manager.web.texts.visible import html_size

#: Characters of a value in a table, and of one in a list of changes.
VALUE: Final = 40
_LONG_VALUE: Final = 200
#: Changes of a cell of a preview, and bytes of HTML of all its rows.
_CHANGES: Final = 20
_PREVIEW_BYTES: Final = 300_000
_ROW_BYTES: Final = 500
_CELL_BYTES: Final = 150
#: Rows and columns of a grid.
_GRID: Final = 50
#: Values of an axis that a filter offers; of one with more, they are typed.
_OFFERED: Final = 60
#: Bytes of HTML of all of them, and of one without its texts.
_OFFERED_BYTES: Final = 200_000
_OPTION_BYTES: Final = 60


@dataclass(frozen=True, slots=True)
class DrawnCellChange:
    """A value that a cell changes, on one line; None where the base has nothing."""

    file: str
    path: str
    before: str | None
    after: str

    @classmethod
    def of(cls, change: CellChange) -> "DrawnCellChange":
        before = None if change.before is None else json_line(change.before, _LONG_VALUE)
        return cls(change.file, change.path, before, json_line(change.after, _LONG_VALUE))

    @property
    def cost(self) -> int:
        """Return the bytes of HTML of a row."""
        texts = (self.file[:NAME], self.path[:NAME], self.before or "", self.after)
        return _ROW_BYTES + sum(map(html_size, texts))


def shown_value(assignments: Mapping[str, JsonValue], axis: str) -> str:
    """Return the value of an axis on one short line; "" where a combination has none."""
    if axis not in assignments:
        return ""
    value = assignments[axis]
    if isinstance(value, str) and value.isprintable():
        return shortened(written_value(value), VALUE)
    return json_line(value, VALUE)


@dataclass(frozen=True, slots=True)
class DrawnPreviewRow:
    """A cell that a sweep would have: the values of its axes, and the first of its changes."""

    index: int
    values: tuple[str, ...]
    changes: tuple[DrawnCellChange, ...]
    more: int
    validity: Validity
    also: int

    @property
    def cost(self) -> int:
        values = sum(_CELL_BYTES + html_size(value) for value in self.values)
        return _ROW_BYTES + values + sum(change.cost for change in self.changes)


@dataclass(frozen=True, slots=True)
class DrawnPreview:
    """What a draft would make: the number of cells, and the first of them; or an error."""

    count: int = 0
    repeats: int = 1
    axes: tuple[str, ...] = ()
    rows: Sequence[DrawnPreviewRow] = ()
    notes: tuple[str, ...] = ()
    kept: int = 0
    gone: int = 0
    error: str = ""

    @classmethod
    def refused(cls, error: str) -> "DrawnPreview":
        """Return the preview of a draft that would be refused."""
        return cls(error=error)

    @classmethod
    def of(cls, preview: SweepPreview, reader: Reader) -> "DrawnPreview":
        axes = tuple(axis.name for axis in preview.definition.axes)
        rows = [_preview_row(cell, axes) for cell in preview.cells]
        return cls(
            preview.cells_count,
            preview.definition.repeats,
            axes,
            fitting(rows, lambda row: row.cost, _PREVIEW_BYTES),
            sentences(preview.notes, reader, axes),
            preview.kept,
            preview.gone,
        )


def sentences(
    notes: Iterable[SweepNote], reader: Reader, axes: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return notes as sentences in the reader's language; `axes` are the axes that they name."""
    return tuple(_sentence(note, reader, axes) for note in notes)


def _sentence(note: SweepNote, reader: Reader, axes: Sequence[str]) -> str:
    facts = dict(note.facts)
    if "field" in facts:
        facts["field"] = field_words(str(facts["field"]), axes, reader)
    return note_words(note.code, facts, reader.language)


def _preview_row(cell: PreviewedCell, axes: Sequence[str]) -> DrawnPreviewRow:
    made = cell.listed.cell
    return DrawnPreviewRow(
        made.index,
        tuple(shown_value(made.assignments, axis) for axis in axes),
        tuple(DrawnCellChange.of(change) for change in cell.changes[:_CHANGES]),
        max(0, len(cell.changes) - _CHANGES),
        made.validity,
        len(made.also),
    )


@dataclass(frozen=True, slots=True)
class AxisFilter:
    """The filter of an axis: the values that are offered, as keys and words, and the chosen one.

    `offered` is empty where an axis has too many: one is typed then.
    """

    name: str
    field: str
    offered: tuple[tuple[str, str], ...]
    chosen: str


def filters_of(definition: SweepDefinition, chosen: Mapping[str, str]) -> list[AxisFilter]:
    """Return the filters of a sweep's axes; `chosen` are the parameters of the request."""
    found = []
    left = _OFFERED_BYTES
    for axis in definition.axes:
        values = [*_values(axis), *(each[axis.name] for each in definition.include)]
        offered = {value_key(value): _word(value) for value in values}
        cost = sum(_OPTION_BYTES + html_size(f"{key}{key}{word}") for key, word in offered.items())
        fits = len(offered) <= _OFFERED and cost <= left
        left -= cost if fits else 0
        field = FILTER + axis.name
        some = tuple(offered.items()) if fits else ()
        found.append(AxisFilter(axis.name, field, some, chosen.get(field, "")[:NAME]))
    return found


def _values(axis: Axis) -> list[JsonValue]:
    if isinstance(axis, ValuesAxis):
        return list(axis.values)
    return [point.name for point in axis.points]


@dataclass(frozen=True, slots=True)
class Grid:
    """The cells of a sweep of two axes: a row for each value of the first.

    A field is None where no cell has these values.
    """

    axes: tuple[str, str]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[SweepCell | None, ...]], ...]


def has_grid(definition: SweepDefinition) -> bool:
    """Return whether a sweep's cells are shown as a grid."""
    if definition.combine != "product" or len(definition.axes) != len(("row", "column")):
        return False
    return all(map(_is_short, definition.axes))


def _is_short(axis: Axis) -> bool:
    return 1 < len(_values(axis)) <= _GRID


def grid_of(definition: SweepDefinition, cells: Iterable[SweepCell]) -> Grid | None:
    """Return the grid of a sweep's cells; None if it has too many rows or columns."""
    first, second = (axis.name for axis in definition.axes)
    found: dict[tuple[str, str], SweepCell] = {}
    words: tuple[dict[str, str], dict[str, str]] = ({}, {})
    for axis, seen in zip(definition.axes, words, strict=True):
        seen.update((value_key(value), _word(value)) for value in _values(axis))
    for cell in cells:
        for made in (cell.assignments, *cell.also):
            keys = value_key(made.get(first)), value_key(made.get(second))
            for seen, key, name in zip(words, keys, (first, second), strict=True):
                seen.setdefault(key, _word(made.get(name)))
            found[keys] = cell
    rows, columns = words
    if max(len(rows), len(columns)) > _GRID:
        return None
    return Grid(
        (first, second),
        tuple(columns.values()),
        tuple(
            (word, tuple(found.get((row, column)) for column in columns))
            for row, word in rows.items()
        ),
    )


def _word(value: JsonValue) -> str:
    return shown_value({"": value}, "")
