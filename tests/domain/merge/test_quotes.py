"""Upstream's new quotes around a value that I changed are kept."""

import pytest
import yaml

from benchmark_manager.domain.merge import merge
from benchmark_manager.models.original import FileFormat


def merged(old: str, theirs: str, mine: str, file_format: FileFormat = "yaml") -> str | None:
    form = '{{"a": {}}}' if file_format == "json" else "a: {}\n"
    return merge(form.format(old), form.format(theirs), form.format(mine), file_format).content


@pytest.mark.parametrize(
    ("old", "theirs", "mine", "value"),
    [
        ("4", '"4"', "8", '"8"'),
        ("4", "'4'", "8", "'8'"),
        ("true", '"true"', "false", '"false"'),
        ("x", '"x"', "y", '"y"'),
        ("x", "'x'", "it's", "'it''s'"),
        ("x", '"x"', 'say "no"', '"say \\"no\\""'),
        ("x", '"x"', "back\\slash", '"back\\\\slash"'),
        ("x", "'x'", '"tab\\there"', '"tab\\there"'),
        ("x", '"x"', "'y'", '"y"'),
        ("4", "|-\n  4", "8", '"8"'),
        ("x", "|-\n  x", "y", "y"),
        ("x", '"x"', "|-\n  y\n  z", "|-\n  y\n  z"),
        ('"x"', "x", '"y"', '"y"'),
        ("4", "8", '"4"', '"8"'),
    ],
)
def test_the_new_value_stands_in_the_new_quotes(
    old: str, theirs: str, mine: str, value: str
) -> None:
    assert merged(old, theirs, mine) == f"a: {value}\n"


@pytest.mark.parametrize(
    ("old", "theirs", "mine"),
    [
        ("4", '"4"', "null"),
        ("4", '"4"', ""),
        ("4", '"4"', "[8]"),
        ("4", '"5"', "8"),
        ("4", '"4"', "!t 8"),
        ("4", '&x "4"', "8"),
        ('"4"', "4", '"8"'),
        ("4", "4.0", "8"),
    ],
)
def test_other_changes_of_both_stay_conflicts(old: str, theirs: str, mine: str) -> None:
    assert merged(old, theirs, mine) is None


def test_quotes_in_json() -> None:
    assert merged("4", '"4"', "8", "json") == '{"a": "8"}'


def test_a_comment_behind_them_stays() -> None:
    assert merged("4", '"4"  # text', "8") == 'a: "8"  # text\n'


@pytest.mark.parametrize(
    "new", ["\u3000wide", "키: 값", "\U0001f680", "a\x85b", "- x", "#x", "'", '"', "\\"]
)
@pytest.mark.parametrize("quote", ["'", '"'])
def test_any_text_is_read_again_as_it_is(new: str, quote: str) -> None:
    content = merged(
        "x", f"{quote}x{quote}", yaml.dump(new, allow_unicode=True, default_style='"').strip()
    )
    assert content is not None
    assert yaml.safe_load(content) == {"a": new}
