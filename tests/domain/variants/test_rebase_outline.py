"""What a rebase changes, in a few short lines."""

from benchmark_manager.domain.merge import merge
from benchmark_manager.domain.variants.rebase_outline import (
    outline_of_changes,
    outline_of_conflicts,
)

MINE = "a: 1\nb: [1]\nc: x\n"


def test_changes_are_by_key_with_their_values_on_one_line() -> None:
    outline = outline_of_changes(MINE, "a: 2\nc: x\nd: {e: 1}\n", "yaml")
    assert [
        (change.path, change.kind, change.before, change.after) for change in outline.changes
    ] == [
        ("a", "changed", "1", "2"),
        ("b", "removed", "[1]", None),
        ("d", "added", None, '{"e": 1}'),
    ]
    assert outline.changes_count == 3


def test_only_the_first_changes_are_shown_and_all_are_counted() -> None:
    before, after = ("".join(f"k{number}: {value}\n" for number in range(1000)) for value in (1, 2))
    outline = outline_of_changes(before, after, "yaml")
    assert (len(outline.changes), outline.changes_count) == (5, 1000)


def test_long_paths_and_values_are_shortened() -> None:
    outline = outline_of_changes("k: 1\n", f"k: {'v' * 1000}\n? {'p' * 1000}\n: 1\n", "yaml")
    assert [(len(change.path), len(change.after or "")) for change in outline.changes] == [
        (1, 80),
        (200, 1),
    ]


def test_a_template_has_no_changes_by_key() -> None:
    assert outline_of_changes("{{ a }}\n", "{{ b }}\n", "yaml").changes_count is None


def test_conflicts_are_shown_by_path_and_those_of_lines_without_one() -> None:
    keys = outline_of_conflicts(merge("a: 1\n", "a: 2\n", "a: 3\n", "yaml").conflicts)
    lines = outline_of_conflicts(merge("{{ a }}\n", "{{ b }}\n", "{{ c }}\n", "yaml").conflicts)
    assert (keys.conflicts, keys.conflicts_count) == (("a",), 1)
    assert (lines.conflicts, lines.conflicts_count) == ((None,), 1)
