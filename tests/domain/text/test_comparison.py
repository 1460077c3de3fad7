"""What differs between two texts, in parts: nothing is lost, nothing is too large."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.text import ComparedPart, ComparedRow, Extent, LineEnds, compared_part

TEXT = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "d"]), max_size=30).map("".join)
WHOLE = Extent(100_000, 10_000_000)


def all_rows(before: str, after: str, extent: Extent, line_ends: LineEnds) -> list[ComparedRow]:
    numbers = range(1, compared_part(before, after, 1, extent, line_ends).count + 1)
    parts = [compared_part(before, after, number, extent, line_ends) for number in numbers]
    assert [(part.number, part.count) for part in parts] == [(n, len(numbers)) for n in numbers]
    assert [part for part in parts if len(part.rows) > extent.lines] == []
    return [row for part in parts for row in part.rows]


@given(TEXT, TEXT, st.integers(1, 5))
def test_a_comparison_turns_one_text_into_the_other(before: str, after: str, rows: int) -> None:
    """The rows of all parts, applied to the lines of one text, give those of the other."""
    lines, result, position = re.split(r"\r\n|\r|\n", before), [], 0
    found = all_rows(before, after, Extent(rows, 1000), "any")
    expected: list[tuple[int | None, int | None, str]] = []
    for row in found:
        if row.kind == "hunk":
            begin = (row.old or 0) - 1
            result += lines[position:begin]
            position = begin
            expected.append((begin + 1, len(result) + 1, row.text))
        elif row.kind == "added":
            result.append(row.text)
            expected.append((None, len(result), row.text))
        else:
            position += 1
            if row.kind == "same":
                result.append(row.text)
            number = len(result) if row.kind == "same" else None
            expected.append((position, number, lines[position - 1]))
    assert [(row.old, row.new, row.text) for row in found] == expected
    assert result + lines[position:] == re.split(r"\r\n|\r|\n", after)


@given(TEXT)
def test_equal_texts_have_no_rows(text: str) -> None:
    assert compared_part(text, text, 1, WHOLE, "exact").rows == ()
    assert compared_part(text, text.replace("\r\n", "\n"), 1, WHOLE, "any").rows == ()


@pytest.mark.parametrize(
    ("before", "after", "mixed"),
    [("a\r\n", "a\n", True), ("a\r\n", "b\r\n", False), ("a\n", "b\n", False)],
)
def test_line_ends_which_differ_are_said(before: str, after: str, mixed: bool) -> None:
    assert compared_part(before, after, 1, WHOLE, "exact").mixed_ends == mixed


def test_a_missing_last_line_end_is_said() -> None:
    rows = compared_part("a\n", "a", 1, WHOLE, "exact").rows
    assert [row.kind for row in rows] == ["hunk", "removed", "added", "no_end"]


@pytest.mark.parametrize(("number", "word"), [(1, "old"), (2, "new")], ids=["removed", "added"])
def test_of_a_long_line_the_part_that_differs_is_shown(number: int, word: str) -> None:
    before = "x" * 500_000 + "old" + "y" * 500_000
    row = compared_part(before, before.replace("old", "new"), 1, WHOLE, "any").rows[number]
    assert word in row.text
    assert len(row.text) <= 2000
    assert row.cut_before + len(row.text) + row.cut_after == 1_000_003


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\n" * 900_000, "x\n" * 100_000),
        (
            "".join(f"{n % 3}\n" for n in range(20_000)),
            "".join(f"{n % 5}\n" for n in range(20_000)),
        ),
        ("x" * 1_000_000, "y" * 1_000_000),
        ("\u200b\n" * 1998, "\u200c\n" * 1998),
    ],
    ids=["blank lines", "few kinds of lines", "long lines", "lines not seen"],
)
def test_a_part_of_anything_is_small(before: str, after: str) -> None:
    part: ComparedPart = compared_part(before, after, 1, Extent(1000, 50_000), "any")
    assert 1 < len(part.rows) <= 1000
    assert sum(len(row.text) for row in part.rows) <= 50_000
    assert part.count <= 100
