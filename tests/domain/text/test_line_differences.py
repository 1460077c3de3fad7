"""Which lines differ between two texts."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.text.edit_search import DEFAULT_LIMITS, SearchLimits
from benchmark_manager.domain.text.line_differences import LineChange, line_changes
from benchmark_manager.domain.text.lines import lines_with_ends
from support.examples import EXAMPLES

LINES = st.lists(st.sampled_from("abc"), max_size=30) | st.lists(
    st.sampled_from("abcdefghijklmno"), max_size=60
)


def applied(before: list[str], after: list[str], changes: list[LineChange]) -> list[str]:
    made: list[str] = []
    position = 0
    for change in changes:
        made += (
            before[position : change.before_start] + after[change.after_start : change.after_end]
        )
        position = change.before_end
    return made + before[position:]


def check(before: list[str], after: list[str], limits: SearchLimits = DEFAULT_LIMITS) -> None:
    changes = line_changes(before, after, limits=limits)
    assert applied(before, after, changes) == after
    assert all(c.before_end > c.before_start or c.after_end > c.after_start for c in changes)
    between = [
        (later.before_start - former.before_end, later.after_start - former.after_end)
        for former, later in pairwise(changes)
    ]
    assert [lengths for lengths in between if not lengths[0] == lengths[1] > 0] == []


@settings(max_examples=2 * EXAMPLES)
@given(LINES, LINES)
def test_changes_lead_from_one_text_to_the_other(before: list[str], after: list[str]) -> None:
    check(before, after)
    assert line_changes(before, before) == []


@pytest.mark.parametrize(
    "limits",
    [
        SearchLimits(thorough_steps=0, hurried_cap=2),
        SearchLimits(thorough_steps=20, hurried_cap=2),
        SearchLimits(steps=20, hurried_cap=2),
        SearchLimits(slides=0, hurried_cap=2),
        SearchLimits(slides=3, hurried_cap=2),
    ],
    ids=str,
)
@given(LINES, LINES)
def test_a_search_that_ends_early_is_still_correct(
    limits: SearchLimits, before: list[str], after: list[str]
) -> None:
    check(before, after, limits)


@given(st.text(alphabet="a\n\r\x0b\x0c\x1c\x85\u2028"))
def test_lines_end_at_lf_only_and_make_the_text_again(text: str) -> None:
    lines = lines_with_ends(text)
    assert "".join(lines) == text
    assert all(line.endswith("\n") for line in lines[:-1])
    assert all(line.count("\n") <= 1 and line for line in lines)


@pytest.mark.parametrize(
    ("before", "after", "changes"),
    [
        (
            "abcabba",
            "cbabac",
            [
                LineChange(0, 2, 0, 0),
                LineChange(3, 4, 1, 1),
                LineChange(5, 5, 2, 3),
                LineChange(7, 7, 5, 6),
            ],
        ),
        ("aab", "aaab", [LineChange(2, 2, 2, 3)]),
        ("xaby", "xababy", [LineChange(3, 3, 3, 5)]),
        ("a", "", [LineChange(0, 1, 0, 0)]),
        ("", "ab", [LineChange(0, 0, 0, 2)]),
        ("", "", []),
    ],
    ids=[
        "Myers' example",
        "slid to the end of a run",
        "slid behind a repetition",
        "emptied",
        "filled",
        "empty",
    ],
)
def test_of_equally_short_edits_it_is_that_of_git(
    before: str, after: str, changes: list[LineChange]
) -> None:
    assert line_changes(before, after) == changes
