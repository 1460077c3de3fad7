"""Ids of blobs and trees are git's own."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.git.objects import TreeMember, blob_id, is_object_id, tree_ids

CONTENTS = [
    b"",
    b"a",
    b"a: 1\n",
    b"\xef\xbb\xbfa: 1\r\n",
    b"\x00\xff\xfe",
    bytes(range(256)) * 1000,
    "é🚀".encode(),
]


def test_ids_agree_with_git_hash_object(tmp_path: Path) -> None:
    paths = []
    for number, content in enumerate(CONTENTS):
        paths.append(tmp_path / str(number))
        paths[-1].write_bytes(content)
    git = subprocess.run(
        ["git", "hash-object", "--no-filters", "--stdin-paths"],
        input="\n".join(map(str, paths)),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [blob_id(content) for content in CONTENTS] == git.stdout.split()


@given(st.binary())
def test_an_id_is_an_object_id_of_the_right_length(data: bytes) -> None:
    assert is_object_id(blob_id(data))
    assert (
        blob_id(data)
        == hashlib.sha1(f"blob {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()
    )
    assert blob_id(data + b"\x00") != blob_id(data)


@pytest.mark.parametrize(
    "text",
    ["", "a" * 39, "a" * 41, "A" * 40, "g" * 40, "a" * 40 + "\n", " " + "a" * 39, "\u0661" * 40],
)
def test_only_40_lower_case_hex_digits_are_an_object_id(text: str) -> None:
    assert not is_object_id(text)


NAMES = ["a", "a.b", "a-", "a0", "ab", "B", "\u00e9", "\U0001f389", "\udce4", "z" * 60]
MODES = ["100644", "100755", "120000"]
MEMBERS = st.dictionaries(
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map(tuple),
    st.tuples(st.sampled_from(MODES), st.binary(max_size=3)),
    min_size=1,
    max_size=25,
)


def without_clashes(
    members: dict[tuple[str, ...], tuple[str, bytes]],
) -> dict[tuple[str, ...], tuple[str, bytes]]:
    """No file where a folder is."""
    folders = {path[:depth] for path in members for depth in range(1, len(path))}
    return {path: member for path, member in members.items() if path not in folders}


@pytest.fixture(scope="module")
def git_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trees")
    subprocess.run(["git", "init", "--quiet", "--bare", str(folder)], check=True)
    return folder


def git_tree(folder: Path, rows: list[tuple[str, str, bytes]]) -> str:
    """What git's own index makes of (path, mode, blob id) rows."""
    lines = b"".join(
        b"%s %s\t%s\0" % (mode.encode(), sha, path.encode("utf-8", "surrogateescape"))
        for path, mode, sha in rows
    )
    index = {
        "GIT_INDEX_FILE": str(folder / "test-index"),
        "GIT_DIR": str(folder),
        "PATH": os.environ["PATH"],
    }
    (folder / "test-index").unlink(missing_ok=True)
    subprocess.run(
        ["git", "update-index", "-z", "--index-info"], input=lines, env=index, check=True
    )
    return subprocess.run(
        ["git", "write-tree", "--missing-ok"], env=index, check=True, capture_output=True, text=True
    ).stdout.strip()


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(members=MEMBERS)
def test_tree_ids_agree_with_git_whatever_the_names_and_modes(
    git_folder: Path, members: dict[tuple[str, ...], tuple[str, bytes]]
) -> None:
    rows = [
        ("/".join(path), mode, blob_id(data))
        for path, (mode, data) in without_clashes(members).items()
    ]
    ids = tree_ids(TreeMember(*row) for row in rows)
    assert ids[""] == git_tree(git_folder, [(path, mode, sha.encode()) for path, mode, sha in rows])
    some = [folder for folder in list(ids)[:3] if folder]
    assert {folder: ids[folder] for folder in some} == {
        folder: tree_ids(inside(folder, rows))[""] for folder in some
    }


def inside(folder: str, rows: list[tuple[str, str, str]]) -> list[TreeMember]:
    """Return the members of a folder, by their paths below it."""
    return [
        TreeMember(path.removeprefix(f"{folder}/"), mode, sha)
        for path, mode, sha in rows
        if path.startswith(f"{folder}/")
    ]


SHA = "1" * 40


@pytest.mark.parametrize(
    "paths",
    [["a", "a/b"], ["a/b", "a"], ["a/b/c", "a/b"], ["/".join("d" * 400) + "/x"]],
    ids=["1", "2", "3", "deep"],
)
def test_what_no_tree_of_gits_holds_has_no_ids_or_those_of_another_tree(paths: list[str]) -> None:
    clean = tree_ids([TreeMember(paths[0], "100644", SHA)])
    ids = tree_ids(TreeMember(path, "100644", SHA) for path in paths)
    assert not ids or (
        len(paths) > 1 and ids == tree_ids([TreeMember(paths[-1], "100644", SHA)]) != clean
    )
