"""What a bound refuses is a problem with line and column.

Or it is an answer without the part that costs too much.
"""

import itertools
import json
import random
import re
from typing import Any

import pytest

from benchmark_manager.domain.documents import (
    Identities,
    ThreeWayRows,
    compare_three_ways,
    key_changes,
    values_at,
)
from benchmark_manager.domain.git.objects import TreeMember, tree_ids
from benchmark_manager.domain.merge import merge, resolve
from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.validation.across import check_across, references
from benchmark_manager.domain.validation.texts.yaml_values import MAX_CHARACTERS
from benchmark_manager.domain.yaml.events import (
    MAX_DIRECTIVES,
    MAX_TAG_PREFIX,
    YamlSyntaxError,
    prepare,
)
from benchmark_manager.models.merge import Resolution
from benchmark_manager.models.problem import Problem

PRIVATE = "".join(map(chr, range(0x100000, 0x10FFFE)))


def errors(text: str) -> list[tuple[str, int | None, int | None]]:
    return [
        (p.code, p.line, p.column) for p in validate(text, "yaml").problems if p.severity == "error"
    ]


def directives(count: int, prefix: str = "x", line_end: str = "\n") -> str:
    return "".join(f"%TAG !a{n}! {prefix}{line_end}" for n in range(count))


# --- YAML: directives -----------------------------------------------------------------------------


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
def test_more_tag_lines_than_a_document_may_have_are_one_error_at_the_first_too_many(
    line_end: str,
) -> None:
    assert errors(f"{directives(MAX_DIRECTIVES + 60, line_end=line_end)}--- a\n") == [
        ("too_many_directives", 17, 1)
    ]


def test_as_many_tag_lines_as_a_document_may_have_are_fine() -> None:
    assert errors(f"{directives(MAX_DIRECTIVES, 'x' * MAX_TAG_PREFIX)}---\na: !a15!b c\n") == []


def test_each_document_may_have_as_many_tag_lines() -> None:
    document = f"{directives(MAX_DIRECTIVES)}---\na: b\n...\n"
    assert errors(document * 3) == []
    assert errors(document * 3 + directives(MAX_DIRECTIVES + 1) + "--- a\n") == [
        ("too_many_directives", 74, 1)
    ]


def test_a_tag_line_with_a_long_prefix_is_an_error_where_it_stands() -> None:
    assert errors(f"%TAG !a! y\n%TAG !b! {'x' * (MAX_TAG_PREFIX + 1)}\n--- a\n") == [
        ("tag_too_long", 2, 1)
    ]


def test_lines_of_a_text_block_are_no_directives() -> None:
    assert errors("a: |\n" + "".join(f"  %TAG !a{n}! x\n" for n in range(99))) == []


def test_tag_lines_behind_a_mark_of_byte_order_count_too() -> None:
    assert errors(f"a: b\n...\n\ufeff{directives(40)}--- a\n") == [("too_many_directives", 19, 1)]


# --- YAML: characters for which others stand in ---------------------------------------------------


@pytest.mark.parametrize(
    "text", [f"a: b{PRIVATE}\u2028c\n", f"a: b # {PRIVATE}\u2028c\n"], ids=["value", "comment"]
)
def test_a_text_with_all_private_characters_has_a_verdict_with_exact_positions(text: str) -> None:
    verdict = validate(text, "yaml")
    assert verdict.validity == "valid"
    assert [(p.code, p.column) for p in verdict.problems] == [
        ("line_separator", text.index("\u2028") + 1)
    ]


def test_what_stood_in_for_a_character_is_not_in_the_values() -> None:
    text = f'a: "{PRIVATE}\u2028"\nb: "\\U000F0000\\ue000"\n'
    assert values_at(text, "yaml") == {"a": f"{PRIVATE}\u2028", "b": "\U000f0000\ue000"}


def test_a_text_with_nearly_all_characters_is_refused_at_the_one_for_which_none_is_left() -> None:
    ranges = (range(0xA0, 0xD800), range(0xE000, 0xFEFF), range(0x10000, 0x110000))
    nearly_all = "".join(map(chr, itertools.chain(*ranges)))
    with pytest.raises(YamlSyntaxError) as caught:
        prepare(f'a: "{nearly_all}\u2028"\n')
    assert (caught.value.code, caught.value.index) == (
        "too_many_characters",
        4 + nearly_all.index("\u2028"),
    )


# --- manifests ------------------------------------------------------------------------------------

JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: run}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: main
        image: x
        resources: {limits: {nvidia.com/gpu: 4}}
        args:
"""


def test_a_long_text_that_aliases_repeat_is_not_checked_as_a_manifest() -> None:
    text = f"{JOB}        - &a {'x' * 100_000}\n" + "        - *a\n" * (
        MAX_CHARACTERS // 100_000 + 1
    )
    assert [p.code for p in validate(text, "yaml", "job").problems] == ["manifest_too_large"]


def test_names_of_files_are_what_one_pattern_would_find() -> None:
    """As it was written at first: simple, and quadratic on long words."""
    pattern = re.compile(r"[^\s\"'=,:;()\[\]{}<>|&]+\.(?:ya?ml|json)(?![\w.])", re.IGNORECASE)
    pieces = ["a", ".yaml", ".yml", ".json", ".", "/", "-", " ", "=", ".YAML", "x", "é", "_"]
    chance = random.Random(1)  # noqa: S311 -- any words will do, the same each time
    words = ["".join(chance.choices(pieces, k=8)) for _ in range(300)]

    def are_found(word: str) -> bool:
        paths = {name for name in pattern.findall(word) if not name.startswith("/")}
        text = f"{JOB}        - {json.dumps(word)}\n"
        return references(text, "job/run.yaml", "yaml", "job", paths) == paths

    assert [word for word in words if not are_found(word)] == []


def test_settings_that_are_too_large_together_are_not_compared() -> None:
    others = {f"config/{n}.yaml": f"tensor_parallel_size: 8\n{'#' * 600_000}" for n in range(2)}
    one = check_across(f"{JOB}        - 0.yaml\n", "job/run.yaml", "yaml", "job", others)
    assert [p.code for p in one] == ["gpu_mismatch"]
    text = (
        f"{JOB}        - 0.yaml\n"
        + JOB.partition("      - name")[1]
        + JOB.partition("      - name")[2]
        + "        - 1.yaml\n"
    )
    assert check_across(text, "job/run.yaml", "yaml", "job", others) == ()


# --- settings with a schema -----------------------------------------------------------------------


def held(value: object, schema: dict[str, Any]) -> tuple[Problem, ...]:
    text = json.dumps({"$schema": "s.json", "x": value})
    return check_across(
        text, "a.json", "json", "config", {"s.json": json.dumps({"properties": {"x": schema}})}
    )


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("a" * 200_000, {"pattern": "a(a|b){400}c"}),
        ("a", {"allOf": [{"pattern": f"\\p{{L}}{{2}}{n}"} for n in range(100)]}),
        ("a", {"allOf": [{"pattern": f"a{{{n}}}"} for n in range(1_000, 1_300)]}),
        ("a", {"pattern": "(?i)" + "[!-\U0010ffff]" * 100}),
        ("a", {"pattern": "a" * 60_000}),
        ([1.5] * 100_000, {"items": {"multipleOf": 1e-308}}),
        ([2**64 + n for n in range(2_000)], {"uniqueItems": True}),
        ([[-(2**64) - n] for n in range(2_000)], {"uniqueItems": True}),
        ([{"a": -1}] * 10_000, {"items": {"enum": [{"a": n} for n in range(3_000)]}}),
    ],
    ids=[
        "states",
        "letters",
        "compiled",
        "case",
        "characters",
        "divisor",
        "huge",
        "nested huge",
        "objects",
    ],
)
def test_a_schema_that_could_take_too_long_is_not_asked(
    value: object, schema: dict[str, Any]
) -> None:
    assert [p.code for p in held(value, schema)] == ["schema_broken"]


@pytest.mark.parametrize(
    ("value", "schema"),
    [
        ("b" * 1_000, {"pattern": "a(a|b){400}c"}),
        ("é1", {"pattern": "^\\p{L}+$"}),
        ("x", {"pattern": "(?i)^ABC$"}),
        ([0.3, 1.05], {"items": {"multipleOf": 0.1}}),
        ([2**64, 2**64], {"uniqueItems": True}),
        ([{"a": 4}], {"items": {"enum": [{"a": n} for n in range(3)]}}),
    ],
    ids=["states", "letters", "case", "divisor", "huge", "objects"],
)
def test_the_same_keywords_judge_an_ordinary_text(value: object, schema: dict[str, Any]) -> None:
    assert {p.code for p in held(value, schema)} == {"schema_violation"}


def test_of_many_faults_that_would_each_copy_a_long_text_only_the_first_is_given() -> None:
    schema = {"required": [f"f{n}" for n in range(20)]}
    assert len(held({"a": "x"}, schema)) == 20
    assert len(held({"a": "x" * 4_000_000}, schema)) == 1


# --- differences and merges by key ----------------------------------------------------------------


def long_path(value: str) -> str:
    return json.dumps({"k" * 20_000: {f"v{n}": value for n in range(2_000)}})


def test_differences_whose_paths_are_too_long_together_are_not_listed() -> None:
    assert key_changes(long_path("a"), long_path("b"), "json") is None
    assert values_at(long_path("a"), "json") is None
    texts = [long_path("b"), long_path("a")]
    assert compare_three_ways(long_path("a"), None, texts, "json") == [None, ThreeWayRows(())]
    assert compare_three_ways(long_path("a"), long_path("b"), texts, "json") == [None, None]


def test_conflicts_whose_paths_are_too_long_together_are_conflicts_of_lines() -> None:
    texts = long_path("a"), long_path("b"), long_path("c")
    merged = merge(*texts, "json")
    assert merged.outcome == "conflict"
    assert {conflict.path for conflict in merged.conflicts} == {None}
    assert resolve(*texts, "json", [Resolution(path=None, take="mine")]) == texts[2]


def test_entries_are_not_moved_to_a_column_far_to_the_right() -> None:
    column = " " * 50_000
    base = "a:\n  b: 1\n  c: 2\n"
    mine = base + "".join(f"  k{n}: x\n" for n in range(2_000))
    merged = merge(base, f"a:\n{column}b: 1\n{column}c: 2\n", mine, "yaml")
    assert merged.outcome == "conflict"


def test_numbers_of_equal_values_cannot_be_foreseen() -> None:
    """Else a text could be written whose mappings all hash alike."""
    assert Identities().number("a") != Identities().number("a")


# --- archives -------------------------------------------------------------------------------------


def test_folders_whose_paths_are_too_long_together_prove_nothing() -> None:
    members = [
        TreeMember(f"{n}/" + "/".join(["x" * 2_000] * 290) + "/a", "100644", "0" * 40)
        for n in range(2)
    ]
    assert tree_ids(members) == {}
    assert len(tree_ids([TreeMember("a/b/c", "100644", "0" * 40)])) == 3
