"""GitHub's protocol without I/O: limits, redirects and answers which make no sense."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark_manager.errors import GitHubActionError, GitHubUnavailableError
from benchmark_manager.github.protocol.answers import (
    CommitObject,
    GarbledAnswerError,
    RepositoryInfo,
    parse_json,
    parse_sha,
)
from benchmark_manager.github.protocol.headers import ACCEPT_SHA, request_headers
from benchmark_manager.github.protocol.limits import limited_until, rate_limit
from benchmark_manager.github.protocol.listings import TreeListing
from benchmark_manager.github.protocol.refusals import refusal
from benchmark_manager.github.protocol.urls import redirect_target, repository_path
from benchmark_manager.messages import detail
from benchmark_manager.models.project import RepositoryAddress

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
API = "https://api.github.com"
ENTERPRISE = "https://git.corp.example/api/v3"
SECONDARY = b'{"message": "You have exceeded a secondary rate limit."}'
DEMO = RepositoryAddress(api_url=API, owner="octo", name="demo")
SHA = "a" * 40


def primary(remaining: object, reset: object) -> dict[str, str]:
    return {
        "x-ratelimit-limit": "5000",
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(reset),
    }


def wait(status: int, headers: dict[str, str], body: bytes = b"") -> float | None:
    """Seconds until a refused request may be repeated."""
    until = limited_until(status, headers, body, NOW)
    return None if until is None else (until - NOW).total_seconds()


@pytest.mark.parametrize("status", [403, 429])
def test_retry_after_in_seconds_is_obeyed(status: int) -> None:
    assert wait(status, {"retry-after": "37"}) == 37
    assert wait(status, {"retry-after": " 37 "}) == 37


def test_retry_after_as_a_date_is_obeyed() -> None:
    later = NOW + timedelta(minutes=5)
    assert wait(403, {"retry-after": format_datetime(later, usegmt=True)}) == 300
    assert wait(403, {"retry-after": "Fri, 01 May 2026 12:05:00 -0000"}) == 300
    assert wait(403, {"retry-after": "Fri, 01 May 2026 14:05:00 +0200"}) == 300


def test_nothing_remaining_means_to_wait_for_the_reset() -> None:
    assert wait(403, primary(0, int(NOW.timestamp()) + 1800)) == 1800
    assert wait(429, primary(0, int(NOW.timestamp()) + 1800)) == 1800


def test_retry_after_comes_before_the_reset() -> None:
    assert wait(403, {**primary(0, int(NOW.timestamp()) + 1800), "retry-after": "5"}) == 5


def test_a_secondary_limit_without_a_time_means_a_minute() -> None:
    assert wait(403, primary(4000, int(NOW.timestamp()) + 1800), SECONDARY) == 60
    assert wait(403, {}, b'{"message": "You have triggered an abuse detection mechanism."}') == 60
    assert wait(429, {}) == 60


def test_a_refusal_for_another_reason_is_no_limit() -> None:
    assert (
        wait(
            403,
            primary(4000, int(NOW.timestamp()) + 1800),
            b'{"message": "Resource not accessible"}',
        )
        is None
    )
    assert wait(403, {}) is None


@pytest.mark.parametrize("status", [200, 304, 401, 404, 500, 503])
def test_only_403_and_429_report_limits(status: int) -> None:
    assert wait(status, {"retry-after": "60", **primary(0, 1)}, SECONDARY) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "0"}, 1),
        ({"retry-after": "999999999"}, 7200),
        ({"retry-after": "Fri, 01 Jan 1999 00:00:00 GMT"}, 1),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 7200),
        ({"retry-after": "99999999999999999999"}, 60),
        ({"retry-after": "-5"}, 60),
        ({"retry-after": "soon"}, 60),
        ({"retry-after": ""}, 60),
        ({"retry-after": "Fri, 01 May 2026 12:05:00 +99999999999999"}, 60),
        (primary(0, 0), 1),
        (primary(0, int(NOW.timestamp()) - 10_000), 1),
        (primary(0, 10**11), 7200),
        (primary(0, 10**30), 60),
        (primary(0, "never"), 60),
        (primary(0, "nan"), 60),
        (primary("none", 1), 60),
    ],
)
def test_absurd_times_neither_stop_a_project_nor_make_it_hammer(
    headers: dict[str, str], seconds: float
) -> None:
    assert wait(429, headers) == seconds


@given(st.text(), st.text(), st.text(), st.binary(max_size=50))
@example("Mon, 0 0 0 0", "1", "1", b"")
def test_whatever_the_headers_say_a_limit_is_a_time_between_a_second_and_two_hours(
    retry_after: str, remaining: str, reset: str, body: bytes
) -> None:
    seconds = wait(429, {"retry-after": retry_after, **primary(remaining, reset)}, body)
    assert seconds is not None
    assert 1 <= seconds <= 7200


def test_a_limit_which_makes_no_sense_is_none() -> None:
    assert rate_limit({}) is None
    assert rate_limit(primary("x", 1)) is None
    assert rate_limit(primary(1, 10**30)) is None
    known = rate_limit(primary(7, 1_777_777_777))
    assert known is not None
    assert (known.limit, known.remaining) == (5000, 7)


@pytest.mark.parametrize(
    ("location", "base", "target"),
    [
        (f"{API}/repositories/42", API, f"{API}/repositories/42"),
        ("/repositories/42?x=1", API, f"{API}/repositories/42?x=1"),
        ("https://API.GitHub.com/repositories/42", API, "https://API.GitHub.com/repositories/42"),
        (f"{ENTERPRISE}/repositories/42", ENTERPRISE, f"{ENTERPRISE}/repositories/42"),
        ("/api/v3/repositories/42", ENTERPRISE, f"{ENTERPRISE}/repositories/42"),
        ("other", ENTERPRISE, f"{ENTERPRISE}/repos/octo/other"),
    ],
)
def test_a_redirect_within_the_base_is_followed(location: str, base: str, target: str) -> None:
    assert redirect_target(location, f"{base}/repos/octo/demo", base) == target


@pytest.mark.parametrize(
    "location",
    [
        None,
        "",
        "http://git.corp.example/api/v3/x",
        "https://git.corp.example:8443/api/v3/x",
        "https://git.corp.example:443@evil.example/api/v3/x",
        "https://user@git.corp.example/api/v3/x",
        "https://git.corp.example.evil.example/api/v3/x",
        "https://evil.example/git.corp.example/api/v3/x",
        "https://git.corp.example\\@evil.example/api/v3/x",
        "https://git.corp.example\t.evil.example/api/v3/x",
        "//evil.example/api/v3/x",
        "///evil.example/api/v3/x",
        "https://git.corp.example/api/v3x/y",
        "https://git.corp.example/api/v2/y",
        "https://git.corp.example/login",
        "/login",
        "https://git.corp.example/api/v3/../../login",
        "https://git.corp.example/api/v3/%2e%2e/%2E%2E/login",
        "https://git.corp.example/api/v3/..\\..\\login",
        "../../../../../login",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://[",
        "https://git.corp.example:port/api/v3/x",
        "https://\u2100/api/v3",
    ],
)
def test_a_redirect_out_of_the_base_is_refused(location: str | None) -> None:
    with pytest.raises(GitHubUnavailableError) as refused:
        redirect_target(location, f"{ENTERPRISE}/repos/octo/demo", ENTERPRISE)
    assert "evil" not in detail(refused.value)


@pytest.mark.parametrize("shape", [TreeListing, CommitObject, RepositoryInfo])
@pytest.mark.parametrize(
    "body",
    [
        *(
            b"",
            b"null",
            b"[]",
            b"{}",
            b'"x"',
            b"\xff\xfe",
            b"<!DOCTYPE html><html></html>",
            b"[" * 100_000,
        ),
        *(b'{"sha": "' + SHA.encode(), b'{"sha": 1}', b'{"message": "Server Error"}', b"{}" * 2),
    ],
)
def test_garbage_is_refused_as_garbled(body: bytes, shape: type[TreeListing]) -> None:
    with pytest.raises(GarbledAnswerError):
        parse_json(body, shape)


@pytest.mark.parametrize(
    "entry",
    [
        *(
            '{"path": "a", "mode": "100644", "type": "blob"}',
            '{"path": 1, "mode": "100644", "type": "blob", "sha": "S"}',
        ),
        *(
            '{"path": "a", "mode": "100644", "type": "file", "sha": "S"}',
            '{"path": "a", "mode": "1", "sha": "S"}',
        ),
        '{"path": "a", "mode": "100644", "type": "blob", "sha": "SHORT"}',
        '{"path": "a", "mode": "100644", "type": "blob", "sha": "S", "size": "1"}',
    ],
)
def test_one_wrong_entry_spoils_a_listing(entry: str) -> None:
    body = f'{{"sha": "S", "truncated": false, "tree": [{entry}]}}'.replace('"S"', f'"{SHA}"')
    with pytest.raises(GarbledAnswerError):
        parse_json(body.encode(), TreeListing)


def test_a_listing_which_does_not_say_whether_it_is_whole_is_garbage() -> None:
    with pytest.raises(GarbledAnswerError, match="truncated"):
        parse_json(f'{{"sha": "{SHA}", "tree": []}}'.encode(), TreeListing)


def test_members_which_github_adds_do_no_harm() -> None:
    entry = (
        f'{{"path": "a", "mode": "100644", "type": "blob", "sha": "{SHA}", "size": 1, "new": {{}}}}'
    )
    tree = parse_json(
        f'{{"sha": "{SHA}", "tree": [{entry}], "truncated": false, "new": 1}}'.encode(), TreeListing
    )
    assert [(e.path, e.size) for e in tree.tree] == [("a", 1)]


@given(st.binary(max_size=60))
def test_only_40_hex_digits_are_a_commit_id(body: bytes) -> None:
    with pytest.raises(GarbledAnswerError):
        parse_sha(body)


def test_a_commit_id_may_end_in_a_newline() -> None:
    assert parse_sha(SHA.encode() + b"\n") == SHA


def test_a_server_without_the_sha_media_type_answers_with_json() -> None:
    assert parse_sha(b' {"sha": "%s", "commit": {}}' % SHA.encode()) == SHA
    with pytest.raises(GarbledAnswerError):
        parse_sha(b'{"sha": "main"}')


@pytest.mark.parametrize(
    "name", ["octo/demo/../evil", "octo", "octo/", "octo/de mo", "octo/demo\n", "", "octo//demo"]
)
def test_a_strange_repository_name_is_garbage(name: str) -> None:
    body = f'{{"full_name": "{name}", "default_branch": "main"}}'.encode()
    with pytest.raises(GarbledAnswerError):
        parse_json(body, RepositoryInfo)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((401, "github_unauthorized"), (403, "github_forbidden"), (451, "github_forbidden")),
        *((404, "repository_not_found"), (410, "repository_not_found"), (409, "repository_empty")),
    ],
)
def test_refusals_which_a_person_can_end(status: int, code: str) -> None:
    error = refusal(status, DEMO, with_token=True)
    assert isinstance(error, GitHubActionError)
    assert error.code == code


@pytest.mark.parametrize("status", [204, 303, 400, 402, 405, 418, 422])
def test_any_other_status_is_githubs_fault(status: int) -> None:
    assert isinstance(refusal(status, DEMO, with_token=True), GitHubUnavailableError)


def test_paths_escape_all_but_slashes() -> None:
    path = repository_path(DEMO, "commits", "feature/ä b?#%")
    assert path == "repos/octo/demo/commits/feature/%C3%A4%20b%3F%23%25"


def test_headers_hold_the_token_and_the_known_commit_only_where_there_are_any() -> None:
    with_all = {
        name.lower(): value for name, value in request_headers(ACCEPT_SHA, "ghp_x", SHA).items()
    }
    assert with_all["accept"] == "application/vnd.github.sha"
    assert with_all["authorization"].split(" ")[1] == "ghp_x"
    assert with_all["if-none-match"] == f'"{SHA}"'
    assert with_all["user-agent"].startswith("benchmark-manager/")
    assert not {"authorization", "if-none-match"} & {
        name.lower() for name in request_headers("x", None)
    }
