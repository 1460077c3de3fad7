"""What becomes of a sweep's cells when its definition or its files change."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Protocol, TypeVar

from benchmark_manager.domain.sweeps.values import assignments_key
from benchmark_manager.models.sweep import Assignments, MadeCell, SweepCell


class _Assigned(Protocol):
    """A cell with the values of its axes."""

    @property
    def assignments(self) -> Assignments: ...


C = TypeVar("C", bound=_Assigned)


def merged_cells(
    cells: Iterable[C], key: Callable[[C], Hashable]
) -> list[tuple[C, tuple[Assignments, ...]]]:
    """Return cells of which no two have the same bytes, in the order of the first of each.

    With each come the assignments of the others. Cells have the same bytes if their keys are equal.
    """
    by_key: dict[Hashable, list[C]] = {}
    for cell in cells:
        by_key.setdefault(key(cell), []).append(cell)
    return [
        (first, tuple(other.assignments for other in others)) for first, *others in by_key.values()
    ]


def revised_cells(
    existing: Sequence[SweepCell],
    wanted: Iterable[MadeCell],
    *,
    sweep_id: str,
    generation: int,
    next_index: int,
) -> tuple[SweepCell, ...]:
    """Return the existing cells of a sweep, and new ones, when these cells are wanted of it.

    A cell stays, or returns, under its index if it is of this generation and has the same digest
    and an assignment in common with a wanted one. Other wanted cells are appended, other existing
    ones retired. In a new generation all wanted cells are appended, and all others retired.

    Args:
        existing: the cells so far, except for retired ones that cannot return: those of other
            generations, or without the digest of a wanted cell.
        wanted: the cells of the new definition, without equal digests (see `merged_cells`).
        sweep_id: the sweep of new cells.
        generation: the generation of the files from which the wanted cells were made.
        next_index: the index of the first new cell.
    """
    known = [cell for cell in existing if cell.generation == generation]
    by_assignments = _by_assignments(known)
    kept: dict[int, SweepCell] = {}
    new: list[MadeCell] = []
    for cell in wanted:
        found = _match(cell, by_assignments)
        if found is None:
            new.append(cell)
        else:
            kept[found.index] = _kept(found, cell)
    return (
        *(kept.get(cell.index) or _retired(cell) for cell in existing),
        *(
            _new_cell(cell, sweep_id, index, generation)
            for index, cell in enumerate(new, next_index)
        ),
    )


def _by_assignments(cells: Iterable[SweepCell]) -> dict[tuple[str, str], list[SweepCell]]:
    """Return cells by their digests and each of their assignments."""
    found: dict[tuple[str, str], list[SweepCell]] = {}
    for cell in cells:
        for assignments in (cell.assignments, *cell.also):
            found.setdefault((cell.digest, assignments_key(assignments)), []).append(cell)
    return found


def _match(wanted: MadeCell, known: dict[tuple[str, str], list[SweepCell]]) -> SweepCell | None:
    """Return the cell that is the wanted one: one that is in use before a retired one."""
    found = [
        cell
        for assignments in (wanted.assignments, *wanted.also)
        for cell in known.get((wanted.digest, assignments_key(assignments)), ())
    ]
    return min(found, key=lambda cell: (cell.retired, cell.index), default=None)


def _kept(cell: SweepCell, wanted: MadeCell) -> SweepCell:
    return cell.model_copy(
        update={
            "assignments": wanted.assignments,
            "also": wanted.also,
            "validity": wanted.validity,
            "version": wanted.version,
            "texts": wanted.texts,
            "retired": False,
        }
    )


def _retired(cell: SweepCell) -> SweepCell:
    return cell if cell.retired else cell.model_copy(update={"retired": True})


def _new_cell(cell: MadeCell, sweep_id: str, index: int, generation: int) -> SweepCell:
    return SweepCell(
        sweep_id=sweep_id,
        index=index,
        assignments=cell.assignments,
        also=cell.also,
        digest=cell.digest,
        validity=cell.validity,
        generation=generation,
        version=cell.version,
        texts=cell.texts,
    )
