"""What a combination of a definition's values sets, and what it changes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pydantic import JsonValue

from benchmark_manager.domain.edits.flags import flag_text
from benchmark_manager.domain.edits.path_text import is_flag_path
from benchmark_manager.domain.sweeps.targets import ValuePath, value_path
from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.models.sweep import (
    Assignments,
    Axis,
    CellChange,
    PlannedCell,
    Setting,
    SweepDefinition,
    SweptBase,
    ValuesAxis,
)


def cell_settings(definition: SweepDefinition, assignments: Assignments) -> tuple[Setting, ...]:
    """Return what a combination sets, each path once."""
    found = {
        value_path(setting.target): setting
        for axis in definition.axes
        for setting in _settings(axis, assignments[axis.name])
    }
    return tuple(found.values())


def _settings(axis: Axis, value: JsonValue) -> Iterator[Setting]:
    if isinstance(axis, ValuesAxis):
        for target in axis.targets:
            yield Setting(target=target, value=value)
        return
    for point in axis.points:
        if point.name == value:
            yield from point.settings


def changes_of(
    settings: Iterable[Setting], bases: Sequence[SweptBase], before: Mapping[ValuePath, JsonValue]
) -> tuple[CellChange, ...]:
    """Return what settings change; `before` has the values of the bases."""
    paths = {base.alias: base.path for base in bases}
    changes = []
    for setting in settings:
        alias, path = value_path(setting.target)
        after = flag_text(setting.value) if is_flag_path(path) else setting.value
        was = before.get((alias, path))
        if value_key(was) != value_key(after):
            changes.append(CellChange(file=paths[alias], path=path, before=was, after=after))
    return tuple(changes)


def covering_cells(cells: Iterable[PlannedCell]) -> list[PlannedCell]:
    """Return some of the cells, which together set every value that any cell sets at its path."""
    seen: set[tuple[ValuePath, str]] = set()
    found: list[PlannedCell] = []
    for cell in cells:
        sets = {(value_path(setting.target), value_key(setting.value)) for setting in cell.settings}
        if not found or not sets <= seen:
            seen |= sets
            found.append(cell)
    return found
