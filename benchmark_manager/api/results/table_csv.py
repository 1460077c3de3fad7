"""Tables of results as CSV (RFC 4180)."""

import csv
import io
import json
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.models.result_table import (
    LabelValue,
    MetricCell,
    ResultTable,
    TableRow,
)

#: A spreadsheet runs a cell that begins with one of these as a formula: with the full-width ones
#: where it is set to Korean, Japanese or Chinese.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FIXED: Final = ("release", "release_name", "cell_index", "point", "results", "is_baseline")
_OF_METRICS: Final = ("median", "q1", "q3", "n", "change_pct", "verdict")


def table_csv(table: ResultTable) -> bytes:
    """Return a table as UTF-8, one line for each row, behind one with names.

    Numbers are written so that reading them gives the same number. Of other values those that a
    spreadsheet would run as a formula have an apostrophe before them. Where different values of a
    varied key would look the same, such as 1 and "1", all values of that column are JSON.
    """
    text = io.StringIO()
    as_json = {column.key for column in table.varied if _is_ambiguous(table.rows, column.key)}
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(map(_text, _names(table)))
    for row in table.rows:
        writer.writerow(_values(row, table, as_json))
    # A surrogate, which JSON may escape, has no UTF-8.
    return text.getvalue().encode(errors="backslashreplace")


def _names(table: ResultTable) -> Iterator[str]:
    yield from _FIXED
    for label in table.environment:
        yield f"label {label}"
    for column in table.varied:
        yield column.key
    for metric in table.metrics:
        unit = f" ({metric.unit})" if metric.unit else ""
        for what in _OF_METRICS:
            yield f"{metric.name} {what}{unit if what in {'median', 'q1', 'q3'} else ''}"
    yield "pareto"


def _is_ambiguous(rows: Sequence[TableRow], key: str) -> bool:
    """Return whether two different values of a varied key, or none and a value, have one text."""
    values = {value_key(row.varied[key]): row.varied[key] for row in rows if key in row.varied}
    texts = set(map(_value, values.values()))
    return len(texts) < len(values) or ("" in texts and any(key not in row.varied for row in rows))


def _values(row: TableRow, table: ResultTable, as_json: Collection[str]) -> Iterator[str]:
    index = "" if row.cell_index is None else str(row.cell_index)
    fixed = (row.release, row.release_name, index, row.point, " ".join(row.results))
    yield from map(_text, fixed)
    yield _flag(row.is_baseline)
    for label in table.environment:
        yield _text(_label(row.labels.get(label)))
    for column in table.varied:
        written = value_key if column.key in as_json else _value
        yield written(row.varied[column.key]) if column.key in row.varied else ""
    for metric in table.metrics:
        yield from _metric(row.metrics.get(metric.name))
    yield _flag(row.pareto)


def _metric(cell: MetricCell | None) -> Iterator[str]:
    if cell is None:
        yield from ("" for _ in _OF_METRICS)
        return
    yield repr(cell.median)
    yield from map(repr, cell.quartiles)
    yield str(cell.n)
    yield "" if cell.change_pct is None else repr(cell.change_pct)
    yield cell.verdict or ""


def _flag(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _label(value: LabelValue | None) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _value(value: JsonValue) -> str:
    if isinstance(value, str):
        return _text(value)
    return json.dumps(value, ensure_ascii=False)


def _text(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULAS) else value
