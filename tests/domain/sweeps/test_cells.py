"""Cells are planned by combining axes, less `exclude`, plus `include`."""

import itertools
from typing import Any

import pytest
from hypothesis import assume, given

from benchmark_manager.domain.sweeps.cells import check_assigned, planned_cells
from benchmark_manager.domain.sweeps.definition import definition_json, read_definition
from benchmark_manager.domain.sweeps.values import assignments_key
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages.notes import note_words
from benchmark_manager.models.sweep import CellPlan, PlannedCell, SweepDefinition
from support.sweep_definitions import definitions


def plan(*axes: dict[str, Any], **more: Any) -> CellPlan:
    value = {"name": "s", "files": {"a": "a.yaml", "b": "b.yaml"}, "axes": list(axes), **more}
    return planned_cells(read_definition(value))


def axis(name: str, *values: Any, to: Any = None) -> dict[str, Any]:
    return {"name": name, "set": f"a:{name}" if to is None else to, "values": list(values)}


def numbers(name: str, count: int) -> dict[str, Any]:
    return axis(name, *range(count))


def values_of(plan: CellPlan) -> list[tuple[Any, ...]]:
    return [tuple(cell.assignments.values()) for cell in plan.cells]


def settings_of(cell: PlannedCell) -> dict[str, Any]:
    return {f"{s.target.alias}:{s.target.path}": s.value for s in cell.settings}


def expected_keys(definition: SweepDefinition) -> list[str]:
    """The keys of all cells, by building every combination and filtering it."""
    axes: Any = definition_json(definition)["axes"]
    columns = [
        [(a["name"], v) for v in a.get("values", [p["name"] for p in a.get("points", [])])]
        for a in axes
    ]
    is_zip = definition.combine == "zip"
    rows = zip(*columns, strict=False) if is_zip else itertools.product(*columns)
    kept = [
        dict(row)
        for row in rows
        if not any(
            all(assignments_key({n: dict(row)[n]}) == assignments_key({n: v}) for n, v in e.items())
            for e in definition.exclude
        )
    ]
    return list(dict.fromkeys(map(assignments_key, [*kept, *definition.include])))


def test_the_last_axis_is_the_fastest() -> None:
    assert values_of(plan(axis("x", 1, 2), axis("y", "a", "b"))) == [
        (1, "a"),
        (1, "b"),
        (2, "a"),
        (2, "b"),
    ]


def test_zipped_axes_advance_together() -> None:
    planned = plan(axis("x", 1, 1, 2), axis("y", "a", "b", "c"), combine="zip")
    assert values_of(planned) == [(1, "a"), (1, "b"), (2, "c")]


def test_a_cell_sets_each_value_at_every_target_of_its_axis() -> None:
    points = [
        {"name": "one", "set": {"a:tp": 1, "b:args[--tp]": 1}},
        {"name": "as it is", "set": {}},
    ]
    planned = plan(axis("x", 5, to=["a:x", "b:x?"]), {"name": "tp", "points": points})
    assert [settings_of(cell) for cell in planned.cells] == [
        {"a:x": 5, "b:x?": 5, "a:tp": 1, "b:args[--tp]": 1},
        {"a:x": 5, "b:x?": 5},
    ]
    assert planned.cells[0].assignments == {"x": 5, "tp": "one"}


@given(definitions())
def test_cells_are_all_combinations_less_excluded_plus_included_ones(
    definition: SweepDefinition,
) -> None:
    expected = expected_keys(definition)
    assume(expected)
    planned = planned_cells(definition).cells
    assert [assignments_key(cell.assignments) for cell in planned] == expected


def test_values_are_the_same_by_type_and_value() -> None:
    planned = plan(axis("x", 1, 1.0, True, "1"), exclude=[{"x": 1}])
    assert [repr(cell.assignments["x"]) for cell in planned.cells] == ["1.0", "True", "'1'"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"exclude": [{"x": 1}, {"x": 7}]}, "exclude[1] matches no combination."),
        ({"exclude": [{"x": 1, "y": 1}], "combine": "zip"}, "exclude[0] matches no combination."),
        (
            {"include": [{"x": 7, "y": 7}, {"x": 7, "y": 7}]},
            "include[1] is a combination that the sweep has already.",
        ),
        (
            {"axes": [axis("x", 1, 2, 1)]},
            "axes[0].values has a value twice; its combinations are made once.",
        ),
        (
            {"axes": [axis("x", 1, 1), axis("y", 2, 2)], "combine": "zip"},
            "1 combination occurs before and is made once.",
        ),
    ],
)
def test_what_has_no_effect_is_noted(more: dict[str, Any], sentence: str) -> None:
    planned = plan(*more.pop("axes", [axis("x", 1, 2), axis("y", 2, 1)]), **more)
    assert [note_words(note.code, note.facts) for note in planned.notes] == [sentence]
    assert note_words(planned.notes[0].code, planned.notes[0].facts, "ko") != sentence


def test_an_excluded_combination_can_be_included() -> None:
    planned = plan(axis("x", 1, 2), exclude=[{"x": 1}], include=[{"x": 1}])
    assert (values_of(planned), planned.notes) == ([(2,), (1,)], ())


@pytest.mark.parametrize(
    ("axes", "more", "reason", "count"),
    [
        ([numbers(f"x{n}", 10) for n in range(9)], {}, "of_axes", 10**9),
        ([numbers(f"x{n}", 100) for n in range(50)], {}, "of_axes", 100**50),
        ([numbers("x", 11), numbers("y", 100)], {"exclude": [{"x": 1, "y": 1}]}, "", 1099),
        ([numbers("x", 1000)], {"include": [{"x": "more"}]}, "", 1001),
    ],
)
def test_too_many_cells_are_counted_and_not_built(
    axes: list[dict[str, Any]], more: dict[str, Any], reason: str, count: int
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        plan(*axes, **more)
    error = refused.value
    assert (error.code, error.reason) == ("too_many_cells", reason)
    assert error.facts["count"] == count


def test_a_thousand_cells_of_a_million_combinations_are_found() -> None:
    exclude = [{"x": number} for number in range(1, 1000)]
    assert len(plan(numbers("x", 1000), numbers("y", 1000), exclude=exclude).cells) == 1000


def test_at_least_one_combination_is_left() -> None:
    with pytest.raises(InvalidInputError) as refused:
        plan(axis("x", 1), exclude=[{"x": 1}])
    assert (refused.value.reason, refused.value.field) == ("no_cells", "excluded")


def test_two_axes_may_set_one_path_to_the_same_value() -> None:
    planned = plan(axis("x", 1, to="a:p"), axis("y", 1, to="a:p?"))
    assert [settings_of(cell) for cell in planned.cells] == [{"a:p": 1}]


@pytest.mark.parametrize("other", [2, 1.0, True, "1", [1]])
def test_two_axes_that_set_one_path_to_different_values_are_refused(other: Any) -> None:
    with pytest.raises(InvalidInputError) as refused:
        plan(axis("x", 1, to="a:p"), axis("y", 1, other, to="a:p?"))
    error = refused.value
    assert error.code == "contradicting_axes"
    assert error.facts == {"field": "axes", "names": ("x", "y"), "path": "a:p"}


def test_the_key_of_assignments_does_not_depend_on_the_order_of_axes() -> None:
    assert assignments_key({"x": 1, "y": {"a": 1, "b": 2}}) == assignments_key(
        {"y": {"b": 2, "a": 1}, "x": 1}
    )


@pytest.mark.parametrize(
    ("text", "count"), [("x" * 6000, 1000), ("\u1234" * 6000, 200)], ids=["many", "not ASCII"]
)
def test_values_of_all_combinations_have_a_limit_as_they_are_stored(text: str, count: int) -> None:
    points = [{"name": f"p{n}", "set": {"a:p": 1}} for n in range(count)]
    cells = plan(axis("x", text), {"name": "p", "points": points}).cells
    check_assigned(cells[: count // 2])
    with pytest.raises(InvalidInputError) as refused:
        check_assigned(cells)
    assert (refused.value.code, refused.value.reason) == ("sweep_too_large", "assignments")
