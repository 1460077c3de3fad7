"""Tokens, private and renamed repositories, conditional requests and rate limits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from github_test_server import GitHubTestServer, Repository
from support.clocks import SetClock
from support.waiting import GENEROUS

Git = Callable[..., str]

DEMO = "/repos/octo/demo"
SECRET = {"Authorization": "Bearer secret"}
OTHER = {"Authorization": "token other"}


@pytest.fixture(autouse=True)
def tokens(server: GitHubTestServer) -> None:
    server.hosting.add_token("secret", login="mona")
    server.hosting.add_token("other")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def timed(
    clock: SetClock, repository: Repository
) -> AsyncIterator[tuple[GitHubTestServer, httpx2.AsyncClient]]:
    async with (
        GitHubTestServer(clock=clock) as server,
        httpx2.AsyncClient(base_url=server.url, headers=SECRET, timeout=GENEROUS) as client,
    ):
        server.add("octo/demo", repository, private_to=["secret"])
        server.hosting.add_token("secret", login="mona")
        yield server, client


async def test_a_private_repository_is_there_only_for_its_tokens(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.hosting.make_private("octo/demo", ["secret"])
    assert (await client.get(DEMO, headers=SECRET)).json()["private"] is True
    assert (await client.get(DEMO, headers=OTHER)).status_code == 404
    assert (await client.get(DEMO)).status_code == 404
    server.hosting.make_public("octo/demo")
    assert (await client.get(DEMO)).status_code == 200


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Basic c2VjcmV0", "secret", "Bearer"])
async def test_unknown_credentials_are_401_even_for_public_repositories(
    client: httpx2.AsyncClient, authorization: str
) -> None:
    answer = await client.get(DEMO, headers={"Authorization": authorization})
    assert (answer.status_code, answer.json()["message"]) == (401, "Bad credentials")


async def test_a_token_can_be_revoked_while_the_server_runs(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    assert (await client.get(DEMO, headers=SECRET)).status_code == 200
    server.hosting.revoke_token("secret")
    assert (await client.get(DEMO, headers=SECRET)).status_code == 401


async def test_a_token_identifies_its_user(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/user", headers=SECRET)).json()["login"] == "mona"
    assert (await client.get("/user")).status_code == 401


async def test_a_request_without_a_user_agent_is_forbidden(client: httpx2.AsyncClient) -> None:
    del client.headers["User-Agent"]
    answer = await client.get(DEMO)
    assert answer.status_code == 403
    assert "User-Agent" in answer.json()["message"]


async def test_names_compare_regardless_of_case(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/repos/OCTO/Demo")).json()["full_name"] == "octo/demo"


async def test_a_renamed_repository_answers_301_to_its_id(
    client: httpx2.AsyncClient, server: GitHubTestServer, git: Git
) -> None:
    server.rename("octo/demo", "octo/renamed")
    answer = await client.get(f"{DEMO}/git/trees/feature%2Fx?recursive=1")
    identifier = server.hosting["octo/renamed"].id
    expected = f"{server.url}/repositories/{identifier}/git/trees/feature%2Fx?recursive=1"
    assert (answer.status_code, answer.headers["location"]) == (301, expected)
    assert (answer.json()["message"], answer.json()["url"]) == ("Moved Permanently", expected)
    followed = await client.get(f"{DEMO}/commits/main", follow_redirects=True)
    assert followed.json()["sha"] == git("rev-parse", "main")
    assert (await client.get(DEMO, follow_redirects=True)).json()["full_name"] == "octo/renamed"
    server.rename("octo/renamed", "octo/demo")


async def test_a_rename_is_hidden_from_those_who_may_not_see_it(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.hosting.make_private("octo/demo", ["secret"])
    server.rename("octo/demo", "octo/renamed")
    assert (await client.get(DEMO, headers=OTHER)).status_code == 404
    assert (await client.get(DEMO, headers=SECRET)).status_code == 301
    server.rename("octo/renamed", "octo/demo")


async def test_an_etag_holds_for_its_token_alone(client: httpx2.AsyncClient) -> None:
    etag = (await client.get(DEMO, headers=SECRET)).headers["etag"]
    assert etag.startswith('W/"')
    held = {"If-None-Match": etag}
    assert (await client.get(DEMO, headers=SECRET | held)).status_code == 304
    assert (await client.get(DEMO, headers=OTHER | held)).status_code == 200


async def test_every_answer_reports_the_rate_limit(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.limits.set("secret", limit=10, remaining=4)
    answer = await client.get("/nothing", headers=SECRET)
    reported = {
        name: answer.headers[f"x-ratelimit-{name}"]
        for name in ["limit", "remaining", "used", "resource"]
    }
    assert reported == {"limit": "10", "remaining": "3", "used": "7", "resource": "core"}
    assert {"x-github-request-id", "x-github-media-type", "date", "x-ratelimit-reset"} <= set(
        answer.headers
    )
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_304_is_free_with_a_token(
    client: httpx2.AsyncClient, server: GitHubTestServer, git: Git
) -> None:
    held = {
        "Accept": "application/vnd.github.sha",
        "If-None-Match": f'"{git("rev-parse", "main")}"',
    }
    before = server.limits.of("secret").remaining
    answers = [await client.get(f"{DEMO}/commits/main", headers=SECRET | held) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {304}
    assert server.limits.of("secret").remaining == before
    assert server.requests.points == 0


async def test_a_304_costs_a_point_without_a_token(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    etag = (await client.get(DEMO)).headers["etag"]
    server.requests.reset()
    assert (await client.get(DEMO, headers={"If-None-Match": etag})).status_code == 304
    assert server.requests.points == 1
    server.limits.free_304_without_token = True
    assert (await client.get(DEMO, headers={"If-None-Match": etag})).status_code == 304
    assert server.requests.points == 1


async def test_asking_for_the_rate_limit_is_free(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.limits.set("secret", limit=10, remaining=0)
    answer = await client.get("/rate_limit", headers=SECRET)
    assert answer.json()["rate"]["remaining"] == 0
    assert server.requests.points == 0


async def test_sixty_requests_an_hour_without_a_token(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    statuses = [(await client.get("/")).status_code for _ in range(61)]
    assert statuses == [200] * 60 + [403]
    assert (await client.get("/", headers=SECRET)).headers["x-ratelimit-limit"] == "5000"
    assert server.requests.points == 61


async def test_an_exhausted_limit_is_403_until_its_reset(
    timed: tuple[GitHubTestServer, httpx2.AsyncClient], clock: SetClock
) -> None:
    server, client = timed
    server.limits.set("secret", remaining=1, reset_in=30)
    assert (await client.get(DEMO)).status_code == 200
    refused = await client.get(DEMO)
    assert refused.status_code == 403
    assert refused.json()["message"].startswith("API rate limit exceeded for user mona.")
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert refused.headers["x-ratelimit-reset"] == str(int(clock.now) + 30)
    clock.now += 30
    assert (await client.get(DEMO)).headers["x-ratelimit-remaining"] == "4999"


@pytest.mark.parametrize("status", [403, 429])
async def test_a_secondary_limit_has_a_retry_after(
    timed: tuple[GitHubTestServer, httpx2.AsyncClient], clock: SetClock, status: int
) -> None:
    server, client = timed
    server.limits.secondary("secret", retry_after=7, status=status)
    clock.now += 2
    refused = await client.get(DEMO)
    assert (refused.status_code, refused.headers["retry-after"]) == (status, "5")
    assert refused.json()["message"].startswith("You have exceeded a secondary rate limit.")
    assert refused.headers["x-ratelimit-remaining"] == "5000"
    clock.now += 5
    assert (await client.get(DEMO)).status_code == 200


async def test_a_secondary_limit_may_have_no_retry_after(
    timed: tuple[GitHubTestServer, httpx2.AsyncClient],
) -> None:
    server, client = timed
    server.limits.secondary("secret", retry_after=7, tells_when=False)
    assert "retry-after" not in (await client.get(DEMO)).headers


async def test_no_token_stays_in_what_is_recorded(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    await client.get(f"{DEMO}/commits?per_page=1", headers=SECRET | {"X-Test": "1"})
    record = server.requests[0]
    assert (record.method, record.path, record.query) == ("GET", f"{DEMO}/commits", "per_page=1")
    assert (record.status, record.authorized, record.headers["x-test"]) == (200, True, "1")
    assert "secret" not in repr(record)
    assert "secret" not in repr(server.hosting.identify("Bearer secret", ""))
