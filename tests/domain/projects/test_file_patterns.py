"""Patterns of files, held to git's own."""

import itertools
import random
import re
import subprocess
import time
from pathlib import Path
from unicodedata import normalize

import pytest

from benchmark_manager.domain.projects.file_patterns import (
    LONGEST_PATTERN,
    MOST_PATTERNS,
    matcher,
    normalise_patterns,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.yaml", "config/deep/a.yaml", True),
        ("*.yaml", "config/a.yml", False),
        ("/*.yaml", "config/a.yaml", False),
        ("config", "config/deep/a.yaml", True),
        ("config", "src/config/a.yaml", True),
        ("/config", "src/config/a.yaml", False),
        ("config/", "config/a.yaml", True),
        ("a.yaml/", "config/a.yaml", False),
        ("config/*", "config/deep/a.yaml", True),
        ("config/*.yaml", "config/deep/a.yaml", False),
        ("config/**/*.yaml", "config/a.yaml", True),
        ("config/**/*.yaml", "config/x/y/a.yaml", True),
        ("**/dev/*", "a/b/dev/x.yaml", True),
        ("config/**", "config/a.yaml", True),
        ("config/**", "config", False),
        ("a**b.yaml", "axxb.yaml", True),
        ("llama-?.yaml", "config/llama-8.yaml", True),
        ("llama-?.yaml", "config/llama-70.yaml", False),
        ("[a-c]*.yaml", "config/b1.yaml", True),
        ("[!a-c]*.yaml", "config/b1.yaml", False),
        (r"\*.yaml", "config/*.yaml", True),
        (r"\*.yaml", "config/a.yaml", False),
        ("한글*", "config/한글.yaml", True),
        ("A.yaml", "a.yaml", False),
        ("*", "a\nb.yaml", True),
        ("x.y", "xzy", False),
        ("[b-a].yaml", "b.yaml", True),
        ("[b-a].yaml", "a.yaml", False),
        ("[!b-a].yaml", "b.yaml", False),
        (" a.yaml", " a.yaml", True),
        (" a.yaml", "a.yaml", False),
    ],
)
def test_a_pattern_matches_as_in_gitignore(pattern: str, path: str, matches: bool) -> None:
    assert matcher([pattern])(path) == matches


#: What patterns made at random consist of.
PIECES = [
    "a",
    "b",
    "*",
    "**",
    "?",
    "/",
    "/",
    "**/",
    "/**",
    "[ab]",
    "[!a]",
    "[]a]",
    "[a-]",
    "[b-a]",
    "[!b-a]",
    "[a-b-]",
    r"\b",
    ".",
    "-",
]


def test_patterns_made_at_random_match_as_git_says(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True)
    rng = random.Random(12)  # noqa: S311
    names = ["a", "b", "ab", "a.b", "aab", "b-", "]"]
    paths = sorted({"/".join(rng.choices(names, k=rng.randint(1, 4))) for _ in range(150)})
    ours: dict[str, set[str]] = {}
    gits: dict[str, set[str]] = {}
    for _ in range(200):
        pattern = "".join(rng.choices(PIECES, k=rng.randint(1, 6)))
        try:
            [pattern] = normalise_patterns([pattern], field="include")
        except InvalidInputError:
            continue
        if re.search(r"[^/*]\*\*|\*\*[^/*]", pattern):
            # Git takes some of them for `**/`, against its documentation.
            continue
        (tmp_path / ".git" / "info" / "exclude").write_text(pattern + "\n")
        command = [*git, "check-ignore", "--no-index", "--stdin", "-z"]
        asked = subprocess.run(
            command, input="\0".join(paths), capture_output=True, check=False, text=True
        )
        gits[pattern] = set(asked.stdout.split("\0")) - {""}
        matches = matcher([pattern])
        ours[pattern] = {path for path in paths if matches(path)}
    assert ours == gits
    assert len(gits) > 50


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("/", "is empty"),
        ("a" * (LONGEST_PATTERN + 1), "at most 256 characters"),
        ("a\nb", "control characters"),
        ("!a", "other list"),
        ("#a", "comment"),
        ("a//b", "between slashes"),
        ("./a", "between slashes"),
        ("a/../b", "between slashes"),
        ("[a", "not closed"),
        ("a\\", "backslash"),
        ("[[:alpha:]]", "classes"),
        ("a/" * 33 + "b", "at most 32 folders"),
    ],
)
def test_a_pattern_that_can_match_nothing_is_refused_with_a_reason(pattern: str, said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        normalise_patterns(["good", pattern], field="exclude")
    assert (caught.value.code, caught.value.field) == ("invalid_pattern", "exclude")
    assert said in detail(caught.value)
    assert detail(caught.value).startswith("Pattern 2 of exclude ")


def test_too_many_patterns_are_refused() -> None:
    with pytest.raises(InvalidInputError):
        normalise_patterns([f"{n}" for n in range(MOST_PATTERNS + 1)], field="include")


def test_blanks_at_the_end_do_not_count() -> None:
    assert normalise_patterns([" a ", "a", "a ", "b\\ "], field="include") == (" a", "a", "b\\ ")


@pytest.mark.parametrize(
    "pattern", ["설정.yaml", "설?.yaml", "설[가-힣].yaml", "caf\u00e9", "*\u0301*"]
)
@pytest.mark.parametrize("path", ["config/설정.yaml", "café/a.yaml", "q\u0301.yaml"])
def test_canonically_equivalent_names_and_patterns_match_alike(pattern: str, path: str) -> None:
    patterns = normalize("NFC", pattern), normalize("NFD", pattern)
    paths = normalize("NFC", path), normalize("NFD", path)
    assert len({matcher([one])(other) for one, other in itertools.product(patterns, paths)}) == 1


def test_a_pattern_from_linux_matches_the_name_from_a_mac() -> None:
    assert matcher(["설정.yaml"])(normalize("NFD", "config/설정.yaml"))


HOSTILE = [
    ("*a" * 120 + "*b", "a" * 4000),
    ("**/a/" * 15 + "b", "a/" * 2000 + "a"),
    ("*?" * 120 + "b", "a" * 4000),
    ("**/" + "a/" * 30 + "b", "a/" * 2000 + "a"),
    ("[!b]*" * 40 + "b", "a" * 4000),
    ("**/*a*a*a*b/" * 8 + "c", "aaaa/" * 800 + "a"),
    ("b", "a" + "\u0301" * 2000 + "\u0316" * 2000),
]


@pytest.mark.parametrize(("pattern", "path"), HOSTILE)
def test_no_pattern_takes_long(pattern: str, path: str) -> None:
    matches = matcher(normalise_patterns([pattern], field="include"))
    times = []
    for _ in range(3):
        start = time.thread_time()
        matches(path)
        times.append(time.thread_time() - start)
    assert min(times) < 0.02
