"""The cells that a definition plans, before any file is read."""

import json
from collections.abc import Iterable

from benchmark_manager.domain.sweeps.choices import Combination
from benchmark_manager.domain.sweeps.combinations import combined_axes
from benchmark_manager.domain.sweeps.limits import MOST_ASSIGNED
from benchmark_manager.domain.sweeps.targets import ValuePath, value_path, value_path_text
from benchmark_manager.domain.sweeps.values import value_key
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.sweep import CellPlan, PlannedCell, Setting, SweepDefinition


def planned_cells(definition: SweepDefinition) -> CellPlan:
    """Return the cells that a definition plans, in their order.

    Combinations are counted before they are built. It takes up to a tenth of a second.

    Raises:
        InvalidInputError: `too_many_cells`, `contradicting_axes`, or `invalid_request` where no
            combination is left.
    """
    combined = combined_axes(definition)
    names = [axis.name for axis in definition.axes]
    cells = tuple(_planned_cell(names, combination) for combination in combined.combinations)
    return CellPlan(cells=cells, notes=combined.notes)


def check_assigned(cells: Iterable[PlannedCell]) -> None:
    """Accept cells whose assignments are small enough to store and to list together.

    Raises:
        InvalidInputError: `sweep_too_large`.
    """
    size = 0
    for cell in cells:
        size += len(json.dumps(cell.assignments))
        if size > MOST_ASSIGNED:
            raise InvalidInputError(
                "sweep_too_large", "assignments", field="axes", limit=MOST_ASSIGNED
            )


def _planned_cell(names: list[str], combination: Combination) -> PlannedCell:
    """Return a combination's cell, in which each path is set once.

    Raises:
        InvalidInputError: `contradicting_axes`.
    """
    setters: dict[ValuePath, tuple[str, Setting]] = {}
    for name, choice in zip(names, combination, strict=True):
        for setting in choice.settings:
            other, first = setters.setdefault(value_path(setting.target), (name, setting))
            if first is not setting and value_key(first.value) != value_key(setting.value):
                raise _contradiction(other, name, setting)
    return PlannedCell(
        assignments={name: choice.value for name, choice in zip(names, combination, strict=True)},
        settings=tuple(setting for _, setting in setters.values()),
    )


def _contradiction(first: str, second: str, setting: Setting) -> InvalidInputError:
    path = value_path_text(value_path(setting.target))
    return InvalidInputError("contradicting_axes", field="axes", names=(first, second), path=path)
