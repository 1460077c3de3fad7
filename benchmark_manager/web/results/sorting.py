"""The order of a table's rows by any of its columns."""

import math
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from pydantic import JsonValue

from benchmark_manager.domain.text.json_line import json_line
from benchmark_manager.models.result_table import LabelValue, ResultTable, TableRow

Rank: TypeAlias = tuple[int, float, str]
"""Sorts numbers before texts before other values; rows without a value have no rank."""

VARIED: Final = "varied."
LABEL: Final = "label."
METRIC: Final = "metric."
ROW: Final = "row"
POINT: Final = "point"
REPEATS: Final = "n"
_LONG: Final = 200
#: JSON has numbers that no float holds.
_LARGEST: Final = 10**300


def ordered(table: ResultTable, sort: str) -> Sequence[TableRow]:
    """Return the rows as `sort` says: a column's key, `-` before it reverses the order.

    Rows without a value are last in both directions. An unknown key leaves the order as it is.
    """
    rank = _rank_of(sort.removeprefix("-"))
    if rank is None:
        return table.rows
    ranked = [(rank(row), row) for row in table.rows]
    with_value = [(each, row) for each, row in ranked if each is not None]
    with_value.sort(key=lambda pair: pair[0], reverse=sort.startswith("-"))
    return [
        *(row for _, row in with_value),
        *(row for each, row in ranked if each is None),
    ]


def _rank_of(key: str) -> Callable[[TableRow], Rank | None] | None:
    """Return what ranks a row by a column; None for the order that the table has."""
    for prefix, ranks in ((VARIED, _by_varied), (LABEL, _by_label), (METRIC, _by_metric)):
        if key.startswith(prefix):
            return ranks(key.removeprefix(prefix))
    return {ROW: _by_row, POINT: _by_point, REPEATS: _by_repeats}.get(key)


def _by_varied(key: str) -> Callable[[TableRow], Rank | None]:
    return lambda row: value_rank(row.varied[key]) if key in row.varied else None


def _by_label(name: str) -> Callable[[TableRow], Rank | None]:
    return lambda row: _label_rank(row.labels[name]) if name in row.labels else None


def _by_metric(name: str) -> Callable[[TableRow], Rank | None]:
    return lambda row: (0, row.metrics[name].median, "") if name in row.metrics else None


def _by_row(row: TableRow) -> Rank | None:
    index = row.cell_index
    return (1, 0, row.release_name or row.release) if index is None else (0, index, "")


def _by_point(row: TableRow) -> Rank | None:
    return natural_rank(row.point)


def _by_repeats(row: TableRow) -> Rank | None:
    return (0, len(row.results), "")


def value_rank(value: JsonValue) -> Rank:
    """Return the rank of a value: numbers by size, then texts, then all others as JSON."""
    if isinstance(value, bool) or value is None:
        return (2, 0, json_line(value))
    if isinstance(value, int | float):
        return (0, float(max(-_LARGEST, min(value, _LARGEST))), "")
    if isinstance(value, str):
        return (1, 0, value[:_LONG])
    return (3, 0, json_line(value, _LONG))


def natural_rank(text: str) -> Rank:
    """Return the rank of a text: by the number at its end, such as that of `rate=16`, if any."""
    name, separator, end = text.rpartition("=")
    number = _number(end) if separator else None
    return (1, 0, text) if number is None else (0, number, name)


def _label_rank(value: LabelValue) -> Rank:
    text = value if isinstance(value, str) else "\n".join(each or "" for each in value)
    number = _number(text)
    return (1, 0, text) if number is None else (0, number, "")


def _number(text: str) -> float | None:
    """Return the number that a text is; None for other texts, `nan` and `inf`."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
