"""What each refusal of GitHub means, and what is sent after it."""

import pytest

from benchmark_manager.errors import (
    GitHubActionError,
    GitHubRateLimitedError,
)
from benchmark_manager.messages import detail
from benchmark_manager.models.project import Ref
from github_test_server import (
    Repository,
    Status,
)
from support.hub import Hub
from support.small_repository import TOKEN, refused

MAIN = Ref.of_branch("main")


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize(
    ("status", "code"),
    [
        *((401, "github_unauthorized"), (403, "github_forbidden"), (451, "github_forbidden")),
        *((404, "repository_not_found"), (409, "repository_empty"), (422, "branch_not_found")),
    ],
)
@pytest.mark.parametrize("branch", [None, "main"])
async def test_refusals_are_reported_at_once_by_their_code(
    hub: Hub, status: int, code: str, branch: str | None
) -> None:
    hub.server.faults.add(Status(status), path="/commits/" if status == 422 else "", times=None)
    error = await refused(
        hub.repository().head(None if branch is None else Ref.of_branch(branch), None)
    )
    assert isinstance(error, GitHubActionError)
    assert error.code == code
    assert hub.pauses == []


async def test_an_empty_repository_says_so(hub: Hub, repository: Repository) -> None:
    assert repository.is_empty()
    assert (await refused(hub.repository().head(None, None))).code == "repository_empty"
    assert (await refused(hub.repository().head(MAIN, None))).code == "repository_empty"


@pytest.mark.usefixtures("commit")
async def test_a_missing_branch_is_not_a_missing_repository(hub: Hub) -> None:
    assert (
        await refused(hub.repository().head(Ref.of_branch("nope"), None))
    ).code == "branch_not_found"
    assert (
        await refused(hub.repository(name="nope").head(MAIN, None))
    ).code == "repository_not_found"
    assert (
        await refused(hub.repository(name="nope").head(None, None))
    ).code == "repository_not_found"


@pytest.mark.usefixtures("commit")
async def test_a_private_repository_is_not_found_without_its_token(hub: Hub) -> None:
    hub.server.hosting.make_private("octo/demo", [TOKEN])
    hub.server.hosting.add_token("ghp_other")
    assert (await refused(hub.repository().head(None, None))).code == "repository_not_found"
    assert (
        await refused(hub.repository("ghp_other").head(None, None))
    ).code == "repository_not_found"
    assert (
        await refused(hub.repository("ghp_unknown").head(None, None))
    ).code == "github_unauthorized"
    assert await hub.repository(TOKEN).head(None, None) is not None


@pytest.mark.parametrize("status", [301, 401, 403, 404, 418, 429, 500])
@pytest.mark.usefixtures("commit")
async def test_no_error_repeats_the_token(hub: Hub, status: int) -> None:
    hub.server.faults.add(
        Status(status, {"message": "rate limit ghp_secret"}, {"Location": "//x"}), times=None
    )
    error = await refused(hub.repository("ghp_secret").head(MAIN, None))
    assert "ghp_secret" not in f"{error!r} {detail(error)} {error.__cause__!r}"


@pytest.mark.usefixtures("commit")
async def test_a_used_up_limit_is_reported_with_its_end_and_no_more_is_sent(hub: Hub) -> None:
    hub.server.limits.set(None, remaining=0, reset_in=600)
    error = await refused(hub.repository(urgent=True).head(None, None))
    assert isinstance(error, GitHubRateLimitedError)
    reset = hub.server.limits.of(None).reset_at
    assert error.retry_at is not None
    assert abs(error.retry_at.timestamp() - reset) < 2
    assert (
        await refused(hub.repository(urgent=True).head(None, None))
    ).code == "github_rate_limited"
    assert (len(hub.server.requests), hub.pauses) == (1, [])


@pytest.mark.usefixtures("commit")
@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("tells_when", [True, False])
async def test_a_secondary_limit_stops_this_credential_and_no_other(
    hub: Hub, status: int, tells_when: bool
) -> None:
    for token in (TOKEN, "ghp_other"):
        hub.server.hosting.add_token(token)
    hub.server.limits.secondary(TOKEN, retry_after=30, status=status, tells_when=tells_when)
    first = await refused(hub.repository(TOKEN).head(None, None))
    second = await refused(hub.repository(TOKEN, urgent=True).head(None, None))
    assert first.code == second.code == "github_rate_limited"
    assert first.retry_at == second.retry_at is not None
    assert len(hub.server.requests) == 1
    assert await hub.repository("ghp_other").head(None, None) is not None
    assert await hub.repository().head(None, None) is not None


@pytest.mark.usefixtures("commit")
async def test_the_last_tenth_is_for_urgent_syncs_only(hub: Hub) -> None:
    hub.server.hosting.add_token(TOKEN)
    hub.server.limits.set(TOKEN, limit=100, remaining=11)
    assert await hub.repository(TOKEN).head(None, None) is not None
    assert (await refused(hub.repository(TOKEN).head(None, None))).code == "github_rate_limited"
    assert len(hub.server.requests) == 1
    assert await hub.repository(TOKEN, urgent=True).head(None, None) is not None


async def test_a_secondary_limit_that_graphql_reports_with_status_200_stops_the_credential(
    hub: Hub, repository: Repository
) -> None:
    sha = repository.commit({"config/a.yaml": b"a: 1\n"})
    hub.server.hosting.add_token(TOKEN)
    refusal = {"errors": [{"message": "You have exceeded a secondary rate limit."}]}
    hub.server.faults.add(Status(200, refusal, {"Retry-After": "30"}), path="graphql$")
    with pytest.raises(GitHubRateLimitedError):
        await hub.repository(TOKEN).commit_with_folders(sha, ("config",))
    asked = len(hub.server.requests)
    with pytest.raises(GitHubRateLimitedError):
        await hub.repository(TOKEN, urgent=True).head(None, None)
    assert len(hub.server.requests) == asked == 1


@pytest.mark.parametrize("known", [True, False])
async def test_a_query_which_is_refused_for_the_limit_is_not_asked_again_by_others(
    hub: Hub, *, known: bool
) -> None:
    """Some servers refuse it with status 200, an error and no header."""
    hub.server.hosting.add_token(TOKEN)
    sha = "a" * 40
    if known:
        await hub.repository(TOKEN).commit_with_folders(sha, ())
    refusal = {
        "data": None,
        "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}],
    }
    silent = {"x-ratelimit-limit": "", "x-ratelimit-remaining": "", "x-ratelimit-reset": ""}
    hub.server.faults.add(Status(200, refusal, silent), path="graphql$", times=None)
    hub.server.requests.reset()
    errors = [await refused(hub.repository(TOKEN).commit_with_folders(sha, ())) for _ in range(2)]
    assert [type(error) for error in errors] == [GitHubRateLimitedError] * 2
    assert len(hub.server.requests) == 1
