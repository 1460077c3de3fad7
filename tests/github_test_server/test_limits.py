"""Secondary limits as rules, and the log of requests in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from github_test_server import GitHubTestServer, Repository
from support.clocks import SetClock
from support.waiting import GENEROUS, eventually

DEMO = "/repos/octo/demo"
SECRET = {"Authorization": "Bearer secret"}
OTHER = {"Authorization": "Bearer other"}
QUERY = {"query": "{ viewer { login } }"}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def timed(clock: SetClock, repository: Repository) -> AsyncIterator[GitHubTestServer]:
    async with GitHubTestServer(clock=clock) as server:
        server.add("octo/demo", repository, private_to=["secret", "other"])
        yield server


@pytest.fixture
async def asking(timed: GitHubTestServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=timed.url, headers=SECRET, timeout=GENEROUS) as client:
        yield client


async def test_more_points_than_a_minute_has_meet_the_secondary_limit(
    timed: GitHubTestServer, asking: httpx2.AsyncClient, clock: SetClock
) -> None:
    timed.limits.points_per_minute = 3
    assert [(await asking.get(DEMO)).status_code for _ in range(2)] == [200, 200]
    clock.now += 20
    assert [(await asking.get(DEMO)).status_code for _ in range(2)] == [200, 403]
    refused = await asking.get(DEMO)
    assert refused.headers["retry-after"] == "40"
    assert refused.json()["message"].startswith("You have exceeded a secondary rate limit.")
    assert (await asking.get(DEMO, headers=OTHER)).status_code == 200
    clock.now += 40
    assert [(await asking.get(DEMO)).status_code for _ in range(3)] == [200, 200, 403]


async def test_a_304_is_free_of_the_primary_limit_alone(
    timed: GitHubTestServer, asking: httpx2.AsyncClient
) -> None:
    timed.limits.points_per_minute = 3
    held = {"If-None-Match": (await asking.get(DEMO)).headers["etag"]}
    assert [(await asking.get(DEMO, headers=held)).status_code for _ in range(3)] == [304, 304, 403]
    assert timed.requests.points == 1


async def test_what_is_no_reading_counts_five(
    timed: GitHubTestServer, asking: httpx2.AsyncClient
) -> None:
    timed.limits.points_per_minute = 6
    statuses = [(await asking.post(DEMO)).status_code, (await asking.get(DEMO)).status_code]
    assert [*statuses, (await asking.get(DEMO)).status_code] == [404, 200, 403]


async def test_graphql_has_a_minute_of_its_own(
    timed: GitHubTestServer, asking: httpx2.AsyncClient
) -> None:
    timed.limits.points_per_minute = 1
    timed.limits.graphql_points_per_minute = 2
    assert [(await asking.post("/graphql", json=QUERY)).status_code for _ in range(3)] == [
        200,
        200,
        403,
    ]
    assert [(await asking.get(DEMO)).status_code for _ in range(2)] == [200, 403]


async def test_asking_for_the_rate_limit_is_free_of_all_limits(
    timed: GitHubTestServer, asking: httpx2.AsyncClient
) -> None:
    timed.limits.points_per_minute = 0
    assert (await asking.get("/rate_limit")).status_code == 200
    assert (await asking.get(DEMO)).status_code == 403
    timed.reset()
    assert (await asking.get(DEMO)).status_code == 200


async def test_too_many_requests_at_once_meet_the_secondary_limit(
    timed: GitHubTestServer, asking: httpx2.AsyncClient
) -> None:
    timed.limits.requests_at_once = 3
    mine = [asking.get(DEMO) for _ in range(3)] + [
        asking.post("/graphql", json=QUERY) for _ in range(2)
    ]
    with timed.held():
        answering = asyncio.gather(*mine, asking.get(DEMO, headers=OTHER))
        await eventually(lambda: len(timed.requests) == 6, "not all requests arrive")
    answers = await answering
    assert sorted(answer.status_code for answer in answers[:5]) == [200, 200, 200, 403, 403]
    assert answers[5].status_code == 200
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 403} == {
        "1"
    }
    assert (await asking.get(DEMO)).status_code == 200


async def test_the_log_has_the_most_requests_in_a_minute(
    timed: GitHubTestServer, asking: httpx2.AsyncClient, clock: SetClock
) -> None:
    for seconds in [0, 0, 30, 29, 1, 59]:
        clock.now += seconds
        await asking.get(DEMO)
    await asking.post("/graphql", json=QUERY)
    requests = timed.requests
    assert (requests.most_in_a_minute(), requests.most_in_a_minute(resource="core")) == (4, 4)
    assert requests.most_in_a_minute("graphql$") == 1
    assert requests.most_in_a_minute(seconds=30) == 2
    assert requests.most_in_a_minute("nothing") == 0
    assert [record.arrived for record in requests][:3] == [
        clock.now - 119,
        clock.now - 119,
        clock.now - 89,
    ]


async def test_requests_are_counted_by_resource_and_account(
    timed: GitHubTestServer, asking: httpx2.AsyncClient
) -> None:
    await asking.get(DEMO)
    await asking.get("/rate_limit")
    await asking.post("/graphql", json=QUERY)
    await asking.get(DEMO, headers=OTHER)
    assert [record.resource for record in timed.requests] == ["core", None, "graphql", "core"]
    accounts = [record.account for record in timed.requests]
    assert (len(set(accounts[:3])), len(set(accounts))) == (1, 2)
    assert timed.requests.count(resource="core") == 2
