"""A table of results as a page shows it: formatted, ordered, and of bounded size."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from benchmark_manager.models.result_table import (
    LabelValue,
    MetricCell,
    MetricColumn,
    ResultTable,
    TableRow,
    VariedColumn,
)
from benchmark_manager.web import PREFIX
from benchmark_manager.web.charts.numbers import written
from benchmark_manager.web.results.sorting import (
    LABEL,
    METRIC,
    POINT,
    REPEATS,
    ROW,
    VARIED,
    ordered,
)
from benchmark_manager.web.results.table_query import TableQuery
from benchmark_manager.web.results.value_lines import ValueLines
from benchmark_manager.web.site.words import COMPARISON, Word
from benchmark_manager.web.texts.limits import ROWS, Window, fitting
from benchmark_manager.web.texts.visible import html_size

#: Rows of a page, and columns of each kind; the CSV has all.
PAGE_ROWS: Final = 100
_COLUMNS: Final = 40
#: Varied columns and labels unless all are asked for, and varied columns beside many labels: with
#: more, the metrics are out of sight on most screens.
_BEFORE_METRICS: Final = 6
_LEAST_VARIED: Final = 3
#: Characters of a value, of a label, and of a column's name.
_VALUE: Final = 40
_NAME: Final = 80
#: Bytes of HTML of a row, and of a field in it, without their texts.
_ROW_BYTES: Final = 1200
_CELL_BYTES: Final = 120
_METRIC_BYTES: Final = 420
#: Changes in percent without digits behind the point, and those with a power of ten.
_COARSE: Final = 1000
_LARGE: Final = 1e9

Order = Literal["ascending", "descending", "none"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name, what more is known of it, and the address that sorts by it.

    `alike` counts the folded columns that vary together with it.
    """

    name: str
    about: str
    address: str
    order: Order
    key: str
    alike: int = 0


@dataclass(frozen=True, slots=True)
class DrawnMetric:
    """A metric of a row; `range` are its quartiles, and `n` its repeats where they are fewer."""

    median: str
    range: str
    exact: str
    n: int
    change: str
    verdict: Word | None


@dataclass(frozen=True, slots=True)
class DrawnRow:
    """A row; `results` is the address of its results, `baseline` that compares with it."""

    row: TableRow
    page: str
    results: str
    baseline: str
    varied: tuple[str | None, ...]
    labels: tuple[str, ...]
    metrics: tuple[DrawnMetric | None, ...]

    @property
    def cost(self) -> int:
        """Return the bytes of HTML of the row."""
        texts = (self.row.release_name[:_NAME], self.row.point[:_NAME], *self.labels)
        values = (value or "" for value in self.varied)
        addresses = len(self.page) + len(self.results) + 6 * len(self.baseline)
        fields = _CELL_BYTES * (len(self.varied) + len(self.labels))
        metrics = _METRIC_BYTES * len(self.metrics)
        return _ROW_BYTES + addresses + fields + metrics + sum(map(html_size, (*texts, *values)))


@dataclass(frozen=True, slots=True)
class DrawnResultTable:
    """The columns by kind, and the rows that fit on a page.

    `folded` counts the varied columns that the page shows when asked to, `hidden` the metrics that
    are equal in all rows, and `left_out` the columns that only the CSV has.
    """

    row: Column
    point: Column | None
    repeats: Column
    varied: tuple[Column, ...]
    labels: tuple[Column, ...]
    metrics: tuple[Column, ...]
    folded: int
    left_out: int
    hidden: int
    rows: Window[DrawnRow]

    @classmethod
    def of(cls, table: ResultTable, query: TableQuery, project_id: str) -> "DrawnResultTable":
        shown = [column for column in table.metrics if not _is_hidden(table, query, column)]
        possible, labels = table.varied[:_COLUMNS], table.environment[:_COLUMNS]
        alike = {} if query.shows_all or not query.sweep else varied_alike(possible, table.rows)
        varied: Sequence[VariedColumn] = possible
        if not query.shows_all:
            most = max(_LEAST_VARIED, _BEFORE_METRICS - len(labels))
            varied = _first_varied([each for each in possible if each.key not in alike], most)
        together = Counter(alike.values())
        metrics = shown[:_COLUMNS]
        start = query.start if query.start < len(table.rows) else 0
        drawn = ordered(table, query.sort)[start : start + PAGE_ROWS]
        draw = _Drawing(query, project_id, {each.key: _lines(drawn, each.key) for each in varied})
        rows = [draw.row(row, labels, [column.name for column in metrics]) for row in drawn]
        return cls(
            row=draw.column("", ROW, ""),
            point=draw.column("", POINT, "") if any(row.point for row in table.rows) else None,
            repeats=draw.column("", REPEATS, ""),
            varied=tuple(
                replace(
                    draw.column(
                        column.key, VARIED + column.key, column.file if column.path else ""
                    ),
                    alike=together[column.key],
                )
                for column in varied
            ),
            labels=tuple(draw.column(name, LABEL + name, "") for name in labels),
            metrics=tuple(
                draw.column(column.name, METRIC + column.name, column.unit) for column in metrics
            ),
            folded=len(possible) - len(varied),
            left_out=sum(
                len(every) - len(some)
                for every, some in (
                    (table.varied, possible),
                    (table.environment, labels),
                    (shown, metrics),
                )
            ),
            hidden=len(table.metrics) - len(shown),
            rows=Window(fitting(rows, lambda row: row.cost, ROWS), start, len(table.rows)),
        )


def varied_alike(columns: Iterable[VariedColumn], rows: Sequence[TableRow]) -> dict[str, str]:
    """Return the columns that vary as an earlier one does, with that one's key.

    An axis that sets several values makes such columns: the value of one gives those of the
    others. Of two rows all columns would be alike.
    """
    if len(rows) <= 2:  # noqa: PLR2004 -- two differ in one way only
        return {}
    first: dict[tuple[int, ...], str] = {}
    alike = {}
    for column in columns:
        numbers: dict[str, int] = {}
        values = (repr(row.varied.get(column.key, ...)) for row in rows)
        kept = first.setdefault(
            tuple(numbers.setdefault(value, len(numbers)) for value in values), column.key
        )
        if kept != column.key:
            alike[column.key] = kept
    return alike


def _first_varied(columns: Sequence[VariedColumn], most: int) -> Sequence[VariedColumn]:
    """Return a few columns in their order, keys rather than whole files: those say more."""
    first = sorted(columns, key=lambda column: column.path == "")[:most]
    return [column for column in columns if column in first]


def _is_hidden(table: ResultTable, query: TableQuery, column: MetricColumn) -> bool:
    """Return whether a column is left out, as all rows have the same in it."""
    if not query.hides_equal or len(table.rows) == 1:
        return False
    found = [row.metrics.get(column.name) for row in table.rows]
    return len({None if cell is None else cell.median for cell in found}) == 1


def _lines(rows: Sequence[TableRow], key: str) -> ValueLines:
    return ValueLines((row.varied[key] for row in rows if key in row.varied), _VALUE)


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What rows and columns need of the page that they are on."""

    query: TableQuery
    project_id: str
    varied: Mapping[str, ValueLines]

    def column(self, name: str, key: str, about: str) -> Column:
        sort = self.query.sort
        order: Order = "none"
        if sort.removeprefix("-") == key:
            order = "descending" if sort.startswith("-") else "ascending"
        return Column(name, about, self.query.sorted_by(key).address(), order, key)

    def row(self, row: TableRow, labels: Sequence[str], metrics: Sequence[str]) -> DrawnRow:
        return DrawnRow(
            row=row,
            page=page_of(row, self.query.sweep),
            results=self._results(row),
            baseline=self.query.with_baseline(self._as_baseline(row)).address(),
            varied=tuple(
                lines.of(row.varied[key]) if key in row.varied else None
                for key, lines in self.varied.items()
            ),
            labels=tuple(_label(row.labels.get(name, "")) for name in labels),
            metrics=tuple(_metric(row.metrics.get(name), len(row.results)) for name in metrics),
        )

    def _results(self, row: TableRow) -> str:
        if len(row.results) == 1:
            return f"{PREFIX}/results/{row.results[0]}"
        return f"{PREFIX}/projects/{self.project_id}/results/list?release={row.release}"

    def _as_baseline(self, row: TableRow) -> str:
        if row.is_baseline:
            return ""
        if self.query.sweep and row.cell_index is not None:
            return str(row.cell_index)
        return row.release


def page_of(row: TableRow, sweep_id: str) -> str:
    """Return the page of what a row measured: a cell of the compared sweep, else a release."""
    if sweep_id and row.cell_index is not None:
        return f"{PREFIX}/sweeps/{sweep_id}/cells/{row.cell_index}"
    return f"{PREFIX}/releases/{row.release}"


def _label(value: LabelValue) -> str:
    if isinstance(value, str):
        return value[:_NAME]
    return ", ".join(each or "-" for each in value)[:_NAME]


def _metric(cell: MetricCell | None, repeats: int) -> DrawnMetric | None:
    if cell is None:
        return None
    low, high = map(written, cell.quartiles)
    return DrawnMetric(
        median=written(cell.median),
        range=f"{low} – {high}" if cell.n > 1 else "",  # noqa: RUF001 -- a range's dash
        exact=repr(cell.median),
        n=0 if cell.n == repeats else cell.n,
        change="" if cell.change_pct is None else percentage(cell.change_pct),
        verdict=None if cell.verdict is None else COMPARISON[cell.verdict],
    )


def percentage(value: float) -> str:
    """Return a change in percent with its sign.

    >>> [percentage(value) for value in (3.25, -12.0, -0.04, 123456.7)]
    ['+3.2 %', '-12.0 %', '0.0 %', '+123,457 %']
    """
    size = abs(value)
    if size >= _LARGE:
        return f"{value:+.4g} %"
    if size >= _COARSE:
        return f"{value:+,.0f} %"
    rounded = f"{value:+.1f}"
    return f"{rounded.lstrip('+-') if float(rounded) == 0 else rounded} %"
