"""A comment of upstream is in the result of a merge.

It is not where I removed it, or what it stands in or behind.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.merge import merge, resolve
from benchmark_manager.models.merge import Resolution
from support.examples import EXAMPLES

TUNING = "a: 1\n# --- tuning ---\nlr: 0.1\nbatch: 8\nz: 1\n"
ARGS = "args:\n# required\n- --a\n- --b\nz: 1\n"
ENV = "env:  # keep me\n  a: 1\n  b: 2\n"
BLOCK = "  # about a\n  a: 1\n  # about b\n  b: 2\n  # c: 3\nz: 1\n"


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "merged"),
    [
        pytest.param(
            TUNING,
            TUNING.replace("z: 1", "z: 2"),
            TUNING.replace("lr: 0.1\n", "") + "y: 1\n",
            "a: 1\n# --- tuning ---\nbatch: 8\nz: 2\ny: 1\n",
            id="above a key that I removed",
        ),
        pytest.param(
            TUNING.replace("# --- tuning ---\n", ""),
            TUNING.replace("z: 1", "z: 2"),
            "a: 1\nbatch: 8\nz: 1\ny: 1\n",
            "a: 1\n# --- tuning ---\nbatch: 8\nz: 2\ny: 1\n",
            id="that upstream added above a key that I removed",
        ),
        pytest.param(
            TUNING,
            TUNING.replace("z: 1", "z: 2"),
            "a: 1\n# --- tuning ---\nbatch: 16\nz: 1\ny: 1\n",
            "a: 1\n# --- tuning ---\nbatch: 16\nz: 2\ny: 1\n",
            id="which is above a key that I changed now",
        ),
        pytest.param(
            TUNING,
            TUNING.replace("z: 1", "z: 2"),
            "a: 1\nbatch: 8\nz: 1\ny: 1\n",
            "a: 1\nbatch: 8\nz: 2\ny: 1\n",
            id="goes where I removed it with its key",
        ),
        pytest.param(
            ARGS,
            ARGS.replace("--b", "--c"),
            ARGS.replace("- --a\n", ""),
            ARGS.replace("- --a\n", "").replace("--b", "--c"),
            id="above an item that I removed",
        ),
        pytest.param(
            "k: 1\n# x\na: 1\n# x\nb: 1\nz: 1\n",
            "k: 1\n# x\na: 1\n# x\nb: 1\nz: 2\n",
            "k: 1\n# x\nb: 1\nz: 1\ny: 1\n",
            "k: 1\n# x\nb: 1\nz: 2\ny: 1\n",
            id="that stands twice goes once",
        ),
        pytest.param(
            ENV,
            ENV.replace("  a: 1\n", ""),
            ENV.replace("  b: 2\n", ""),
            "env: {}  # keep me\n",
            id="of what is empty",
        ),
        pytest.param(
            f"env:\n{BLOCK}",
            f"env:\n{BLOCK}".replace("  # about a\n  a: 1\n", ""),
            f"env:\n{BLOCK}".replace("  # about b\n  b: 2\n", ""),
            "env: {}\n  # c: 3\nz: 1\n",
            id="at the end of what is empty",
        ),
        pytest.param(
            "l:  # keep me\n- 1\n- 2\n",
            "l:  # keep me\n- 2\n",
            "l:  # keep me\n- 1\n",
            "l: []  # keep me\n",
            id="of a list that is empty",
        ),
    ],
)
def test_it_stays_or_goes(base: str, theirs: str, mine: str, merged: str) -> None:
    assert merge(base, theirs, mine, "yaml").content == merged


def test_theirs_is_taken_where_a_conflict_of_the_whole_stands_beside_my_comments() -> None:
    base, theirs = "a: 1\n---\nb: 1\n", "a: 2\nx: 1\n---\nb: 1\n---\nc: 1\n"
    mine = "a: 3\n---\nb: 4  # why\n---\nd: 1\n"
    assert [conflict.path for conflict in merge(base, theirs, mine, "yaml").conflicts] == ["."]
    assert resolve(base, theirs, mine, "yaml", [Resolution(path=".", take="theirs")]) == theirs


def test_those_that_i_left_where_their_list_went_are_a_conflict() -> None:
    base = "z: 1\nk:\n  # one\n  - 1\n"
    mine = base.replace("  - 1\n", "y: 1\n")
    (conflict,) = merge(
        base, base.replace("z: 1\n", "z: 2\n# two\n"), mine.replace("z: 1", "z: 1  # z"), "yaml"
    ).conflicts
    assert (conflict.path, conflict.theirs, conflict.absent) == (
        "k[0] (comment)",
        "# one",
        ("base", "mine"),
    )


def test_a_decision_follows_an_entry_which_has_another_number_in_theirs() -> None:
    base = "k:\n- 1\n# x\n- 2\n- 3\n"
    theirs, mine = base.replace("# x\n", "- 0\n"), base.replace("# x\n", "# x\n# mine\n")
    paths = [conflict.path for conflict in merge(base, theirs, mine, "yaml").conflicts]
    assert paths == ["k[2] (comment)"]
    assert resolve(base, theirs, mine, "yaml", [Resolution(path=paths[0], take="theirs")]) == theirs


class _Entries:
    """Lines of a mapping with comments, some of which stay where the entry below is removed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311  nothing secret
        self.count = 0

    def entry(self, key: str) -> list[str]:
        self.count += 1
        pad = "  " if key[0] == "n" else ""
        above = [f"{pad}# {self.count} {n}" for n in range(self.rng.choice([0, 0, 1, 1, 2]))]
        return [*above, f"{pad}{key}: {self.rng.choice([f'{self.count}', f'[{self.count}]'])}"]

    def edited(self, entries: dict[str, list[str]]) -> dict[str, list[str]]:
        made: dict[str, list[str]] = {}
        for key, lines in entries.items():
            choice = self.rng.random()
            kept = [line for line in lines if self.rng.random() < 0.8]
            made[key] = kept[:-1] if choice < 0.2 else self.entry(key) if choice < 0.3 else lines
        if self.rng.random() < 0.3:
            made["z"] = self.entry("z")
        return made


def _text(entries: dict[str, list[str]]) -> str:
    return "\n".join(
        ["n:", "  k: 0", *(line for lines in entries.values() for line in lines), "end: 0", ""]
    )


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 2**48))
def test_what_all_three_have_or_upstream_alone_is_in_the_result(seed: int) -> None:
    made = _Entries(seed)
    base = {key: made.entry(key) for key in ("n1", "n2", "n3", "a", "b", "c")}
    sides = made.edited(base), made.edited(base)
    texts = [_text(entries) for entries in (base, *sides)]
    found = merge(texts[0], texts[1], texts[2], "yaml")
    if found.content is None:
        return
    lines = [set(text.splitlines()) for text in (*texts, found.content)]
    lost = {
        line
        for line in lines[1] - lines[3]
        if "#" in line and (line in lines[2] or line not in lines[0])
    }
    assert not lost
