"""Names and texts are compared regardless of case and Unicode form.

Positions lead back to the exact text.
"""

import time
from typing import Literal
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.text.folding import fold, position_in
from support.stalls import is_within

KOREAN = "설정"

Form = Literal["NFC", "NFD", "NFKC", "NFKD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD", "NFKC", "NFKD")
#: Letters, what joins them, compatibility forms and letters that change their length, close
#: together.
DENSE = st.text(
    st.sampled_from("aßﬁ\uff21가각각\u0301\u0327\u0345İ\u0131ŉΐᾳ㎆\uff76\uff9e㍿\n\r \u200d👩🏽")
)
WIDE = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        (normalize("NFD", KOREAN), KOREAN),
        (normalize("NFD", "café"), "CAFÉ"),
        ("\uff21\uff11.yaml", "a1.yaml"),
        ("ﬁnal.yaml", "FINAL.yaml"),
        ("straße.yaml", "STRASSE.yaml"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("\u212bngstrom", "ångstrom"),
        ("ｶﾞ", "ガ"),
    ],
)
def test_the_same_name_in_another_form_folds_to_the_same(stored: str, typed: str) -> None:
    assert fold(stored) == fold(typed)


@pytest.mark.parametrize(
    ("first", "second"), [("\u0131", "i"), ("İ", "i"), ("é", "e"), ("o", "0"), ("가", "각")]
)
def test_letters_which_differ_stay_different(first: str, second: str) -> None:
    assert fold(first) != fold(second)


@given(st.one_of(DENSE, WIDE), st.sampled_from(FORMS))
def test_no_unicode_form_changes_what_a_text_folds_to(text: str, form: Form) -> None:
    assert fold(normalize(form, text)) == fold(text)


@given(st.one_of(DENSE, WIDE))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.one_of(DENSE, WIDE), st.integers(0, 40))
def test_a_position_leads_to_the_letter_that_it_came_from(text: str, wanted: int) -> None:
    folded = fold(text)
    if not folded:
        return
    wanted = min(wanted, len(folded) - 1)
    at = position_in(text, wanted)
    assert len(fold(text[:at])) <= wanted
    assert fold(text[:at]) + fold(text[at:]) == folded


def test_positions_behind_many_blocks_are_exact() -> None:
    text = "가나다라" * 5000 + normalize("NFD", KOREAN)
    assert position_in(text, fold(text).index(KOREAN)) == 20_000


@pytest.mark.parametrize("marks", ["\u0301\u0327", "\uff9e\u0327", "\u0345\u0301"])
def test_a_run_of_marks_takes_no_quadratic_time(marks: str) -> None:
    fold("é" * 1000)
    began = time.process_time()
    fold("a" + marks * 100_000)
    assert is_within(time.process_time() - began, 2)
