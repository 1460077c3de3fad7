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
        ("a/b&github_token=ghp_secret&branch=b", "a/b&github_token=…&branch=b"),
        ("a/b&Git%48ub%5FTok%65n=ghp_secret", "a/b&Git%48ub%5FTok%65n=…"),
    ],
    ids=["plain", "encoded", "a token alone", "without", "ssh", "a parameter", "an encoded one"],
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


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/auth/oidc/callback?code=secret&state=other", "/auth/oidc/callback?…"),
        ("/prefix/auth/github/callback?code=secret", "/prefix/auth/github/callback?…"),
        ("/ui/set-up?token=secret", "/ui/set-up?…"),
        ("/auth/oidc?next=/ui", "/auth/oidc?next=/ui"),
    ],
    ids=["oidc", "github", "set-up", "without a secret"],
)
def test_an_access_log_has_no_secrets_of_signing_in(path: str, logged: str) -> None:
    record = logging.makeLogRecord(
        {"msg": '%s - "%s %s HTTP/%s" %d', "args": ("127.0.0.1:1", "GET", path, "1.1", 303)}
    )
    assert WithoutCredentials().filter(record)
    assert record.getMessage() == f'127.0.0.1:1 - "GET {logged} HTTP/1.1" 303'
