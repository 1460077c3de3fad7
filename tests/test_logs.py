"""Logs hold no secret of a request."""

import logging

import pytest

from benchmark_manager.logs import WithoutCredentials

PREVIEW = "/repositories/preview?github_repo_url="


@pytest.mark.parametrize(
    ("query", "logged"),
    [
        ("https://x:ghp_secret@github.com/a/b", "https://…@github.com/a/b"),
        (
            "https%3A%2F%2Fx%3Aghp_secret%40github.com%2Fa%2Fb",
            "https%3A%2F%2F…%40github.com%2Fa%2Fb",
        ),
        ("https%3a%2f%2fghp_secret%40github.com", "https%3a%2f%2f…%40github.com"),
        ("https://github.com/a/b", "https://github.com/a/b"),
        ("git@github.com:a/b", "git@github.com:a/b"),
    ],
    ids=["plain", "encoded", "a token alone", "without", "ssh"],
)
def test_an_access_log_has_no_credentials_of_addresses(query: str, logged: str) -> None:
    record = logging.makeLogRecord(
        {
            "msg": '%s - "%s %s HTTP/%s" %d',
            "args": ("127.0.0.1:1", "GET", PREVIEW + query, "1.1", 422),
        }
    )
    assert WithoutCredentials().filter(record)
    assert record.getMessage() == f'127.0.0.1:1 - "GET {PREVIEW}{logged} HTTP/1.1" 422'
