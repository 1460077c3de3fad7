"""Trees with positions, paths, changes and values."""

import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark_manager.domain.documents import (
    Identities,
    KeyChange,
    UnreadableDocumentError,
    compare_three_ways,
    compare_together,
    key_changes,
    parse,
    try_parse,
    values_at,
)
from benchmark_manager.domain.documents.nodes import Collection, DocumentTree, Node
from benchmark_manager.models.original import FileFormat
from support.examples import EXAMPLES
from support.stalls import is_within


def _sources(tree: DocumentTree) -> list[str]:
    """The source of every node and of every entry up to its colon or dash, in order."""
    found: list[str] = []
    pending: list[Node] = [tree.stream]
    while pending:
        node = pending.pop()
        if isinstance(node, Collection):
            found += [
                tree.text[slot.start : slot.gap] for slot in node.slots if slot.gap > slot.start
            ]
            pending += [slot.value for slot in reversed(node.slots)]
        else:
            found.append(tree.source(node))
    return found


@pytest.mark.parametrize(
    ("text", "sources"),
    [
        ("a: 1 # c\nb:\n", ["a:", "b:", "1", ""]),
        ("\ufeffa : 'x y'\r\n", ["a :", "'x y'"]),
        ("- - 1\n  # c\n  - 2\n-\n", ["-", "-", "-", "-", "1", "2", ""]),
        ("k:\n- &a 1\n- *a\n", ["k:", "-", "-", "&a 1", "*a"]),
        ("k: |+\n  t\n\nl: !t >-\n  u\n\n\n", ["k:", "l:", "|+\n  t\n", "!t >-\n  u"]),
        ("k: {a: [1, 'b']}\n", ["k:", "a:", "1", "'b'"]),
        ('--- a\n--- "b\nc"\n', ["a", '"b\nc"']),
    ],
)
def test_every_node_has_its_position(text: str, sources: list[str]) -> None:
    assert _sources(parse(text, "yaml")) == sources


def test_nodes_of_json_have_their_positions() -> None:
    assert _sources(parse('{"a" : [1, "x\\"}"], "b": {}}', "json")) == [
        '"a" :',
        '"b":',
        "1",
        '"x\\"}"',
    ]


@pytest.mark.parametrize(
    ("text", "file_format"),
    [
        ("a: 1\na: 2\n", "yaml"),
        ("a: [\n", "yaml"),
        ("a: {{ b }}\n", "yaml"),
        ("[" * 201 + "]" * 201, "yaml"),
        ("a: *b\n", "yaml"),
        ("a: &a {x: 1}\nb: {<<: *a, <<: *a}\n", "yaml"),
        ("a: \ud800\n", "yaml"),
        ('{"a": 1, "a": 1}', "json"),
        ('{"a": NaN}', "json"),
        ("", "json"),
    ],
)
def test_what_has_no_tree_is_refused(text: str, file_format: FileFormat) -> None:
    with pytest.raises(UnreadableDocumentError):
        parse(text, file_format)
    assert key_changes(text, "1", file_format) is None
    assert values_at(text, file_format) is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a: {b: [1, {c: x}]}\n", {"a.b[0]": 1, "a.b[1].c": "x"}),
        (
            "l:\n- name: x\n  v: 1\n- name: y.z\n",
            {"l[name=x].name": "x", "l[name=x].v": 1, 'l[name="y.z"].name': "y.z"},
        ),
        ("l: [{id: 1}, {id: 2}]\n", {"l[id=1].id": 1, "l[id=2].id": 2}),
        ("l: [{id: 1}, {id: 1}]\n", {"l[0].id": 1, "l[1].id": 1}),
        ("a.b: 1\n'c d': 2\n'': 3\n\"'\": 4\n", {'"a.b"': 1, '"c d"': 2, '""': 3, '"\'"': 4}),
        (
            "1: a\n'1': b\n1.5: c\n'no': d\n~: e\n",
            {"1": "a", '"1"': "b", '("1.5")': "c", '"no"': "d", "~": "e"},
        ),
        ("a: []\nb: {}\nc:\n", {"a": [], "b": {}, "c": None}),
        (
            "a: no\nb: 0o7\nc: 012\nd: 1e3\ne: 1:30\n",
            {"a": False, "b": "0o7", "c": 10, "d": "1e3", "e": 90},
        ),
        (
            "a: 2001-01-01\nb: .inf\nc: !f x\nd: &x 1\ne: *x\n",
            {"a": "2001-01-01", "b": ".inf", "c": "!f x", "d": "&x 1", "e": "*x"},
        ),
        ("? [a, b]\n: 1\n", {'("[a, b]")': 1}),
        ("x\n", {".": "x"}),
        ("a: 1\n---\na: 2\n", {"#1 a": 1, "#2 a": 2}),
        (
            "kind: Job\nmetadata: {name: a}\n---\nkind: Job\nmetadata: {name: b/c}\n",
            {
                "Job/a kind": "Job",
                "Job/a metadata.name": "a",
                'Job/"b/c" kind': "Job",
                'Job/"b/c" metadata.name': "b/c",
            },
        ),
        ("", {}),
    ],
)
def test_values_have_paths(text: str, values: dict[str, Any]) -> None:
    found = values_at(text, "yaml")
    assert found == values
    assert list(map(type, found.values())) == list(map(type, values.values()))


def test_changes_are_reported_by_path() -> None:
    before = "a: 1\nb: {c: x, d: 2}\nl: [{name: m, v: 1}, {name: n}]\n"
    after = "l:\n- name: m\n  v: 2\n- name: o\na: '1'\nb:\n  c: \"x\" # same\ne: [null]\n"
    assert key_changes(before, after, "yaml") == (
        KeyChange("a", "changed", 1, "1"),
        KeyChange("b.d", "removed", 2, None),
        KeyChange("l[name=m].v", "changed", 1, 2),
        KeyChange("l[name=n]", "removed", {"name": "n"}, None),
        KeyChange("l[name=o]", "added", None, {"name": "o"}),
        KeyChange("e", "added", None, [None]),
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: x\nb: 1\n", "b: 0x1\na: 'x'\n"),
        ("a: true\n", "a: True # c\n"),
        ("a: |\n  x\n", 'a: "x\\n"\n'),
    ],
)
def test_style_and_order_are_no_change(before: str, after: str) -> None:
    assert key_changes(before, after, "yaml") == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: 1\n", "a: '1'\n"),
        ("a: no\n", "a: false\n"),
        ("a: 'no'\n", "a: no\n"),
        ("a: 1\n", "a: 1.0\n"),
        ("a: &x 1\n", "a: 1\n"),
        ("a: !t 1\n", "a: 1\n"),
        ("a: &x {}\n", "a: {}\n"),
        ("a: ~\n", "b: 1\n"),
        ("l: [{name: a}, {name: b}]\n", "l: [{name: b}, {name: a}]\n"),
        ("a: 1\n", "a: 1\n---\nb: 2\n"),
        ("", "a: 1\n"),
    ],
)
def test_what_any_reader_distinguishes_is_a_change(before: str, after: str) -> None:
    assert key_changes(before, after, "yaml")


def test_variants_share_paths() -> None:
    found = compare_together(
        "l: [{name: a, v: 1}]\nx: 1\n",
        [("l: [{name: a, v: true}]\n", None), ("l: [{v: 1}]\nx: {y: 2}\n", None)],
        "yaml",
    )
    assert found is not None
    assert found.paths == ("l[0].name", "l[0].v", "x", "x.y")
    assert [
        [(row.path, row.original, row.variant) for row in own.rows] for own in found.variants
    ] == [
        [("l[0].v", (1,), (True,)), ("x", (1,), None)],
        [("l[0].name", ("a",), None), ("x", (1,), None), ("x.y", None, (2,))],
    ]


def test_an_anchor_or_a_tag_of_its_own_makes_a_collection_one_value() -> None:
    """Walked apart, its keys stood twice in the table: once as gone, once as new."""
    (found,) = compare_three_ways("a:\n  x: 1\n", None, ["a: &d\n  x: 1\nb: *d\n"], "yaml")
    assert found is not None
    assert [(row.path, row.original, row.variant) for row in found.rows] == [
        ("a", ({"x": 1},), ("&d\n  x: 1",)),
        ("b", None, ("*d",)),
    ]


def test_aliases_are_references() -> None:
    bomb = "\n".join(
        ["a0: &a0 [x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 15)), ""]
    )
    assert key_changes(bomb, bomb + "z: 1\n", "yaml") == (KeyChange("z", "added", None, 1),)


# Every kind of scalar and of position; its tokens are exchanged for others.
_KINDS = """\
# head: 1
kind: Job
metadata: {name: run, labels: {app: x, "t": y}}
n: 1 # why: 2
two lines: this is
  one text
q: "quoted 1"
s: 'single'
block: |
  n: 1
  m: 2
folded: >-
  n: 1

anchored: &a 5
tagged: !t 6
alias: *a
items:
- name: a
  v: 1
- name: b
  v: no
plain: [1, x, {y: 2}, [3]]
empty:
? odd
: 7
1: 8
url: http://host/a-b
"""
_TOKENS = [(match.start(), match.end()) for match in re.finditer(r"[\w./:-]+", _KINDS)]
_OTHER_TOKENS = st.sampled_from(
    ["7", "abc", "x.y/z", "no", "0x1F", "1e3", "null", "a-b", "-", "a:", "{", "n: 1", "", "\u00e9"]
)


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(_TOKENS), _OTHER_TOKENS), max_size=3), st.booleans())
def test_comparing_lines_finds_what_comparing_trees_finds(
    edits: list[tuple[tuple[int, int], str]], has_mark: bool
) -> None:
    text = _KINDS
    for (start, end), token in sorted(edits, reverse=True):
        text = text[:start] + token + text[end:]
    text = f"\ufeff{text}" if has_mark else text
    by_trees = compare_together(_KINDS, [(text, None)], "yaml")
    (found,) = compare_three_ways(_KINDS, None, [text], "yaml")
    assert found == (by_trees.variants[0] if by_trees is not None else None)


def test_a_variant_which_differs_in_plain_values_is_compared_without_a_tree() -> None:
    original = "".join(f"k{n}: {n}\n" for n in range(5_000))
    texts = [original.replace(f"k{n}: {n}\n", f"k{n}: x{n}\n") for n in range(200)]
    began = time.process_time()
    found = compare_three_ways(original, None, texts, "yaml")
    assert is_within(time.process_time() - began, 4), (
        "reading all of their trees takes a quarter of a minute"
    )
    assert [
        (row.original, row.variant) for rows in found if rows is not None for row in rows.rows
    ] == [((n,), (f"x{n}",)) for n in range(200)]


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab1.#'\" \n"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("ab.1[", max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=EXAMPLES)
@given(
    st.text("ab:-?,[]{}#&*!|>'\"%@ \t\r\n\ufeff\u2028<01\\", max_size=40),
    st.sampled_from(["yaml", "json"]),
)
def test_no_text_makes_it_fail(text: str, file_format: FileFormat) -> None:
    tree = try_parse(text, file_format, Identities())
    if tree is not None:
        assert key_changes(text, text, file_format) == ()
        assert values_at(text, file_format) is not None


@settings(max_examples=EXAMPLES)
@given(JSON_VALUES, JSON_VALUES)
def test_equal_values_have_no_changes_and_others_have(one: Any, other: Any) -> None:
    import json

    texts = [json.dumps(one, indent=1), json.dumps(other)]
    changes = key_changes(texts[0], texts[1], "json")
    assert changes is not None
    assert (changes == ()) == (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))
    assert len({(change.path, change.kind) for change in changes}) == len(changes)
