"""A comment that I wrote is in the result of a merge, or there is a conflict about it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.merge import (
    MergeImpossibleError,
    MergeResolutionError,
    MergeUnresolvedError,
    merge,
    resolve,
)
from benchmark_manager.models.merge import MergeConflict, Resolution
from support.examples import EXAMPLES

ENGINE = "engine:\n  # tensor parallelism\n  tp: 1  # one GPU\n  seqs: 256\n"
MOVED = ENGINE.replace("256", "512")


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "merged"),
    [
        pytest.param(
            ENGINE,
            MOVED,
            ENGINE.replace("1  # one GPU", "4  # four GPUs"),
            MOVED.replace("1  # one GPU", "4  # four GPUs"),
            id="behind a value that I changed",
        ),
        pytest.param(
            ENGINE,
            MOVED.replace("tp: 1", "tp: 2"),
            ENGINE.replace("# one GPU", "# mine"),
            MOVED.replace("1  # one GPU", "2  # mine"),
            id="behind a value that I left alone",
        ),
        pytest.param(
            "a: 1\nb: 1\n",
            "a: 1\nb: 2\n",
            "a: 4 # why\nb: 1\n",
            "a: 4  # why\nb: 2\n",
            id="where there was none",
        ),
        pytest.param(
            ENGINE,
            MOVED.replace("  tp", "  # upstream's\n  tp"),
            ENGINE.replace("tp: 1", "tp: 4").replace("# tensor", "# mine\n  # tensor"),
            MOVED.replace("  tp: 1", "  # upstream's\n  tp: 4").replace(
                "# tensor", "# mine\n  # tensor"
            ),
            id="lines above that both wrote apart from each other",
        ),
        pytest.param(
            ENGINE,
            MOVED.replace("  ", "    "),
            ENGINE.replace("  tp: 1", "  # mine\n  tp: 4"),
            MOVED.replace("  ", "    ").replace("    tp: 1", "    # mine\n    tp: 4"),
            id="above in another indentation",
        ),
        pytest.param(
            "a: 1\nb: 1\n",
            "a: 1\r\nb: 2\r\n",
            "# mine\na: 4\nb: 1\n",
            "# mine\r\na: 4\r\nb: 2\r\n",
            id="above in other line ends",
        ),
        pytest.param(
            ENGINE,
            MOVED,
            ENGINE.replace("  tp: 1  # one GPU", "  # four GPUs\n  tp: 4"),
            MOVED.replace("  tp: 1  # one GPU", "  # four GPUs\n  tp: 4"),
            id="above in place of one behind",
        ),
        pytest.param(
            ENGINE,
            MOVED.replace("tp: 1", "tp: 2"),
            ENGINE.replace("engine:", "engine:  # mine"),
            MOVED.replace("tp: 1", "tp: 2").replace("engine:", "engine:  # mine"),
            id="behind a key of a mapping, by lines",
        ),
        pytest.param(
            "a:\n  b: 1\nc: 1\n",
            "a:\n  b: 2\nc: 1\n",
            "a:  # mine\n  b: 1\nc: 1\n",
            "a:  # mine\n  b: 2\nc: 1\n",
            id="behind a key of a mapping",
        ),
        pytest.param(
            "l:\n- 1\n- 2\n",
            "l:\n- 1\n- 3\n",
            "l:\n- 7 # mine\n- 2\n",
            "l:\n- 7  # mine\n- 3\n",
            id="behind an item",
        ),
        pytest.param(
            "l:\n- u: 1\n  v: 1\n- u: 2\n  v: 1\n",
            "l:\n- u: 1\n  v: 2\n- u: 2\n  v: 2\n",
            "l:\n- u: 1 # mine\n  v: 1\n- u: 2\n  v: 1\n",
            "l:\n- u: 1  # mine\n  v: 2\n- u: 2\n  v: 2\n",
            id="in an item without a name that upstream changed",
        ),
        pytest.param(
            "l:\n- u: 1\n- u: 2\nz: 1\n",
            "l:\n- u: 0\n- u: 1\n- u: 2\nz: 2\n",
            "l:\n- u: 1\n- u: 2 # mine\nz: 1\n",
            "l:\n- u: 0\n- u: 1\n- u: 2  # mine\nz: 2\n",
            id="in an item without a name that has another number",
        ),
        pytest.param(
            "l:\n  - 1\n  - 2\nz: 1\n",
            "l:\n  - 1\n  - 2\n  - 3\nz: 2\n",
            "l:\n  - 1\n  # mine\n  - 5\nz: 1\n",
            "l:\n  - 1\n  # mine\n  - 5\n  - 3\nz: 2\n",
            id="above an item",
        ),
        pytest.param(
            "a: [1, 2]\nb: 1\n",
            "a: [1, 2]\nb: 2\n",
            "a: [1, 3] # mine\nb: 1\n",
            "a: [1, 3]  # mine\nb: 2\n",
            id="behind brackets",
        ),
        pytest.param(
            "a: [\n  1,\n  2\n]\nb: 1\n",
            "a: [\n  0,\n  2\n]\nb: 2\n",
            "a: [\n  1,\n  3 # mine\n]\nb: 1\n",
            "a: [\n  0,\n  3  # mine\n]\nb: 2\n",
            id="between brackets",
        ),
        pytest.param(
            "a: {\n  b: 1,\n  c: 1\n}\n",
            "a: {\n  b: 1,\n  c: 2\n}\n",
            "a: {\n  # mine\n  b: 3,\n  c: 1\n}\n",
            "a: {\n  # mine\n  b: 3,\n  c: 2\n}\n",
            id="above an entry between brackets",
        ),
        pytest.param(
            "t: |  # old\n  x\nb: 1\n",
            "t: |  # old\n  x\nb: 2\n",
            "t: |  # mine\n  y # no comment\nb: 1\n",
            "t: |  # mine\n  y # no comment\nb: 2\n",
            id="behind the mark of a block",
        ),
        pytest.param(
            "t: |\n  x\nb: 1\n",
            "t: |\n  x\nb: 2\n",
            "t: y # mine\nb: 1\n",
            "t: y  # mine\nb: 2\n",
            id="behind what was a block",
        ),
        pytest.param(
            "a: 1\nb: 1\n",
            "a: 1\nb: 2\n",
            "a: 1\nb: 1\n# mine\n",
            "a: 1\nb: 2\n# mine\n",
            id="at the end",
        ),
        pytest.param(
            "a: 1\nb: 1",
            "a: 1\nb: 2",
            "a: 1\nb: 1\n# mine",
            "a: 1\nb: 2\n# mine",
            id="at an open end",
        ),
        pytest.param(
            "a: 1\nb: 1\n---\nc: 1\n",
            "a: 1\nb: 2\n---\nc: 1\n",
            "a: 1\nb: 1\n# mine\n---\nc: 1\n",
            "a: 1\nb: 2\n# mine\n---\nc: 1\n",
            id="at the end of a document",
        ),
        pytest.param(
            "a:\n  b: 1\n  c: 1\nd: 1\n",
            "a:\n  b: 1\n  c: 2\nd: 1\n",
            "a:\n  b: 1\n  c: 1\n  # mine\nd: 1\n",
            "a:\n  b: 1\n  c: 2\n  # mine\nd: 1\n",
            id="at the end of a mapping",
        ),
        pytest.param(
            ENGINE,
            MOVED,
            ENGINE.replace("  tp: 1  # one GPU", "  # tp: 1, as the default"),
            "engine:\n  # tensor parallelism\n  # tp: 1, as the default\n  seqs: 512\n",
            id="in place of a key that I removed",
        ),
        pytest.param(
            "a: 1\nb: 1\n",
            "a: 1\nb: 2\n",
            "a: 1\n\n# mine\n\nm: 1  # too\n# first\nb: 1\n",
            "a: 1\n# mine\n\nm: 1  # too\n# first\nb: 2\n",
            id="apart from a new key",
        ),
        pytest.param(
            "a:\n- 1\nb: 1\n",
            "a: []  # why\nb: 2\n",
            "a:  # why\n- 1\nb: 1\n",
            "a: []  # why\nb: 2\n",
            id="that both wrote",
        ),
        pytest.param(
            "a: 1\nb: 1\n",
            "t: 1\na: 1 # t\nb: 2\n",
            "m: 1\na: 1\nb: 3 # m\n",
            None,
            id="of a value that both changed",
        ),
    ],
)
def test_it_is_in_the_result(base: str, theirs: str, mine: str, merged: str | None) -> None:
    found = merge(base, theirs, mine, "yaml")
    assert found.content == merged


def _conflict(base: str, theirs: str, mine: str) -> MergeConflict:
    (conflict,) = merge(base, theirs, mine, "yaml").conflicts
    return conflict


BOTH = "a: 1  # x\nb: 2\n", "a: 1  # y\nb: 3\n", "a: 5  # z\nb: 2\n"


def test_what_both_wrote_differently_is_a_conflict_of_comments() -> None:
    assert _conflict(*BOTH) == MergeConflict(
        path="a (comment)", base="# x", theirs="# y", mine="# z", line=1
    )


@pytest.mark.parametrize(
    ("take", "value", "merged"),
    [
        ("theirs", None, "a: 5  # y\nb: 3\n"),
        ("mine", None, "a: 5  # z\nb: 3\n"),
        ("value", "# x, y and z", "a: 5  # x, y and z\nb: 3\n"),
    ],
)
def test_a_conflict_of_comments_takes_a_side_or_a_text(
    take: str, value: str | None, merged: str
) -> None:
    decision = Resolution.model_validate({"path": "a (comment)", "take": take, "value": value})
    assert resolve(*BOTH, "yaml", [decision]) == merged


@pytest.mark.parametrize("value", ["no comment", "", None, 5, "# one\nb: 7", "# a\rb: 1"])
def test_a_text_that_is_no_comment_is_refused(value: object) -> None:
    decision = Resolution.model_validate({"path": "a (comment)", "take": "value", "value": value})
    with pytest.raises(MergeResolutionError):
        resolve(*BOTH, "yaml", [decision])


def test_a_conflict_of_comments_needs_a_decision() -> None:
    with pytest.raises(MergeUnresolvedError):
        resolve(*BOTH, "yaml", [])


def test_comments_go_with_the_decision_about_the_value() -> None:
    texts = "a: 1  # x\nb: 2\n", "a: 2  # y\nb: 3\n", "a: 3  # z\nb: 2\n"
    assert _conflict(*texts).path == "a"
    results = {
        take: resolve(
            *texts, "yaml", [Resolution.model_validate({"path": "a", "take": take, "value": 9})]
        )
        for take in ("theirs", "mine", "value")
    }
    assert results == {
        "theirs": "a: 2  # y\nb: 3\n",
        "mine": "a: 3  # z\nb: 3\n",
        "value": "a: 9  # z\nb: 3\n",
    }


def test_one_that_upstream_removed_and_i_changed_is_a_conflict() -> None:
    conflict = _conflict("a: 1 # x\nb: 1\n", "a: 1\nb: 2\n", "a: 5 # z\nb: 1\n")
    assert (conflict.path, conflict.absent, conflict.line) == ("a (comment)", ("theirs",), 1)


def test_one_without_a_position_in_theirs_is_a_conflict() -> None:
    texts = "a:\n- 1\n- 2\nb: 1\n", "a: [1, 2]\nb: 2\n", "a:\n- 1 # mine\n- 2\nb: 1\n"
    conflict = _conflict(*texts)
    assert (conflict.path, conflict.mine) == ("a[0] (comment)", "# mine")
    assert resolve(*texts, "yaml", [Resolution(path="a[0] (comment)", take="theirs")]) == texts[1]
    with pytest.raises(MergeImpossibleError):
        resolve(*texts, "yaml", [Resolution(path="a[0] (comment)", take="mine")])


def test_one_inside_a_new_item_between_brackets_is_a_conflict() -> None:
    texts = "a:\n- 1\nb: 1\n", "a: [1]\nb: 2\n", "a:\n- 1\n- m: 1 # mine\nb: 1\n"
    assert _conflict(*texts).path == "a[1].m (comment)"


def test_one_beside_what_upstream_removed_is_a_conflict() -> None:
    texts = "a: 1\nb: 1\nc: 1\n", "a: 2\nc: 1\n", "a: 1\nb: 1  # mine\nc: 1\n"
    conflict = _conflict(*texts)
    assert (conflict.path, conflict.base, conflict.theirs, conflict.mine) == (
        "b (comment)",
        None,
        None,
        "# mine",
    )
    assert resolve(*texts, "yaml", [Resolution(path="b (comment)", take="theirs")]) == texts[1]


def test_one_that_i_removed_stays_as_theirs_has_it() -> None:
    assert (
        merge("a: 1 # x\nb: 1\n", "a: 1 # y\nb: 2\n", "a: 5\nb: 1\n", "yaml").content
        == "a: 5 # y\nb: 2\n"
    )


def test_one_of_mine_that_stood_elsewhere_is_not_lost() -> None:
    base = "a: 1 # note\nb: 1\nc: 1\n"
    assert (
        merge(base, base.replace("c: 1", "c: 2"), "b: 5 # note\nc: 1\n", "yaml").content
        == "b: 5  # note\nc: 2\n"
    )


def test_a_number_sign_in_a_value_is_no_comment() -> None:
    base = "a: 'x # y'\nt: |\n  # text\n  u\nb: x#y\nc: 1\n"
    mine = base.replace("# y", "# z").replace("# text", "# more").replace("x#y", "x#z")
    merged = merge(base, base.replace("c: 1", "c: 2"), mine, "yaml").content
    assert merged == mine.replace("c: 1", "c: 2")


class _Lines:
    """A text of keys with comments, one line each, from one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)  # noqa: S311  nothing secret
        self.count = 0

    def comment(self) -> str:
        self.count += 1
        return f"# {self.count}"

    def entry(self, key: str) -> list[str]:
        self.count += 1
        pad = "  " if key[0] == "n" else ""
        above = [f"{pad}{self.comment()}"] if self.rng.random() < 0.3 else []
        tail = f"  {self.comment()}" if self.rng.random() < 0.3 else ""
        value = self.rng.choice(
            [
                f"{self.count}",
                f"[{self.count}, 0]",
                f'"{self.count}"',
                f"|{tail}\n{pad}  {self.count}",
            ]
        )
        return [*above, f"{pad}{key}: {value}{'' if value[0] == '|' else tail}"]

    def edited(self, entries: dict[str, list[str]]) -> dict[str, list[str]]:
        made = {
            k: self.entry(k) if self.rng.random() < 0.25 else v
            for k, v in entries.items()
            if self.rng.random() > 0.1
        }
        if self.rng.random() < 0.3:
            made["z"] = self.entry("z")
        return made

    def text(self, entries: dict[str, list[str]]) -> str:
        lines = [line for key, some in entries.items() if key != "z" for line in some]
        end = [f"{self.comment()}"] if self.rng.random() < 0.2 else []
        return "\n".join(["n:", "  k: 0", *lines, *entries.get("z", []), *end]) + "\n"


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 2**48))
def test_no_comment_of_mine_is_lost_in_silence(seed: int) -> None:
    """Every comment has a number of its own, so that it can be found in any text."""
    made = _Lines(seed)
    base = {key: made.entry(key) for key in ("n1", "n2", "n3", "a", "b", "c")}
    texts = [made.text(entries) for entries in (base, made.edited(base), made.edited(base))]
    found = merge(texts[0], texts[1], texts[2], "yaml")
    if found.content is None:
        return
    written = [
        line.partition("#")[2]
        for line in texts[2].splitlines()
        if "#" in line and line not in texts[0]
    ]
    assert all(f"#{comment}\n" in found.content for comment in written)
