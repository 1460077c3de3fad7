"""Folding reports each thing once, and never leaves one out."""

from collections import Counter
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.events.change_folding import LISTED_AT_MOST, fold
from benchmark_manager.models.change import Change, ChangedNoun, ChangeVerb

_CHANGES = st.lists(
    st.builds(
        Change,
        noun=st.sampled_from(get_args(ChangedNoun)),
        project_id=st.sampled_from(["p", "q", None]),
        id=st.integers(0, 40).map(str) | st.none(),
        what=st.sampled_from(get_args(ChangeVerb)),
    ),
    max_size=120,
)


def _one(what: ChangeVerb, number: int = 1) -> Change:
    return Change(noun="modified_file", project_id="p", id=str(number), what=what)


def test_the_last_word_counts_but_a_new_thing_stays_new() -> None:
    assert fold([_one("changed"), _one("deleted")]) == [_one("deleted")]
    assert fold([_one("created"), _one("changed")]) == [_one("created")]
    assert fold([_one("created"), _one("deleted")]) == [_one("deleted")]
    assert fold([_one("deleted"), _one("restored")]) == [_one("restored")]


def test_a_finished_sync_makes_no_more_progress() -> None:
    assert fold([_one("progress"), _one("finished")]) == [_one("finished")]
    assert fold([_one("finished"), _one("progress")]) == [_one("finished")]


def test_things_come_in_the_order_of_their_last_changes() -> None:
    assert fold([_one("changed", 1), _one("changed", 2), _one("changed", 1)]) == [
        _one("changed", 2),
        _one("changed", 1),
    ]


def test_many_of_a_kind_are_one_without_an_id() -> None:
    several = Change(noun="modified_file", project_id="p", id=None, what="changed")
    assert len(fold([_one("deleted", n) for n in range(LISTED_AT_MOST)])) == LISTED_AT_MOST
    assert fold([_one("deleted", n) for n in range(LISTED_AT_MOST + 1)]) == [several]


@given(_CHANGES)
def test_nothing_is_left_out_and_nothing_reported_twice(changes: list[Change]) -> None:
    reported = fold(changes)
    keys = [(each.noun, each.project_id, each.id) for each in reported]
    assert len(keys) == len(set(keys))
    kinds = [(each, (each.noun, each.project_id)) for each in changes]
    assert [
        each for each, kind in kinds if (*kind, each.id) not in keys and (*kind, None) not in keys
    ] == []
    assert fold(reported) == reported
    assert max(Counter(key[:2] for key in keys).values(), default=0) <= LISTED_AT_MOST
