"""Merges of lists: which items are the same, and which changes of them are conflicts."""

import pytest

from benchmark_manager.domain.merge import merge
from support.merges import conflicts_of, outcome_of


def test_items_are_found_by_name() -> None:
    base = "containers:\n- name: a\n  image: 1\n- name: b\n  image: 1\n"
    theirs = "containers:\n- name: b\n  image: 1\n- name: new\n  image: 1\n- name: a\n  image: 1\n"
    mine = "containers:\n- name: a\n  image: 1\n- name: b\n  image: 2\n- name: mine\n  image: 3\n"
    assert outcome_of(base, theirs, mine) == (
        "keys",
        theirs.replace(
            "- name: b\n  image: 1\n", "- name: b\n  image: 2\n- name: mine\n  image: 3\n"
        ),
    )


_ITEMS = "l:\n- name: a\n  v: 1\n- name: b\n  v: 1\n"


def test_an_item_which_got_another_name_is_the_same_item() -> None:
    theirs = "l:\n  # about a\n  - name: a  # why\n    v: 2\n  - name: b\n    v: 1\n"
    assert outcome_of(_ITEMS, theirs, _ITEMS.replace("name: a", "name: z")) == (
        "keys",
        theirs.replace("name: a", "name: z"),
    )
    assert outcome_of(_ITEMS, _ITEMS.replace("name: b", "name: z"), _ITEMS[:-2] + "2\n") == (
        "keys",
        "l:\n- name: a\n  v: 1\n- name: z\n  v: 2\n",
    )


def test_an_item_which_one_renamed_and_the_other_removed_is_a_conflict() -> None:
    renamed, removed = (
        _ITEMS.replace("name: b", "name: z"),
        _ITEMS.replace("- name: b\n  v: 1\n", ""),
    )
    assert [(c.path, c.absent) for c in conflicts_of(_ITEMS, removed, renamed)] == [
        ("l[name=b]", ("theirs",))
    ]
    assert [(c.path, c.absent) for c in conflicts_of(_ITEMS, renamed, removed)] == [
        ("l[name=b]", ("mine",))
    ]


def test_an_item_which_both_renamed_differently_is_a_conflict() -> None:
    theirs, mine = _ITEMS.replace("name: b", "name: z"), _ITEMS.replace("name: b", "name: y")
    assert [c.path for c in conflicts_of(_ITEMS, theirs, mine)] == ["l[name=b].name"]
    assert [c.path for c in conflicts_of(_ITEMS, theirs, mine[:-2] + "5\n")] == ["l"]
    assert (
        outcome_of(_ITEMS, f"# up\n{theirs}", _ITEMS.replace("name: b", "name: 'z'"))[1]
        == f"# up\n{theirs}"
    )


def test_a_new_name_which_upstream_gave_to_another_item_is_a_conflict() -> None:
    mine = _ITEMS.replace("name: b", "name: z")
    assert [c.path for c in conflicts_of(_ITEMS, f"{_ITEMS}- name: z\n  v: 5\n", mine)] == [
        "l[name=z]"
    ]
    assert [c.path for c in conflicts_of(_ITEMS, _ITEMS.replace("name: a", "name: z"), mine)] == [
        "l"
    ]


def test_both_append_a_named_item() -> None:
    base = "env:\n  - name: A\n    value: '1'\n"
    theirs, mine = (
        f"{base}  - name: T\n    value: t\n",
        f"{base}  # mine\n  - name: M\n    value: m\n",
    )
    assert outcome_of(base, theirs, mine)[1] == (
        "env:\n  - name: A\n    value: '1'\n"
        "  # mine\n  - name: M\n    value: m\n  - name: T\n    value: t\n"
    )


@pytest.mark.parametrize(
    ("theirs", "mine"),
    [("2, 3, 4", "2, 1, 3, 4"), ("2, 3, 1, 4", "2, 1, 3, 4"), ("2, 3, 1, 4", "2, 3, 4")],
)
def test_an_item_which_one_moved_and_the_other_moved_or_removed_is_a_conflict(
    theirs: str, mine: str
) -> None:
    """By lines, as git does it, it would come out twice, or stay although one side took it away."""
    texts = [
        f"[{items}]".replace("[", "[\n ").replace(", ", ",\n ")
        for items in ("1, 2, 3, 4", theirs, mine)
    ]
    assert [c.path for c in conflicts_of(texts[0], texts[1], texts[2], "json")] == ["."]


def test_an_edit_never_lands_in_another_item_without_a_name() -> None:
    base = "l:\n- a: 1\n  b: 1\n- a: 2\n  b: 1\n"
    theirs = "l:\n- a: 2\n  b: 1\n- a: 3\n  b: 1\n"
    assert [c.path for c in conflicts_of(base, theirs, base.replace("b: 1", "b: 9", 1))] == ["l"]
    longer = base.replace("l:\n", "l:\n- a: 0\n  b: 1\n")
    assert merge(base, longer, base[:-2] + "9\n", "yaml").content == longer[:-2] + "9\n"


def test_items_without_a_name_are_the_same_by_a_key_of_their_own() -> None:
    base = "l:\n- task: x\n  n: 1\n- task: y\n  n: 1\n"
    merged = merge(
        base, base.replace("n: 1", "n: 2"), base.replace("task: y", "task: y\n  k: 3"), "yaml"
    )
    assert merged.content == "l:\n- task: x\n  n: 2\n- task: y\n  k: 3\n  n: 2\n"


def test_a_first_entry_behind_a_dash_goes_and_comes() -> None:
    base, theirs = "- a: 1\n  b: 2\n- c: 3\n", "- a: 1\n  b: 2\n- c: 4\n"
    assert outcome_of(base, theirs, "- b: 2\n- c: 3\n")[1] == "- b: 2\n- c: 4\n"
    assert outcome_of("- a\n- b\n", "- a\n- t\n", "- m\n- a\n- b\n")[1] == "- m\n- a\n- t\n"
