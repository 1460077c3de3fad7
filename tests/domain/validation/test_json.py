"""JSON: strict, with line and column."""

import json
import time

import pytest

from benchmark_manager.domain.validation import validate
from support.stalls import is_within

Position = tuple[str, int | None, int | None]


def positions(text: str) -> list[Position]:
    return [(p.code, p.line, p.column) for p in validate(text, "json").problems]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", ("empty", None, None)),
        (" \n", ("empty", None, None)),
        ("{", ("syntax_error", 1, 2)),
        ('{"a" 1}', ("syntax_error", 1, 6)),
        ('{"a": 1,}', ("syntax_error", 1, 9)),
        ('{"a": [1,\n2,\n]}', ("syntax_error", 3, 1)),
        ('{"a": 1 "b": 2}', ("syntax_error", 1, 9)),
        ('{"a": 1}\r\n{"b": 2}\r\n', ("syntax_error", 2, 1)),
        ("{\n // no\n}", ("syntax_error", 2, 2)),
        ("{'a': 1}", ("syntax_error", 1, 2)),
        ("{a: 1}", ("syntax_error", 1, 2)),
        ('{"a": NaN}', ("syntax_error", 1, 7)),
        ('{"a": -Infinity}', ("syntax_error", 1, 7)),
        ('{"a": 01}', ("syntax_error", 1, 7)),
        ('{"a": 1.}', ("syntax_error", 1, 8)),
        ('{"a": 1.e2}', ("syntax_error", 1, 8)),
        ('{"a": 1e}', ("syntax_error", 1, 7)),
        ('{"a": +1}', ("syntax_error", 1, 7)),
        ('{"a": True}', ("syntax_error", 1, 7)),
        ('{"a": nullx}', ("syntax_error", 1, 7)),
        ('{"🚀": "x\ny"}', ("syntax_error", 1, 9)),
        ('{"a": "x\\q"}', ("syntax_error", 1, 9)),
        ('{"a": "\\u12"}', ("syntax_error", 1, 8)),
        ('{"a": "x', ("syntax_error", 1, 7)),
        ('{"a":\u00a01}', ("syntax_error", 1, 6)),
        ('{"a": 1]', ("syntax_error", 1, 8)),
        ("]", ("syntax_error", 1, 1)),
        ('{"a": 1, "a": 2}', ("duplicate_key", 1, 10)),
        ('{"a": 1,\r "\\u0061": 2}', ("duplicate_key", 2, 2)),
        ('{"x": [{"b": 1,\n"b": 2}]}', ("duplicate_key", 2, 1)),
        ('{"a": "\ud800"}', ("lone_surrogate", 1, 8)),
    ],
)
def test_error_position(text: str, position: Position) -> None:
    assert validate(text, "json").validity == "invalid"
    assert position in positions(text)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('\ufeff{"a": 1}', ("byte_order_mark", 1, 1)),
        ("null", ("empty", None, None)),
        ('{"a\u200b": 1}', ("invisible_character", 1, 2)),
        (' "x"', ("not_a_mapping", 1, 2)),
        ('{"a": 9007199254740993}', ("big_integer", 1, 7)),
        ('{"a": -1180591620717411303424}', ("big_integer", 1, 7)),
        ('{"a": 1e400}', ("number_overflow", 1, 7)),
        ('{"a": "x\\u0000"}', ("nul_escape", 1, 9)),
        ('{"a": "\\ud800x"}', ("lone_surrogate", 1, 8)),
        ('{"a": "\\udc00\\ud800"}', ("lone_surrogate", 1, 14)),
        ('{"a\\ud800": 1}', ("lone_surrogate", 1, 4)),
        ('{"a": "\u202e"}', ("bidi_control", 1, 8)),
    ],
)
def test_warning_position(text: str, position: Position) -> None:
    assert validate(text, "json").validity == "valid"
    assert position in positions(text)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        ' \r\n{"a": [1, -0.5e-3, true, false, null, "\\u00e9\\n"], "b": {}}\r\n',
        '{"a": "\\ud83d\\ude80", "b": "\\\\u0000 \\\\ud800"}',
        '{"a": 9007199254740992, "b": 0.12345678901234567890, "c": 1e99, "d": 1.0e-400}',
        '{"a": {"x": 1}, "b": {"x": 1}}',
        '{"a": "\x7f\u2028"}',
        '{"a": "{{ x }}"}',
    ],
)
def test_accepted_without_warnings(text: str) -> None:
    assert validate(text, "json").problems == ()


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_depth_is_limited(opening: str, closing: str) -> None:
    fits = opening * 200 + "1" + closing * 200
    assert validate(fits, "json").validity == "valid"
    deep = opening * 100_000 + "1" + closing * 100_000
    error = next(p for p in validate(deep, "json").problems if p.severity == "error")
    assert (error.code, error.column) == ("too_deep", 200 * len(opening) + 1)


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    assert validate(json.dumps({"a": "[{" * 500, "b": '"' + "[" * 500}), "json").problems == ()


def test_a_deep_text_on_a_deep_stack_gets_a_verdict() -> None:
    def descend(levels: int) -> str:
        return (
            descend(levels - 1)
            if levels
            else validate('{"a":' * 190 + "1" + "}" * 190, "json").validity
        )

    assert descend(600) == "valid"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({f"key_{n:05}": n for n in range(60_000)}),
        json.dumps({"a": [10**17 + n for n in range(50_000)]}),
        '{"a": "' + "x" * 1_000_000 + '"}',
        '{"a": ' + "9" * 1_000_000 + "}",
        '{"a": "' + "\\u0000" * 150_000 + '"}',
        '"' * 1_000_000,
        "{" * 1_000_000,
    ],
    ids=["keys", "big numbers", "long string", "long number", "escapes", "quotes", "braces"],
)
def test_a_megabyte_takes_bounded_time(text: str) -> None:
    """Real times are a tenth; the bound only separates linear from quadratic time."""
    started = time.process_time()
    validate(text, "json")
    assert is_within(time.process_time() - started, 10)
