"""Cells keep their indexes while definitions and files change."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.sweeps import generations
from benchmark_manager.domain.sweeps.filters import passes, read_filters
from benchmark_manager.domain.sweeps.generations import revised_cells
from benchmark_manager.models.sweep import MadeCell, SweepCell


def made(x: int, digest: str | None = None) -> MadeCell:
    return MadeCell(
        assignments={"x": x},
        digest=digest or f"bytes of {x}",
        validity="valid",
        version=1,
        texts=(),
    )


def merged_cells(cells: Iterable[MadeCell]) -> list[MadeCell]:
    merged = generations.merged_cells(cells, lambda cell: cell.digest)
    return [cell.model_copy(update={"also": also}) for cell, also in merged]


def revised(
    existing: Sequence[SweepCell], *wanted: MadeCell, generation: int = 1
) -> tuple[SweepCell, ...]:
    cells = merged_cells(wanted)
    digests = {cell.digest for cell in cells}
    relevant = {
        cell.index: cell
        for cell in existing
        if not cell.retired or (cell.generation == generation and cell.digest in digests)
    }
    revised = revised_cells(
        list(relevant.values()),
        cells,
        sweep_id="s",
        generation=generation,
        next_index=len(existing),
    )
    others = [cell for cell in existing if cell.index not in relevant]
    return tuple(sorted((*others, *revised), key=lambda cell: cell.index))


def rows(cells: Sequence[SweepCell]) -> list[tuple[int, object, str]]:
    return [
        (cell.index, cell.assignments["x"], "retired" if cell.retired else cell.digest)
        for cell in cells
    ]


#: What each of up to four values of an axis makes of a file; values may make equal bytes.
DEFINITIONS = st.dictionaries(st.integers(1, 4), st.sampled_from("ABC"), max_size=4).map(
    lambda digests: [made(x, digest) for x, digest in digests.items()]
)
HISTORIES = st.lists(st.tuples(DEFINITIONS, st.booleans()), min_size=1, max_size=6)


def test_equal_bytes_are_one_cell_at_the_position_of_the_first() -> None:
    cells = merged_cells([made(1, "A"), made(2, "B"), made(3, "A"), made(4, "A")])
    assert [(cell.digest, cell.assignments, cell.also) for cell in cells] == [
        ("A", {"x": 1}, ({"x": 3}, {"x": 4})),
        ("B", {"x": 2}, ()),
    ]


def test_a_definition_is_extended_while_unchanged_cells_keep_their_index() -> None:
    first = revised([], made(1), made(2))
    assert rows(revised(first, made(0), made(2), made(3))) == [
        (0, 1, "retired"),
        (1, 2, "bytes of 2"),
        (2, 0, "bytes of 0"),
        (3, 3, "bytes of 3"),
    ]


def test_a_retired_cell_returns_under_its_index() -> None:
    first = revised([], made(1), made(2))
    assert revised(revised(first, made(1)), made(1), made(2)) == first


def test_the_same_assignments_with_other_bytes_are_another_cell() -> None:
    first = revised([], made(1, "A"))
    assert rows(revised(first, made(1, "B"))) == [(0, 1, "retired"), (1, 1, "B")]


def test_the_same_bytes_by_other_assignments_are_another_cell() -> None:
    first = revised([], made(1, "A"))
    assert rows(revised(first, made(2, "A"))) == [(0, 1, "retired"), (1, 2, "A")]


def test_a_cell_stays_while_one_of_its_assignments_does() -> None:
    first = revised([], made(1, "A"), made(2, "A"))
    assert rows(revised(first, made(2, "A"))) == [(0, 2, "A")]


def test_a_new_generation_retires_all_older_cells() -> None:
    first = revised([], made(1), made(2))
    cells = revised(first, made(1), made(2, "B"), generation=2)
    assert rows(cells) == [
        (0, 1, "retired"),
        (1, 2, "retired"),
        (2, 1, "bytes of 1"),
        (3, 2, "B"),
    ]
    assert [cell.generation for cell in cells] == [1, 1, 2, 2]


@given(HISTORIES)
def test_a_sweep_has_exactly_the_wanted_cells_and_never_loses_one(
    history: list[tuple[list[MadeCell], bool]],
) -> None:
    states: list[tuple[SweepCell, ...]] = []
    again: list[tuple[SweepCell, ...]] = []
    generation = 1
    for wanted, rebase in history:
        generation += rebase
        states.append(revised(states[-1] if states else (), *wanted, generation=generation))
        again.append(revised(states[-1], *wanted, generation=generation))
    assert again == states
    indexes = [[cell.index for cell in cells] for cells in states]
    assert indexes == [list(range(len(cells))) for cells in states]
    digests = [[cell.digest for cell in cells] for cells in states]
    assert [later[: len(former)] for former, later in pairwise(digests)] == digests[:-1]
    assert [combinations(cell for cell in cells if not cell.retired) for cells in states] == [
        combinations(merged_cells(wanted)) for wanted, _ in history
    ]


def combinations(cells: Iterable[SweepCell | MadeCell]) -> dict[str, tuple[object, object]]:
    """Return the assignments that make each cell, by its digest."""
    return {cell.digest: (cell.assignments, cell.also) for cell in cells}


def test_filters_are_json_or_else_text() -> None:
    filters = read_filters(
        [("axis.n", "1"), ("axis.s", "tp1"), ("axis.q", '"1"'), ("axis.nan", "NaN"), ("x", "1")]
    )
    assert filters == (("n", "1"), ("s", '"tp1"'), ("q", '"1"'), ("nan", '"NaN"'))


def test_a_filter_finds_a_cell_by_any_of_its_combinations() -> None:
    (cell,) = revised([], made(1, "A"), made(2, "A"))
    found = [passes(cell, read_filters([("axis.x", text)])) for text in ("1", "2", "3", '"1"')]
    assert found == [True, True, False, False]


def test_a_cell_passes_if_one_combination_has_all_wanted_values() -> None:
    (cell,) = revised([], made(1, "A"), made(2, "A"))
    assert not passes(cell, read_filters([("axis.x", "1"), ("axis.x", "2")]))
    assert passes(cell, read_filters([]))


def test_a_filter_that_is_nested_too_deep_is_a_text() -> None:
    assert read_filters([("axis.x", "[" * 50_000)])[0][1].startswith('"[[')
