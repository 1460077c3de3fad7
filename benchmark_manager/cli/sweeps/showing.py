"""Show cells of sweeps, values of axes, and notes."""

import json
from collections.abc import Iterable, Sequence

from benchmark_manager.cli.terminal import output
from benchmark_manager.client.client import Json, JsonValue
from benchmark_manager.domain.sweeps.limits import MOST_AXES


def count_of_cells(count: int) -> str:
    return f"{count} cell{'' if count == 1 else 's'}"


def axes_of(cells: Iterable[Json]) -> list[str]:
    """Return the names of the axes of cells, in order."""
    names = dict.fromkeys(name for cell in cells for name in cell["assignments"])
    return list(names)[:MOST_AXES]


def values_of(cell: Json, axes: Sequence[str]) -> list[str]:
    return [axis_value(cell["assignments"], axis) for axis in axes]


def axis_value(assignments: Json, axis: str) -> str:
    """Return a value as `--axis` takes it: JSON, or a text as it is unless that reads as JSON."""
    value = assignments.get(axis)
    if isinstance(value, str) and not _is_json(value):
        return value
    return output.value_at(assignments, axis)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def combination(assignments: Json) -> str:
    """Return the values of one combination in one line, such as `seqs=128 tp=tp1`."""
    return " ".join(f"{axis}={axis_value(assignments, axis)}" for axis in assignments)


def say_notes(notes: Iterable[Json]) -> None:
    for note in notes:
        output.say(f"note: {note['detail']} ({note['code']})")


def change_columns(change: Json) -> tuple[JsonValue, ...]:
    """Return the columns FILE, KEY, BEFORE and AFTER of a change."""
    return (
        *(change["file"], change["path"]),
        *(output.value_at(change, "before"), output.value_at(change, "after")),
    )
