"""The keys in which texts differ: found quickly, as they are found by reading every text."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark_manager.domain.documents import key_changes
from benchmark_manager.domain.results.differing import (
    DifferingFile,
    differing_files,
    needed_bases,
)
from benchmark_manager.domain.results.varied import VariedFile, varied_paths
from benchmark_manager.domain.results.varied_columns import (
    LONGEST_VALUE,
    ComparedFile,
    Varied,
    varied_columns,
)
from benchmark_manager.models.release_contents import FileContent, ReleaseContents

BASE = """\
# An engine.
engine:
  seqs: 128   # per GPU
  dtype: auto
  list: [a, b, {c: 1}]
containers:
  - name: server
    image: vllm:1
    args: ["--tp", "1"]
  - name: side
    image: other
anchored: &x {k: 1}
used: *x
"""
#: What an edit replaces, and by what.
EDITS = {
    "128": ["128", "256", "0x80", "'128'", "~", "yes"],
    "auto": ["auto", "bf16", '"auto"', "{}"],
    "vllm:1": ["vllm:1", "vllm:2"],
    "server": ["server", "other-server"],
    "[a, b, {c: 1}]": ["[a, b, {c: 1}]", "[a, b]", "[]", "[b, a, {c: 2}]", "&y [a]"],
    '"1"': ['"1"', '"2"', "2"],
    "&x {k: 1}": ["&x {k: 1}", "&x {k: 2}"],
    "# per GPU": ["# per GPU", "# all"],
}


def edited(choice: Sequence[int]) -> str:
    text = BASE
    for number, (old, values) in zip(choice, EDITS.items(), strict=True):
        text = text.replace(old, values[number % len(values)])
    return text


texts = st.lists(
    st.lists(st.integers(0, 29), min_size=len(EDITS), max_size=len(EDITS)).map(edited),
    min_size=2,
    max_size=8,
    unique=True,
)


def read_in_full(found: Sequence[str]) -> VariedFile | None:
    """Compare texts each of which is read: those with other numbers of lines always are."""
    return varied_paths(["#\n" * number + text for number, text in enumerate(found)], "yaml")


@given(texts)
@example([BASE, BASE.replace("128", "256")])
def test_texts_differ_in_the_same_keys_whether_they_are_read_or_compared_by_lines(
    found: list[str],
) -> None:
    assert varied_paths(found, "yaml") == read_in_full(found)


@given(texts)
def test_two_texts_differ_where_their_comparison_says(found: list[str]) -> None:
    pair = found[:2]
    varied = varied_paths(pair, "yaml")
    changes = key_changes(pair[0], pair[1], "yaml")
    assert varied is not None
    assert changes is not None
    assert bool(varied.paths) == bool(changes)
    changed = {one.path: (one.before, one.after) for one in changes if one.kind == "changed"}
    values = {
        one.path: tuple(None if value is None else value[0] for value in one.values)
        for one in varied.paths
        if None not in one.values
    }
    assert {path: pair for path, pair in values.items() if path in changed} == {
        path: pair for path, pair in changed.items() if path in values
    }


def paths(found: VariedFile | None) -> list[str]:
    assert found is not None
    return [one.path for one in found.paths]


def test_comments_and_quotes_are_no_difference() -> None:
    assert paths(varied_paths([BASE, BASE.replace("# per GPU", "#")], "yaml")) == []


def test_json_is_compared_too() -> None:
    found = varied_paths(['{"a": 1, "b": 2}', '{"b": 2, "a": 3}'], "json")
    assert found is not None
    assert [(one.path, one.values) for one in found.paths] == [("a", ((1,), (3,)))]


def test_texts_that_do_not_parse_are_numbered_and_the_others_compared() -> None:
    found = varied_paths(["a: [", BASE, BASE.replace("128", "256"), "{{ a }}"], "yaml")
    assert found is not None
    assert found.unreadable == {0, 3}
    assert [(one.path, one.values) for one in found.paths] == [
        ("engine.seqs", (None, (128,), (256,), None))
    ]


def test_texts_none_of_which_parses_differ_in_no_key() -> None:
    assert varied_paths(["a: [", "b: ["], "yaml") == VariedFile((), frozenset({0, 1}))


def test_too_many_trees_are_not_compared() -> None:
    assert varied_paths(["a: 1\nb: 2\n", "a: 1\n"], "yaml", most_tree_values=3) is None


def test_more_paths_than_the_most_are_left_out() -> None:
    found = varied_paths(["a: 1\nb: 2\n", "a: 2\nb: 3\n"], "yaml", most_columns=1)
    assert found is not None
    assert (paths(found), found.complete) == (["a"], False)


def content(text: str) -> FileContent:
    return FileContent(f"sha-{text}", f"{text:>064}", len(text))


def text_of(found: FileContent) -> str:
    return found.sha.removeprefix("sha-")


def release(name: str, base: str | None = None, **files: str) -> ReleaseContents:
    contents = {path: content(text) for path, text in files.items()}
    return ReleaseContents(name, name, base, contents)


def differing(releases: list[ReleaseContents], **bases: dict[str, str]) -> dict[str, list[str]]:
    """Return the contents of each differing file, "-" where a release has none."""
    known = {
        base: {path: content(text) for path, text in bases[base].items()}
        for base in needed_bases(releases)
    }
    files, _ = differing_files(releases, known, 100)
    return {
        file.path: [
            text_of(file.contents[file.of_releases[one.digest]])
            if one.digest in file.of_releases
            else "-"
            for one in releases
        ]
        for file in files
    }


def test_files_that_are_equal_everywhere_are_skipped() -> None:
    assert differing([release("a", x="1", y="1"), release("b", x="1", y="2")]) == {"y": ["1", "2"]}


def test_a_file_that_some_lack_differs() -> None:
    releases = [release("a", x="1"), release("b", y="1")]
    assert differing(releases) == {"x": ["1", "-"], "y": ["-", "1"]}


def test_cells_of_one_list_differ_in_what_they_replace_alone() -> None:
    cells = [release("a", "base", x="1", y="1"), release("b", "base", x="2", y="1")]
    assert needed_bases(cells) == set()
    assert differing(cells) == {"x": ["1", "2"]}


def test_a_cell_that_does_not_replace_a_file_has_that_of_its_list() -> None:
    cells = [release("a", "base", x="1"), release("b", "base")]
    assert differing(cells, base={"x": "0", "y": "0"}) == {"x": ["1", "0"]}


def test_cells_of_two_lists_and_a_release_are_compared() -> None:
    found = differing(
        [release("a", "one", x="1"), release("b", "two", x="1"), release("c", x="1", y="3", z="0")],
        one={"x": "0", "y": "1", "z": "0"},
        two={"x": "0", "y": "2", "z": "0"},
    )
    assert found == {"y": ["1", "2", "3"]}


def random_releases(rng: random.Random) -> tuple[list[ReleaseContents], dict[str, dict[str, str]]]:
    names = "uvwxyz"
    bases = {
        base: {name: rng.choice("012") for name in rng.sample(names, 4)} for base in ("one", "two")
    }
    releases = []
    for number in range(rng.randint(2, 5)):
        base = rng.choice([None, "one", "two"])
        among = names if base is None else sorted(bases[base])
        files = {name: rng.choice("012") for name in rng.sample(among, rng.randint(0, 3))}
        releases.append(release(str(number), base, **files))
    return releases, bases


@pytest.mark.parametrize("seed", range(20))
def test_random_releases_differ_as_their_whole_lists_do(seed: int) -> None:
    releases, bases = random_releases(random.Random(seed))  # noqa: S311 -- no secret
    whole = [
        bases.get(one.base or "", {}) | {path: text_of(each) for path, each in one.files.items()}
        for one in releases
    ]
    every = sorted({path for files in whole for path in files})
    expected = {path: [files.get(path, "-") for files in whole] for path in every}
    assert differing(releases, **bases) == {
        path: found for path, found in expected.items() if len(set(found)) > 1
    }


def columns(*texts: str, path: str = "a.yaml") -> Varied:
    contents = tuple(map(content, texts))
    file = DifferingFile(path, contents, {str(number): number for number in range(len(texts))})
    compared = ComparedFile(file, varied_paths(texts, "yaml"))
    return varied_columns([compared], [str(number) for number in range(len(texts))])


def test_a_value_that_is_too_long_is_cut_with_a_notice() -> None:
    found = columns(f"a: {'x' * 5000}\n", "a: y\n")
    assert found.values["0"]["a"] == "x" * LONGEST_VALUE + "…"
    assert [notice.code for notice in found.notices] == ["long_values"]


def test_columns_never_share_a_key() -> None:
    numbers = {"0": 0, "1": 1}
    texts = ("a: 1\n'x:a': 1\n", "a: 2\n'x:a': 2\n")
    files = [
        ComparedFile(
            DifferingFile(path, tuple(map(content, texts)), numbers), varied_paths(texts, "yaml")
        )
        for path in ("x", "y")
    ]
    found = varied_columns(files, numbers)
    assert len({column.key for column in found.columns}) == len(found.columns) == 4


def test_the_key_changes_of_the_comparison_are_the_same_paths() -> None:
    other = BASE.replace("128", "256").replace("vllm:1", "vllm:2")
    changes = key_changes(BASE, other, "yaml") or ()
    assert [one.path for one in changes] == paths(varied_paths([BASE, other], "yaml"))


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (("a: yes\n", "a: true\n"), ["yes", "true"]),
        (("a: 010\n", "a: 8\n"), ["010", "8"]),
        (("a: 2026-11-30\n", "a: '2026-11-30'\n"), ["2026-11-30", "'2026-11-30'"]),
        (("a: yes\n", "a: true\n", "a: 'yes'\n"), ["yes", "true", "'yes'"]),
        (("a: 1\n", "a: '1'\n", "a: 1.0\n"), [1, "1", 1.0]),
        (("a: 1\n", "a: 2\n", "a: 2\nb: 1\n"), [1, 2, 2]),
        (("a: {b: 1, c: 2}\n", "a: &x {c: 2, b: 1}\n", "a: 1\n"), None),
    ],
)
def test_values_that_differ_look_different(
    texts: tuple[str, ...], values: list[object] | None
) -> None:
    found = varied_paths(texts, "yaml")
    assert found is not None
    shown = [None if value is None else value[0] for value in found.paths[0].values]
    assert shown == values if values is not None else len(set(map(repr, shown))) == len(texts)
