"""Addresses of issuers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.access.issuers import check_issuer
from benchmark_manager.errors import InvalidInputError


@pytest.mark.parametrize(
    "url",
    [
        "https://token.actions.githubusercontent.com",
        "https://kubernetes.default.svc.cluster.local",
        "https://login.example.com/realms/main/",
        "https://login.example.com:8443/a",
        "http://127.0.0.1:9000",
        "http://localhost:9000/realm",
        "http://[::1]:9000",
    ],
)
def test_an_issuer_is_kept_to_the_last_character(url: str) -> None:
    assert check_issuer(url) == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "form"),
        ("token.example.com", "form"),
        ("ftp://token.example.com", "form"),
        ("https://", "form"),
        ("https:///path", "form"),
        ("https://a b.example.com", "form"),
        ("https://example.com\n", "form"),
        ("https://ex\u00e4mple.com", "form"),
        ("https://example.com\\@evil.com", "form"),
        ("https://example.com:port", "form"),
        ("https://example.com:99999", "form"),
        ("https://[::1", "form"),
        ("https://kim@example.com", "credentials"),
        ("https://kim:secret@example.com", "credentials"),
        ("https://@example.com", "credentials"),
        ("https://example.com?tenant=1", "query"),
        ("https://example.com/?", "query"),
        ("https://example.com/#top", "query"),
        ("http://example.com", "plain"),
        ("http://10.0.0.1", "plain"),
        ("http://localhost.example.com", "plain"),
        ("http://127.0.0.1.example.com", "plain"),
        ("https://example.com/" + "a" * 500, "long"),
    ],
)
def test_an_issuer_is_refused(url: str, reason: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_issuer(url)
    assert (refused.value.code, refused.value.reason) == ("invalid_issuer", reason)


def test_a_refusal_does_not_repeat_the_address() -> None:
    with pytest.raises(InvalidInputError) as refused:
        check_issuer("https://kim:hunter2@example.com")
    assert "hunter2" not in str(refused.value)


@given(st.text(max_size=60))
def test_every_text_is_accepted_or_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        check_issuer(f"{text}?")
