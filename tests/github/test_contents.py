"""Fetching many blobs."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing
from typing import Protocol

import pytest

from benchmark_manager.domain.git_objects import blob_id
from benchmark_manager.errors import GitHubError
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.contents import fetch_blobs
from github_test_server import Delay, FlippedByte, GitHubTestServer, Repository, Status


class Hub(Protocol):
    """The fixture's type; test folders are no packages."""

    server: GitHubTestServer

    def repository(self, token: str | None = None) -> RepositoryClient: ...


COUNT = 40


@pytest.fixture
def contents(repository: Repository) -> dict[str, bytes]:
    """Contents by blob id."""
    found = [f"number: {number}\n".encode() * (number + 1) for number in range(COUNT)]
    repository.commit({f"config/{number}.yaml": content for number, content in enumerate(found)})
    return {blob_id(content): content for content in found}


def sizes(contents: dict[str, bytes]) -> list[tuple[str, int]]:
    return [(sha, len(content)) for sha, content in contents.items()]


async def until_failure(hub: Hub, contents: dict[str, bytes]) -> tuple[dict[str, bytes], GitHubError]:
    """What came before the failure, and the failure."""
    got: dict[str, bytes] = {}

    async def fetch() -> None:
        async for sha, data in fetch_blobs(hub.repository(), sizes(contents)):
            got[sha] = data  # noqa: PERF403 -- a comprehension would lose what came before the failure

    with pytest.raises(GitHubError) as error:
        await fetch()
    return got, error.value


async def test_every_blob_comes_once_and_costs_exactly_one_request(hub: Hub, contents: dict[str, bytes]) -> None:
    got = [pair async for pair in fetch_blobs(hub.repository(), sizes(contents))]
    assert len(got) == COUNT
    assert dict(got) == contents
    assert sorted(r.path for r in hub.server.requests) == sorted(
        f"/repos/octo/demo/git/blobs/{sha}" for sha in contents
    )


async def test_nothing_wanted_asks_nothing(hub: Hub) -> None:
    assert [pair async for pair in fetch_blobs(hub.repository(), [])] == []
    assert len(hub.server.requests) == 0


async def test_at_most_ten_are_under_way(own_hub: Hub, contents: dict[str, bytes]) -> None:
    own_hub.server.latency = 0.03
    async for _ in fetch_blobs(own_hub.repository(), sizes(contents)):
        pass
    assert own_hub.server.requests.most_at_once == 10


async def test_the_list_of_wanted_blobs_is_read_no_faster_than_they_come(hub: Hub, contents: dict[str, bytes]) -> None:
    taken = []

    def wanted() -> Iterator[tuple[str, int]]:
        for pair in sizes(contents):
            taken.append(pair)
            yield pair

    async with aclosing(fetch_blobs(hub.repository(), wanted())) as blobs:
        await anext(blobs)
        assert len(taken) == 10


async def test_successes_are_yielded_before_the_first_failure_raises(hub: Hub, contents: dict[str, bytes]) -> None:
    failing = next(iter(contents))
    hub.server.faults.add(Status(403), path=failing, times=None)
    hub.server.faults.add(Delay(0.5), path=failing, times=None)
    got, error = await until_failure(hub, contents)
    assert error.code == "github_forbidden"
    assert set(got) == set(contents) - {failing}


async def test_one_wrong_blob_fails_after_its_tries_and_is_not_among_the_yielded(
    hub: Hub, contents: dict[str, bytes]
) -> None:
    wrong = list(contents)[5]
    hub.server.faults.add(FlippedByte(3), path=wrong, times=None)
    got, error = await until_failure(hub, contents)
    assert error.code == "github_unavailable"
    assert hub.server.requests.count(wrong) == 4
    assert got.items() <= contents.items()
    assert wrong not in got


async def test_closing_cancels_what_is_under_way(own_hub: Hub, contents: dict[str, bytes]) -> None:
    first, *others = contents
    for sha in others:
        own_hub.server.faults.add(Delay(30), path=sha, times=None)
    before = asyncio.all_tasks()
    begin = time.monotonic()
    async with aclosing(fetch_blobs(own_hub.repository(), sizes(contents))) as blobs:
        assert (await anext(blobs))[0] == first
    assert time.monotonic() - begin < 5
    assert asyncio.all_tasks() <= before
    assert len(own_hub.server.requests) <= 11


async def test_a_failure_cancels_the_rest(own_hub: Hub, contents: dict[str, bytes]) -> None:
    first, *others = contents
    own_hub.server.faults.add(Status(403), path=first, times=None)
    for sha in others:
        own_hub.server.faults.add(Delay(30), path=sha, times=None)
    before = asyncio.all_tasks()
    await until_failure(own_hub, contents)
    assert asyncio.all_tasks() <= before
    assert len(own_hub.server.requests) <= 10
