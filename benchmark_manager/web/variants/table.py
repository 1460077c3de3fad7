"""The table that shows the variants of an original side by side."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from benchmark_manager.domain.documents import VariedBy
from benchmark_manager.domain.text.json_line import json_line
from benchmark_manager.domain.variants.table import VariantsTable, VariedKey
from benchmark_manager.models.variant import Variant
from benchmark_manager.web.texts.limits import NAME, ROWS, fitting
from benchmark_manager.web.texts.visible import html_size

if TYPE_CHECKING:
    from pydantic import JsonValue

#: Characters of a value, and of the variant's name that narrow screens show with each value.
_VALUE: Final = 80
_LABEL: Final = 60
#: Bytes of HTML of a cell and of a row, without their texts.
_CELL_BYTES: Final = 600
_ROW_BYTES: Final = 300


@dataclass(frozen=True, slots=True)
class Cell:
    """A variant's value on one line, or None if it has none; `label` is the shortened name.

    `kind` says who changed it since the base; None if nobody did, or the base is not known.
    `base` is the base's value on one line, if both changed it, or None if the base has none.
    """

    label: str
    value: str | None
    differs: bool
    kind: VariedBy | None
    base: str | None

    @property
    def css_class(self) -> str | None:
        if not self.differs:
            return None
        return "differs" if self.kind is None else f"is-{self.kind}"


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
    #: Variants for which it is unknown who changed what.
    without_base: tuple[Variant, ...]

    @classmethod
    def of(cls, table: VariantsTable, start: int) -> "DrawnTable":
        readable = tuple(file for file in table.compared if file.id not in table.unreadable)
        rows: tuple[Row, ...] | None = None
        if table.rows is not None:
            rows = tuple(
                fitting([_row(row, readable) for row in table.rows], lambda row: row.cost, ROWS)
            )
        without_base = frozenset[str]() if table.joined is None else table.joined.without_base
        return cls(
            table.compared,
            readable,
            table.unreadable,
            len(table.columns),
            rows,
            start,
            table.rows_total,
            tuple(file for file in readable if file.id in without_base),
        )

    @property
    def kinds(self) -> frozenset[VariedBy | None]:
        """Return who changed the values that are shown."""
        return frozenset(cell.kind for row in self.rows or () for cell in row.cells)

    @property
    def end(self) -> int:
        return self.start + len(self.rows or ())

    @property
    def following(self) -> int | None:
        """Return the first row of the next page, or None on the last page."""
        return self.end if self.end < self.total and self.rows else None


def _row(row: VariedKey, readable: tuple[Variant, ...]) -> Row:
    return Row(row.path, _line(row.original), tuple(_cell(row, file) for file in readable))


def _cell(row: VariedKey, file: Variant) -> Cell:
    kind = row.kinds.get(file.id)
    return Cell(
        file.modified_name[:_LABEL],
        _line(row.values[file.id]),
        file.id in row.differing,
        kind,
        _line(row.bases[file.id]) if kind == "both" else None,
    )


def _line(value: tuple[object] | None) -> str | None:
    return None if value is None else json_line(cast("JsonValue", value[0]), _VALUE)


def _texts(cell: Cell) -> tuple[str, str, str]:
    return cell.label, cell.value or "", cell.base or ""
