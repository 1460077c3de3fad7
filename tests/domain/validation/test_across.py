"""Checks across files: settings against the schema that they name."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.validation.across import check_across, references, with_problems
from benchmark_manager.domain.validation.schemas.config_schema import MAX_SCHEMA, schema_reference
from benchmark_manager.models.original import FileFormat
from benchmark_manager.models.problem import Problem, Verdict
from support.stalls import is_within

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "$schema": {},
        "model": {"type": "string"},
        "tensor_parallel_size": {"type": "integer", "minimum": 1},
        "dtype": {"enum": ["auto", "float16"]},
        "runs": {"type": "array", "items": {"$ref": "#/$defs/run"}},
    },
    "required": ["model"],
    "additionalProperties": False,
    "$defs": {"run": {"type": "object", "required": ["name"]}},
}


def against(
    schema: Any, text: str = "$schema: /s.json\na: 1\n", name: str = "config/a.yaml"
) -> list[Problem]:
    others = {"s.json": schema if isinstance(schema, str) else json.dumps(schema)}
    file_format = "json" if name.endswith(".json") else "yaml"
    found = check_across(text, name, "json" if file_format == "json" else "yaml", "config", others)
    assert {p.severity for p in found} <= {"warning"}
    return list(found)


def test_violations_are_reported_at_their_keys() -> None:
    text = "# yaml-language-server: $schema=/s.json\ntensor_parallel_size: 0\ndtype: int8\n"
    text += "runs:\n- name: a\n- x: 1\nextra: 1\n"
    assert sorted((p.code, p.line or 0, p.column, p.message) for p in against(SCHEMA, text)) == [
        ("schema_violation", 2, 1, "The document lacks the field model (by /s.json)."),
        ("schema_violation", 2, 1, "tensor_parallel_size breaks the rule minimum: 1 (by /s.json)."),
        ("schema_violation", 3, 1, "dtype must be one of auto, float16 (by /s.json)."),
        ("schema_violation", 6, 3, "runs[1] lacks the field name (by /s.json)."),
        ("schema_violation", 7, 1, "The document has no field extra (by /s.json)."),
    ]


def test_json_is_checked_too() -> None:
    text = '{\n  "$schema": "/s.json",\n\t"model": 5\n}\n'
    assert [(p.line, p.column, p.message) for p in against(SCHEMA, text, "config/a.json")] == [
        (3, 2, "model must be text, not a whole number (5) (by /s.json).")
    ]


def test_problems_of_json_that_is_not_yaml_have_no_position() -> None:
    text = '{"$schema": "/s.json", "model": 5, "dtype": "\\ud83d\\ude80"}'
    assert {(p.line, p.code) for p in against(SCHEMA, text, "a.json")} == {
        (None, "schema_violation")
    }


def test_settings_that_match_their_schema_have_no_problem() -> None:
    assert against(SCHEMA, "$schema: /s.json\nmodel: llama\nruns: [{name: a}]\n") == []
    assert against(True) == []


def test_a_schema_may_be_in_yaml() -> None:
    text = "# yaml-language-server: $schema=s.yaml\na: 1\n"
    [problem] = check_across(
        text, "a.yaml", "yaml", "config", {"s.yaml": "type: object\nrequired: [b]\n"}
    )
    assert problem.code == "schema_violation"


NAMED_SCHEMAS = pytest.mark.parametrize(
    ("named", "path"),
    [
        ("schema/a.json", "config/x/schema/a.json"),
        ("./a.json", "config/x/a.json"),
        ("../a.json", "config/a.json"),
        ("../../a.json#/$defs/b", "a.json"),
        ("/schema/a.json", "schema/a.json"),
        ("/schema/../a.json", "a.json"),
        ("../../../a.json", None),
        ("/../a.json", None),
        ("../..", None),
        ("/", None),
        ("https://example.com/a.json", None),
        ("//example.com/a.json", None),
        ("file:///etc/passwd", None),
        ("C:/a.json", None),
        ("#/definitions/a", None),
    ],
)


@NAMED_SCHEMAS
@pytest.mark.parametrize("file_format", ["yaml", "json"])
def test_a_schema_is_taken_from_the_repository_only(
    named: str, path: str | None, file_format: FileFormat
) -> None:
    text = in_yaml(named) if file_format == "yaml" else json.dumps({"$schema": named})
    reference = schema_reference(text, f"config/x/f.{file_format}", file_format)
    assert reference is not None
    assert reference.path == path


def in_yaml(named: str) -> str:
    return f"# yaml-language-server: $schema={named}\na: 1\n"


@NAMED_SCHEMAS
def test_a_schema_that_cannot_be_read_is_reported_at_its_name(named: str, path: str | None) -> None:
    found = check_across(in_yaml(named), "config/x/f.yaml", "yaml", "config", {})
    expected = "schema_not_local" if path is None else "schema_not_found"
    assert [(p.code, p.line, p.column) for p in found] == [(expected, 1, 33)]


@given(st.text("./a\\#:%~ ", max_size=30))
def test_no_name_leads_out_of_the_repository(named: str) -> None:
    reference = schema_reference(json.dumps({"$schema": named}), "config/a.json", "json")
    if reference is not None and reference.path is not None:
        assert not reference.path.startswith(("/", "../"))
        assert reference.path != ".."


def test_a_file_that_is_itself_a_schema_names_none() -> None:
    text = json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"})
    assert check_across(text, "a.json", "json", "config", {}) == ()


@pytest.mark.parametrize(
    "text",
    ["schema: x\n", "a: {$schema: /s.json}\n", "$schema: 5\n", "- $schema\n", "'$schema': ''\n"],
)
def test_only_the_top_names_a_schema(text: str) -> None:
    assert references(text, "a.yaml", "yaml", "config", {"s.json"}) == frozenset()
    assert check_across(text, "a.yaml", "yaml", "config", {"s.json": "false"}) == ()


def test_a_text_that_does_not_parse_is_not_checked() -> None:
    assert (
        references("$schema: /s.json\na: [", "a.yaml", "yaml", "config", {"s.json"}) == frozenset()
    )
    assert against(False, "$schema: /s.json\na: [") == []


def doubled(levels: int) -> dict[str, Any]:
    """Make each level refer to the next one twice: 2^levels steps."""
    definitions = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{levels}": {}}}


def chained(levels: int) -> dict[str, Any]:
    definitions = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{levels}": {}}}


DOWN = {"properties": {"a": {"$ref": "#"}}}


@pytest.mark.parametrize(
    "schema",
    [
        "{",
        "[]",
        '{"type": "object", "type": "array"}',
        {"type": "strin"},
        {"required": 5},
        {"$schema": "https://example.com/own"},
        {"$ref": "https://example.com/a.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json"},
        {"$defs": {"a": {"$ref": "https://example.com/a.json"}}},
        {"allOf": [{"$id": "https://example.com/", "$ref": "#/a"}]},
        {"$ref": "#/$defs/none"},
        {"$ref": "#anchor"},
        {"$dynamicRef": "#a"},
        {"$ref": "#"},
        {"anyOf": [{"not": {"$ref": "#"}}]},
        {"pattern": "("},
        {"pattern": "(?=a)b"},
        {"pattern": "(a{1000}){1000}"},
        doubled(60),
        chained(3000),
        {"allOf": [DOWN, DOWN]},
        '{"unevaluatedProperties": false, "allOf": [' * 40 + "{}" + "]}" * 40,
        "{" + '"not": {' * 190 + "}" * 191,
        json.dumps({"description": "x" * MAX_SCHEMA}),
    ],
    ids=lambda schema: str(schema)[:40],
)
def test_a_schema_that_cannot_be_used_is_one_warning(schema: Any) -> None:
    started = time.process_time()
    text = "$schema: /s.json\nb: " + "{a: " * 50 + "1" + "}" * 50
    # Under the key `a`, DOWN applies to the deep part.
    problems = against(schema, text.replace("b:", "a:"))
    assert [(p.code, p.line, p.column) for p in problems] == [("schema_broken", 1, 1)]
    assert is_within(time.process_time() - started, 5)


def test_recursion_as_in_real_schemas_is_accepted() -> None:
    tree = {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "additionalProperties": {"$ref": "#"},
    }
    assert (
        against({"anyOf": [{"type": "string"}, tree]}, "$schema: /s.json\nx: {y: {z: {name: a}}}\n")
        == []
    )
    assert against(doubled(8)) == []


def test_a_pattern_takes_time_in_proportion_to_the_text() -> None:
    text = "$schema: /s.json\na: " + "a" * 300_000 + "\n"
    started = time.process_time()
    against({"properties": {"a": {"pattern": "^(a+)+$|(a|aa)*b"}}}, text)
    assert is_within(time.process_time() - started, 5)


def test_tens_of_thousands_of_violations_take_bounded_time() -> None:
    text = '{"$schema": "/s.json", "a": [' + ",".join(["{}"] * 30_000) + "]}"
    started = time.process_time()
    found = against({"properties": {"a": {"items": {"required": ["b"]}}}}, text, "a.json")
    assert [p.code for p in found] == ["schema_violation"]
    assert is_within(time.process_time() - started, 3)


_ANY = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["#", "#/allOf/0", "string", "a", "x*"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "$ref",
                    "allOf",
                    "anyOf",
                    "not",
                    "properties",
                    "items",
                    "type",
                    "a",
                    "pattern",
                    "if",
                    "$id",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_ANY)
def test_any_schema_is_broken_or_finds_violations(schema: Any) -> None:
    assert {p.code for p in against(schema, "$schema: /s.json\na: {a: [x, {a: 1}]}\n")} <= {
        "schema_broken",
        "schema_violation",
    }


def test_more_problems_are_added_to_a_verdict_in_order() -> None:
    def problem(line: int | None) -> Problem:
        return Problem(severity="warning", code="x", message="x", line=line, column=1)

    verdict = Verdict(validity="valid", problems=(problem(None), problem(3)))
    joined = with_problems(verdict, (problem(2), problem(9)))
    assert [p.line for p in joined.problems] == [None, 2, 3, 9]
    assert len(with_problems(verdict, (problem(1),) * 200).problems) == 100
