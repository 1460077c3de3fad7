"""The table that shows the variants of an original side by side."""

from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.text.json_line import json_line
from benchmark_manager.domain.variants.table import VariantsTable, VariedKey
from benchmark_manager.models.variant import Variant
from benchmark_manager.web.texts.limits import NAME, ROWS, fitting
from benchmark_manager.web.texts.visible import html_size

#: Characters of a value, and of the variant's name that narrow screens show with each value.
_VALUE: Final = 80
_LABEL: Final = 60
#: Bytes of HTML of a cell and of a row, without their texts.
_CELL_BYTES: Final = 300
_ROW_BYTES: Final = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """A variant's value on one line, or None if it has none; `label` is the shortened name.

    If the value differs, `by_upstream` says whether the original changed it.
    """

    label: str
    value: str | None
    differs: bool
    by_upstream: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A key, the original's value on one line, and the values of the variants."""

    path: str
    original: str | None
    cells: tuple[Cell, ...]

    @property
    def cost(self) -> int:
        texts = [
            self.path[:NAME],
            self.original or "",
            *(text for cell in self.cells for text in _texts(cell)),
        ]
        return _ROW_BYTES + _CELL_BYTES * len(self.cells) + sum(map(html_size, texts))


@dataclass(frozen=True, slots=True)
class DrawnTable:
    """The rows that fit on a page from `start` on; None if the original has no keys to compare.

    `columns` are the compared variants, `readable` those that parse, and `all_columns` is the
    number of all variants.
    """

    columns: tuple[Variant, ...]
    readable: tuple[Variant, ...]
    unreadable: frozenset[str]
    all_columns: int
    rows: tuple[Row, ...] | None
    start: int
    total: int
    #: Variants for which it is unknown what upstream changed.
    unmarked: tuple[Variant, ...]

    @classmethod
    def of(cls, table: VariantsTable, start: int) -> "DrawnTable":
        readable = tuple(file for file in table.compared if file.id not in table.unreadable)
        rows: tuple[Row, ...] | None = None
        if table.rows is not None:
            rows = tuple(
                fitting([_row(row, readable) for row in table.rows], lambda row: row.cost, ROWS)
            )
        unmarked = tuple(file for file in readable if file.id in table.unmarked)
        return cls(
            table.compared,
            readable,
            table.unreadable,
            len(table.columns),
            rows,
            start,
            table.rows_total,
            unmarked,
        )

    @property
    def by_upstream(self) -> bool:
        """Return whether a shown value differs because the original changed."""
        return any(cell.by_upstream for row in self.rows or () for cell in row.cells)

    @property
    def end(self) -> int:
        return self.start + len(self.rows or ())

    @property
    def following(self) -> int | None:
        """Return the first row of the next page, or None on the last page."""
        return self.end if self.end < self.total and self.rows else None


def _row(row: VariedKey, readable: tuple[Variant, ...]) -> Row:
    cells = (
        Cell(
            file.modified_name[:_LABEL],
            _line(row.values[file.id]),
            file.id in row.differing,
            file.id in row.upstream,
        )
        for file in readable
    )
    return Row(row.path, _line(row.original), tuple(cells))


def _line(value: tuple[object] | None) -> str | None:
    return None if value is None else json_line(value[0], _VALUE)  # type: ignore[arg-type]  # a JSON value


def _texts(cell: Cell) -> tuple[str, str]:
    return cell.label, cell.value or ""
