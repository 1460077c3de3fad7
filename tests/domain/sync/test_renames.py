"""Renames of files that changed, held to git's own."""

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.domain.sync.renames import (
    MAX_SCORE,
    Pair,
    RenameComparison,
    RenameSearch,
    best_matches,
    digest,
    similarities,
    similarity,
)
from benchmark_manager.domain.sync.tree_changes import StoredFile, UpstreamFile
from benchmark_manager.models.original import FileType
from support.stalls import is_within

Files = Mapping[str, bytes]


def lines(*changed: int, count: int = 40) -> bytes:
    return b"".join(
        b"key%d: %s\n" % (n, b"changed" if n in changed else b"%d" % n) for n in range(count)
    )


def renamed(
    before: Files, after: Files, kinds: Mapping[str, FileType] | None = None
) -> set[tuple[str, str]]:
    """The pairs of old and new path that count as renames."""
    kinds = kinds or {}
    removed = [
        StoredFile(p, p, blob_id(d), kinds.get(p, "config"), size=len(d)) for p, d in before.items()
    ]
    added = [
        UpstreamFile(
            p, blob_id(d), len(d), kinds.get(p, "config"), "json" if p.endswith(".json") else "yaml"
        )
        for p, d in after.items()
    ]
    digests = {blob_id(data): digest(data) for data in (*before.values(), *after.values())}
    search = RenameSearch(removed, added)
    alone: list[Pair] = search.of_one_name()
    search.take_scores(
        alone, similarities([(digests[old.sha], digests[new.sha]) for old, new in alone])
    )
    for comparison in search.comparisons():
        files = [file for part in comparison.slices(digests) for file in part]
        matches = best_matches(
            [digests[old.sha] for old in comparison.removed],
            [digests[new.sha] for new in files],
            comparison.same_name(files),
        )
        search.take_matches(comparison, files, matches)
    return {(old.path, new.path) for old, new in search.pairs}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"old/a.yaml": lines()}, {"new/a.yaml": lines(30)}, {("old/a.yaml", "new/a.yaml")}),
        ({"a.yaml": lines()}, {"b.yaml": lines(30)}, {("a.yaml", "b.yaml")}),
        ({"a.yaml": lines()}, {"b.yaml": lines(*range(30))}, set()),
        ({"a.yaml": lines()}, {"b.yaml": b""}, set()),
        ({"a.yaml": b""}, {"b.yaml": lines()}, set()),
        ({"a.yaml": lines()}, {"b.json": lines(30)}, set()),
        # The most similar pair comes first, whatever the order of the paths.
        (
            {"a.yaml": lines()},
            {"b.yaml": lines(1, 2, 3), "c.yaml": lines(1)},
            {("a.yaml", "c.yaml")},
        ),
        (
            {"a.yaml": lines(1, 2, 3), "b.yaml": lines(1)},
            {"c.yaml": lines()},
            {("b.yaml", "c.yaml")},
        ),
        # Of equally similar ones, the one with the same name.
        (
            {"x/a.yaml": lines(1), "x/b.yaml": lines(2)},
            {"y/b.yaml": lines(3), "z/b.yaml": lines()},
            None,
        ),
        # The only two of one name come before more similar ones of other names.
        (
            {"x/a.yaml": lines(), "x/b.yaml": lines(1, 2, 3)},
            {"y/a.yaml": lines(1, 2)},
            {("x/a.yaml", "y/a.yaml")},
        ),
    ],
)
def test_pairs_are_those_that_git_counts_as_renames(
    before: Files, after: Files, expected: set[tuple[str, str]] | None, tmp_path: Path
) -> None:
    found = renamed(before, after)
    assert found == {pair for pair in renames_of_git(before, after, tmp_path) if same_format(*pair)}
    assert expected is None or found == expected


def same_format(old: str, new: str) -> bool:
    return old.endswith(".json") == new.endswith(".json")


def renames_of_git(before: Files, after: Files, folder: Path) -> set[tuple[str, str]]:
    git = ["git", "-C", str(folder)]
    subprocess.run([*git, "init", "-q", "--bare"], check=True)
    trees = [tree_of(git, files) for files in (before, after)]
    command = [*git, "diff-tree", "-r", "-z", "-M50%", "--diff-filter=R", "--name-status", *trees]
    fields = (
        subprocess.run(command, check=True, capture_output=True).stdout.decode().split("\0")[:-1]
    )
    return {(fields[at + 1], fields[at + 2]) for at in range(0, len(fields), 3)}


def tree_of(git: list[str], files: Files) -> str:
    (Path(git[-1]) / "index").unlink(missing_ok=True)
    rows = []
    for path, data in files.items():
        add = subprocess.run(
            [*git, "hash-object", "-w", "--stdin"], input=data, check=True, capture_output=True
        )
        rows.append(f"100644 {add.stdout.decode().strip()} 0\t{path}\n")
    subprocess.run([*git, "update-index", "--index-info"], input="".join(rows).encode(), check=True)
    return (
        subprocess.run([*git, "write-tree"], check=True, capture_output=True)
        .stdout.decode()
        .strip()
    )


CONTENTS = st.lists(
    st.sampled_from([b"a: 1\n", b"b: 2\r\n", b"c\n", b"x" * 100 + b"\n", b"\n"]), max_size=12
)


@settings(max_examples=25)
@given(
    st.dictionaries(
        st.sampled_from(["o/a.yaml", "o/b.yaml", "o/c.yaml"]), CONTENTS.map(b"".join), max_size=3
    ),
    st.dictionaries(
        st.sampled_from(["n/a.yaml", "n/b.yaml", "n/d.yaml"]), CONTENTS.map(b"".join), max_size=3
    ),
)
def test_every_pair_is_at_least_half_alike_and_no_file_is_paired_twice(
    before: Files, after: Files
) -> None:
    pairs = renamed(before, after)
    scores = {pair: similarity(digest(before[pair[0]]), digest(after[pair[1]])) for pair in pairs}
    assert [pair for pair, score in scores.items() if score < MAX_SCORE // 2] == []
    assert len({old for old, _ in pairs}) == len({new for _, new in pairs}) == len(pairs)


@pytest.mark.parametrize(
    ("one", "other", "percent"),
    [
        (b"a\nb\n", b"a\nb\n", 100),
        (b"a\nb\n", b"a\r\nb\r\n", 66),
        (b"a\nb\n", b"a\nc\n", 50),
        (b"a\na\n", b"a\n", 50),
        (b"x" * 128, b"x" * 64 + b"y" * 64, 50),
        (b"a\nb", b"a\nb", 100),
        (b"", b"a\n", 0),
    ],
)
def test_contents_are_as_alike_as_git_says(one: bytes, other: bytes, percent: int) -> None:
    assert similarity(digest(one), digest(other)) * 100 // MAX_SCORE == percent


def test_files_of_different_types_are_not_paired() -> None:
    kinds: dict[str, FileType] = {"a.yaml": "config", "b.yaml": "job"}
    assert renamed({"a.yaml": lines()}, {"b.yaml": lines(30)}, kinds) == set()


@pytest.mark.parametrize("count", [1001, 10_000])
def test_too_many_files_are_compared_by_their_names_alone(count: int) -> None:
    before = {f"old/{n}.yaml": b"n: %d\n" % n + lines(count=3) for n in range(count)} | {
        "old/x.yaml": lines()
    }
    after = {f"new/m{n}.yaml": b"m: %d\n" % n + lines(count=3) for n in range(count)} | {
        "new/x.yaml": lines(3)
    }
    start = time.process_time()
    assert renamed(before, after) == {("old/x.yaml", "new/x.yaml")}
    assert is_within(time.process_time() - start, 4)


def test_of_many_equal_lines_only_so_many_are_compared() -> None:
    """A thousand files of the same thousand lines would take a billion steps."""
    before = [lines(n, count=500) for n in range(60)]
    after = [lines(n, 499, count=500) for n in range(60)]
    comparison = RenameComparison(
        tuple(StoredFile(str(n), f"{n}.yaml", blob_id(d), "config") for n, d in enumerate(before)),
        tuple(
            UpstreamFile(f"m{n}.yaml", blob_id(d), len(d), "config", "yaml")
            for n, d in enumerate(after)
        ),
    )
    digests = {blob_id(data): digest(data) for data in (*before, *after)}
    parts = comparison.slices(digests, most_meetings=500_000)
    # Each added file has some 498 lines in common with each of the sixty.
    assert sum(map(len, parts)) == 500_000 // (60 * 498)
    assert sum(map(len, comparison.slices(digests))) == 60
