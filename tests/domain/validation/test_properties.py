"""Properties of the verdicts on all texts."""

import json
import subprocess
import sys
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark_manager.domain.validation import validate
from benchmark_manager.domain.yaml import scalars as yaml_scalars
from benchmark_manager.models.original import FileFormat, FileType
from benchmark_manager.models.problem import Verdict
from support.process import ROOT, environment

FORMATS: st.SearchStrategy[FileFormat] = st.sampled_from(["yaml", "json"])
TYPES: st.SearchStrategy[FileType | None] = st.sampled_from(["config", "job", None])
# fmt: off
PIECES = st.sampled_from([
    "a", "b", "1", "012", "no", "~", ":", ": ", "-", "- ", "?", "? ", "{", "}", "[", "]", ",",
    "'", '"', "|", ">", "&", "&a ", "*", "*a ", "!", "!!str ", "%", "#", " #", "@", "`", "\\",
    "\\0", "\\ud800", "{{", "}}", "{%", "%}", "---", "...", "<<", "kind: Job", "metadata",
    "\n", "\r", "\r\n", "\t", " ", "  ", "\n  ", "\n- ", "\n---\n", "\ufeff", "\x85", "\u2028",
    "\x7f", "\x01", "\ud800", "\udc00", "🚀", "\U00100000", "\uffff", "\x00", "\u202e", "\u00a0",
])
# fmt: on
SOUP = st.lists(PIECES, max_size=40).map("".join) | st.text()
KEYS = st.text(max_size=5)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=20,
)
JSON_TEXTS = st.builds(
    json.dumps, JSON_VALUES, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 0, 2])
).filter(lambda text: not any("\ud800" <= char <= "\udfff" for char in text))
PLAIN_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet="aé🚀 :-#'\"\n{}[]1."),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4)
    ),
    max_leaves=20,
)


class _DuplicateKeyError(Exception):
    pass


def _pairs(pairs: list[tuple[str, object]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise _DuplicateKeyError


def _refuse(name: str) -> None:
    raise ValueError(name)


def standard_library_accepts(text: str) -> bool:
    """The standard library's verdict, with the two cases in which the contract is stricter."""
    try:
        json.loads(text, object_pairs_hook=_pairs, parse_constant=_refuse, parse_int=len)
    except (ValueError, _DuplicateKeyError):
        return False
    return True


def check_shape(text: str, verdict: Verdict) -> None:
    body = text.removeprefix("\ufeff")
    lines = body.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert ("error" in {p.severity for p in verdict.problems}) == (verdict.validity == "invalid")
    assert len(verdict.problems) <= 100
    positions = [(problem.line, problem.column) for problem in verdict.problems]
    assert [each for each in positions if (each[0] is None) != (each[1] is None)] == []
    # One column behind a line's last character is where it ends; CRLF has two.
    outside = [
        (line, column)
        for line, column in positions
        if line is not None and column is not None and not 1 <= column <= len(lines[line - 1]) + 2
    ]
    assert outside == []


@given(SOUP, FORMATS, TYPES)
@example("a: &a\n  *a", "yaml", "job")
@example("\ufeff\ufeff", "yaml", None)
@example("{" * 3000, "json", None)
@example("[" * 3000, "yaml", None)
@example("-0b1_", "yaml", None)
@example("0x_: 1:5_9", "yaml", None)
def test_never_raises(text: str, file_format: FileFormat, file_type: FileType | None) -> None:
    check_shape(text, validate(text, file_format, file_type))


@given(SOUP)
def test_verdict_does_not_depend_on_a_mark_or_the_type(text: str) -> None:
    body = text.lstrip("\ufeff")
    assert validate(body, "yaml") == validate(f"\ufeff{body}", "yaml")
    assert validate(body, "yaml", "job").validity == validate(body, "yaml", "config").validity


@given(JSON_TEXTS)
def test_json_is_accepted(text: str) -> None:
    assert validate(text, "json").validity == "valid"


@given(JSON_TEXTS, st.data())
def test_verdicts_on_mutated_json_are_those_of_the_standard_library(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    piece = data.draw(
        st.sampled_from(
            ["", ",", ":", "{", "}", "[", "]", '"', "\\", "0", "-", ".", "e", "NaN", "\n", " "]
        )
    )
    mutated = text[:start] + piece + text[end:]
    assert (validate(mutated, "json").validity == "valid") == standard_library_accepts(mutated)


@given(st.text('{}[],:"\\u0d8ae1.-+ \n\x7f\x1f'))
def test_verdicts_on_json_soup_are_those_of_the_standard_library(text: str) -> None:
    assert (validate(text, "json").validity == "valid") == standard_library_accepts(text)


@given(PLAIN_VALUES, st.booleans(), st.booleans())
def test_dumped_yaml_is_accepted(value: object, flow: bool, unicode: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=unicode)
    assert validate(text, "yaml").validity == "valid"


@given(
    st.lists(PIECES.filter(lambda piece: piece.isascii() and piece.isprintable()), max_size=20).map(
        "".join
    )
)
def test_what_is_valid_composes(text: str) -> None:
    """A text called valid never fails in PyYAML's own composer, which knows anchors and syntax."""
    if validate(text, "yaml").validity == "valid":
        list(yaml.compose_all(text, Loader=yaml.CSafeLoader))


@given(
    st.lists(
        st.sampled_from(["a", "'a'", '"a"', "b", "1", "0x1", "!!str 1", "~", "null", "''"]),
        max_size=5,
    )
)
def test_duplicate_keys_are_those_that_a_parser_treats_as_equal(keys: list[str]) -> None:
    built = [yaml.safe_load(key) for key in keys]
    text = "".join(f"? {key}\n: x\n" for key in keys)
    repeated = len(keys) - len({(type(key), key) for key in built})
    codes = [p.code for p in validate(text, "yaml").problems]
    assert codes.count("duplicate_key") == repeated


@given(st.text("0123456789+-._:eExXobaAinfINFnyYNoOsS~=", max_size=9))
def test_older_meaning_is_what_pyyaml_builds(text: str) -> None:
    """`difference` is None only if PyYAML's type is the one which YAML 1.2 gives."""
    loader: Any = yaml.SafeLoader("")
    tag: str = loader.resolve(yaml.ScalarNode, text, (True, False))
    kind = tag.removeprefix(yaml_scalars.TAG_PREFIX)
    newer = yaml_scalars.resolve(text)[0]
    # Dates and `<<` exist in YAML 1.1 only, and are no numbers or truth values.
    if yaml_scalars.difference(text) is None and kind not in {"timestamp", "merge"}:
        assert kind == newer


@given(st.text("0123456789+-._:eExXobaAinfINFnyYNoOsS~=tTrRuUlL", max_size=9))
def test_no_difference_hides_behind_another_first_character(text: str) -> None:
    if yaml_scalars.difference(text) is not None:
        assert text[0] in yaml_scalars.NOTEWORTHY


TEXTS = [
    "a: 1\nb: [x, {y: *z}]\n",
    '{"a": 1, "a": "\\UFFFFFFFF"}',
    "ü: 🚀\nb: @x\n",
    "a: !!str no\nb: no\n",
    "x: |\n y\n",
]
#: Reads texts without libyaml, as where PyYAML was built without it.
WITHOUT_LIBYAML = """
import json, sys, yaml
del yaml.CSafeLoader
from benchmark_manager.domain.validation import validate
verdicts = [validate(text, sys.argv[1]) for text in json.load(sys.stdin)]
print(json.dumps([[v.validity, [p.code for p in v.problems]] for v in verdicts]))
"""


@pytest.mark.parametrize("format_", ["yaml", "json"])
def test_the_parser_in_python_agrees(format_: FileFormat) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_LIBYAML, format_],
        input=json.dumps(TEXTS),
        env=environment(pythonpath=ROOT),
        capture_output=True,
        text=True,
        check=True,
    )
    verdicts = [validate(text, format_) for text in TEXTS]
    assert json.loads(done.stdout) == [
        [verdict.validity, [problem.code for problem in verdict.problems]] for verdict in verdicts
    ]
