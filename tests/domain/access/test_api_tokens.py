"""The form of API tokens, and of other secrets."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.access.api_tokens import (
    api_token_hash,
    is_like_api_token,
    new_api_token,
    parse_api_token,
)
from benchmark_manager.domain.access.random_secrets import new_secret, secret_hash

ID = "65f0c0ffee65f0c0ffee65f0"
TOKEN = new_api_token(ID, bytes(range(32)))
IDS = st.text("0123456789abcdef", min_size=24, max_size=24)
SECRETS = st.binary(min_size=32, max_size=32)


@given(IDS, SECRETS)
def test_a_token_has_a_fixed_length_and_scanners_find_it(token_id: str, secret: bytes) -> None:
    token = new_api_token(token_id, secret)
    assert len(token) == 77
    assert re.fullmatch("bmt_[0-9a-f]{24}[0-9A-Za-z]{49}", token)


@given(IDS, SECRETS)
def test_a_token_names_its_id_and_its_hash(token_id: str, secret: bytes) -> None:
    token = new_api_token(token_id, secret)
    parsed = parse_api_token(token)
    assert parsed is not None
    assert (parsed.id, parsed.hash) == (token_id, api_token_hash(token))


@given(SECRETS, SECRETS)
def test_different_secrets_give_different_tokens(one: bytes, other: bytes) -> None:
    assert (new_api_token(ID, one) == new_api_token(ID, other)) == (one == other)


@given(st.integers(4, 76), st.sampled_from("0123456789abcdefXYZ_-.\u00e9"))
def test_one_wrong_character_is_found_by_the_checksum(position: int, char: str) -> None:
    wrong = TOKEN[:position] + char + TOKEN[position + 1 :]
    assert wrong == TOKEN or parse_api_token(wrong) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "bmt_", TOKEN[:-1], f"{TOKEN}0", f" {TOKEN}", f"{TOKEN}\n", TOKEN.upper()),
        *("ghp_" + TOKEN[4:], "\uff42mt_" + TOKEN[4:], "bmt_" + "\u0661" * 73, "a" * 1_000_000),
    ],
    ids=range(11),
)
def test_what_the_service_never_made_is_no_token(text: str) -> None:
    assert parse_api_token(text) is None


@given(st.text(max_size=100))
def test_no_text_makes_parsing_fail(text: str) -> None:
    assert parse_api_token(text) is None


def test_what_is_parsed_does_not_show_the_hash() -> None:
    assert api_token_hash(TOKEN) not in repr(parse_api_token(TOKEN))


@pytest.mark.parametrize(("text", "is_like"), [(TOKEN, True), ("bmt_x", True), ("eyJhbGci", False)])
def test_a_credential_that_is_meant_as_a_token_is_known_by_its_beginning(
    text: str, is_like: bool
) -> None:
    assert is_like_api_token(text) is is_like


@given(SECRETS)
def test_a_secret_has_all_of_the_random_bytes(random: bytes) -> None:
    secret = new_secret(lambda count: random[:count])
    assert re.fullmatch("[A-Za-z0-9_-]{43}", secret)
    assert secret_hash(secret) is not None


def test_a_secret_asks_for_256_bits() -> None:
    asked: list[int] = []

    def random(count: int) -> bytes:
        asked.append(count)
        return bytes(count)

    new_secret(random)
    assert asked == [32]


@given(SECRETS, SECRETS)
def test_different_secrets_have_different_hashes(one: bytes, other: bytes) -> None:
    hashes = {
        secret_hash(new_secret(dict.fromkeys([32], each).__getitem__)) for each in (one, other)
    }
    assert len(hashes) == len({one, other})


@pytest.mark.parametrize(
    "text", ["", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "\n", "\u00e9" * 43]
)
def test_what_is_no_secret_has_no_hash(text: str) -> None:
    assert secret_hash(text) is None
