"""Three-way merge of texts by lines, held against `git merge-file`."""

import random
import subprocess
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.merge.text_merge import TextConflict, TextMerge, merge_text
from benchmark_manager.domain.text.lines import lines_with_ends
from github_test_server import git
from support.examples import EXAMPLES
from support.stalls import is_within

#: base, theirs, mine
Triple: TypeAlias = tuple[str, str, str]

YAML = """\
# Settings of the run
apiVersion: batch/v1
kind: Job
metadata:
  name: bench-a

  labels:
    app: bench

spec:
  parallelism: 2
  template:
    spec:
      containers:
      - name: main
        image: repo/image:1
        args: [--batch, "8"]

        resources:
          limits:
            cpu: 4

            memory: 8Gi
      - name: side
        image: repo/image:1

      restartPolicy: Never
"""

ALPHABETS = [
    ["a", "b"],
    ["a", "b", "c"],
    ["", "a", "  b", "}"],
    ["é", "키: 값", "🚀", "\x85", "\u2028", "\x0b", "\r", "e\u0301"],
    [*"abcdefghijklmnop", ""],
]


class Tape:
    """Bytes which decide what a text looks like.

    They are one draw of Hypothesis, where hundreds would take seconds.
    """

    def __init__(self, tape: bytes) -> None:
        self._bytes = iter(tape)

    def below(self, limit: int) -> int:
        return next(self._bytes, 0) % limit

    def lines(self, alphabet: list[str], most: int) -> list[str]:
        return [alphabet[self.below(len(alphabet))] for _ in range(self.below(most + 1))]


def edited(tape: Tape, lines: list[str], alphabet: list[str]) -> list[str]:
    """The lines after up to four edits: lines come, go, change, are copied or move."""
    lines = list(lines)
    for _ in range(tape.below(5)):
        start = tape.below(len(lines) + 1)
        piece = lines[start : start + tape.below(5)]
        end, kind = start + len(piece), tape.below(4)
        if kind < 2:
            lines[start:end] = tape.lines(alphabet, 3)
        elif kind == 2:
            lines[end:end] = piece
        else:
            del lines[start:end]
            index = tape.below(len(lines) + 1)
            lines[index:index] = piece
    return lines


def joined(tape: Tape, lines: list[str], end: str) -> str:
    """One text in eight has no end of its last line."""
    return end.join(lines) + (end if lines and tape.below(8) != 1 else "")


def soup(tape: Tape) -> Triple:
    """Texts of few different lines: what matches what is open nearly everywhere."""
    alphabet = ALPHABETS[tape.below(len(ALPHABETS))]
    base = tape.lines(alphabet, 16)
    theirs = edited(tape, base, alphabet)
    mine = edited(tape, base if tape.below(4) else theirs, alphabet)
    end = "\r\n" if tape.below(4) == 1 else "\n"
    other_end = "\r\n" if tape.below(12) == 1 else end
    return joined(tape, base, end), joined(tape, theirs, other_end), joined(tape, mine, end)


def manifest(tape: Tape) -> Triple:
    """A manifest as two people edit it."""
    base = YAML.splitlines()
    new = ["  key: 1", "    key: 2", "", "  # note", "        env: []", "      - name: main"]
    theirs, mine = edited(tape, base, new), edited(tape, base, new)
    return (
        YAML,
        joined(tape, theirs, "\n"),
        joined(tape, mine, "\r\n" if tape.below(12) == 1 else "\n"),
    )


TAPES = st.binary(min_size=30, max_size=90).map(Tape)
TRIPLES = TAPES.map(lambda tape: manifest(tape) if tape.below(2) else soup(tape))


def git_merges(folder: Path, triples: list[Triple]) -> list[str | None]:
    """The text that `git merge-file` makes of each, or None where it reports conflicts."""
    for number, (base, theirs, mine) in enumerate(triples):
        for name, text in (("base", base), ("theirs", theirs), ("mine", mine)):
            (folder / f"{number}.{name}").write_bytes(text.encode())
    # One shell for all: starting each process from here would take most of the time.
    script = (
        'for n in $(seq 0 "$1"); do "$0" merge-file -p $n.mine $n.base $n.theirs '
        ">$n.merged 2>/dev/null; echo $?; done"
    )
    done = subprocess.run(
        ["sh", "-c", script, git.executable(), str(len(triples) - 1)],
        cwd=folder,
        env=git.environment(),
        check=True,
        capture_output=True,
    )
    statuses = [int(word) for word in done.stdout.split()]
    assert len(statuses) == len(triples)
    assert max(statuses) < 128, "git failed"
    merged = [(folder / f"{number}.merged").read_bytes().decode() for number in range(len(triples))]
    return [text if status == 0 else None for text, status in zip(merged, statuses, strict=True)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("merges")


BATCH = 20


@settings(max_examples=EXAMPLES // BATCH)
@given(batch=st.lists(TRIPLES, min_size=BATCH, max_size=BATCH))
def test_verdict_and_text_are_those_of_git(folder: Path, batch: list[Triple]) -> None:
    """For 2,000 triples."""
    expected = git_merges(folder, batch)
    assert [merge_text(*triple).content for triple in batch] == expected


def test_long_texts_are_merged_as_git_does(folder: Path) -> None:
    """Thousands of lines, hundreds of edits.

    Here git drops common lines and ends its search early.
    """
    rng = random.Random(7)  # noqa: S311 - nothing secret
    batch: list[Triple] = []
    for number in range(24):
        alphabet = [f"line {n}\n" for n in range([3, 30, 300, 3000][number % 4])] + ["\n"] * (
            number % 5
        )
        base = rng.choices(alphabet, k=2000)
        rate = [0.002, 0.02, 0.3][number % 3]
        half = len(base) // 2
        theirs = [
            line if rng.random() > rate else rng.choice(alphabet) for line in base[:half]
        ] + base[half:]
        mine = base[:half] + [line for line in base[half:] if rng.random() > rate]
        batch.append(("".join(base), "".join(theirs), "".join(mine)))
    expected = git_merges(folder, batch)
    assert [
        merge_text(*triple).content == text for triple, text in zip(batch, expected, strict=True)
    ] == [True] * 24
    assert len([text for text in expected if text is not None]) > 8


@settings(max_examples=EXAMPLES)
@given(TRIPLES)
def test_which_side_is_mine_changes_no_merged_text(triple: Triple) -> None:
    base, theirs, mine = triple
    merged, swapped = merge_text(base, theirs, mine), merge_text(base, mine, theirs)
    assert merged.content == swapped.content
    assert [(c.base, c.theirs, c.mine) for c in merged.conflicts] == [
        (c.base, c.mine, c.theirs) for c in swapped.conflicts
    ]


@settings(max_examples=EXAMPLES)
@given(TRIPLES)
def test_a_side_without_changes_gives_the_other_to_the_byte(triple: Triple) -> None:
    base, theirs, mine = triple
    assert merge_text(base, theirs, base) == TextMerge(theirs, ())
    assert merge_text(base, base, mine) == TextMerge(mine, ())
    assert merge_text(base, mine, mine) == TextMerge(mine, ())


@settings(max_examples=EXAMPLES)
@given(TRIPLES)
def test_conflicts_are_whole_lines_at_the_line_that_they_name(triple: Triple) -> None:
    base, theirs, mine = triple
    merged = merge_text(base, theirs, mine)
    assert (merged.content is None) == bool(merged.conflicts)
    lines = lines_with_ends(theirs)
    chunks = [lines_with_ends(conflict.theirs) for conflict in merged.conflicts]
    begins = [conflict.line - 1 for conflict in merged.conflicts]
    ends = [begin + len(chunk) for begin, chunk in zip(begins, chunks, strict=True)]
    assert [lines[begin:end] for begin, end in zip(begins, ends, strict=True)] == chunks
    edges = [0, *(edge for both in zip(begins, ends, strict=True) for edge in both)]
    assert edges == sorted(edges)
    assert [conflict for conflict in merged.conflicts if conflict.theirs == conflict.mine] == []
    assert [conflict for conflict in merged.conflicts if conflict.mine not in mine] == []
    position = 0
    for conflict in merged.conflicts:
        # Raises ValueError where the base does not have them in this order.
        position = base.index(conflict.base, position) + len(conflict.base)


CLEAN = [
    pytest.param("a\nb\nc\n", "A\nb\nc\n", "a\nb\nC\n", "A\nb\nC\n", id="different lines"),
    pytest.param("a\nb\nc\n", "A\nb\nc\n", "A\nb\nC\n", "A\nb\nC\n", id="the same change in both"),
    pytest.param("a\n", "a\nb\n", "a\nb\n", "a\nb\n", id="the same line added"),
    pytest.param("a\nb\nc\n", "b\nc\n", "a\nb\nc", "b\nc", id="a final newline removed"),
    pytest.param("a\r\nb\r\nc", "x\r\nb\r\nc", "a\r\nb\r\nd", "x\r\nb\r\nd", id="CRLF"),
    pytest.param(
        "a\nb\x85\u2028\rc\nd\n",
        "A\nb\x85\u2028\rc\nd\n",
        "a\nb\x85\u2028\rc\nD\n",
        "A\nb\x85\u2028\rc\nD\n",
        id="no line ends but LF",
    ),
    pytest.param("a\nb\x00\nc\n", "A\nb\x00\nc\n", "a\nb\x00\nC\n", "A\nb\x00\nC\n", id="NUL"),
    pytest.param(
        "a\nb\ud800\nc\n",
        "A\nb\ud800\nc\n",
        "a\nb\ud800\nC\n",
        "A\nb\ud800\nC\n",
        id="half a surrogate pair",
    ),
    pytest.param("", "a\n", "a\n", "a\n", id="both made of nothing"),
    pytest.param("a\nb\nc\n", "", "", "", id="both emptied"),
]


@pytest.mark.parametrize(("base", "theirs", "mine", "merged"), CLEAN)
def test_merges(base: str, theirs: str, mine: str, merged: str) -> None:
    assert merge_text(base, theirs, mine) == TextMerge(merged, ())


CONFLICTS = [
    pytest.param(
        "a\nb\n",
        "A\nb\n",
        "a\nB\n",
        TextConflict("a\nb\n", "A\nb\n", "a\nB\n", 1),
        id="adjacent lines",
    ),
    pytest.param(
        "x\na\ny\n", "x\nA\ny\n", "x\nB\ny\n", TextConflict("a\n", "A\n", "B\n", 2), id="one line"
    ),
    pytest.param("x\n", "x\nA\n", "x\nB\n", TextConflict("", "A\n", "B\n", 2), id="both append"),
    pytest.param(
        "x\na\ny\n",
        "x\ny\n",
        "x\nB\ny\n",
        TextConflict("a\n", "", "B\n", 2),
        id="removed and changed",
    ),
    pytest.param(
        "a\nb\n",
        "a\r\nb\r\n",
        "a\nB\n",
        TextConflict("a\nb\n", "a\r\nb\r\n", "a\nB\n", 1),
        id="LF to CRLF",
    ),
    pytest.param(
        "a", "a\n", "b", TextConflict("a", "a\n", "b", 1), id="a final newline against a change"
    ),
    pytest.param(
        "a\n", "", "b\n", TextConflict("a\n", "", "b\n", 1), id="emptied against a change"
    ),
]


@pytest.mark.parametrize(("base", "theirs", "mine", "conflict"), CONFLICTS)
def test_conflicts(base: str, theirs: str, mine: str, conflict: TextConflict) -> None:
    assert merge_text(base, theirs, mine) == TextMerge(None, (conflict,))


def test_every_conflict_is_reported_and_what_merges_between_them_is_not() -> None:
    merged = merge_text("a\n1\nb\n2\nc\n3\nd\n", "A\n1\nb\n2\nc!\n3\nD\n", "x\n1\nB\n2\nc\n3\ny\n")
    assert merged.conflicts == (
        TextConflict("a\n", "A\n", "x\n", 1),
        TextConflict("d\n", "D\n", "y\n", 7),
    )


#: Enough that every bound of a search is reached.
LINES = 6_000


def lines_of(*, kinds: int, seed: int) -> str:
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    return "".join(f"line number {rng.randrange(kinds):012}\n" for _ in range(LINES))


@pytest.mark.parametrize(
    "sides",
    [
        lambda: (
            "".join(f"key {n}: of {side}, and more\n" for n in range(LINES)) for side in "abc"
        ),
        lambda: (lines_of(kinds=10, seed=seed) for seed in range(3)),
        lambda: ("".join(f"{side}{n}\n\n" for n in range(LINES // 2)) for side in "abc"),
        lambda: ("a\nb\n" * 8_000, "b\na\n" * 7_600, "a\nb\na\n" * 5_200),
    ],
    ids=[
        "nothing in common",
        "ten lines at random",
        "only blank lines in common",
        "one run of repetitions",
    ],
)
def test_thousands_of_changed_lines_take_a_second_at_most(
    sides: Callable[[], Iterable[str]],
) -> None:
    """Real times are below a quarter of a second; a search without end takes many seconds."""
    base, theirs, mine = sides()
    started = time.process_time()
    merge_text(base, theirs, mine)
    assert is_within(time.process_time() - started, 1)
