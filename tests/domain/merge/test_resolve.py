"""Decisions about conflicts, carried out."""

import random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.merge import (
    MergeImpossibleError,
    MergeResolutionError,
    MergeUnresolvedError,
    merge,
    resolve,
)
from benchmark_manager.models.merge import Resolution
from support.examples import EXAMPLES

BASE = "a: 1\nb: # two\n  c: x\n  d: [1]\ne: 5\n"
THEIRS = "a: 2 # now\nb: # two\n  c: y\n  d: [1]\n"
MINE = "a: 3\nb: # two\n  c: z\n  d: [1, 2]\ne: 6 # six\n"


def _take(path: str | None, take: Any, value: Any = None) -> Resolution:
    return Resolution(path=path, take=take, value=value)


def test_each_conflict_takes_a_side() -> None:
    decisions = [_take("a", "mine"), _take("b.c", "theirs"), _take("e", "mine")]
    assert (
        resolve(BASE, THEIRS, MINE, "yaml", decisions)
        == "a: 3 # now\nb: # two\n  c: y\n  d: [1, 2]\ne: 6 # six\n"
    )
    decisions = [_take("e", "theirs"), _take("b.c", "mine"), _take("a", "theirs")]
    assert (
        resolve(BASE, THEIRS, MINE, "yaml", decisions)
        == "a: 2 # now\nb: # two\n  c: z\n  d: [1, 2]\n"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (7, "7"),
        (1e16, "1.0e+16"),
        (None, "null"),
        (True, "true"),
        ("plain text", "plain text"),
        ("no", '"no"'),
        ("1", '"1"'),
        ("a: b", '"a: b"'),
        ("two\nlines", '"two\\nlines"'),
        ([1, "x"], '[1, "x"]'),
        ({"k": None}, '{"k": null}'),
        ("", '""'),
    ],
)
def test_a_value_is_written_so_that_it_is_read_again(value: Any, written: str) -> None:
    decisions = [_take("a", "value", value), _take("b.c", "theirs"), _take("e", "value", value)]
    content = resolve(BASE, THEIRS, MINE, "yaml", decisions)
    assert content == f"a: {written} # now\nb: # two\n  c: y\n  d: [1, 2]\ne: {written}\n"


def test_json_takes_values() -> None:
    content = resolve('{"a": 1}', '{"a": 2}', '{"a": 3}', "json", [_take("a", "value", "x y")])
    assert content == '{"a": "x y"}'


def test_a_removal_can_be_taken() -> None:
    base, theirs, mine = "a: 1\nb: 1\n", "a: 1\nb: 2\n", "a: 1\n"
    assert resolve(base, theirs, mine, "yaml", [_take("b", "mine")]) == "a: 1\n"
    assert resolve(base, theirs, mine, "yaml", [_take("b", "theirs")]) == theirs
    assert resolve(base, theirs, mine, "yaml", [_take("b", "value", 3)]) == "a: 1\nb: 3\n"


def test_a_list_is_decided_about_as_a_whole() -> None:
    base, theirs, mine = (
        "l:\n- 1\n- 2\nz: 1\n",
        "l:\n- 3\n- 4\nz: 1\n",
        "l:\n- 5\n- 6 # six\nz: 2\n",
    )
    assert resolve(base, theirs, mine, "yaml", [_take("l", "mine")]) == "l:\n- 5\n- 6 # six\nz: 2\n"
    assert resolve(base, theirs, mine, "yaml", [_take("l", "value", [7])]) == "l: [7]\nz: 2\n"


def test_documents_which_both_moved_are_decided_about_together() -> None:
    base, theirs, mine = (
        "a: 1\n---\nb: 1\n",
        "a: 1\n---\nc: 1\n---\nd: 1\n",
        "a: 1\n---\nb: 2\n---\ne: 1\n",
    )
    assert [conflict.path for conflict in merge(base, theirs, mine, "yaml").conflicts] == ["."]
    assert resolve(base, theirs, mine, "yaml", [_take(".", "mine")]) == mine
    assert resolve(base, theirs, mine, "yaml", [_take(".", "theirs")]) == theirs
    with pytest.raises(MergeImpossibleError):
        resolve(base, theirs, mine, "yaml", [_take(".", "value", [1])])


def test_what_is_left_is_reported() -> None:
    with pytest.raises(MergeUnresolvedError) as raised:
        resolve(BASE, THEIRS, MINE, "yaml", [_take("a", "mine")])
    assert raised.value.left == ("b.c", "e")


@pytest.mark.parametrize(
    "decision",
    [_take("b.d", "mine"), _take("b", "mine"), _take(None, "mine"), _take("nowhere", "value", 1)],
)
def test_a_decision_about_no_conflict_is_refused(decision: Resolution) -> None:
    everything = [_take("a", "mine"), _take("b.c", "mine"), _take("e", "mine")]
    with pytest.raises(MergeResolutionError):
        resolve(BASE, THEIRS, MINE, "yaml", [*everything, decision])


def test_two_decisions_about_one_conflict_are_refused() -> None:
    with pytest.raises(MergeResolutionError):
        resolve(BASE, THEIRS, MINE, "yaml", [_take("a", "mine"), _take("a", "theirs")])


@pytest.mark.parametrize("value", ["\ud800", float("nan"), float("inf")])
def test_a_value_which_cannot_be_written_is_refused(value: Any) -> None:
    decision = Resolution.model_construct(path="a", take="value", value=value)
    with pytest.raises(MergeResolutionError):
        resolve("a: 1\n", "a: 2\n", "a: 3\n", "yaml", [decision])


def test_a_clean_merge_needs_no_decisions() -> None:
    assert resolve("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 3\n", "yaml", []) == "a: 2\nb: 3\n"
    with pytest.raises(MergeResolutionError):
        resolve("a: 1\nb: 1\n", "a: 2\nb: 1\n", "a: 1\nb: 3\n", "yaml", [_take("a", "mine")])


def test_an_anchor_which_others_need_cannot_be_removed() -> None:
    base = "a: &x 1\nb: 2\n"
    mine = "a: 1\nb: 2\n"
    paths = [conflict.path for conflict in merge(base, f"{base}c: *x\n", mine, "yaml").conflicts]
    with pytest.raises(MergeImpossibleError):
        resolve(base, f"{base}c: *x\n", mine, "yaml", [_take(path, "mine") for path in paths])
    assert (
        resolve(base, f"{base}c: *x\n", mine, "yaml", [_take(path, "theirs") for path in paths])
        == f"{base}c: *x\n"
    )


def test_lines_are_decided_about_in_their_order() -> None:
    base = "{{ a }}\nx\ny\nz\n{{ b }}\n"
    theirs = "{{ a }}!\nx\ny\nz\nnew\n{{ b }}?\n"
    mine = "top\n{{ a }}.\nx\nmore\ny\nz\n{{ c }}\n"
    content = resolve(base, theirs, mine, "yaml", [_take(None, "mine"), _take(None, "theirs")])
    assert content == "top\n{{ a }}.\nx\nmore\ny\nz\nnew\n{{ b }}?\n"
    with pytest.raises(MergeUnresolvedError) as raised:
        resolve(base, theirs, mine, "yaml", [_take(None, "mine")])
    assert raised.value.left == (None,)
    with pytest.raises(MergeResolutionError):
        resolve(base, theirs, mine, "yaml", [_take(None, "mine"), _take(None, "value", 1)])


@settings(max_examples=EXAMPLES)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 9), min_size=1), st.integers(0, 2**32)
)
def test_decisions_give_what_was_decided(base: dict[str, int], seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311  nothing secret
    theirs, mine = ({k: rng.randint(0, 9) for k in base if rng.random() < 0.8} for _ in range(2))
    texts = [
        "".join(f"{k}: {v}\n" for k, v in value.items()) or "{}\n" for value in (base, theirs, mine)
    ]
    conflicts = merge(texts[0], texts[1], texts[2], "yaml").conflicts
    takes = {conflict.path or "": rng.choice(["theirs", "mine", "value"]) for conflict in conflicts}
    decisions = [_take(path, take, 77) for path, take in takes.items()]
    try:
        content = resolve(texts[0], texts[1], texts[2], "yaml", decisions)
    except MergeImpossibleError:
        assert not (theirs and mine)
        return
    if "." in takes:
        return
    sides = {"theirs": theirs, "mine": mine, "value": dict.fromkeys(base, 77)}
    expected = {
        key: value
        for key in base
        if (value := _expected(key, base, sides, takes.get(key))) is not None
    }
    assert yaml.load(content, yaml.CSafeLoader) == expected


def _expected(
    key: str, base: dict[str, int], sides: dict[str, dict[str, int]], take: str | None
) -> int | None:
    if take is not None:
        return sides[take].get(key)
    theirs = sides["theirs"].get(key)
    return sides["mine"].get(key) if theirs == base[key] else theirs


def test_a_value_can_replace_a_document_which_came() -> None:
    base, theirs = "a: 1\n---\nb: 1\n", "a: 1\r\n---\r\nb: 1\r\n# more\r\n"
    mine = "c: 1\n---\na: 1\n---\nb: 1\n---\nd: 1\n"
    (first, last) = merge(base, theirs, mine, "yaml").conflicts
    decisions = [
        Resolution(path=first.path, take="theirs"),
        Resolution(path=last.path, take="value", value={"d": [2]}),
    ]
    assert resolve(base, theirs, mine, "yaml", decisions) == f'{theirs}---\r\n{{"d": [2]}}\r\n'
