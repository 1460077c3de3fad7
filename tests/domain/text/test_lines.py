"""Lines which a form gives back as they were shown keep their line ends."""

import re

import pytest

from benchmark_manager.domain.text import line_ends_of, with_stored_ends


def edited(stored: str, typed: str, ending: str = "\n") -> str:
    return with_stored_ends(stored, stored, re.sub(r"\r\n|\r|\n", "\r\n", typed), ending)


@pytest.mark.parametrize(
    ("stored", "typed", "expected"),
    [
        ("a\r\nb\nc\rd", "a\nb\nX\nd", "a\r\nb\nX\nd"),
        ("a\r\nb\r\n", "a\nb\nc\n", "a\r\nb\r\nc\n"),
        ("a\r\nb\r\n", "b\n", "b\r\n"),
        ("a\rb\r\nc", "X\nb\nc", "X\nb\r\nc"),
        ("\r\n\r\n\r\n", "\n\n", "\r\n\r\n"),
        ("b\r\n", "xb\n", "xb\n"),
        ("a\r\nb", "a\nb\nc", "a\r\nb\nc"),
        ("", "a\nb", "a\nb"),
        ("a\r\n", "", ""),
    ],
)
def test_only_what_was_typed_gets_the_new_line_end(stored: str, typed: str, expected: str) -> None:
    assert edited(stored, typed) == expected


@pytest.mark.parametrize(
    ("text", "counts"),
    [("a", {}), ("\r\n\r\n\n", {"crlf": 2, "lf": 1}), ("\r\r\n", {"cr": 1, "crlf": 1})],
)
def test_line_ends_are_counted(text: str, counts: dict[str, int]) -> None:
    assert line_ends_of(text) == counts
