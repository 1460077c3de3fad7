"""Help texts before they are wrapped for the terminal."""

import pytest

from benchmark_manager.cli.terminal.help_texts import unwrapped


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Do it.", "Do it."),
        ("Do it,\nand more.\n\nIt\nends.", "Do it, and more.\n\nIt ends."),
        ("Do it:\n\n    one --a\n    --b", "Do it:\n\n    one --a\n    --b"),
        ("Do:\n- one\n- two\n\nIt\nends.", "Do:\n- one\n- two\n\nIt ends."),
        ("", ""),
    ],
    ids=["line", "paragraphs", "example", "list", "none"],
)
def test_lines_of_a_paragraph_are_joined_and_no_others(text: str, expected: str) -> None:
    assert unwrapped(text) == expected
