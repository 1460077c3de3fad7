"""What differs between two texts, in parts: nothing is lost, nothing is too large."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.text import ComparedPart, ComparedRow, Extent, LineEnds, compared_part

TEXT = st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "d"]), max_size=30).map("".join)
WHOLE = Extent(100_000, 10_000_000)


def all_rows(before: str, after: str, extent: Extent, line_ends: LineEnds) -> Iterator[ComparedRow]:
    count = compared_part(before, after, 1, extent, line_ends).count
    for number in range(1, count + 1):
        part = compared_part(before, after, number, extent, line_ends)
        assert (part.number, part.count) == (number, count)
        assert len(part.rows) <= extent.lines
        yield from part.rows


@given(TEXT, TEXT, st.integers(1, 5))
def test_a_comparison_turns_one_text_into_the_other(before: str, after: str, rows: int) -> None:
    """The rows of all parts, applied to the lines of one text, give those of the other."""
    lines, result, position = re.split(r"\r\n|\r|\n", before), [], 0
    for row in all_rows(before, after, Extent(rows, 1000), "any"):
        if row.kind == "hunk":
            assert row.old is not None
            result += lines[position : row.old - 1]
            position = row.old - 1
            assert row.new == len(result) + 1
        elif row.kind == "added":
            result.append(row.text)
            assert (row.old, row.new) == (None, len(result))
        else:
            assert row.text == lines[position]
            position += 1
            assert row.old == position
            if row.kind == "same":
                result.append(row.text)
                assert row.new == len(result)
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
