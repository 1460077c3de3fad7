"""Several service processes on one database share the polls.

None twice, none left out, none lost with a process.
"""

import asyncio
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

import httpx2 as httpx
import pytest
from cryptography.fernet import Fernet

from github_test_server import GitHubTestServer, RecordedRequest, Repository
from support.process import service_process

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

PROJECTS = 50
INTERVAL = 10
#: What jitter (5 % of the interval) and ticks of a second leave of one.
SHORTEST = INTERVAL * 0.95 - 1.5
LEASE = 60


async def test_two_replicas_poll_each_project_once_an_interval_and_take_over_from_a_killed_one(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    for n in range(PROJECTS):
        repository = Repository.init(tmp_path / f"{n}.git")
        repository.commit({"config/a.yaml": b"n: %d\n" % n}, message="first")
        github.add(f"acme/{n}", repository, private_to=["reader"])
    github.limits.set("reader", limit=10**6, remaining=10**6)
    settings = {
        "mongo_url": database_url,
        "github_api_urls": github.url,
        "github_token": "reader",
        "secret_key": Fernet.generate_key().decode(),
    }
    polls: dict[str, list[float]] = defaultdict(list)
    async with (
        service_process(tmp_path, name="one", **settings) as one,
        service_process(tmp_path, name="two", **settings) as two,
    ):
        async with one.client() as http:
            await asyncio.gather(*(_create(http, n) for n in range(PROJECTS)))
        await asyncio.sleep(2 * INTERVAL)
        await _watch(github, polls, 120)
        gaps = _gaps(polls)
        count = sum(map(len, polls.values()))
        print(
            f"\n{len(polls)} projects, {count} polls in 120 s; "
            f"gaps {min(gaps):.1f} to {max(gaps):.1f} s"
        )
        assert len(polls) == PROJECTS
        assert min(gaps) >= SHORTEST
        assert max(gaps) <= INTERVAL * 1.05 + 2.5
        assert all(9 <= len(times) <= 15 for times in polls.values())
        shares = [log.output.count('"sync finished"') for log in (one, two)]
        print(f"shares of the two processes: {shares}")
        assert min(shares) > sum(shares) * 0.1
        one.kill()
        killed = time.monotonic()
        after: dict[str, list[float]] = defaultdict(list)
        await _watch(github, after, LEASE + 2 * INTERVAL)
        first = max(times[0] for times in after.values()) - killed
        print(f"after the kill, the last project was polled again after {first:.1f} s")
        assert len(after) == PROJECTS
        assert first <= LEASE + INTERVAL * 1.05 + 2.5
        assert two.process.poll() is None


async def _create(http: httpx.AsyncClient, n: int) -> None:
    body = {"name": str(n), "github_repo_url": f"acme/{n}", "polling_interval": INTERVAL}
    assert (await http.post("/projects", json=body)).status_code == 201


async def _watch(github: GitHubTestServer, polls: dict[str, list[float]], seconds: float) -> None:
    """Note when each project's head is asked for."""
    github.requests.reset()
    seen = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(0.05)
        requests: list[RecordedRequest] = list(github.requests)
        for request in requests[seen:]:
            if "/commits/" in request.path and "/git/" not in request.path:
                polls[request.path].append(time.monotonic())
        seen = len(requests)


def _gaps(polls: dict[str, list[float]]) -> list[float]:
    return [b - a for times in polls.values() for a, b in pairwise(times)]
