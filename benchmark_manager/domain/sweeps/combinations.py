"""The combinations of the axes' values that a definition asks for.

A product can be enormous, so it is made axis by axis, without what `exclude` removes, and given up
where it would have too many combinations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from benchmark_manager.domain.sweeps.choices import (
    Choice,
    Combination,
    choices_of,
    chosen,
    combination_key,
)
from benchmark_manager.domain.sweeps.exclusion import Exclusion
from benchmark_manager.domain.sweeps.limits import MOST_CELLS, MOST_COMBINATIONS
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.sweep import SweepDefinition, SweepNote


@dataclass(frozen=True, slots=True)
class CombinedAxes:
    """Combinations in the order of cells, each once, and notes on what has no effect."""

    combinations: tuple[Combination, ...]
    notes: tuple[SweepNote, ...]


def combined_axes(definition: SweepDefinition) -> CombinedAxes:
    """Combine the axes: product or zip, less `exclude`, plus `include`.

    Raises:
        InvalidInputError: `too_many_cells`, or `invalid_request` where no combination is left.
    """
    combined = _zipped(definition) if definition.combine == "zip" else _multiplied(definition)
    count = len(combined.combinations)
    if not count:
        raise InvalidInputError("invalid_request", "no_cells", field="excluded")
    if count > MOST_CELLS:
        raise InvalidInputError("too_many_cells", count=count, limit=MOST_CELLS)
    return combined


def _zipped(definition: SweepDefinition) -> CombinedAxes:
    """Combine axes that advance together."""
    exclusion = _exclusion(definition)
    kept: dict[tuple[str, ...], Combination] = {}
    agreed, repeats = 0, 0
    for row in zip(*map(choices_of, definition.axes), strict=True):
        entries = exclusion.of_combination(row)
        agreed |= entries
        if not entries:
            repeats += combination_key(row) in kept
            kept.setdefault(combination_key(row), row)
    notes = [SweepNote(code="combinations_repeat", facts={"count": repeats})] if repeats else []
    added = _included(definition, lambda combination: combination_key(combination) in kept)
    return CombinedAxes(
        (*kept.values(), *added.combinations),
        (*notes, *_exclude_notes(definition, agreed), *added.notes),
    )


def _multiplied(definition: SweepDefinition) -> CombinedAxes:
    """Combine all values of each axis with all of the others, the last axis fastest.

    Raises:
        InvalidInputError: `too_many_cells`.
    """
    given = [choices_of(axis) for axis in definition.axes]
    columns = [tuple({choice.key: choice for choice in column}.values()) for column in given]
    keys = [{choice.key for choice in column} for column in columns]
    exclusion = _exclusion(definition)

    def is_present(combination: Combination) -> bool:
        known = all(choice.key in of for choice, of in zip(combination, keys, strict=True))
        return known and not exclusion.of_combination(combination)

    added = _included(definition, is_present)
    product = _product(columns, exclusion, room=MOST_CELLS - len(added.combinations))
    return CombinedAxes(
        (*product, *added.combinations),
        (
            *_repeat_notes(given, columns),
            *_exclude_notes(definition, exclusion.of_product(columns)),
            *added.notes,
        ),
    )


def _product(
    columns: Sequence[Sequence[Choice]], exclusion: Exclusion, *, room: int
) -> list[Combination]:
    """Return the combinations of the product that no entry excludes, at most `room`.

    Axes of one value are put in at the end, since they multiply nothing.

    Raises:
        InvalidInputError: `too_many_cells`.
    """
    free = [position for position, column in enumerate(columns) if len(column) > 1]
    single = {at: column[0] for at, column in enumerate(columns) if len(column) == 1}
    entries = exclusion.every
    for position, choice in single.items():
        entries &= exclusion.agreeing(position, choice)
    begun: list[tuple[Combination, int]] = []
    if not entries & ~exclusion.undecided(free):
        begun.append(((), entries))
    for number, position in enumerate(free):
        if len(begun) * len(columns[position]) > MOST_COMBINATIONS:
            count = prod(map(len, columns))
            raise InvalidInputError("too_many_cells", "of_axes", count=count, limit=MOST_CELLS)
        later = exclusion.undecided(free[number + 1 :])
        begun = _extended(begun, position, columns[position], exclusion, later)
    if len(begun) > room:
        count = len(begun) + MOST_CELLS - room
        raise InvalidInputError("too_many_cells", count=count, limit=MOST_CELLS)
    return [_with_single(chosen, free, single) for chosen, _ in begun]


def _extended(
    begun: Sequence[tuple[Combination, int]],
    position: int,
    column: Sequence[Choice],
    exclusion: Exclusion,
    later: int,
) -> list[tuple[Combination, int]]:
    """Return combinations with each choice of one more axis, and the entries that still agree.

    `later` are the entries that name axes which are still to come: the others exclude.
    """
    agreeing = [(choice, exclusion.agreeing(position, choice)) for choice in column]
    return [
        ((*combination, choice), entries & others)
        for combination, entries in begun
        for choice, others in agreeing
        if not entries & others & ~later
    ]


def _with_single(
    combination: Combination, free: Sequence[int], single: Mapping[int, Choice]
) -> Combination:
    """Return a whole combination: choices at some positions, and those of axes of one value."""
    choices = {**single, **dict(zip(free, combination, strict=True))}
    return tuple(choices[position] for position in range(len(choices)))


def _included(
    definition: SweepDefinition, is_present: Callable[[Combination], bool]
) -> CombinedAxes:
    """Return the combinations of `include` that are not present without it."""
    added: dict[tuple[str, ...], Combination] = {}
    notes: list[SweepNote] = []
    for number, entry in enumerate(definition.include):
        combination = tuple(chosen(axis, entry[axis.name]) for axis in definition.axes)
        if combination_key(combination) in added or is_present(combination):
            facts = {"field": f"include[{number}]"}
            notes.append(SweepNote(code="include_without_effect", facts=facts))
        else:
            added[combination_key(combination)] = combination
    return CombinedAxes(tuple(added.values()), tuple(notes))


def _exclusion(definition: SweepDefinition) -> Exclusion:
    return Exclusion(definition.exclude, [axis.name for axis in definition.axes])


def _exclude_notes(definition: SweepDefinition, agreed: int) -> list[SweepNote]:
    return [
        SweepNote(code="exclude_without_effect", facts={"field": f"exclude[{number}]"})
        for number in range(len(definition.exclude))
        if not agreed >> number & 1
    ]


def _repeat_notes(
    given: Sequence[Sequence[Choice]], unique: Sequence[Sequence[Choice]]
) -> list[SweepNote]:
    return [
        SweepNote(code="values_repeat", facts={"field": f"axes[{number}].values"})
        for number, (column, kept) in enumerate(zip(given, unique, strict=True))
        if len(kept) < len(column)
    ]
