"""Definitions of sweeps are read with every refusal at its field, and written back."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given

from benchmark_manager.domain.sweeps.definition import definition_json, read_definition
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail, words
from benchmark_manager.models.sweep import SweepDefinition, Target
from support.sweep_definitions import definitions

SERVER = "job:spec.template.spec.initContainers[name=server].args[--tensor-parallel-size]"
#: The example of the design.
EXAMPLE: dict[str, Any] = {
    "name": "batch size and parallelism",
    "description": "optional",
    "files": {
        "engine": "config/vllm/llama-3.1-8b.yaml",
        "job": {"modified_file_id": "65f0c0ffee65f0c0ffee65f0"},
    },
    "axes": [
        {"name": "seqs", "set": "engine:engine.max_num_seqs", "values": [128, 256, 512]},
        {
            "name": "tp",
            "points": [
                {"name": "tp1", "set": {"engine:engine.tensor_parallel_size": 1, SERVER: 1}},
                {"name": "tp2", "set": {"engine:engine.tensor_parallel_size": 2, SERVER: 2}},
            ],
        },
    ],
    "combine": "product",
    "exclude": [{"seqs": 512, "tp": "tp1"}],
    "include": [{"seqs": 1024, "tp": "tp2"}],
    "repeats": 3,
    "contents": "originals",
}
SMALL: dict[str, Any] = {
    "name": "small",
    "files": {"a": "a.yaml"},
    "axes": [{"name": "x", "set": "a:x", "values": [1]}],
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The example with a change."""
    value = copy.deepcopy(EXAMPLE)
    change(value)
    return value


def test_the_example_is_read_and_written_back() -> None:
    assert definition_json(read_definition(EXAMPLE)) == EXAMPLE


@given(definitions())
def test_what_is_written_is_read_as_the_same_definition(definition: SweepDefinition) -> None:
    written = definition_json(definition)
    assert definition_json(read_definition(written)) == written


def test_what_is_not_given_has_its_default() -> None:
    read = definition_json(read_definition({**SMALL, "exclude": None}))
    assert read == {
        **SMALL,
        "description": "",
        "combine": "product",
        "exclude": [],
        "include": [],
        "repeats": 1,
        "contents": "originals",
    }


def test_the_first_colon_ends_the_alias_of_a_target() -> None:
    read = read_definition({**SMALL, "axes": [{"name": "x", "set": ["a:b:c"], "values": [1]}]})
    axis = read.axes[0]
    assert getattr(axis, "targets", None) == (Target(alias="a", path="b:c"),)


@pytest.mark.parametrize(
    ("field", "reason", "change"),
    [
        ("colour", "unknown_field", lambda d: d.update(colour="red")),
        ("name", "field_missing", lambda d: d.pop("name")),
        ("axes", "field_missing", lambda d: d.update(axes=None)),
        ("name", "line_expected", lambda d: d.update(name="")),
        ("name", "line_expected", lambda d: d.update(name="x" * 201)),
        ("name", "line_expected", lambda d: d.update(name="two\nlines")),
        ("name", "line_expected", lambda d: d.update(name="\ud800")),
        ("description", "text_expected", lambda d: d.update(description=1)),
        ("description", "text_too_long", lambda d: d.update(description="x" * 10_001)),
        ("files", "object_expected", lambda d: d.update(files=["a.yaml"])),
        ("files", "empty", lambda d: d.update(files={})),
        ("files.a b", "alias_expected", lambda d: d["files"].update({"a b": "a.yaml"})),
        ("files.a", "text_expected", lambda d: d["files"].update(a=1)),
        ("files.a", "line_expected", lambda d: d["files"].update(a=" ")),
        ("files.a.sha", "unknown_field", lambda d: d["files"].update(a={"sha": "1"})),
        (
            "files.a.modified_file_id",
            "text_expected",
            lambda d: d["files"].update(a={"modified_file_id": 1}),
        ),
        ("files.a", "file_twice", lambda d: d["files"].update(a=d["files"]["engine"])),
        ("axes", "list_expected", lambda d: d.update(axes={})),
        ("axes", "empty", lambda d: d.update(axes=[])),
        ("axes", "too_many_entries", lambda d: d.update(axes=d["axes"] * 26)),
        ("axes[0]", "object_expected", lambda d: d["axes"].insert(0, 1)),
        ("axes[1].name", "name_twice", lambda d: d["axes"][1].update(name="seqs")),
        ("axes[0].value", "unknown_field", lambda d: d["axes"][0].update(value=1)),
        ("axes[0]", "values_or_points", lambda d: d["axes"][0].pop("set")),
        ("axes[1]", "values_or_points", lambda d: d["axes"][1].update(values=[1])),
        ("axes[0].values", "empty", lambda d: d["axes"][0].update(values=[])),
        ("axes[0].values", "too_many_entries", lambda d: d["axes"][0].update(values=[1] * 1001)),
        ("axes[0].values[1]", "not_json", lambda d: d["axes"][0].update(values=[1, float("nan")])),
        ("axes[0].values[0]", "not_json", lambda d: d["axes"][0].update(values=[{"\udfff": 1}])),
        ("axes[0].values[0]", "not_json", lambda d: d["axes"][0].update(values=[[2**1024]])),
        ("axes[0].set", "target_expected", lambda d: d["axes"][0].update(set="engine")),
        ("axes[0].set", "target_expected", lambda d: d["axes"][0].update(set="engine:?")),
        ("axes[0].set", "target_expected", lambda d: d["axes"][0].update(set=": x")),
        ("axes[0].set", "unknown_alias", lambda d: d["axes"][0].update(set="motor:x")),
        ("axes[0].set", "list_expected", lambda d: d["axes"][0].update(set={"engine:x": 1})),
        ("axes[0].set", "empty", lambda d: d["axes"][0].update(set=[])),
        ("axes[0].set[1]", "unknown_alias", lambda d: d["axes"][0].update(set=["job:x", "b:x"])),
        ("axes[0].set", "target_twice", lambda d: d["axes"][0].update(set=["job:x", "job:x?"])),
        ("axes[1].points", "empty", lambda d: d["axes"][1].update(points=[])),
        ("axes[1].points[0].set", "field_missing", lambda d: d["axes"][1]["points"][0].pop("set")),
        (
            "axes[1].points[0].set",
            "unknown_alias",
            lambda d: d["axes"][1]["points"][0].update(set={"motor:x": 1}),
        ),
        (
            "axes[1].points[1].set",
            "target_twice",
            lambda d: d["axes"][1]["points"][1].update(set={"job:x": 1, "job:x?": 1}),
        ),
        (
            "axes[1].points[1].name",
            "name_twice",
            lambda d: d["axes"][1]["points"][1].update(name="tp1"),
        ),
        (
            "axes[1].points[1].name",
            "line_expected",
            lambda d: d["axes"][1]["points"][1].update(name=1),
        ),
        ("combine", "word_expected", lambda d: d.update(combine="sum")),
        ("combine", "word_expected", lambda d: d.update(combine=[])),
        ("axes[1]", "lengths_differ", lambda d: d.update(combine="zip")),
        ("exclude", "list_expected", lambda d: d.update(exclude={})),
        ("exclude[0]", "empty", lambda d: d.update(exclude=[{}])),
        ("exclude[0].seq", "unknown_axis", lambda d: d.update(exclude=[{"seq": 1}])),
        ("exclude[0].tp", "unknown_point", lambda d: d.update(exclude=[{"tp": "tp3"}])),
        ("exclude[0].tp", "unknown_point", lambda d: d.update(exclude=[{"tp": ["tp1"]}])),
        ("include[0]", "axis_missing", lambda d: d.update(include=[{"tp": "tp1"}])),
        ("include[0].tp", "unknown_point", lambda d: d.update(include=[{"seqs": 1, "tp": "x"}])),
        ('""', "unknown_field", lambda d: d.update({"": 1})),
        ("repeats", "whole_number_expected", lambda d: d.update(repeats=0)),
        ("repeats", "whole_number_expected", lambda d: d.update(repeats=1001)),
        ("repeats", "whole_number_expected", lambda d: d.update(repeats=True)),
        ("repeats", "whole_number_expected", lambda d: d.update(repeats=1.0)),
        ("contents", "word_expected", lambda d: d.update(contents="every")),
        ("axes", "values_too_long", lambda d: d["axes"][0].update(values=["x" * 16_385])),
        ("definition", "too_large", lambda d: d.update(description="x" * 1_000_001)),
    ],
)
def test_what_is_refused_names_its_field(
    field: str, reason: str, change: Callable[[dict[str, Any]], object]
) -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_definition(changed(change))
    error = refused.value
    assert (error.code, error.reason, error.field) == ("invalid_request", reason, field)
    assert field in detail(error)
    assert words(error, "ko")


def test_a_definition_is_an_object() -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_definition([EXAMPLE])
    assert (refused.value.reason, refused.value.field) == ("object_expected", "definition")


def test_a_combination_sets_a_limited_number_of_values() -> None:
    targets = [f"a:x{number}" for number in range(101)]
    axes: list[Any] = [{"name": name, "set": targets, "values": [1]} for name in ("x", "y")]
    with pytest.raises(InvalidInputError) as refused:
        read_definition({**SMALL, "axes": axes})
    assert (refused.value.reason, refused.value.field) == ("too_many_settings", "axes")


def test_axes_set_a_limited_number_of_values_over_all() -> None:
    targets = [f"a:x{number}" for number in range(100)]
    axis: Any = {"name": "x", "set": targets, "values": list(range(500))}
    read_definition({**SMALL, "axes": [axis]})
    with pytest.raises(InvalidInputError) as refused:
        read_definition({**SMALL, "axes": [axis], "include": [{"x": 500}]})
    assert (refused.value.reason, refused.value.field) == ("too_many_axis_settings", "axes")
    assert words(refused.value, "ko")


def test_values_are_not_nested_deeper_than_readers_stand() -> None:
    value: Any = 1
    for _ in range(100_000):
        value = [value]
    with pytest.raises(InvalidInputError) as refused:
        read_definition({**SMALL, "axes": [{"name": "x", "set": "a:x", "values": [value]}]})
    assert refused.value.reason == "too_deep"
    # Python frees what is nested so deep by recursion, unless it is taken apart.
    while isinstance(value, list):
        value = value.pop()
