"""How values are written: in the quotes, the form and the position of those that they replace."""

import json
from typing import Any

import pytest
import yaml

from benchmark_manager.domain.edits import Assignment, EditableText, EditError
from benchmark_manager.models.original import FileFormat


def edited(text: str, *pairs: tuple[str, Any], file_format: FileFormat = "yaml") -> str:
    assignments = [Assignment(path, value) for path, value in pairs]
    return EditableText.read(text, file_format).edited(assignments)


def refused(text: str, *pairs: tuple[str, Any]) -> EditError:
    with pytest.raises(EditError) as caught:
        edited(text, *pairs)
    return caught.value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1, "1"),
        (-3, "-3"),
        (10**30, "1" + "0" * 30),
        (1.0, "1.0"),
        (0.9, "0.9"),
        (1e-05, "1.0e-05"),
        (1.5e-07, "1.5e-07"),
        (1e16, "1.0e+16"),
        (-0.0, "-0.0"),
        (True, "true"),
        (None, "null"),
        ("word", "word"),
        ("two words", "two words"),
        ("--flag=a:b#c", "--flag=a:b#c"),
        ("한국어", "한국어"),
        ("", '""'),
        ("1", '"1"'),
        ("1e3", '"1e3"'),
        ("0x1f", '"0x1f"'),
        ("0o17", '"0o17"'),
        ("1_000", '"1_000"'),
        ("12:30:45", '"12:30:45"'),
        (".inf", '".inf"'),
        ("no", '"no"'),
        ("y", '"y"'),
        ("Null", '"Null"'),
        ("~", '"~"'),
        ("<<", '"<<"'),
        ("=", '"="'),
        ("<<<<<<< x", '"<<<<<<< x"'),
        ("+_", '"+_"'),
        ("._", '"._"'),
        ("._1", '"._1"'),
        ("-.5_0", '"-.5_0"'),
        ("1_0e5", '"1_0e5"'),
        ("0o1_7", '"0o1_7"'),
        ("0X1F", '"0X1F"'),
        ("2024-1-1", '"2024-1-1"'),
        ("2024-1-1 7:05:00", '"2024-1-1 7:05:00"'),
        (".", "."),
        ("+", "+"),
        ("_1", "_1"),
        ("1.2.3", "1.2.3"),
        ("2024-1", "2024-1"),
        ("2024-01-01", '"2024-01-01"'),
        ("a: b", '"a: b"'),
        ("a:", '"a:"'),
        ("a #b", '"a #b"'),
        ("- a", '"- a"'),
        ("--- a", '"--- a"'),
        ("...", '"..."'),
        ("?", '"?"'),
        ("*a", '"*a"'),
        ("[a]", '"[a]"'),
        ("{{ x }}", '"{{ x }}"'),
        ("a {{ x }}", '"a {{ x }}"'),
        (" before", '" before"'),
        ('"x"', "'\"x\"'"),
        ("a\nb", '"a\\nb"'),
        ("a\tb", '"a\\tb"'),
        ("\x00\x85\u2028\ufeff", '"\\x00\\x85\\u2028\\ufeff"'),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_a_plain_value_gets_quotes_only_where_a_reader_would_take_it_otherwise(
    value: Any, written: str
) -> None:
    text = edited("a: 5 # why\nb: 6\n", ("a", value))
    assert text == f"a: {written} # why\nb: 6\n"
    read = yaml.safe_load(text)["a"]
    assert (type(read), repr(read)) == (type(value), repr(value))


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("'x'", "y", "'y'"),
        ("'x'", "it's", "'it''s'"),
        ("'x'", "a\nb", '"a\\nb"'),
        ("'x'", 5, "5"),
        ('"x"', "y", '"y"'),
        ('"x"', 'say "y"', '"say \\"y\\""'),
        ('"x"', True, "true"),
        ('"5"', "6", '"6"'),
        ("x", "6", '"6"'),
        ("5", "x", "x"),
        ('"x\n  y"', "z", '"z"'),
        ("x\n  y", "z", "z"),
        ("&a x", "w", "&a w"),
        ("&a [x]", 5, "&a 5"),
        ("!!str 5", "6", '!!str "6"'),
        ("!!str x", "w", "!!str w"),
        ("|\n  x\n  y", "z\n  w\n", "|\n  z\n    w"),
        ("|-  # why\n    x", "y", "|-  # why\n    y"),
        ("|\n  x", "y", "|-\n  y"),
        ("|\n  x", "y\n\n", "|+\n  y\n"),
        ("|+\n  x\n\n", "y\n", "|\n  y"),
        ("|\n  x", " y\n", '" y\\n"'),
        ("|\n  x", "y\rz\n", '"y\\rz\\n"'),
        ("|  # why\n  x", "", '""  # why'),
        ("|  # why\n  x", 5, "5  # why"),
        (">\n  x\n  y", "z w\n", ">\n  z w"),
        (">\n  x", "y\nz\n", ">\n  y\n\n  z"),
        (">\n  x", "y\n z\n", "|\n  y\n   z"),
        (">\n  x", "\n\ny\nz\n", ">\n\n\n  y\n\n  z"),
        ("|4\n     x\n    y\n   # below", "z\n", "|\n    z\n   # below"),
        ("|2\n  x", "y\n", "|\n  y"),
        ("|\n  x\n", "y\nz\n", "|\n  y\n  z\n"),
        ("|\n  x\n", "y\n\n", '"y\\n\\n"\n'),
        ("|\n  x\n   ", "y\n", '"y\\n"\n   '),
        ("[1, 2]", [3, "a, b"], '[3, "a, b"]'),
        ("[1, 2]", {"b": {"c d": None}}, "{b: {c d: null}}"),
        ("{b: 1}", "x", "x"),
        ("[]", [1, 2], "\n  - 1\n  - 2"),
        ("5", {"b": [1, {"c": 2, "d": []}], "no": 3},
            '\n  b:\n    - 1\n    - c: 2\n      d: []\n  "no": 3'),
        ("", "x", "x"),
        ("", [[1, 2], []], "\n  - - 1\n    - 2\n  - []"),
        ("*z", 5, "5"),
    ],
)  # fmt: skip
def test_a_value_keeps_the_form_of_the_one_that_it_replaces(old: str, value: Any, new: str) -> None:
    before = f"z: {'&z ' if old == '*z' else ''}1\na:{' ' if old else ''}{old}\n"
    after = f"z: {'&z ' if old == '*z' else ''}1\na:{'' if new.startswith(chr(10)) else ' '}{new}\n"
    assert edited(f"{before}b: 6\n", ("a", value)) == f"{after}b: 6\n"
    assert yaml.safe_load(after)["a"] == value


@pytest.mark.parametrize(
    ("old", "value"),
    [
        ("1.0e+3", 1000.0),
        ("0x10", 16),
        ("True", True),
        ("~", None),
        ("", None),
        ("'x'", "x"),
        ("|\n  x", "x\n"),
        ("&a 5", 5),
        ("[1,   2]", [1, 2]),
        ("\n  # why\n  c: 1\n  b: 2", {"b": 2, "c": 1}),
    ],
)
def test_a_value_that_is_there_already_changes_no_byte(old: str, value: Any) -> None:
    text = f"a: {old}\nb: 6\n"
    assert edited(text, ("a", value)) == text


def test_an_alias_stays_where_it_reads_the_assigned_value() -> None:
    text = "a: [&x y, &x {k: 1}, *x, &x z]\nb: *x\n"
    assert edited(text, ("a[2]", {"k": 1}), ("b", "z")) == text
    assert edited(text, ("a[2]", "z"), ("b", "y z")) == text.replace("*x,", "z,").replace(
        "b: *x", "b: y z"
    )


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        ("1e3", 1000.0, "1000.0"),
        ("1", 1.0, "1.0"),
        ("1", True, "true"),
        ("1", "1", '"1"'),
        ("0.0", -0.0, "-0.0"),
        ("2024-01-01", "2024-01-01", '"2024-01-01"'),
        ("1e3", "1e3", '"1e3"'),
        ("08", "08", '"08"'),
        ("._1", "._1", '"._1"'),
        ("yes", True, "true"),
        ("[no, 0644]", [False, 420], "[false, 420]"),
        ("20:03:20", 72200, "72200"),
    ],
)
def test_another_type_to_any_reader_is_another_value(old: str, value: Any, new: str) -> None:
    assert edited(f"a: {old}\n", ("a", value)) == f"a: {new}\n"


@pytest.mark.parametrize(
    ("base", "path", "value", "result"),
    [
        ("a: # head\n  # above\n  b: 1 # tail\n# end\n", "a", 5,
            "a: 5 # head\n  # above\n  # tail\n# end\n"),
        ("a: # head\n  # above\n  - 1 # tail\n# end\n", "a", [2],
            "a: # head\n  # above\n  - 2 # tail\n# end\n"),
        ("a:\n  b: 1\n  # below\nc: 2\n", "a", {"d": 3}, "a:\n  d: 3\n  # below\nc: 2\n"),
        ("a:\n- 1\n- 2\nc: 3\n", "a", {"d": 4}, "a:\n  d: 4\nc: 3\n"),
        ("a:\n- 1\nc: 2\n", "c", ["x"], "a:\n- 1\nc:\n- x\n"),
        ("a: # head\n  5 # tail\n", "a", [1], "a: # head\n  - 1 # tail\n"),
        ("- a: 1\n  b: 2 # tail\n- c\n", "[0]", "x", "- x # tail\n- c\n"),
        ("- c # tail\n- d\n", "[0]", {"a": 1, "b": 2}, "- a: 1 # tail\n  b: 2\n- d\n"),
        ("-\n- d\n", "[0]", [1, 2], "- - 1\n  - 2\n- d\n"),
        ("a: 1\n", ".", [1], "- 1\n"),
        ("# top\n- 1\n", ".", {"a": 1}, "# top\na: 1\n"),
        ("a: {b: [1, 2], c: 3}\n", "a.b", {"d": "x,y"}, 'a: {b: {d: "x,y"}, c: 3}\n'),
        ("a: [\n  1, # one\n  2\n]\n", "a[0]", "x", "a: [\n  x, # one\n  2\n]\n"),
        ("a:\n    b: 1", "a", 2, "a: 2"),
    ],
)  # fmt: skip
def test_comments_around_a_value_stay_in_a_layout_as_before(
    base: str, path: str, value: Any, result: str
) -> None:
    assert edited(base, (path, value)) == result


@pytest.mark.parametrize(
    ("base", "path", "value", "result"),
    [
        ("a:\n  b: {\n  } # c\n", "a.b.c?", 2, "a:\n  b: {c: 2\n  } # c\n"),
        ("a: &x { # c\n }\n", "a.b?", 2, "a: &x {b: 2 # c\n }\n"),
        ("a: { }\n", "a.b?", 2, "a: { b: 2}\n"),
        ("a: 1\n", "b?", 2, "a: 1\nb: 2\n"),
        ("a: 1", "b?", 2, "a: 1\nb: 2"),
        ("a: 1\r\n", "b?", {"c": 2}, "a: 1\r\nb:\r\n  c: 2\r\n"),
        ("a: 1 # why\n# end\n", "b?", 2, "a: 1 # why\nb: 2\n# end\n"),
        ("a:\n    b: 1\nc: 2\n", "a.d.e?", 3, "a:\n    b: 1\n    d:\n        e: 3\nc: 2\n"),
        ("a:\n  b:\n    c: 1\n    # below\n", "a.d?", 2,
            "a:\n  b:\n    c: 1\n    # below\n  d: 2\n"),
        ("a:\n  b: |\n    x\n\nc: 1\n", "a.d?", 2, "a:\n  b: |\n    x\n  d: 2\n\nc: 1\n"),
        ("- name: x\n  v: 1\n- name: y\n", "[name=x].w?", "no",
            '- name: x\n  v: 1\n  w: "no"\n- name: y\n'),
        ("a: {b: 1}\n", "a.c.d?", 2, "a: {b: 1, c: {d: 2}}\n"),
        ("a: {}\n", "a.b?", 2, "a: {b: 2}\n"),
        ("a: {b: 1,}\n", "a.c?", 2, "a: {b: 1, c: 2,}\n"),
        ("a: 1\n", 'b."c d"."1"?', 2, 'a: 1\nb:\n  c d:\n    "1": 2\n'),
        ("a: 1\n", "a?", 2, "a: 2\n"),
        ("a: 1\nb: &x {c: 1}\nd: {<<: *x}\n", "d.c?", 2,
            "a: 1\nb: &x {c: 1}\nd: {<<: *x, c: 2}\n"),
    ],
)  # fmt: skip
def test_an_absent_key_is_added_at_the_end_of_its_mapping(
    base: str, path: str, value: Any, result: str
) -> None:
    assert edited(base, (path, value)) == result


@pytest.mark.parametrize(
    ("base", "path", "value", "result"),
    [
        ('{"a": 1}', "a", 1e-05, '{"a": 1e-05}'),
        ('{"a": 1e3}', "a", 1000.0, '{"a": 1e3}'),
        ('{"a": 1e400}', "a", "1e400", '{"a": "1e400"}'),
        ('{"a": [1e400]}', "a", ["1e400"], '{"a": ["1e400"]}'),
        ('{"a": "x"}', "a", "한", '{"a": "한"}'),
        ('{"a": "\\uD55C"}', "a", "글", '{"a": "\\uae00"}'),
        ('{"a":1}', "b?", 2, '{"a":1, "b":2}'),
        ("{}\n", "a.b?", [], '{"a": {"b": []}}\n'),
        ('{\n\t"a": {\n\t\t"b": 1\n\t}\n}\n', "a.c?", {"d": 1},
            '{\n\t"a": {\n\t\t"b": 1,\n\t\t"c": {\n\t\t\t"d": 1\n\t\t}\n\t}\n}\n'),
        ('{\n  "a": [\n    1\n  ]\n}\n', "a", [1, {}], '{\n  "a": [\n    1,\n    {}\n  ]\n}\n'),
        ('{\r\n  "a": 1\r\n}', "a", [1, 2], '{\r\n  "a": [1, 2]\r\n}'),
        ("\ufeff[1]", "[0]", None, "\ufeff[null]"),
    ],
)  # fmt: skip
def test_json_stays_json(base: str, path: str, value: Any, result: str) -> None:
    text = edited(base, (path, value), file_format="json")
    assert text == result
    json.loads(text.removeprefix("\ufeff"))


def test_several_values_are_set_at_once() -> None:
    base = "a: 1\nb: [x, y]\nc:\n  d: 1\n"
    pairs = [("c.e?", 2), ("b[1]", "z"), ("a", {"f": 1}), ("c.g.h?", 3), ("c.g.i?", 4), ("j?", 5)]
    assert edited(base, *pairs) == (
        "a:\n  f: 1\nb: [x, z]\nc:\n  d: 1\n  e: 2\n  g:\n    h: 3\n    i: 4\nj: 5\n"
    )


@pytest.mark.parametrize(
    "pairs",
    [
        [("a.b", 2), ("a.b", 3)],
        [("a.b", 2), ("a.b", 2.0)],
        [("a", 5), ("a.b", 2)],
        [("a", {"b": 1}), ("a.b", 2)],
        [("a.b", 2), ("a.c?", 2), ("a", 3)],
        [("n?", 1), ("n?", 2)],
        [("n?", {"m": 1}), ("n.m?", 1)],
        [("n.m?", 1), ("n?", {"m": 1})],
        [("args[0]", "--x=5"), ("args[--x]", 6)],
        [("args", []), ("args[--x]", 6)],
    ],
)
def test_assignments_that_contradict_each_other_are_refused(pairs: list[tuple[str, Any]]) -> None:
    error = refused("a:\n  b: 1\nargs: [--x=1]\n", *pairs)
    assert (error.code, error.reason) == ("edit_not_possible", "contradiction")


def test_one_assignment_twice_is_one() -> None:
    assert edited("a: 1\n", ("a", 2), ("a", 2), ("b?", 3), ("b?", 3)) == "a: 2\nb: 3\n"


@pytest.mark.parametrize(
    ("base", "path", "value", "reason"),
    [
        ("a: &x 1\nb: *x\n", "a", 2, "shared"),
        ("a: &x {c: 1}\nb: *x\n", "a.c", 2, "shared"),
        ("a: &x {c: 1}\nb: *x\n", "a.d?", 2, "shared"),
        ("a: {c: &x 1}\nb: *x\n", "a", 2, "shared"),
        ("a: &x {c: 1}\nb:\n  <<: *x\n", "a.c", 2, "shared"),
        ("a: &x {c: 1}\nb:\n  <<: *x\n", "b.<<", 2, "shared"),
        ("a: !env X\n", "a", "Y", "tag"),
        ("a: !!str 5\n", "a", 6, "tag"),
        ("a: !!int 5\n", "a", 6, "tag"),
        ("a: ! 5\n", "a", "6", "tag"),
        ("a: !t {b: 1}\n", "a", 6, "tag"),
        ("a: !!set {? b}\n", "a.b", 6, "tag"),
        ("? a\n: 1\n", "a", 6, "form"),
        ("a: [b: 1]\n", "a[0].b", 6, "form"),
        ("a: {\n  b: 1 # why\n}\n", "a.c?", 6, "form"),
        ("a: 1\n", "a", float("nan"), "value"),
        ("a: 1\n", "a", [float("inf")], "value"),
        ("a: 1\n", "a", "\ud800", "value"),
        ("a: 1\n", "a", {"\ud800": 1}, "value"),
        ("a: 1\n", "a", 10**1001, "value"),
        ("a: 1\n", "b.no?", 1, "key"),
        ("a: 1\n", "a.b?", 1, "no_mapping"),
        ("a: [1]\n", "a.b?", 1, "no_mapping"),
    ],
)
def test_an_edit_that_would_say_something_else_is_refused(
    base: str, path: str, value: Any, reason: str
) -> None:
    error = refused(base, (path, value))
    assert (error.code, error.path, error.reason) == ("edit_not_possible", path, reason)


@pytest.mark.parametrize(
    ("base", "path", "value", "result"),
    [
        ("a: &x 1\nb: *x\nc: 3\n", "c", 4, "a: &x 1\nb: *x\nc: 4\n"),
        ("a: &x 1\nb: *x\n", "b", 4, "a: &x 1\nb: 4\n"),
        ("a: &x 1\n---\nb: &x 1\nc: *x\n", "#1 a", 4, "a: &x 4\n---\nb: &x 1\nc: *x\n"),
        ("a: !t {b: 1}\n", "a.b", 6, "a: !t {b: 6}\n"),
        ("a: 'x'#c\n", "a", "y", "a: 'y'#c\n"),
        ("a: 1\n \t\nb: 2\n", "a", 3, "a: 3\n \t\nb: 2\n"),
        ("? a\n:\n  b: 1\n", "a.b", {"c": 2}, "? a\n:\n  b:\n    c: 2\n"),
        ("- &x 1 # c\n- 2\n", "[0]", {"b": 1}, "- &x {b: 1} # c\n- 2\n"),
        ("- &x |\n  y\n- 2\n", "[0]", [1], "- &x [1]\n- 2\n"),
        ("- &x\n- 2\n", "[0]", [1], "- &x [1]\n- 2\n"),
        ("- &x\n  b: 1\n- 2\n", "[0]", {"b": 2, "c": 3}, "- &x\n  b: 2\n  c: 3\n- 2\n"),
        ("--- &x {}\n", ".", {"b": 1}, "--- &x {b: 1}\n"),
    ],
)
def test_what_stands_near_does_not_hinder(base: str, path: str, value: Any, result: str) -> None:
    assert edited(base, (path, value)) == result


def test_a_scalar_that_would_join_what_follows_is_refused() -> None:
    """Some readers take blank lines with a tab behind a plain scalar only."""
    assert refused("a: 1\n \t\nb: 2\n", ("a", "no")).reason == "form"


@pytest.mark.parametrize("base", ["a: {}\n", "a:\n  b: 1\n"])
def test_a_path_that_adds_too_many_mappings_is_refused(base: str) -> None:
    assert refused(base, (f"a{'.c' * 5_000}?", 1)).reason == "value"


def test_a_value_nested_too_deep_is_refused() -> None:
    value: Any = 1
    for _ in range(150):
        value = [value]
    assert refused("a: 1\n", ("a", value)).reason == "value"
