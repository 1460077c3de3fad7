"""Values and combinations as people type them: what is written is read back."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from benchmark_manager.domain.sweeps.limits import MOST_VALUES
from benchmark_manager.domain.sweeps.typed_values import (
    TypedError,
    read_combinations,
    read_values,
    read_values_of_points,
    written_combinations,
    written_value,
    written_values,
)
from benchmark_manager.domain.sweeps.values import value_key
from support.sweep_definitions import NAMES, VALUES


def keys(values: list[JsonValue]) -> list[str]:
    return [value_key(value) for value in values]


@given(st.lists(VALUES, max_size=6))
def test_written_values_are_read_back(values: list[JsonValue]) -> None:
    assert keys(read_values(written_values(values))) == keys(values)


@given(st.lists(st.none() | st.tuples(VALUES), max_size=6))
def test_values_of_points_are_read_back(values: list[tuple[JsonValue] | None]) -> None:
    text = ", ".join("-" if value is None else written_value(value[0]) for value in values)
    assert read_values_of_points(text) == values


@given(st.lists(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), max_size=4))
def test_written_combinations_are_read_back(combinations: list[dict[str, JsonValue]]) -> None:
    read = read_combinations(written_combinations(combinations))
    assert [value_key(each) for each in read] == [value_key(each) for each in combinations]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("128, 256\n512", [128, 256, 512]),
        (" auto ,, fp8,\n", ["auto", "fp8"]),
        ('"a, b", [1,\n2], {"a": 1}', ["a, b", [1, 2], {"a": 1}]),
        ("1.0.0, 01, NaN, -", ["1.0.0", "01", "NaN", "-"]),
        ('"open, ["', ["open, ["]),
        ("true, True, null", [True, "True", None]),
        ("", []),
    ],
)
def test_what_is_no_json_is_a_text(text: str, values: list[JsonValue]) -> None:
    assert read_values(text) == values


@pytest.mark.parametrize(
    ("text", "line"),
    [("[1, 2", 1), ('{"a": 1', 1), ('"open, [', 1), ("1\n[2] 3", 2), ("128,\n256, {a}", 2)],
)
def test_json_that_is_not_complete_is_no_text(text: str, line: int) -> None:
    with pytest.raises(TypedError) as refused:
        read_values(text)
    assert refused.value.line == line


@pytest.mark.parametrize(
    ("text", "line"), [("seqs", 1), ("a=1\nb", 2), ("a=1, a=2", 1), ("=1", 1), ("a=1\n\n, b=2", 3)]
)
def test_a_line_that_is_no_combination_is_named(text: str, line: int) -> None:
    with pytest.raises(TypedError) as refused:
        read_combinations(text)
    assert refused.value.line == line


@pytest.mark.parametrize(
    "text",
    ["1, " * 300_000, "[," * 500_000, "[1," * 300_000, '"\\' * 400_000, "{" * 900_000],
    ids=["values", "brackets", "nested lists", "quotes", "braces"],
)
def test_hostile_values_are_read_in_a_moment(text: str) -> None:
    start = time.process_time()
    with contextlib.suppress(TypedError):
        assert len(read_values(text)) <= MOST_VALUES + 1
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "text",
    ["a=1\n" * 200_000, ", ".join(f"a{n}=[" for n in range(100_000)), "=" * 900_000],
    ids=["lines", "names", "signs"],
)
def test_hostile_combinations_are_read_in_a_moment(text: str) -> None:
    start = time.process_time()
    with contextlib.suppress(TypedError):
        assert len(read_combinations(text)) == MOST_VALUES + 1
    assert time.process_time() - start < 1
