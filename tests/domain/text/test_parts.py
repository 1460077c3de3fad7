"""A text in parts: all of it, in order, no part larger than wanted."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.text import Extent, text_part

TEXT = st.text(st.sampled_from("ab\r\n\u2028"), max_size=60)
EXTENT = st.builds(Extent, st.integers(1, 4), st.integers(1, 7))


@given(TEXT, EXTENT)
def test_the_parts_are_the_text(text: str, extent: Extent) -> None:
    """Line by line: pieces of a line follow each other, and say how much of it came before."""
    numbers = range(1, text_part(text, 1, extent).count + 1)
    parts = [text_part(text, number, extent) for number in numbers]
    assert [(part.number, part.count) for part in parts] == [(n, len(numbers)) for n in numbers]
    assert [part for part in parts if not 1 <= len(part.lines) <= extent.lines] == []
    sizes = [sum(len(line.text) for line in part.lines) for part in parts]
    assert max(sizes) <= extent.characters
    lines: list[str] = []
    positions: list[tuple[int, int]] = []
    pieces = [piece for part in parts for piece in part.lines]
    for piece in pieces:
        if piece.start == 0:
            lines.append("")
        positions.append((len(lines), len(lines[-1])))
        lines[-1] += piece.text
    assert [(piece.number, piece.start) for piece in pieces] == positions
    expected = re.split(r"\r\n|\r|\n", text)
    assert lines == (expected[:-1] if len(expected) > 1 and not expected[-1] else expected)


@given(TEXT, EXTENT)
def test_a_line_is_found_in_the_part_where_it_begins(text: str, extent: Extent) -> None:
    first = text_part(text, 1, extent)
    begun = [
        (line.number, number)
        for number in range(1, first.count + 1)
        for line in text_part(text, number, extent).lines
        if line.start == 0
    ]
    assert [(line, first.holding(line)) for line, _ in begun] == begun
    assert first.holding(0) == 1
    assert first.holding(10_000) == first.count


@pytest.mark.parametrize(
    ("asked", "given_part"), [(-5, 1), (0, 1), (2, 2), (3, 3), (4, 3), (10**9, 3)]
)
def test_a_part_beyond_the_last_is_the_last(asked: int, given_part: int) -> None:
    assert text_part("a\nb\nc\n", asked, Extent(1, 10)).number == given_part
