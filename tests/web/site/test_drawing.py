"""Pure functions of pages: tree, numbered lines, comparison, chart, form fields."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData

from benchmark_manager.domain.text import TextLine, text_part
from benchmark_manager.models.original import FileEntry
from benchmark_manager.models.problem import Problem
from benchmark_manager.web.originals.tree import Folder, Row, tree_of, tree_page
from benchmark_manager.web.site.forms import Form
from benchmark_manager.web.texts.limits import LISTING
from benchmark_manager.web.texts.listing import numbered
from benchmark_manager.web.texts.visible import visible

NAMES = st.sampled_from(["a", "b", "c", "long name"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=6).map("/".join), unique=True, max_size=30)


def rows_of(entries: list[FileEntry], folder: str = "") -> tuple[Row, ...]:
    return tree_page(entries, folder, 0).rows


def lines_of(text: str) -> tuple[TextLine, ...]:
    return text_part(text, 1, LISTING).lines


def entry(path: str, errors: int = 0, variants: int = 0) -> FileEntry:
    return FileEntry(path, f"{path}.yaml", "config", "valid", errors, 0, variants)


@given(PATHS)
def test_a_tree_holds_each_file_once_below_its_own_folders(paths: list[str]) -> None:
    rows = rows_of([entry(path) for path in sorted(paths)])
    kinds = {(kind, type(item)) for kind, item in rows}
    assert kinds <= {("open", Folder), ("file", FileEntry), ("close", Folder)}
    found: list[str] = []
    opened: list[str] = []
    where: list[str] = []
    for kind, item in rows:
        if isinstance(item, FileEntry):
            found.append("/".join([*where, item.name]))
        elif kind == "open":
            where.append(item.label)
            opened.append("/".join(where))
        else:
            where.pop()
    assert where == []
    names = sorted(f"{path}.yaml" for path in paths)
    assert sorted(found) == names
    folders = [item for kind, item in rows if kind == "open" and isinstance(item, Folder)]
    assert [(folder.path, folder.count) for folder in folders] == [
        (path, sum(name.startswith(f"{path}/") for name in names)) for path in opened
    ]


def test_folders_with_nothing_else_are_one_row() -> None:
    [(_, folder), *_] = rows_of([entry("a/b/c/x"), entry("a/b/c/y", errors=2, variants=3)])
    assert isinstance(folder, Folder)
    assert (folder.label, folder.count, folder.problems, folder.variants) == ("a/b/c", 2, 1, 3)


def test_a_large_tree_is_open_as_far_as_a_screen_goes() -> None:
    top = tree_of([entry(f"{a:02}/{b:02}") for a in range(10) for b in range(10)])
    opened = [folder.path for folder in top.folders.values() if folder.is_open]
    assert opened == ["00", "01", "02"]


@pytest.mark.parametrize(("files", "is_open"), [(399, True), (400, False)])
def test_the_first_folder_is_open_up_to_a_greater_limit(files: int, is_open: bool) -> None:
    [(_, folder), *_] = rows_of([entry(f"only/{number}") for number in range(files)])
    assert isinstance(folder, Folder)
    assert folder.is_open == is_open


@given(st.text(max_size=60))
def test_lines_show_the_text_and_nothing_but_text(text: str) -> None:
    shown = str(numbered(lines_of(text), ()))
    bare = re.sub(r"</?span[^>]*>", "", shown)
    assert not re.search(r"[<>]", re.sub(r"</?b>", "", bare))
    lines = re.split(r"\r\n|\r|\n", text)
    wanted = [unescape(re.sub(r"<b>[^<]*</b>", "", line)) for line in bare.split("\n")]
    unseen = re.compile(
        "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad"
        "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
    )
    assert wanted[: len(lines)] == [unseen.sub("", line) for line in lines][: len(wanted)]


def test_a_problem_is_shown_below_its_line() -> None:
    problem = Problem(severity="error", code="x", message="<b>", line=2, column=1)
    shown = str(numbered(lines_of("a\nb\nc"), [problem]))
    assert re.search(
        r'id="L2">b\n</span><span class="line-note error">2:1 &lt;b&gt;\n</span>'
        r'<span class="line" data-n="3" id="L3"',
        shown,
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        (" 17 ", 17),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("٣", None),
        ("1_0", None),
        ("9" * 5000, None),
    ],
)
def test_numbers_are_plain_digits(text: str, number: int | None) -> None:
    assert Form(FormData({"n": text})).number("n") == number


def test_a_run_of_what_cannot_be_seen_is_one_element() -> None:
    assert (
        visible("a\u200b\u200b\u200bb\u202ec")
        == "a<b>U+200B\N{MULTIPLICATION SIGN}3</b>b<b>U+202E</b>c"
    )
    assert visible("\u200b\u200c" * 1000) == f"<b>{'U+200B U+200C ' * 4}+1992</b>"


def test_a_tree_that_is_too_large_links_to_its_folders() -> None:
    """Rows are shown level by level; a folder that does not fit has its own page."""
    files = [entry(f"{a:03}/{b:03}") for a in range(60) for b in range(200)]
    page = tree_page(files, "", 0)
    kinds = [kind for kind, _ in page.rows]
    assert kinds.count("open") + kinds.count("folder") == 60
    assert 10 < kinds.count("folder") < 60
    assert kinds.count("file") == 200 * kinds.count("open")
    cut = next(item for kind, item in page.rows if kind == "folder")
    assert isinstance(cut, Folder)
    inside = tree_page(files, cut.path, 0)
    assert [item.path for _, item in inside.rows] == [f"{cut.path}/{b:03}.yaml" for b in range(200)]


def test_a_folder_of_too_many_files_is_shown_in_pages() -> None:
    files = [entry(f"config/{number:05}") for number in range(10_000)]
    page = tree_page(files, "", 0)
    assert page.folder == "config"
    seen: list[str] = []
    while True:
        seen += [item.path for _, item in page.rows]
        if page.following is None:
            break
        page = tree_page(files, page.folder, page.following)
    assert seen == [file.path for file in files]
