"""Patches, applied by `git apply` and by `patch`, and held against those of `git diff`."""

import random
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.text.unified_diff import unified_diff
from github_test_server import git
from support.examples import EXAMPLES

PATCH = shutil.which("patch")
SIMPLE = "config/run.yaml"
ODD_NAMES = [
    "dir/with space.yaml",
    "naïve/키.yaml",
    'a"b.yaml',
    "back\\slash",
    "tab\tname",
    "new\nline",
    " lead",
    "trail ",
    "-dash",
    "del\x7f",
    "q?*[]",
    "line\u2028end\x85",
    "b/b",
    "a/a",
    '"quoted"',
    'sp ace/é "q".yaml',
    "\x01\x07\x08\x0b\x0c\r",
]
#: Pairs of texts that one process compares or patches.
BATCH = 20
PATHS = st.sampled_from([SIMPLE, "other.yaml", *ODD_NAMES])

#: Lines which look like parts of a patch, or end in odd ways.
_ALPHABET = [
    "a",
    "b",
    "",
    " ",
    "\r",
    "b\r",
    "-- a",
    "++ b",
    "--- a/x",
    "@@ -1 +1 @@",
    "\\ No newline",
    "é🚀",
    "\u2028",
]
_LINES = st.lists(st.sampled_from(_ALPHABET), max_size=12)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, str]:
    """Two texts which have much in common, each with or without an end of its last line."""
    lines = draw(_LINES)
    start = draw(st.integers(0, len(lines)))
    end = draw(st.integers(start, min(len(lines), start + 3)))
    changed = lines[:start] + draw(st.lists(st.sampled_from(_ALPHABET), max_size=3)) + lines[end:]
    tail = draw(_LINES) if draw(st.booleans()) else []
    ends = draw(st.tuples(*[st.sampled_from(["\n", ""])] * 2))
    before, after = (
        "\n".join(text) + mark for text, mark in zip((lines, changed + tail), ends, strict=True)
    )
    return before, after


def git_apply(folder: Path, patch: bytes) -> None:
    command = [git.executable(), "apply", "--whitespace=nowarn"]
    subprocess.run(
        command, cwd=folder, env=git.environment(), input=patch, check=True, capture_output=True
    )


def gnu_patch(folder: Path, patch: bytes) -> None:
    assert PATCH is not None
    command = [PATCH, "-p1", "--force", "--no-backup-if-mismatch"]
    subprocess.run(
        command, cwd=folder, env=git.environment(), input=patch, check=True, capture_output=True
    )


PROGRAMS = [
    pytest.param(git_apply, id="git apply"),
    pytest.param(
        gnu_patch,
        id="patch -p1",
        marks=pytest.mark.skipif(PATCH is None, reason="this machine has no patch command"),
    ),
]


@dataclass(frozen=True, slots=True)
class PatchedFile:
    """A file before and after, by path and text."""

    path: str
    before: str
    new_path: str
    after: str

    def patch(self, context: int = 3) -> str:
        return unified_diff(
            self.before,
            self.after,
            before_path=self.path,
            after_path=self.new_path,
            context=context,
        )


def files_after(
    apply: Callable[[Path, bytes], None],
    folder: Path,
    changes: Iterable[PatchedFile],
    patches: Iterable[str],
) -> dict[str, bytes]:
    """What a folder holds that had the changes' files alone, once all patches were applied.

    One process applies them: starting one for each takes longer than all else here.
    """
    shutil.rmtree(folder, ignore_errors=True)
    for change in changes:
        file = folder / change.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(change.before.encode())
    if patch := "".join(patches):
        apply(folder, patch.encode())
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("patches") / "tree"


@pytest.mark.parametrize("apply", PROGRAMS)
def test_applying_the_patch_gives_the_other_text_to_the_byte(
    apply: Callable[[Path, bytes], None], folder: Path
) -> None:
    contexts = st.sampled_from([1, 3, 3, 100])
    drawn = st.tuples(pairs(), PATHS, PATHS, st.booleans(), contexts)

    @settings(max_examples=EXAMPLES // 4)
    @given(st.lists(drawn, min_size=BATCH, max_size=BATCH))
    def applies(batch: list[tuple[tuple[str, str], str, str, bool, int]]) -> None:
        changes, patches = [], []
        # Each is in a folder of its own, so that no path is taken twice.
        for number, (texts, path, new_path, renamed, context) in enumerate(batch):
            before, after = texts
            names = f"{number}/{path}", f"{number}/{new_path if renamed else path}"
            change = PatchedFile(names[0], before, names[1], after)
            changes.append(change)
            patches.append(change.patch(context))
        assert [patch == "" for patch in patches] == [
            (change.before, change.path) == (change.after, change.new_path) for change in changes
        ]
        expected = {change.new_path: change.after.encode() for change in changes}
        assert files_after(apply, folder, changes, patches) == expected

    applies()


@pytest.mark.parametrize("apply", PROGRAMS)
@pytest.mark.parametrize(
    ("is_odd", "becomes_odd", "after"),
    [
        (True, True, "b\n"),
        (True, False, "b\n"),
        (False, True, "b\n"),
        (True, False, "a\n"),
        (False, True, "a\n"),
    ],
    ids=["changed", "changed from", "changed to", "renamed from", "renamed to"],
)
def test_odd_names(
    apply: Callable[[Path, bytes], None],
    folder: Path,
    is_odd: bool,
    becomes_odd: bool,
    after: str,
) -> None:
    changes = [
        PatchedFile(
            name if is_odd else f"config/run{number}.yaml",
            "a\n",
            name if becomes_odd else f"config/run{number}.yaml",
            after,
        )
        for number, name in enumerate(ODD_NAMES)
    ]
    patches = [change.patch() for change in changes]
    expected = {change.new_path: after.encode() for change in changes}
    assert files_after(apply, folder, changes, patches) == expected


ODD_TEXTS = {
    "filled": ("", "a\nb"),
    "emptied": ("a\nb", ""),
    "CRLF at the end": ("a\r\nb", "a\r\nb\r\n"),
    "LF to CRLF": ("a\n", "a\r\n"),
    "NUL": ("a\x00\nb\n", "a\x00\nc\x00\n"),
    "no final newlines": ("a", "b"),
    "lines like a patch's": ("-- a\n--- a/x\n", "++ b\n+++ b/x\n@@ -1 +1 @@\n"),
}


@pytest.mark.parametrize("apply", PROGRAMS)
def test_odd_texts(apply: Callable[[Path, bytes], None], folder: Path) -> None:
    changes = [
        PatchedFile(name, before, name, after) for name, (before, after) in ODD_TEXTS.items()
    ]
    patches = [change.patch() for change in changes]
    expected = {name: after.encode() for name, (_, after) in ODD_TEXTS.items()}
    assert files_after(apply, folder, changes, patches) == expected


def hunks(patch: str) -> str:
    """The patch from its first hunk on, without what git writes behind a hunk's numbers."""
    _, mark, body = patch.partition("\n@@")
    return re.sub(r"(?m)^(@@ [^@\n]* @@).*$", r"\1", (mark + body)[1:])


def git_hunks(folder: Path, batch: list[tuple[str, str]]) -> list[str]:
    """What `git diff` writes for each pair which differs."""
    shutil.rmtree(folder, ignore_errors=True)
    for side in (0, 1):
        (folder / "ab"[side]).mkdir(parents=True)
        for number, texts in enumerate(batch):
            (folder / "ab"[side] / f"{number:02}").write_bytes(texts[side].encode())
    # Git compares the texts of a pair of folders in one process. It ends with 1 where anything
    # differs.
    command = [git.executable(), "diff", "--no-index", "--no-indent-heuristic", "--text", "a", "b"]
    printed = subprocess.run(
        command, cwd=folder, env=git.environment(), capture_output=True, check=False
    ).stdout.decode()
    return [hunks(patch) for patch in re.split(r"(?m)^(?=diff --git a/a/)", printed)[1:]]


def our_hunks(batch: list[tuple[str, str]]) -> list[str]:
    patches = (
        unified_diff(before, after, before_path="x", after_path="x") for before, after in batch
    )
    return [hunks(patch) for patch in patches if patch]


@settings(max_examples=EXAMPLES // 4)
@given(st.lists(pairs(), min_size=BATCH, max_size=BATCH))
def test_hunks_are_those_of_git(folder: Path, batch: list[tuple[str, str]]) -> None:
    assert our_hunks(batch) == git_hunks(folder, batch)


def reworked(rng: random.Random, lines: list[str], alphabet: list[str], longest: int) -> list[str]:
    """Pieces of the lines, some left out.

    Between them are lines of the alphabet or new ones among blank ones.
    """
    made: list[str] = []
    position = 0
    while position < len(lines):
        size = rng.randrange(1, longest)
        made += lines[position : position + size]
        position += size + (rng.randrange(20) if rng.random() < 0.3 else 0)
        blank = rng.choice([0.2, 0.5, 0.75])
        new = [
            f"new {position} {n}\n" if rng.random() > blank else "\n"
            for n in range(rng.choice([4, 20, 150]))
        ]
        made += rng.choice([rng.choices(alphabet, k=rng.randrange(20)), new])
    return made


def test_hunks_of_long_texts_are_those_of_git(folder: Path) -> None:
    """Where common lines are dropped and searches cut: one line differs, and so do the hunks."""
    rng = random.Random(3)  # noqa: S311 - nothing secret
    batch: list[tuple[str, str]] = []
    for number in range(20):
        alphabet = [f"line {n}\n" for n in range([3, 10, 50, 300, 3000][number % 5])]
        alphabet += ["\n"] * (len(alphabet) // 4)
        before = rng.choices(alphabet, k=[300, 800, 1500][number % 3])
        batch.append(
            ("".join(before), "".join(reworked(rng, before, alphabet, [5, 20, 60][number % 3])))
        )
    # Only of so many lines does git's cap exceed the cost from which a promising path ends a
    # search.
    alphabet = [f"line {n}\n" for n in range(3000)]
    before = rng.choices(alphabet, k=33_500)
    after = [*reworked(rng, before[:6000], alphabet, 60), *before[6000:], alphabet[0]]
    batch.append(("".join(before), "".join(after)))
    ours, by_git = our_hunks(batch), git_hunks(folder, batch)
    assert [mine == other for mine, other in zip(ours, by_git, strict=True)] == [True] * 21


def test_a_patch_in_full() -> None:
    patch = unified_diff("a\nb", "a\nc", before_path="dir/old name.yaml", after_path="dir/né.yaml")
    assert patch == (
        'diff --git "a/dir/old name.yaml" "b/dir/n\\303\\251.yaml"\n'
        "similarity index 66%\n"
        "rename from dir/old name.yaml\n"
        'rename to "dir/n\\303\\251.yaml"\n'
        "--- a/dir/old name.yaml\t\n"
        '+++ "b/dir/n\\303\\251.yaml"\n'
        "@@ -1,2 +1,2 @@\n"
        " a\n"
        "-b\n"
        "\\ No newline at end of file\n"
        "+c\n"
        "\\ No newline at end of file\n"
    )


def test_without_a_difference_there_is_no_patch() -> None:
    assert unified_diff("a\n", "a\n", before_path=SIMPLE, after_path=SIMPLE) == ""


def test_a_rename_alone_has_no_hunk() -> None:
    assert unified_diff("a\n", "a\n", before_path="x", after_path="y") == (
        "diff --git a/x b/y\nsimilarity index 100%\nrename from x\nrename to y\n"
    )
    assert "similarity index 100%" in unified_diff("", "", before_path="x", after_path="y")


@given(st.text(), st.text(), st.text(), st.text())
def test_never_raises(before: str, after: str, path: str, new_path: str) -> None:
    unified_diff(before, after, before_path=path, after_path=new_path)
    unified_diff(f"{before}\ud800", after, before_path=f"{path}\udc80", after_path=new_path)
