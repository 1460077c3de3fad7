"""What worker processes do for sweeps.

Functions here take and return values that can be pickled, and import nothing but rules, so that a
worker stays small.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import JsonValue

from benchmark_manager.domain.edits import Assignment, EditableText, EditError
from benchmark_manager.domain.sweeps.cells import check_assigned, planned_cells
from benchmark_manager.domain.sweeps.definition import read_definition
from benchmark_manager.domain.sweeps.settings import covering_cells
from benchmark_manager.domain.text.unified_diff import unified_diff
from benchmark_manager.models.original import FileFormat
from benchmark_manager.models.sweep import CellPlan, PlannedCell, SweepDefinition


def plan_of(value: JsonValue) -> tuple[SweepDefinition, CellPlan]:
    """Return the definition that a JSON value is, and its cells.

    Raises:
        InvalidInputError
    """
    definition = read_definition(value)
    plan = planned_cells(definition)
    check_assigned(plan.cells)
    return definition, plan


def edited_texts(
    text: str, file_format: FileFormat, wanted: Sequence[Sequence[Assignment]], seconds: float
) -> list[str | EditError]:
    """Return a text with each of these sets of assignments, or why that cannot be.

    It stops after `seconds` of CPU time: the result may be shorter than `wanted`, but never empty.
    """
    until = time.process_time() + seconds
    edited: list[str | EditError] = []
    try:
        readable = EditableText.read(text, file_format)
    except EditError as error:
        return [error] * len(wanted)
    for assignments in wanted:
        if edited and time.process_time() >= until:
            break
        try:
            edited.append(readable.edited(assignments))
        except EditError as error:
            edited.append(error)
    return edited


class ChangedBase(NamedTuple):
    """A file that a sweep edits: its text when the cells were made, and now.

    A tuple, so that the pool counts the texts when it limits the task's time.
    """

    alias: str
    format: FileFormat
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RebaseEffect:
    """What a rebase would do, as far as the cells before `next_cell` show; None: all of them."""

    next_cell: int | None
    is_refused: bool
    changes_bytes: bool


def rebase_effect(
    bases: Sequence[ChangedBase], definition: SweepDefinition, first_cell: int, seconds: float
) -> RebaseEffect:
    """Return what a rebase of a sweep would do, going on at one of the cells that it tries.

    It tries as many cells as set every value once. It stops after `seconds` of CPU time.
    """
    until = time.process_time() + seconds
    cells = covering_cells(planned_cells(definition).cells)
    changes_bytes = False
    try:
        now = [EditableText.read(base.after, base.format) for base in bases]
        then = [EditableText.read(base.before, base.format) for base in bases]
        for number in range(first_cell, len(cells)):
            if number > first_cell and time.process_time() >= until:
                return RebaseEffect(number, is_refused=False, changes_bytes=changes_bytes)
            wanted = [assignments_in(cells[number], base.alias) for base in bases]
            after = [text.edited(some) for text, some in zip(now, wanted, strict=True)]
            if not changes_bytes:
                before = [text.edited(some) for text, some in zip(then, wanted, strict=True)]
                changes_bytes = before != after
    except EditError:
        return RebaseEffect(None, is_refused=True, changes_bytes=changes_bytes)
    return RebaseEffect(None, is_refused=False, changes_bytes=changes_bytes)


def assignments_in(cell: PlannedCell, alias: str) -> list[Assignment]:
    """Return what a cell sets in one file."""
    return [
        Assignment(setting.target.path, setting.value)
        for setting in cell.settings
        if setting.target.alias == alias
    ]


def values_before(text: str, file_format: FileFormat, paths: Sequence[str]) -> list[JsonValue]:
    """Return the value at each path of a text that these paths edit; None where there is none."""
    readable = EditableText.read(text, file_format)
    return [_value_at(readable, path) for path in paths]


def _value_at(readable: EditableText, path: str) -> JsonValue:
    try:
        return readable.value_at(path.removesuffix("?"))
    except EditError:
        return None


def patch_of(files: Sequence[tuple[str, str, str]]) -> str:
    """Return the patch of files: their paths, bases and texts."""
    return "".join(
        unified_diff(before, after, before_path=path, after_path=path)
        for path, before, after in files
    )


def settable_paths(text: str, file_format: FileFormat) -> list[str]:
    """Return the paths of all values that can be set; none of a text that cannot be edited."""
    try:
        return [value.path for value in EditableText.read(text, file_format).paths()]
    except EditError:
        return []
