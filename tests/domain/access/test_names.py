"""Names of accounts, groups and tokens."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.access.names import (
    LONGEST_ACCOUNT_NAME,
    MOST_GROUPS,
    account_key,
    check_account_name,
    check_group_name,
    check_label,
    groups_of,
    name_on_record,
)
from benchmark_manager.errors import InvalidInputError

HANGUL = "\uae40\ubbfc\uc900"


def reason_of_account(name: str) -> str:
    with pytest.raises(InvalidInputError) as refused:
        check_account_name(name)
    assert (refused.value.code, refused.value.field) == ("invalid_account_name", "account_name")
    return refused.value.reason


@pytest.mark.parametrize(
    "name",
    ["kim", "Kim Min-jun", HANGUL, "o'neil@example.com", "J\u00f6rg", "\u0418\u0432\u0430\u043d"],
)
def test_a_name_is_accepted_as_it_is(name: str) -> None:
    assert check_account_name(name) == name


@pytest.mark.parametrize(
    ("name", "stored"),
    [("  kim\n", "kim"), (unicodedata.normalize("NFD", HANGUL), HANGUL)],
    ids=["space around it", "decomposed"],
)
def test_a_name_is_stored_in_one_form(name: str, stored: str) -> None:
    assert check_account_name(name) == stored


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("a" * 101, "long"),
        ("a" * 1_000_000, "long"),
        ("ki\nm", "characters"),
        ("ki\x00m", "characters"),
        ("kim\u202egnp", "characters"),
        ("kim\u2066x", "characters"),
        ("ki\u200bm", "characters"),
        ("ki\u00adm", "characters"),
        ("ki\u3164m", "characters"),
        ("ki\ufe0fm", "characters"),
        ("ki\u00a0m", "characters"),
        ("ki  m", "characters"),
        ("ki\ud800m", "characters"),
        ("ki\ue000m", "characters"),
        ("\u0430dmin", "alphabets"),
        ("adm\u0131n \u03bf", "alphabets"),
        ("poll", "reserved"),
        ("Anonymous", "reserved"),
        ("\uff57ebhook", "reserved"),
    ],
)
def test_a_name_is_refused(name: str, reason: str) -> None:
    assert reason_of_account(name) == reason


def test_a_refusal_names_the_limit_and_not_the_name() -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_account_name("a" * 101)
    assert refused.value.facts == {"field": "account_name", "limit": LONGEST_ACCOUNT_NAME}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kim", "KIM"),
        ("kim", "\uff2b\uff49\uff4d"),
        ("stra\u00dfe", "STRASSE"),
        (HANGUL, unicodedata.normalize("NFD", HANGUL)),
        ("\ufb01n", "fin"),
    ],
)
def test_names_that_look_the_same_are_the_same(one: str, other: str) -> None:
    assert account_key(one) == account_key(other)


def accepted(check: str) -> str | None:
    try:
        return check_account_name(check)
    except InvalidInputError:
        return None


@given(st.text(max_size=120))
def test_an_accepted_name_is_accepted_again_and_unchanged(text: str) -> None:
    name = accepted(text)
    assert name is None or accepted(name) == name


@given(st.text(max_size=30))
def test_an_accepted_name_shows_something_and_reorders_nothing(text: str) -> None:
    name = accepted(text)
    assert name is None or (name.strip() == name != "" and name.isprintable())


@pytest.mark.parametrize("name", ["acme", "acme/infra team", "Acme", "/realm/ops"])
def test_a_group_keeps_its_case(name: str) -> None:
    assert check_group_name(name) == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [("", "empty"), ("a" * 201, "long"), ("a,b", "comma"), ("a\u202eb", "characters")],
)
def test_a_group_is_refused(name: str, reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_group_name(name)
    assert (refused.value.code, refused.value.reason) == ("invalid_group_name", reason)


def test_groups_of_an_issuer_are_sorted_and_without_what_is_none() -> None:
    claims = ["ops", " dev ", "ops", "", "a,b", 7, None, {"name": "x"}]
    assert groups_of(claims) == ("dev", "ops")


def test_an_issuer_cannot_fill_an_account_with_groups() -> None:
    assert len(groups_of(f"group-{number}" for number in range(2000))) == MOST_GROUPS


@pytest.mark.parametrize(
    ("label", "reason"), [("", "empty"), ("a" * 101, "long"), ("a\tb", "characters")]
)
def test_a_label_is_refused(label: str, reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_label(label)
    assert (refused.value.code, refused.value.reason) == ("invalid_label", reason)


def test_a_label_is_trimmed() -> None:
    assert check_label(" nightly run ") == "nightly run"


@pytest.mark.parametrize(
    ("claimed", "otherwise", "name"),
    [
        ("Kim Min-jun", "42", "Kim Min-jun"),
        ("Kim\u202e \n Min", "42", "Kim Min"),
        ("\u200b\u3164", "42", "42"),
        ("", "\u200b", "unnamed"),
        ("a" * 500, "42", "a" * 100),
        ("poll", "42", "poll (person)"),
        ("\uff21nonymous", "42", "\uff21nonymous (person)"),
        ("", "service", "service (person)"),
        ("polly", "42", "polly"),
    ],
    ids=[
        *("as it is", "what is visible", "the subject", "neither", "cut"),
        *("the service's", "alike", "a reserved subject", "almost"),
    ],
)
def test_an_issuer_s_account_has_a_name_on_record(claimed: str, otherwise: str, name: str) -> None:
    assert name_on_record(claimed, otherwise) == name


@given(st.text(max_size=150), st.text(max_size=20))
def test_a_name_on_record_is_a_visible_line(claimed: str, otherwise: str) -> None:
    name = name_on_record(claimed, otherwise)
    assert name.isprintable()
    assert 1 <= len(name.strip()) <= LONGEST_ACCOUNT_NAME
