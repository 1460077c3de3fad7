"""YAML of definitions: strict values, every problem with its line, and written to be read."""

from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark_manager.domain.sweeps.definition import definition_json, read_definition
from benchmark_manager.domain.sweeps.yaml_form import definition_yaml
from benchmark_manager.domain.sweeps.yaml_values import read_yaml
from benchmark_manager.errors import InvalidContentError, InvalidInputError
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.sweep import SweepDefinition
from support.sweep_definitions import VALUES, definitions

AS_WRITTEN = """\
name: "batch size, parallelism"
files:
  engine: config/vllm/llama-3.1-8b.yaml
  job: {modified_file_id: abc}
axes:
  - name: seqs
    set: engine:engine.max_num_seqs
    values: [128, 256.5]
  - name: tp
    points:
      - {name: tp1, set: {"engine:tp": 1, "job:spec.args[--tp]": 1.0e-05}}
      - {name: "2", set: {}}
exclude:
  - {seqs: 128, tp: tp1}
repeats: 3
"""


def problems_of(text: str) -> list[tuple[str, int | None]]:
    with pytest.raises(InvalidContentError) as refused:
        read_yaml(text, "definition")
    assert (refused.value.code, refused.value.field) == ("invalid_yaml", "definition")
    problems = [problem for problem in refused.value.problems if isinstance(problem, Problem)]
    return [(problem.code, problem.line) for problem in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e3", 1000.0),
        ("-1.5E-3", -0.0015),
        ("1.0e-05", 1e-05),
        ("[1, -0, .5, 0x1F, +3]", [1, 0, 0.5, 31, 3]),
        ("[true, False, null, ~]", [True, False, None, None]),
        ("{a: , 'b': 'on', \"c\": \"2026-11-30\"}", {"a": None, "b": "on", "c": "2026-11-30"}),
        ("{n: y, 1: x, on: z}", {"n": "y", "1": "x", "on": "z"}),
        ('{"a": ["\\u00e9", {}, []]}', {"a": ["é", {}, []]}),
        ("- a: |\n    two\n    lines\n", [{"a": "two\nlines\n"}]),
    ],
)
def test_values_are_read_as_json_does(text: str, value: Any) -> None:
    assert repr(read_yaml(text, "definition")) == repr(value)


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: 1\nb: on\nc: No\n", [("no_json", 2), ("no_json", 3)]),
        ("a: 2026-11-30\n", [("no_json", 1)]),
        ("[.inf, -.INF, .nan]", [("no_json", 1)] * 3),
        ("[010, 0o17, 1_000, 1:30]", [("no_json", 1)] * 4),
        ("- &a 1\n- *a\n", [("no_json", 1), ("no_json", 2)]),
        ("a: !!str 1\nb: !env {x: 1}\n", [("no_json", 1), ("no_json", 2)]),
        ("a: 1\n<<: {b: 1}\n", [("no_json", 2)]),
        ("? [a]\n: 1\n", [("no_json", 1)]),
        ("a: 1\nb: 2\na: 3\n", [("duplicate_key", 3)]),
        ('1: a\n"1": b\n', [("duplicate_key", 2)]),
        ("a: [\n", [("syntax_error", 2)]),
        ("a: {{ values }}\n", [("template", 1)]),
        ("a\n---\nb\n", [("not_one_document", None)]),
        ("# nothing\n", [("not_one_document", None)]),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(
    text: str, problems: list[tuple[str, int]]
) -> None:
    assert problems_of(text) == problems


def test_a_text_that_is_too_long_is_not_read() -> None:
    with pytest.raises(InvalidInputError) as refused:
        read_yaml("a" * 1_000_001, "text")
    assert (refused.value.reason, refused.value.field) == ("text_too_long", "text")


def test_the_problems_of_a_hostile_text_are_listed_in_part() -> None:
    assert len(problems_of("- on\n" * 1000)) == 100


def test_a_definition_is_written_as_people_write_it() -> None:
    definition = read_definition(read_yaml(AS_WRITTEN, "definition"))
    assert definition_yaml(definition) == AS_WRITTEN


@given(definitions())
def test_a_written_definition_is_read_as_the_same(definition: SweepDefinition) -> None:
    read = read_definition(read_yaml(definition_yaml(definition), "definition"))
    assert definition_json(read) == definition_json(definition)


@given(st.lists(VALUES, min_size=1))
@example(["\x7f\x85\u2028\ufeff\U000e0001\0\t\n", "a" * 2000, {"k" * 2000: 1}, 5e-324, -0.0])
def test_every_reader_reads_the_values_that_are_written(values: list[Any]) -> None:
    definition = read_definition(
        {"name": "n", "files": {"a": "a"}, "axes": [{"name": "x", "set": "a:x", "values": values}]}
    )
    written = definition_yaml(definition)
    readings: list[Any] = [read_yaml(written, "definition"), yaml.safe_load(written)]
    assert [repr(read["axes"][0]["values"]) for read in readings] == [repr(values)] * 2
