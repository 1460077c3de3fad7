"""Which passwords are refused, and what is hashed of them."""

import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.access.passwords import check_password, password_bytes
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.messages import detail, words


def refusal(password: str, name: str = "kim") -> InvalidInputError:
    with pytest.raises(InvalidInputError) as refused:
        check_password(password, name)
    assert refused.value.code == "password_refused"
    return refused.value


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "V7#kq!mZ2xLp",
        "\uc0ac\uacfc\ub294 \ub9db\uc788\uace0 \ub611\ub611\ud574\uc694",
        "839201847562",
        "kim likes long walks",
        "zebra1234567890",
        "x" * 500 + "yzabc",
    ],
)
def test_a_password_is_accepted(password: str) -> None:
    check_password(password, "kim")


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "short"),
        ("V7#kq!mZ2xL", "short"),
        ("e\u0301" * 6, "short"),
        ("a" * 1025, "long"),
        ("1q2w3e4r5t6y", "common"),
        ("Unfortunately", "common"),
        ("unfortunately93!!", "common"),
        ("passwordpassword", "common"),
        ("123password1", "common"),
        ("password1234", "common"),
        ("aaaaaaaaaaaa", "common"),
        ("abababababab", "common"),
        ("abc1!abc1!abc1!", "common"),
        ("123456789012", "common"),
        ("qwertyuiopas", "common"),
        ("poiuytrewq0987654321"[::-1], "common"),
        ("\uff50\uff41\uff53\uff53word1234", "common"),
    ],
)
def test_a_password_is_refused(password: str, reason: str) -> None:
    assert refusal(password).reason == reason


@pytest.mark.parametrize(
    "password",
    ["kim min-jun kim", "Kim Min-Jun Kim", "kim min-jun kim2026!", "2026 kim min-jun kim"],
)
def test_a_password_is_not_the_name(password: str) -> None:
    assert refusal(password, "Kim Min-jun Kim").reason == "name"


def test_a_name_that_is_repeated_is_the_name() -> None:
    assert refusal("minjunkiminjunki"[:16], "minjunki").reason == "name"


@pytest.mark.parametrize("text", ["detail", "english", "korean"])
def test_no_refusal_repeats_the_password(text: str) -> None:
    error = refusal("unfortunately93!!")
    said = {"detail": detail(error), "english": words(error, "en"), "korean": words(error, "ko")}
    assert "unfortunately" not in said[text] + str(error) + repr(error)


def test_a_password_is_the_same_in_every_unicode_form() -> None:
    composed = "\uae40\ubbfc\uc900\uc758 \ube44\ubc00"
    assert password_bytes(unicodedata.normalize("NFD", composed)) == password_bytes(composed)


def test_case_and_spaces_count() -> None:
    assert len({password_bytes(text) for text in ("A b", "a b", "a  b", " a b")}) == 4


@given(st.text(st.characters(), max_size=40), st.text(max_size=20))
def test_every_text_is_accepted_or_refused(password: str, name: str) -> None:
    assert isinstance(password_bytes(password), bytes)
    with suppress(InvalidInputError):
        check_password(password, name)
