"""YAML: what is refused, where, and what is warned about."""

import pytest

from benchmark_manager.domain.validation import validate
from benchmark_manager.models.original import FileType

Position = tuple[str, int | None, int | None]


def positions(
    text: str, severity: str | None = None, file_type: FileType | None = None
) -> list[Position]:
    problems = validate(text, "yaml", file_type).problems
    return [(p.code, p.line, p.column) for p in problems if severity in {None, p.severity}]


def warning_codes(text: str, file_type: FileType | None = None) -> list[str]:
    return [code for code, _, _ in positions(text, "warning", file_type)]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("a: 1\na: 2\n", ("duplicate_key", 2, 1)),
        ("\ufeffa: 1\na: 2\n", ("duplicate_key", 2, 1)),
        ("\ufeff{a: 1, a: 2}\n", ("duplicate_key", 1, 8)),
        ("a: 1\r\nb: 2\r\n  \r\na: 2\r\n", ("duplicate_key", 4, 1)),
        ("a: 1\rb: 2\ra: 2\r", ("duplicate_key", 3, 1)),
        ("{'🚀': 1, \"🚀\": 2}", ("duplicate_key", 1, 10)),
        ('t: "\u2028\x85"\na: 1\na: 2\n', ("duplicate_key", 3, 1)),
        ('gpu: 1\n"gpu": 2\n', ("duplicate_key", 2, 1)),
        ("1: a\n0x1: b\n", ("duplicate_key", 2, 1)),
        ("null: a\n~: b\n", ("duplicate_key", 2, 1)),
        ('!!str 1: a\n"1": b\n', ("duplicate_key", 2, 1)),
        ("a:\n  b:\n  - {x: 1, x: 2}\n", ("duplicate_key", 3, 12)),
        ("? [a, {b: c}]\n: 1\n? - a\n  - b: c\n: 2\n", ("duplicate_key", 3, 3)),
        ("? {a: 1, b: 2}\n: 1\n? {b: 2, a: 1}\n: 2\n", ("duplicate_key", 3, 3)),
        ("x: &x [a]\n? *x\n: 1\n? [a]\n: 2\n", ("duplicate_key", 4, 3)),
        ("x: &x a\ny: {*x : 1, a: 2}\n", ("duplicate_key", 2, 13)),
        ("a: &a {x: 1}\nb:\n  '<<': *a\n  '<<': *a\n", ("duplicate_key", 4, 3)),
        ("a: *x\n", ("undefined_alias", 1, 4)),
        ("a: &x 1\n---\nb: *x\n", ("undefined_alias", 3, 4)),
        ("a: *x\nb: &x 1\n", ("undefined_alias", 1, 4)),
        ("a: &a\n  self: *a\n", ("recursive_alias", 2, 9)),
        ("&a [1, *a]\n", ("recursive_alias", 1, 8)),
        ("a:\n\tb: 1\n", ("tab", 2, 1)),
        ("a: [1, 2\nb: 3\n", ("syntax_error", 2, 2)),
        ("a: b: c\n", ("syntax_error", 1, 5)),
        ("a: @x\n", ("syntax_error", 1, 4)),
        ("ü: 🚀\nb: @x\n", ("syntax_error", 2, 4)),
        ("a: x\x01\n", ("control_character", 1, 5)),
        ("a: x\n\nb: \x1b\n", ("control_character", 3, 4)),
        ("a: \x7f\n", ("control_character", 1, 4)),
        ("a: |\n \x90\n", ("control_character", 2, 2)),
        ("# \x80\na: '\x80'\n", ("control_character", 1, 3)),
        ('a: "\ud800"\n', ("lone_surrogate", 1, 5)),
        ('a: "\\UFFFFFFFF"\n', ("syntax_error", 1, 7)),
        ("a: &x 1\n<<<<<<< HEAD\n", ("syntax_error", 3, 1)),
    ],
)
def test_error_position(text: str, position: Position) -> None:
    assert validate(text, "yaml").validity == "invalid"
    assert position in positions(text, "error")


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\n",
        "a: 1",
        "\ufeffa: 1\n",
        "a: 1\r\nb:\r\n- c\r\n",
        "a: 1\rb: 2\r",
        '{"a": 1, "b": [true, null, 1.5]}',
        "a: !function utils.f\nb: !include x.yaml\n",
        "a: &x 1\nb: *x\n",
        "base: &b {x: 1}\nrun:\n  <<: *b\n  x: 2\n",
        "x: {'1': a}\nz: {\"1\": b}\n",
        "a: {x: 1}\nb: {x: 1}\n",
        'a: "\x7f\x80 ok"\n',
        'a: "one\u2028two"\n',
        "%YAML 1.2\n---\na: 1\n...\n",
        "a: 2025-06-18\nb: 0x1F\nc: 1.5e+3\nd: -7\ne: 1.\n",
        "# bom inside\na: 1\n...\n\ufeff# prefix only\n",
        "a: +1\nb: .5\nc: -0\nd: 00\ne: 0.0\n",
    ],
)
def test_accepted_without_warnings(text: str) -> None:
    assert validate(text, "yaml").problems == ()
    assert validate(text, "yaml").validity == "valid"


def test_warns_about_an_anchor_that_is_defined_twice() -> None:
    """PyYAML refuses it, though YAML does not."""
    assert positions("a: &x 1\nb: &x 2\nc: *x\nd: &x {e: &x [1]}\n", "warning") == [
        ("duplicate_anchor", 2, 4),
        ("duplicate_anchor", 4, 4),
        ("duplicate_anchor", 4, 11),
    ]
    assert validate("a: &x 1\nb: &x 2\n", "yaml").validity == "valid"
    assert [code for code, *_ in positions("a: &x 1\n---\nb: &x 2\n")] == ["multi_document"]


@pytest.mark.parametrize(
    "value",
    [
        "y",
        "n",
        "no",
        "NO",
        "yes",
        "on",
        "Off",
        "1e3",
        "1.5e3",
        "1:30",
        "190:20:30.5",
        "012",
        "-012",
        "08",
        "0o14",
        "0b11",
        "1_000",
        "-0x1F",
        "1_0.5",
        "=",
    ],
)
def test_warns_about_values_that_yaml_versions_read_differently(value: str) -> None:
    assert positions(f"a: {value}\n") == [("ambiguous_value", 1, 4)]
    assert positions(f"a: '{value}'\nb: !!str {value}\n") == []


@pytest.mark.parametrize(
    "value",
    [
        "true",
        "False",
        "null",
        "~",
        "0",
        "7",
        "10",
        "1.10",
        "0x1F",
        "1.2.3",
        "8080:80",
        "1:99",
        "v1",
        "none",
        "yes-no",
        "e3",
        "1e",
        "0xg",
        "-",
    ],
)
def test_no_warning_where_yaml_versions_agree(value: str) -> None:
    assert "ambiguous_value" not in warning_codes(f"a: [{value} ]\n")


def test_the_message_says_how_yaml_versions_differ() -> None:
    (problem,) = validate("mode: 0644\n", "yaml").problems
    assert problem.message.startswith(
        "0644 is the number 420 to YAML 1.1 readers and the number 644 to YAML 1.2 readers"
    )


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", ("empty", None, None)),
        ("# only\n", ("empty", None, None)),
        ("---\n", ("empty", None, None)),
        ("null\n", ("empty", None, None)),
        ("words\n", ("not_a_mapping", 1, 1)),
        ('""\n', ("not_a_mapping", 1, 1)),
        ("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a\n", ("duplicate_merge_key", 4, 3)),
        ("a\n=======\n<<<<<<< x\n=======\n>>>>>>> y\n", ("conflict_marker", 3, 1)),
        ("c: 1\na\u200bb: 1\n", ("invisible_character", 2, 1)),
        ("c: 1\n'\u2060': 1\n", ("invisible_character", 2, 1)),
        ("\u200dx: 1\n", ("invisible_character", 1, 1)),
        ("a\u202eb: 1\n", ("invisible_character", 1, 1)),
        ("on: 1\n", ("ambiguous_value", 1, 1)),
        ("jobs: {on: 1}\n", ("ambiguous_value", 1, 8)),
        ("jobs: on\n", ("ambiguous_value", 1, 7)),
        ("defaultMode: yes\n", ("ambiguous_value", 1, 14)),
        ("a: 1\n---\nb: 1\n", ("multi_document", None, None)),
        ("apiVersion: v1\nkind: A\n---\nb: 1\n", ("multi_document", None, None)),
        ("a: 1\n\ufeff---\nb: 1\n", ("multi_document", None, None)),
        ("a: 1\n...\n\ufeff--- {b: 1}\n", ("multi_document", None, None)),
        ("a: 1\n...\n\ufeff# c\n--- {b: 1}\n", ("multi_document", None, None)),
        ("a: x\u202ey\n", ("bidi_control", 1, 5)),
        ("a:\n\u00a0\u00a0b: 1\n", ("no_break_space", 2, 1)),
        ('a: "\\0"\n', ("nul_escape", 1, 4)),
        ("a: .nan\n", ("not_finite", 1, 4)),
        ("a: -.Inf\n", ("not_finite", 1, 4)),
        ("1: a\n", ("non_string_key", 1, 1)),
        ("? [a]\n: b\n", ("non_string_key", 1, 3)),
        ("a: 2025-13-45\n", ("impossible_date", 1, 4)),
        ("a: !!binary aGk=\n", ("not_json", 1, 4)),
        ("a: !!set {b, c}\n", ("not_json", 1, 4)),
        ("a: one\u2028two\n", ("line_separator", 1, 7)),
        ("a: 1 # \x85 b\n", ("line_separator", 1, 8)),
    ],
)
def test_warning_position(text: str, position: Position) -> None:
    assert validate(text, "yaml").validity == "valid"
    assert position in positions(text, "warning")


@pytest.mark.parametrize(
    "text",
    [
        "- a\n",
        "a: 1\nb: !!python/name:os.system\n",
        "a: !!python/object/apply:os.system [ls]\n",
        "%TAG ! tag:yaml.org,2002:\n---\na: !python/tuple [1]\n",
        "a: !!unheard-of {b: 1}\n",
        "on: push\njobs: {}\n",
        "jobs: {}\non:\n  push: {}\n",
        "volumes:\n- secret: {defaultMode: 0400}\n",
        "apiVersion: v1\nkind: A\n---\n---\nkind: B\napiVersion: b/v1\n",
        "a: |\n  Heading\n  =======\n  <<<<<<< HEAD\n  >>>>>>> x\n",
        "a: |\n  >>>>>>> x\n  =======\n  <<<<<<< y\n",
        "'\u0646\u0645\u06cc\u200c\u062e': 1\n",
        "'👩\u200d🔬': 1\n",
        "a: x\u200by\n",
        '"a\\u200b": 1\n',
    ],
)
def test_yaml_without_warnings(text: str) -> None:
    verdict = validate(text, "yaml")
    assert (verdict.validity, verdict.problems) == ("valid", ())


def test_conflict_markers_are_reported_beside_syntax_errors() -> None:
    text = "a: 1\r\n<<<<<<< HEAD\r\nb: 1\r\n||||||| base\r\n=======\r\nb: 2\r\n>>>>>>> x\r\n"
    verdict = validate(text, "yaml")
    assert verdict.validity == "invalid"
    assert ("conflict_marker", 2) in {
        (p.code, p.line) for p in verdict.problems if p.severity == "warning"
    }


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_limited(opening: str) -> None:
    assert "too_deep" not in {p.code for p in validate(opening * 200 + "x", "yaml").problems}
    problems = validate(opening * 201 + "x", "yaml").problems
    assert [(p.code, p.line) for p in problems if p.severity == "error"] == [("too_deep", 1)]


def test_an_alias_bomb_is_refused_at_once() -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 300))
    assert [code for code, _, _ in positions(f"l0: &l0 x\n{levels}", "error")] == ["alias_bomb"]


def test_ordinary_aliases_are_accepted() -> None:
    assert positions("a: &a [1, 2, 3]\n" + "".join(f"k{n}: *a\n" for n in range(1000))) == []


def test_problems_are_capped_and_the_last_one_says_so() -> None:
    problems = validate("".join(f"k{n}: no\n" for n in range(5000)), "yaml").problems
    assert len(problems) == 100
    assert (problems[-1].code, problems[-1].severity) == ("more_problems", "warning")
    assert "4901 more" in problems[-1].message


def test_an_error_after_many_warnings_is_kept() -> None:
    verdict = validate("".join(f"k{n}: no\n" for n in range(5000)) + "k0: 1\n", "yaml")
    assert [p.line for p in verdict.problems if p.code == "duplicate_key"] == [5001]


def test_messages_are_short_and_printable() -> None:
    key = "k" * 500 + "\u202e"
    (error,) = (
        p for p in validate(f"{key}: 1\n{key}: 2\n", "yaml").problems if p.severity == "error"
    )
    assert len(error.message) < 200
    assert error.message.isprintable()


JOB = "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\nspec: {}\n"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        (JOB, []),
        (JOB + "---\n" + JOB, []),
        (JOB.replace("name", "generateName"), []),
        (JOB.replace("  name: a\n", "  x: a\n"), ["job_name_missing"]),
        (JOB.replace("name: a", "name: A_b"), ["job_name_invalid"]),
        (JOB.replace("name: a", "name: 123"), ["job_name_invalid"]),
        (JOB.replace("name: a", "name: '123'"), []),
        (JOB.replace("spec: {}\n", ""), ["job_spec_missing"]),
        (JOB.replace("apiVersion: batch/v1\n", ""), ["api_version_missing"]),
        (JOB.replace("Job", "CronJob"), []),
        (JOB.replace("Job", "job"), ["not_a_job"]),
        (JOB.replace("kind", "Kind"), ["not_a_job"]),
        (JOB.replace("kind: Job\n", ""), ["not_a_job"]),
        (JOB.replace("batch/v1", "batch.example.invalid/v1"), []),
        ("a: 1\n", []),
        ("apiVersion: v2\nname: chart\nversion: 0.1.0\n", []),
        ("", ["empty"]),
    ],
)
def test_what_a_job_file_must_contain(text: str, codes: list[str]) -> None:
    assert warning_codes(text, "job") == codes
    assert validate(text, "yaml", "job").validity == "valid"
