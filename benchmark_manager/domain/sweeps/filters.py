"""Filters of a list of cells: `axis.NAME=VALUE`, where VALUE is JSON or else a text."""

import json
from collections.abc import Iterable, Mapping
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.domain.text.strict_json import refuse_constant
from benchmark_manager.models.sweep import SweepCell

PREFIX: Final = "axis."


def read_filters(parameters: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the filters among the parameters of a request: names of axes, and keys of values.

    >>> read_filters([("axis.seqs", "128"), ("axis.tp", "tp1"), ("limit", "50")])
    (('seqs', '128'), ('tp', '"tp1"'))
    """
    return tuple(
        (name.removeprefix(PREFIX), value_key(_value(text)))
        for name, text in parameters
        if name.startswith(PREFIX)
    )


def passes(cell: SweepCell, filters: Iterable[tuple[str, str]]) -> bool:
    """Return whether one of a cell's combinations has all of these values."""
    wanted = set(filters)
    return any(wanted <= assigned_keys(made) for made in (cell.assignments, *cell.also))


def assigned_keys(assignments: Mapping[str, JsonValue]) -> set[tuple[str, str]]:
    """Return the filters that a combination passes."""
    return {(name, value_key(value)) for name, value in assignments.items()}


def _value(text: str) -> JsonValue:
    try:
        value: JsonValue = json.loads(text, parse_constant=refuse_constant)
        value_key(value)
    except (ValueError, RecursionError):
        return text
    return value
