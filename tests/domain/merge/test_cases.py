"""Merges which must come out right, to the byte."""

import pytest

from benchmark_manager.domain.merge import merge
from benchmark_manager.models.merge import MergeConflict
from support.merges import conflicts_of, outcome_of


def test_different_keys() -> None:
    assert outcome_of("a: 1\nb: 2\nc: 3\n", "a: 1\nb: 2\nc: 4\n", "a: 9\nb: 2\nc: 3\n") == (
        "text",
        "a: 9\nb: 2\nc: 4\n",
    )


def test_adjacent_lines() -> None:
    base, theirs = "a: 1 # one\nb: 2 # two\n", "a: 1 # one\nb: 3 # three\n"
    assert outcome_of(base, theirs, "a: 9\nb: 2 # two\n") == ("keys", "a: 9 # one\nb: 3 # three\n")


def test_both_append_a_key_at_the_end() -> None:
    base, theirs = "a: 1\n", "a: 1\nt: 2\n"
    assert outcome_of(base, theirs, "a: 1\n# mine\nm: 3 # m\n") == (
        "keys",
        "a: 1\n# mine\nm: 3 # m\nt: 2\n",
    )


def test_the_same_key_changed_differently_is_a_conflict_by_path() -> None:
    base = "kind: Job\nspec:\n  parallelism: 1\n"
    theirs = "# moved\nkind: Job\nspec:\n  parallelism: 2\n"
    assert conflicts_of(base, theirs, "kind: Job\nspec:\n  parallelism: 3\n") == (
        MergeConflict(path="spec.parallelism", base=1, theirs=2, mine=3, line=4),
    )


def test_the_same_key_changed_alike_is_none() -> None:
    assert outcome_of("a: 1\nb: 2\n", "a: 5\nb: 3\n", "a: '5'\nb: 2\n")[0] == "conflict"
    assert outcome_of("a: x\nb: 2\n", "a: y\nb: 3\n", "a: 'y'\nb: 2\n") == ("keys", "a: y\nb: 3\n")


def test_reordered_keys() -> None:
    base, theirs = "a: 1\nb: 2\nc: 3\n", "c: 3\nb: 2\na: 1\n"
    assert outcome_of(base, theirs, "a: 1\nb: 5\nc: 3\n")[1] == "c: 3\nb: 5\na: 1\n"


def test_reindented_file() -> None:
    base = "a:\n  b: 1\n  c:\n  - x\n"
    theirs = "a:\n    b: 1\n    c:\n        - x\n"
    mine = (
        "a:\n  b: 2\n  c:\n  - x\n  - y: 1\n    z: 2\n"
        "  d:\n    e: |\n      one\n        two\n\n      three\n"
    )
    assert outcome_of(base, theirs, mine) == (
        "keys",
        (
            "a:\n    b: 2\n    c:\n        - x\n        - y: 1\n          z: 2\n"
            "    d:\n      e: |\n        one\n          two\n\n        three\n"
        ),
    )


def test_a_block_that_moved() -> None:
    base = "one:\n  a: 1\n  b: 2\ntwo:\n  c: 3\nthree: 4\n"
    theirs = "two:\n  c: 3\nthree: 4\none:\n  a: 1\n  b: 2\n"
    mine = "one:\n  a: 1\n  b: 7\ntwo:\n  c: 3\nthree: 4\n"
    assert outcome_of(base, theirs, mine) == (
        "keys",
        "two:\n  c: 3\nthree: 4\none:\n  a: 1\n  b: 7\n",
    )


def test_lf_to_crlf() -> None:
    mine = "a: 1\nb: 5\nl:\n  - x\n  - y\nc: |\n  t\n  u\n"
    assert outcome_of("a: 1\nb: 2\nl:\n  - x\n", "a: 1\r\nb: 2\r\nl:\r\n  - x\r\n", mine) == (
        "keys",
        "a: 1\r\nb: 5\r\nl:\r\n  - x\r\n  - y\r\nc: |\r\n  t\r\n  u\r\n",
    )


def test_upstream_deletes_what_i_edited() -> None:
    assert conflicts_of("a: 1\nb: 2\n", "a: 1\n", "a: 1\nb: 5\n") == (
        MergeConflict(path="b", base=2, theirs=None, mine=5, absent=("theirs",), line=None),
    )


def test_i_delete_what_upstream_edited() -> None:
    assert conflicts_of("a: 1\nb: 2\n", "a: 1\nb: null\n", "a: 1\n") == (
        MergeConflict(path="b", base=2, theirs=None, mine=None, absent=("mine",), line=2),
    )


def test_both_add_the_same_key() -> None:
    assert outcome_of("a: 1\n", "a: 1\nb: 2 # theirs\n", "a: 1\nb: 2\n") == (
        "keys",
        "a: 1\nb: 2 # theirs\n",
    )
    assert conflicts_of("a: 1\n", "a: 1\nb: 2\n", "a: 1\nb: 3\n") == (
        MergeConflict(path="b", base=None, theirs=2, mine=3, absent=("base",), line=2),
    )


def test_a_clean_text_merge_which_repeats_a_key_is_none() -> None:
    base = "a: 1\nb: 2\nc: 3\nd: 4\n"
    theirs, mine = "new: 5\na: 1\nb: 2\nc: 3\nd: 4\n", "a: 1\nb: 2\nc: 3\nd: 4\nnew: 5\n"
    assert outcome_of(base, theirs, mine) == ("keys", theirs)
    assert conflicts_of(base, theirs, mine.replace("5", "6"))[0].path == "new"


def test_upstream_changes_only_a_comment() -> None:
    base, theirs = "# old\na: 1\nb: 2\n", "# new\na: 1\nb: 2\n"
    assert outcome_of(base, theirs, "# old\na: 9\nb: 2\n") == ("keys", "# new\na: 9\nb: 2\n")


def test_upstream_adds_a_key_with_a_comment_beside_my_edit() -> None:
    base, theirs = "a: 1\nb: 2\n", "a: 1\n# about t\nt: 3  # t\nb: 2\n"
    assert outcome_of(base, theirs, "a: 9\nb: 8\n") == (
        "keys",
        "a: 9\n# about t\nt: 3  # t\nb: 8\n",
    )


def test_anchors_and_merges() -> None:
    base = "d: &d\n  x: 1\nr:\n  <<: *d\n  y: 2\n"
    theirs = "d: &d\n  x: 1\nr:\n  <<: *d\n  y: 3\n"
    mine = "d: &d\n  x: 4\nr:\n  <<: *d\n  y: 2\ns: *d\n"
    merged = "d: &d\n  x: 4\nr:\n  <<: *d\n  y: 3\ns: *d\n"
    assert outcome_of(base, theirs, mine) == ("keys", merged)


def test_an_anchor_which_i_removed_and_upstream_uses_is_a_conflict() -> None:
    base = "a: &x 1\nb: 2\nc: 3\nd: 4\n"
    assert conflicts_of(base, base + "e: *x\n", base.replace("&x ", ""))[0].path == "a"


def test_new_items_have_paths_of_their_own() -> None:
    """Two hunks counted from positions in theirs met: one decision was taken for both items."""
    base = "l:\n- a\n- b\n- c\nx: &q 1\ny: *q\n"
    mine = (
        base.replace("- a\n", "- a\n- n\n- o\n").replace("- b\n", "- b\n- p\n") + "w: *q\nv: *q\n"
    )
    paths = [conflict.path for conflict in conflicts_of(base, f"{base}z: *q\n", mine)]
    assert paths == ["l[+1]", "l[+2]", "l[+4]", "w", "v"]


def test_an_anchor_of_one_name_which_both_added_to_different_values_is_a_conflict() -> None:
    """Readers such as PyYAML refuse a document in which an anchor stands twice."""
    base = "a: 1\nb: 2\nc: 3\nd: 4\n"
    assert [
        c.path
        for c in conflicts_of(base, base.replace("d: ", "d: &x "), base.replace("a: ", "a: &x "))
    ] == ["a"]
    assert (
        outcome_of(
            "a: &x 1\nb: &x 2\nc: 3\n", "a: &x 1\nb: &x 2\nc: 4\n", "a: &x 5\nb: &x 2\nc: 3\n"
        )[0]
        == "text"
    )
    assert (
        outcome_of(base, base.replace("d: ", "d: &x "), base.replace("d: ", "d: &x ") + "e: 5\n")[0]
        == "keys"
    )


def test_an_anchor_which_stands_twice_and_moves_is_a_conflict() -> None:
    base = "a: &x 1\nb: *x\nc: 5\nd: 6\ne: &x 2\nf: 7\n"
    theirs = base + "g: *x\n"
    assert conflicts_of(base, theirs, base.replace("e: &x 2\n", ""))


def test_another_merge_key_is_a_conflict_with_a_change_in_the_next_line() -> None:
    base = "a: &a {x: 1}\nb: &b {x: 2}\nr:\n  <<: *a\n  k: 1\n  l: 1\n  m: 1\n"
    conflicts = conflicts_of(base, base.replace("<<: *a", "<<: *b"), base.replace("k: 1", "k: 2"))
    assert [conflict.path for conflict in conflicts] == ["r"]


def test_several_documents() -> None:
    base = "kind: Job\nmetadata:\n  name: a\nn: 1\n---\nkind: Job\nmetadata:\n  name: b\nn: 1\n"
    first, second = base.split("---\n")
    theirs = f"{second}---\n{first}"
    assert outcome_of(base, theirs, f"{first.replace('n: 1', 'n: 2')}---\n{second}") == (
        "keys",
        f"{second}---\n{first.replace('n: 1', 'n: 2')}",
    )
    conflicts = conflicts_of(base, base.replace("n: 1", "n: 3"), base.replace("n: 1", "n: 4"))
    assert [conflict.path for conflict in conflicts] == ["Job/a n", "Job/b n"]


def test_the_only_document_stays_itself_under_another_name() -> None:
    base = "kind: Job\nmetadata:\n  name: a\nspec:\n  parallelism: 1\n  completions: 1\n"
    renamed, edited = (
        base.replace("name: a", "name: b"),
        base.replace("completions: 1", "completions: 2"),
    )
    merged = renamed.replace("completions: 1", "completions: 2")
    assert (
        outcome_of(base, renamed, edited) == outcome_of(base, edited, renamed) == ("text", merged)
    )


def test_paths_in_the_only_document_do_not_name_it() -> None:
    base = "kind: Job\nmetadata:\n  name: a\nspec:\n  parallelism: 1\n"
    theirs, mine = (base.replace("parallelism: 1", f"parallelism: {number}") for number in (2, 3))
    assert [conflict.path for conflict in conflicts_of(base, theirs, mine)] == ["spec.parallelism"]


def _documents(*names: str, **values: int) -> str:
    return "".join(
        f"---\n# {name}\nkind: Job\nmetadata: {{name: {name}}}\nv: {values.get(name, 1)}\n"
        for name in names
    )


@pytest.mark.parametrize(
    ("theirs", "mine", "merged"),
    [
        (_documents("a", "b", b=2), _documents("a", "b", "c"), _documents("a", "b", "c", b=2)),
        (_documents("a", "b", a=2), _documents("a", "x", "b"), _documents("a", "x", "b", a=2)),
        (_documents("a", "b", a=2), _documents("a"), _documents("a", a=2)),
        (_documents("a", "b", b=2)[:-1], _documents("a", "b", "c"), _documents("a", "b", "c", b=2)),
        (
            _documents("a", "b").replace("\n", "\r\n"),
            _documents("b", "c"),
            _documents("b", "c").replace("\n", "\r\n"),
        ),
    ],
)
def test_documents_come_and_go(theirs: str, mine: str, merged: str) -> None:
    assert outcome_of(_documents("a", "b"), theirs, mine)[1] == merged


def test_a_document_before_all_others_is_not_placed_by_guess() -> None:
    base = _documents("a", "b")
    assert conflicts_of(base, base.replace("\n", "\r\n"), _documents("c", "a", "b"))


@pytest.mark.parametrize("theirs", ["# licence\na: 1\n---\nb: 2\n", "a: 1\n# about b\n---\nb: 2\n"])
def test_a_document_does_not_take_comments_along_which_may_be_of_another(theirs: str) -> None:
    assert conflicts_of("a: 1\n---\nb: 1\n", theirs, "b: 1\n")


def test_a_document_gone_does_not_take_my_edit_along() -> None:
    documents = [f"kind: Job\nmetadata:\n  name: {name}\nn: 1\n" for name in "abcd"]
    mine = [documents[0], documents[1].replace("n: 1", "n: 9"), documents[2]]
    merged = merge(
        "---\n".join(documents[:3]), "---\n".join(documents[1:]), "---\n".join(mine), "yaml"
    )
    assert merged.content == "---\n".join([mine[1], *documents[2:]])


def test_json() -> None:
    base = '{\n  "a": 1,\n  "b": [1, 2],\n  "c": {}\n}\n'
    theirs = '{"a": 2, "b": [1, 2], "c": {}}'
    mine = '{\n  "a": 1,\n  "b": [1, 2, {"x": 1}],\n  "c": {"d": "e"},\n  "f": null\n}\n'
    assert outcome_of(base, theirs, mine, "json") == (
        "keys",
        '{"a": 2, "b": [1, 2, {"x": 1}], "c": {"d": "e"}, "f": null}',
    )
    assert conflicts_of(base, theirs, base.replace('"a": 1', '"a": true'), "json") == (
        MergeConflict(path="a", base=1, theirs=2, mine=True, line=1),
    )


def test_json_of_many_lines() -> None:
    base = '{\n\t"a": 1,\n\t"b": 2\n}\n'
    assert outcome_of(
        base,
        '{\n\t"a": 1,\n\t"t": 0,\n\t"b": 3\n}\n',
        '{\n\t"m": [\n\t\t1\n\t],\n\t"b": 2\n}\n',
        "json",
    ) == (
        "keys",
        '{\n\t"t": 0,\n\t"b": 3,\n\t"m": [\n\t\t1\n\t]\n}\n',
    )


def test_templates_are_merged_by_lines_only() -> None:
    base = "a: {{ x }}\nb: 1\nc: 2\n"
    assert outcome_of(base, base.replace("2", "3"), base.replace("x", "y")) == (
        "text",
        "a: {{ y }}\nb: 1\nc: 3\n",
    )
    assert conflicts_of(base, base.replace("x", "y"), base.replace("x", "z")) == (
        MergeConflict(
            path=None, base="a: {{ x }}\n", theirs="a: {{ y }}\n", mine="a: {{ z }}\n", line=1
        ),
    )


def test_a_byte_order_mark_stays_theirs() -> None:
    assert outcome_of("a: 1\nb: 2\n", "\ufeffa: 1\nb: 3\n", "a: 4\nb: 2\n") == (
        "keys",
        "\ufeffa: 4\nb: 3\n",
    )
    assert outcome_of("\ufeffa: 1\nb: 2\n", "a: 1\nb: 3\n", "\ufeffa: 4\nb: 2\n") == (
        "keys",
        "a: 4\nb: 3\n",
    )


def test_tabs_behind_values_stay() -> None:
    assert outcome_of("a: 1\nb: 2\n", "a: 1\t# tab\nb: 3\n", "a: 4\nb: 2\n") == (
        "keys",
        "a: 4\t# tab\nb: 3\n",
    )


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "merged"),
    [
        (
            "a: {x: 1, y: 2}\n",
            "a: {x: 1, y: 3}\n",
            "a: {x: 4, y: 2, z: [5]}\n",
            "a: {x: 4, y: 3, z: [5]}\n",
        ),
        ("a: {x: 1, y: 2}\n", "a: {x: 1, y: 3}\n", "a: {y: 2}\n", "a: {y: 3}\n"),
        ("a: {y: 2, x: 1}\n", "a: {y: 3, x: 1}\n", "a: {y: 2}\n", "a: {y: 3}\n"),
        ("a: [1, 2]\nb: 1\n", "a: [1, 2] # c\nb: 1\n", "a: []\nb: 1\n", "a: [] # c\nb: 1\n"),
        (
            "a: {x: 1}\n",
            "a: {x: 1, t: 2}\n",
            "a:\n  x: 1\n  m: |\n    l\n",
            'a: {x: 1, m: "l\\n", t: 2}\n',
        ),
    ],
)
def test_flow_style(base: str, theirs: str, mine: str, merged: str) -> None:
    assert outcome_of(base, theirs, mine) == ("keys", merged)


@pytest.mark.parametrize(
    ("base", "theirs", "mine", "merged"),
    [
        (
            "a: |\n  x\nb: 1\n",
            "a: |\n  x\nb: 2\n",
            "a: |\n  y\n  z\nb: 1\n",
            "a: |\n  y\n  z\nb: 2\n",
        ),
        ("a: 1\nb: 1\n", "a: 1  # why\nb: 2\n", "a: |\n  y\nb: 1\n", "a: |  # why\n  y\nb: 2\n"),
        ("a: |+\n  x\n\nb: 1\n", "a: |+\n  x\n\nb: 2\n", "a: 3\nb: 1\n", "a: 3\nb: 2\n"),
        ("a: >-\n  x\n\n\nb: 1\n", "a: >-\n  x\n\n\nb: 2\n", "b: 1\n", "\n\nb: 2\n"),
        (
            "a:\n  b: |2\n     x\nc: 1\n",
            "a:\n    b: |2\n       x\nc: 2\n",
            "a:\n  b: |2\n     y\nc: 1\n",
            None,
        ),
    ],
)
def test_block_scalars(base: str, theirs: str, mine: str, merged: str | None) -> None:
    if merged is not None:
        assert outcome_of(base, theirs, mine) == ("keys", merged)
    else:
        assert outcome_of(base, theirs, mine)[1] == "a:\n    b: |2\n       y\nc: 2\n"


def test_no_line_end_at_the_end_of_the_file() -> None:
    assert outcome_of("a: 1\nb: 2", "a: 1\nb: 3", "a: 1\nb: 2\nc: 4\n") == (
        "keys",
        "a: 1\nb: 3\nc: 4",
    )
    assert outcome_of("a: 1\nb: 2", "a: 5\nb: 2", "a: 1") == ("keys", "a: 5\n")


def test_comments_at_line_ends_stay_theirs() -> None:
    base, theirs = "a: 1 # x\nb: 2\n", "a: 1 # y\nb: 2\n"
    assert outcome_of(base, theirs, "a: 5 # x\nb: 2\n") == ("keys", "a: 5 # y\nb: 2\n")


def test_a_comment_behind_the_mark_of_a_block_scalar_stays_theirs() -> None:
    base, theirs = "s: |  # run\n  a\nx: 1\n", "s: |  # run twice\n  a\nx: 1\n"
    assert outcome_of(base, theirs, "s: >-  # run\n  b # no comment\n  c\nx: 1\n") == (
        "keys",
        "s: >-  # run twice\n  b # no comment\n  c\nx: 1\n",
    )
    assert outcome_of("s: |\n  a\nx: 1\n", "s: |\n  a\nx: 2\n", "s: |  # mine\n  b\nx: 1\n") == (
        "keys",
        "s: |  # mine\n  b\nx: 2\n",
    )


@pytest.mark.parametrize(
    "mine", ["[\n  1, # one\n  2, # two\n  3\n]\n", "[\n  1 # one\n]\n", "[\n  2  # two\n]\n"]
)
def test_between_brackets_no_comment_comes_to_stand_beside_another_entry(mine: str) -> None:
    base, theirs = (
        "a: [\n  1, # one\n  2  # two\n]\n",
        "a: [\n  1, # ONE\n  # second\n  2  # TWO\n]\n",
    )
    assert conflicts_of(base, theirs, f"a: {mine}")


def test_between_brackets_a_comment_goes_with_its_entry() -> None:
    base, mine = "a: [\n  1, # one\n  2, # two\n  3\n]\nb: 1\n", "a: [\n  1, # one\n  3\n]\nb: 1\n"
    assert outcome_of(base, base.replace("two", "TWO"), mine) == ("keys", mine)


def test_a_removed_key_takes_its_comments_along() -> None:
    base = "# head\na: 1\n\n# about b\nb: 2 # b\n  # deeper\n# about c\nc: 3\n"
    assert outcome_of(base, base.replace("c: 3", "c: 4"), "# head\na: 1\n\n# about c\nc: 3\n") == (
        "text",
        "# head\na: 1\n\n# about c\nc: 4\n",
    )


def test_a_removed_key_takes_its_comments_along_by_keys() -> None:
    base = "# head\na: 1\n# about b\nb: 2 # b\n  # deeper\n# about c\nc: 3\n"
    assert outcome_of(
        base, base.replace("c: 3", "c: 4").replace("a: 1", "a: 2"), "a: 1\nc: 3\n"
    ) == (
        "keys",
        "# head\na: 2\n# about c\nc: 4\n",
    )


def test_a_removed_last_entry_leaves_an_empty_collection() -> None:
    base, theirs = "a:\n  b: 1 # b\nc: 2\n", "a:\n  b: 1 # b\nc: 3\n"
    assert outcome_of(base, theirs, "a: {}\nc: 2\n") == ("keys", "a: {}\nc: 3\n")
    assert (
        outcome_of("a:\n  x: 1\n  y: 1\nc: 1\n", "a:\n  y: 1\nc: 2\n", "a:\n  x: 1\nc: 1\n")[1]
        == "a: {}\nc: 2\n"
    )


def test_both_edit_lines_of_one_text() -> None:
    base = "t: |\n  one\n  two\n  three\n"
    assert outcome_of(base, base.replace("one", "1"), base.replace("three", "3")) == (
        "text",
        "t: |\n  1\n  two\n  3\n",
    )


def test_nothing_to_merge() -> None:
    assert outcome_of("a: 1", "a: 1", "{") == ("nothing", "{")
    assert outcome_of("a: 1", "a: 2", "a: 1") == ("text", "a: 2")


def test_a_text_of_aliases_of_aliases_costs_nothing() -> None:
    lines = [
        "a0: &a0 [x]",
        *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)),
    ]
    base = "\n".join([*lines, "z: 1", ""])
    assert merge(base, base.replace("z: 1", "z: 2"), "y: 1\n" + base, "yaml").outcome in {
        "text",
        "conflict",
    }


def test_nesting_at_the_limit() -> None:
    def nested(value: str, levels: int) -> str:
        return "[" * levels + value + "]" * levels + "\n"

    assert merge(
        nested("1, 2", 200), nested("1, 3", 200), nested("4, 2", 200), "json"
    ).content == nested("4, 3", 200)
    assert (
        merge(nested("1, 2", 201), nested("1, 3", 201), nested("4, 2", 201), "json")
        .conflicts[0]
        .path
        is None
    )


def test_a_mapping_that_both_sides_make_merge_others_is_no_clean_merge() -> None:
    base = "a: &a {x: 1}\nb: &b {x: 2}\nr:\n  k: 1\n  l: 1\n  m: 1\n"
    theirs, mine = (
        base.replace("r:\n", "r:\n  <<: *a\n"),
        base.replace("m: 1\n", "m: 1\n  <<: *b\n"),
    )
    assert merge(base, theirs, mine, "yaml").outcome == "conflict"
