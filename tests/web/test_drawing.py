"""The pure parts of pages: tree, numbered lines, comparison, chart, form fields."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from benchmark_manager.models.original_file import FileEntry
from benchmark_manager.models.problem import Problem
from benchmark_manager.web.forms import Form
from benchmark_manager.web.listing import numbered
from benchmark_manager.web.text_diff import unified
from benchmark_manager.web.tree import Folder, rows_of, tree_of

NAMES = st.sampled_from(["a", "b", "c", "long name"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=6).map("/".join), unique=True, max_size=30)


def entry(path: str, errors: int = 0, variants: int = 0) -> FileEntry:
    return FileEntry(path, f"{path}.yaml", "config", "valid", errors, 0, variants)


@given(PATHS)
def test_a_tree_holds_each_file_once_below_its_own_folders(paths: list[str]) -> None:
    found = []
    where: list[str] = []
    for kind, item in rows_of(tree_of([entry(path) for path in sorted(paths)])):
        if kind == "open":
            assert isinstance(item, Folder)
            where.append(item.label)
            assert "/".join(where) == item.path
            assert item.count == sum(f"{path}.yaml".startswith(f"{item.path}/") for path in paths)
        elif kind == "close":
            where.pop()
        else:
            assert isinstance(item, FileEntry)
            found.append("/".join([*where, item.name]))
    assert sorted(found) == sorted(f"{path}.yaml" for path in paths)
    assert where == []


def test_folders_with_nothing_else_are_one_row() -> None:
    [(_, folder), *_] = list(rows_of(tree_of([entry("a/b/c/x"), entry("a/b/c/y", errors=2, variants=3)])))
    assert isinstance(folder, Folder)
    assert (folder.label, folder.count, folder.problems, folder.variants) == ("a/b/c", 2, 1, 3)


def test_a_large_tree_stands_open_as_far_as_a_screen_goes() -> None:
    top = tree_of([entry(f"{a:02}/{b:02}") for a in range(10) for b in range(10)])
    opened = [folder.path for folder in top.folders.values() if folder.is_open]
    assert opened == ["00", "01", "02"]
    for files, is_open in ((399, True), (400, False)):
        [(_, folder), *_] = list(rows_of(tree_of([entry(f"only/{number}") for number in range(files)])))
        assert isinstance(folder, Folder)
        assert folder.is_open == is_open


@given(st.text(max_size=60))
def test_lines_show_the_text_and_nothing_but_text(text: str) -> None:
    shown = str(numbered(text, ()))
    bare = re.sub(r'</?span[^>]*>|<b class="unseen">|</b>', "", shown)
    assert not re.search(r"[<>\"]", bare)
    lines = re.split(r"\r\n|\r|\n", text)
    wanted = [re.sub(r"U\+[0-9A-F]{4}", "", unescape(line)) for line in bare.split("\n")]
    unseen = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
    if "U+" not in text:
        assert wanted[: len(lines)] == [unseen.sub("", line) for line in lines][: len(wanted)]


def test_a_problem_stands_below_its_line() -> None:
    problem = Problem(severity="error", code="x", message="<b>", line=2, column=1)
    shown = str(numbered("a\nb\nc", [problem]))
    assert re.search(
        r'id="L2">b\n</span><span class="line-note error">2:1 &lt;b&gt;\n</span><span class="line" id="L3"', shown
    )


@given(st.lists(st.sampled_from("abc"), max_size=40), st.lists(st.sampled_from("abc"), max_size=40))
def test_a_comparison_turns_one_text_into_the_other(before: list[str], after: list[str]) -> None:
    old, new = "\n".join(before), "\n".join(after)
    assert _patched(old, unified(old, new, ("x", "x"))) == new.split("\n")


def _patched(text: str, diff: str) -> list[str]:
    lines = text.split("\n")
    result: list[str] = []
    place = 0
    for row in diff.split("\n")[2:]:
        if found := re.match(r"@@ -(\d+)(?:,(\d+))?", row):
            start = int(found[1]) - (found[2] != "0")
            result += lines[place:start]
            place = start
        elif row.startswith("+"):
            result.append(row[1:])
        else:
            assert row[1:] == lines[place]
            place += 1
            result += [row[1:]] if row.startswith(" ") else []
    return result + lines[place:]


def test_a_comparison_of_anything_ends_soon() -> None:
    """Thousands of lines that differ are shown as one piece: comparing them may cost their product."""
    old = "\n".join(str(n % 3) for n in range(20_000))
    new = "\n".join(str(n % 5) for n in range(20_000))
    assert len(unified(old, new, ("x", "x")).split("\n")) > 30_000


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), (" 17 ", 17), ("-1", None), ("1.5", None), ("", None), ("٣", None), ("1_0", None), ("9" * 5000, None)],
)
def test_numbers_are_plain_digits(text: str, number: int | None) -> None:
    assert Form(FormData({"n": text})).number("n") == number
