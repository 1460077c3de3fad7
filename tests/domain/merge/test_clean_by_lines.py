"""What lines merge cleanly is no conflict, unless one side's change would be lost in it."""

import pytest

from benchmark_manager.domain.merge import merge

PAD = "  p: 0\n  q: 0\n  r: 0\n"


def items(*heads: str) -> str:
    return "".join(f"- {head}\n{PAD}" for head in heads)


def documents(*heads: str) -> str:
    return "---\n".join(f"kind: Job\nmetadata:\n  name: {head}\nspec:\n{PAD}" for head in heads)


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "merged"),
    [
        pytest.param(
            items("u: 1", "u: 1", "u: 2"),
            items("u: 1", "u: 1", "u: 3"),
            items("u: 9", "u: 1", "u: 2"),
            items("u: 9", "u: 1", "u: 3"),
            id="equal items without names",
        ),
        pytest.param(
            items("u: 1", "u: 2"),
            items("u: 3", "u: 4"),
            items("u: 1", "u: 2").replace("q: 0", "q: 7"),
            items("u: 3", "u: 4").replace("q: 0", "q: 7"),
            id="every item without a name changed by both",
        ),
        pytest.param(
            items("name: a", "name: a"),
            items("name: a", "name: a", "name: a"),
            items("name: b", "name: a"),
            items("name: b", "name: a", "name: a"),
            id="items of one name",
        ),
        pytest.param(
            items("name: a", "name: b"),
            items("name: z", "name: b", "name: c"),
            items("name: a", "name: b").replace("q: 0", "q: 7", 1),
            items("name: z", "name: b", "name: c").replace("q: 0", "q: 7", 1),
            id="an item that upstream renamed beside a new one",
        ),
        pytest.param(
            items("name: a", "name: b"),
            items("name: b", "name: c"),
            items("name: a", "name: b").replace("q: 0", "q: 7", 1),
            items("name: b", "name: c").replace("q: 0", "q: 7", 1),
            id="items that upstream renamed in turn",
        ),
        pytest.param(
            documents("a", "b"),
            documents("a", "b").replace("q: 0", "q: 7"),
            documents("a-tp4", "b-tp4"),
            documents("a-tp4", "b-tp4").replace("q: 0", "q: 7"),
            id="documents that I renamed",
        ),
        pytest.param(
            documents("a", "a"),
            documents("a", "a").replace("q: 0", "q: 7"),
            documents("z", "a"),
            documents("z", "a").replace("q: 0", "q: 7"),
            id="documents of one kind and name",
        ),
        pytest.param(
            "d: &d\n  x: 1\nr:\n  p: 1\n  s: *d\n",
            "d: &d\n  x: 1\nr:\n  p: 1\n  s: *d\nt: *d\n",
            "d: &d\n  x: 1\nl: *d\nr:\n  p: 1\n  s: *d\n",
            "d: &d\n  x: 1\nl: *d\nr:\n  p: 1\n  s: *d\nt: *d\n",
            id="aliases that both added",
        ),
        pytest.param(
            "a: &a {x: 1}\nb: &b {x: 2}\nr:\n  <<: *a\n  k: 1\n  l: 1\n",
            "a: &a {x: 1}\nb: &b {x: 2}\nr:\n  <<: *b\n  k: 1\n  l: 1\n",
            "a: &a {x: 1}\nb: &b {x: 2}\nr:\n  <<: *a\n  k: 1\n  l: 2\n",
            "a: &a {x: 1}\nb: &b {x: 2}\nr:\n  <<: *b\n  k: 1\n  l: 2\n",
            id="another merge key",
        ),
        pytest.param(
            "t: |\n  one\n  two\n  three\n",
            "t: |\n  1\n  two\n  three\n",
            "t: |\n  one\n  two\n  3\n",
            "t: |\n  1\n  two\n  3\n",
            id="lines of one text",
        ),
        pytest.param(
            "a: [\n  1,\n  2,\n  3\n]\n",
            "a: [\n  7,\n  2,\n  3\n]\n",
            "a: [\n  1,\n  2,\n  9\n]\n",
            "a: [\n  7,\n  2,\n  9\n]\n",
            id="lines of one list in brackets",
        ),
        pytest.param(
            f"i:\n{items('name: a', 'name: b')}c:\n{items('name: c')}",
            f"i:\n{items('name: a')}{items('name: b').replace('q: 0', 'q: 7')}"
            f"c:\n{items('name: c')}",
            f"i:\n{items('name: a')}c:\n{items('name: b', 'name: c')}",
            f"i:\n{items('name: a')}"
            f"c:\n{items('name: b').replace('q: 0', 'q: 7')}{items('name: c')}",
            id="an item that moved to another list by lines",
        ),
    ],
)
def test_it_is_the_result(base: str, theirs: str, mine: str, merged: str) -> None:
    found = merge(base, theirs, mine, "yaml")
    assert (found.outcome, found.content) == ("text", merged)
    assert merge(base, mine, theirs, "yaml").content == merged


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "merged"),
    [
        pytest.param(
            "y: 1\np: 0\nq: 0\n",
            "p: 0\nq: 0\ny: 1\n",
            "p: 0\nq: 0\n",
            "p: 0\nq: 0\n",
            id="a key I removed moved",
        ),
        pytest.param(
            "y: 1\np: 0\nq: 0\n",
            "p: 0\nq: 0\ny: 2\n",
            "p: 0\nq: 0\n",
            None,
            id="a key I removed moved and changed",
        ),
        pytest.param(
            "- 1\n- 2\n- 3\n- 4\n",
            "- 2\n- 3\n- 4\n- 1\n",
            "- 2\n- 3\n- 4\n",
            None,
            id="an item I removed moved",
        ),
        pytest.param(
            "- 1\n- 2\n- 3\n- 4\n",
            "- 2\n- 3\n- 4\n- 1\n",
            "- 2\n- 1\n- 3\n- 4\n",
            None,
            id="an item moved twice",
        ),
        pytest.param(
            items("name: a", "name: b"),
            items("name: n", "name: a", "name: b"),
            items("name: a", "name: b", "name: n"),
            items("name: n", "name: a", "name: b"),
            id="both add one item by name",
        ),
        pytest.param(
            items("name: a", "name: b"),
            items("name: n", "name: a", "name: b"),
            items("name: a", "name: b", "name: n\n  own: 1"),
            None,
            id="both add another item of one name",
        ),
        pytest.param(
            documents("a", "b"),
            documents("n", "a", "b"),
            documents("a", "b", "n").replace("n\nspec:\n", "n\nspec:\n  own: 1\n"),
            None,
            id="both add another document of one name",
        ),
        pytest.param(
            "a:\n  w: 0\n  v: 0\n  x: 1\nb: 1\n",
            "a:\n  x: 2\nold:\n  w: 0\n  v: 0\n  x: 1\nb: 1\n",
            "a:\n  w: 0\n  v: 0\n  x: 3\nb: 1\n",
            None,
            id="a value that both changed at one path",
        ),
        pytest.param(
            "a:\n  w: 0\n  v: 0\n  x: 1\nb: 1\n",
            "a:\n  x: 1\nold:\n  w: 0\n  v: 0\n  x: 1\nb: 1\n",
            "a:\n  w: 0\n  v: 0\n  x: 3\nb: 1\n",
            "a:\n  x: 3\nold:\n  w: 0\n  v: 0\n  x: 1\nb: 1\n",
            id="a value that I changed where another now is",
        ),
    ],
)
def test_it_is_not_where_one_change_would_be_lost(
    base: str, theirs: str, mine: str, merged: str | None
) -> None:
    found = merge(base, theirs, mine, "yaml")
    assert (found.outcome, found.content) == ("keys" if merged else "conflict", merged)


def test_namespace_and_name_distinguish_documents_in_paths() -> None:
    def pair(first: str, second: str) -> str:
        form = "kind: Job\nmetadata:\n  name: run\n  namespace: {}\nn: {}\n"
        return f"{form.format('a', first)}---\n{form.format('b', second)}"

    conflicts = merge(pair("1", "1"), pair("1", "2"), pair("1", "3"), "yaml").conflicts
    assert [conflict.path for conflict in conflicts] == ["Job/b/run n"]
