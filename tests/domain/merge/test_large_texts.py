"""Texts whose trees would take seconds to read are merged by lines.

What comes out is still checked.
"""

import time

import pytest

from benchmark_manager.domain.documents import compare_three_ways, key_changes
from benchmark_manager.domain.merge import MergeImpossibleError, merge, resolve
from benchmark_manager.models.merge import Resolution
from support.stalls import is_within


def text(**changes: str) -> str:
    return "".join(
        f"{key}: {value}\n"
        for key, value in ({f"k{n}": str(n) for n in range(10_000)} | changes).items()
    )


BASE = text()


def test_distant_changes_are_merged() -> None:
    found = merge(BASE, text(k9="theirs"), text(k4000="mine"), "yaml")
    assert (found.outcome, found.content) == ("text", text(k9="theirs", k4000="mine"))


def test_touching_changes_are_a_conflict_of_lines_which_a_person_decides() -> None:
    theirs, mine = text(k9="theirs"), text(k9="mine")
    found = merge(BASE, theirs, mine, "yaml")
    assert [(c.path, c.theirs, c.mine, c.line) for c in found.conflicts] == [
        (None, "k9: theirs\n", "k9: mine\n", 10)
    ]
    assert resolve(BASE, theirs, mine, "yaml", [Resolution(path=None, take="mine")]) == mine


def test_lines_which_come_together_to_a_key_twice_are_a_conflict() -> None:
    theirs, mine = "twice: 1\n" + BASE, BASE + "twice: 2\n"
    (conflict,) = merge(BASE, theirs, mine, "yaml").conflicts
    assert (conflict.path, conflict.theirs, conflict.mine) == (None, theirs, mine)
    with pytest.raises(MergeImpossibleError):
        resolve(BASE, theirs, mine, "yaml", [Resolution(path=None, take="mine")])


def test_where_an_input_does_not_parse_the_lines_decide() -> None:
    theirs, mine = "broken: [\n" + BASE, BASE + "last: 1\n"
    assert merge(BASE, theirs, mine, "yaml").content == theirs + "last: 1\n"


def test_the_largest_texts_which_are_merged_by_keys_take_less_than_a_second() -> None:
    lines = [f"k{n}: {n}\n" for n in range(7_490)]
    began = time.process_time()
    found = merge(
        "".join(lines), "".join(lines[::-1]), "".join(lines).replace("k7: 7\n", "k7: 8\n"), "yaml"
    )
    assert (found.outcome, is_within(time.process_time() - began, 2)) == ("keys", True)


def test_texts_with_hundreds_of_thousands_of_values_are_not_compared_by_key() -> None:
    before = f"[{'1,' * 400_000}1]"
    began = time.process_time()
    assert key_changes(before, f"[2,{before[1:]}", "json") is None
    assert compare_three_ways("a: 1\n", None, [before], "yaml") == [None]
    assert is_within(time.process_time() - began, 1)


def test_brackets_alone_are_values_too() -> None:
    """Half a million brackets around three numbers took half a minute."""
    nested = "[" * 150 + "1" + "]" * 150
    base, theirs, mine = (f"a: [{', '.join([nested] * 3_000)}, {number}]\n" for number in (1, 2, 3))
    began = time.process_time()
    assert merge(base, theirs, mine, "yaml").conflicts[0].path is None
    assert is_within(time.process_time() - began, 1)


@pytest.mark.parametrize("values", [110_000, 240_000])
def test_what_takes_too_long_to_check_is_a_conflict(values: int) -> None:
    """A megabyte of numbers: reading all four texts took four seconds."""
    base = "a:\n" + "- 1\n" * values
    theirs, mine = "z: 1\n" + base, base + "z: 2\n"
    began = time.process_time()
    (conflict,) = merge(base, theirs, mine, "yaml").conflicts
    assert (conflict.path, conflict.theirs, conflict.mine) == (None, theirs, mine)
    assert is_within(time.process_time() - began, 2)
