"""Texts of a sweep's cells differ as their assignments say, as if each had been read."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from benchmark_manager.domain.edits import Assignment, EditableText, EditError
from benchmark_manager.domain.results.swept import swept_paths
from benchmark_manager.domain.results.varied import VariedFile, varied_paths
from support.swept import JOB

BASE = """\
engine:
  seqs: 0x80   # per GPU
  dtype: 'auto'
  size: 1.0
  eager: yes
  sizes: [1, 2]
  more: {a: 1, b: two}
containers:
  - name: server
    args: ["--tp", "1", "--seed=7"]
"""
#: Values by path, some of which are there already, or change what others are called by.
VALUES: dict[str, list[JsonValue]] = {
    "engine.seqs": [128, 256, "128", None, True],
    "engine.dtype": ["auto", "yes", "bf16", 1],
    "engine.size": [1.0, 1, 2.5],
    "engine.eager": [True, False, "yes"],
    "engine.more": [{"a": 1, "b": "two"}, {"a": 2, "b": "x"}, {"a": 3, "c": 1}, {}],
    "engine.sizes[0]": [1, 2, "a"],
    "engine.new?": [1, 2],
    "containers[name=server].args[--tp]": [1, 2, 4],
    "containers[name=server].args[--seed]": [7, 8],
    "containers[name=server].name": ["server", "other"],
    "containers[0].args[1]": ["1", "2"],
}
cells = st.lists(
    st.dictionaries(st.sampled_from(list(VALUES)), st.integers(0, 11), max_size=4),
    min_size=2,
    max_size=8,
)


def made(base: str, wanted: Sequence[Sequence[Assignment]]) -> list[str] | None:
    """Return the texts of cells; None where one cannot be made, so that there is no sweep."""
    editable = EditableText.read(base, "yaml")
    try:
        return [editable.edited(assignments) for assignments in wanted]
    except EditError:
        return None


def distinct(
    texts: Sequence[str], wanted: Sequence[list[Assignment]]
) -> tuple[list[str], list[list[Assignment]]]:
    by_text = dict(zip(texts, wanted, strict=True))
    return list(by_text), list(by_text.values())


def assignments(cell: dict[str, int]) -> list[Assignment]:
    return [
        Assignment(path, VALUES[path][number % len(VALUES[path])]) for path, number in cell.items()
    ]


@given(cells)
def test_assignments_say_what_reading_every_text_says(chosen: list[dict[str, int]]) -> None:
    wanted = [assignments(cell) for cell in chosen]
    texts = made(BASE, wanted)
    if texts is None:
        return
    texts, wanted = distinct(texts, wanted)
    found = swept_paths(BASE, "yaml", wanted)
    assert found is None or found == varied_paths(texts, "yaml")


def found_by(wanted: list[list[Assignment]], base: str = BASE) -> VariedFile | None:
    texts = made(base, wanted)
    assert texts is not None
    found = swept_paths(base, "yaml", wanted)
    assert found is None or found == varied_paths(texts, "yaml")
    return found


def test_flags_and_values_are_found_without_reading_every_text() -> None:
    path = "spec.template.spec.containers[name=server].args"
    wanted = [
        [Assignment(f"{path}[--tensor-parallel-size]", tp), Assignment(f"{path}[--seed]", seed)]
        for tp in (1, 2)
        for seed in (7, 8)
    ]
    found = found_by(wanted, JOB.decode())
    assert found is not None
    assert [(one.path, one.values) for one in found.paths] == [
        (f"{path}[1]", (("1",), ("1",), ("2",), ("2",))),
        (f"{path}[2]", (("--seed=7",), ("--seed=8",), ("--seed=7",), ("--seed=8",))),
    ]


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param([("engine.new?", 1), ("engine.new?", 2)], id="added"),
        pytest.param(
            [("containers[name=server].name", "a"), ("containers[name=server].name", "b")],
            id="a name",
        ),
        pytest.param([("engine.more", {"a": 1}), ("engine.more", {"b": 1})], id="other keys"),
    ],
)
def test_texts_of_another_structure_have_to_be_read(wanted: list[tuple[str, JsonValue]]) -> None:
    assert found_by([[Assignment(path, value)] for path, value in wanted]) is None
