"""Starting, stopping and bearing load."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import httpx2
import pytest

from github_test_server import Delay, GitHubTestServer, Repository
from support.stopwatch import Stopwatch
from support.waiting import GENEROUS

Git = Callable[..., str]


async def test_it_comes_back_on_its_port(repository: Repository) -> None:
    server = GitHubTestServer()
    server.add("octo/demo", repository)
    async with server, httpx2.AsyncClient(timeout=GENEROUS) as client:
        url = f"{server.url}/repos/octo/demo"
        assert (await client.get(url)).status_code == 200
    async with httpx2.AsyncClient(timeout=GENEROUS) as client:
        with pytest.raises(httpx2.ConnectError):
            await client.get(url)
        async with server:
            assert (await client.get(url)).status_code == 200


async def test_it_stops_at_once_whatever_is_under_way(repository: Repository) -> None:
    async with httpx2.AsyncClient(timeout=GENEROUS) as client:
        with GitHubTestServer() as server:
            server.add("octo/demo", repository)
            server.faults.add(Delay(60))
            waiting = asyncio.create_task(client.get(f"{server.url}/repos/octo/demo"))
            await asyncio.to_thread(_await_request, server)
            with Stopwatch() as watch:
                server.stop()
            assert watch.seconds < 2
        with pytest.raises(httpx2.TransportError):
            await waiting


async def test_after_a_reset_no_request_of_before_is_recorded_or_under_way(
    server: GitHubTestServer,
) -> None:
    url = httpx2.URL(server.url)
    async with httpx2.AsyncClient(base_url=url, timeout=GENEROUS) as client:
        with server.held():
            waiting = asyncio.create_task(client.get("/repos/octo/demo"))
            await asyncio.to_thread(_await_request, server)
            with socket.create_connection((url.host, url.port or 0)) as late:
                late.sendall(b"GET /repos/octo/demo HTTP/1.1\r\nHost: x\r\nUser-Agent: x\r\n\r\n")
                server.reset()
        with pytest.raises(httpx2.TransportError):
            await waiting
        assert (len(server.requests), server.requests.most_at_once) == (0, 0)
        assert (await client.get("/repos/octo/demo")).status_code == 200
    assert (len(server.requests), server.requests.most_at_once) == (1, 1)


def _await_request(server: GitHubTestServer) -> None:
    while not len(server.requests):
        time.sleep(0.01)


def test_it_cannot_start_twice() -> None:
    with GitHubTestServer() as server, pytest.raises(RuntimeError, match="runs already"):
        server.start()


async def test_many_clients_get_their_own_blobs(
    client: httpx2.AsyncClient, server: GitHubTestServer, repository: Repository
) -> None:
    repository.commit({f"many/{number}": b"%d" % number for number in range(120)})
    tree = (await client.get("/repos/octo/demo/git/trees/main?recursive=1")).json()
    files = {
        entry["sha"]: entry["path"] for entry in tree["tree"] if entry["path"].startswith("many/")
    }
    server.limits.set(None, limit=1000)
    with Stopwatch() as watch:
        answers = await asyncio.gather(
            *(
                client.get(
                    f"/repos/octo/demo/git/blobs/{sha}",
                    headers={"Accept": "application/vnd.github.raw"},
                )
                for sha in files
            )
        )
    assert [answer.text for answer in answers] == [
        path.removeprefix("many/") for path in files.values()
    ]
    assert server.requests.count("/git/blobs/", status=200) == 120
    assert watch.seconds < 3


def test_it_can_be_started_by_hand(repository: Repository, git: Git) -> None:
    command = [
        sys.executable,
        "-m",
        "github_test_server",
        "--private",
        f"octo/demo={repository.path}",
    ]
    environment = os.environ | {"GITHUB_TEST_SERVER_TOKENS": "secret"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("GitHub test server: ").strip()
        headers = {"Authorization": "Bearer secret", "Accept": "application/vnd.github.sha"}
        answer = httpx2.get(
            f"{url}/repos/octo/demo/commits/HEAD", headers=headers, timeout=GENEROUS
        )
        refused = httpx2.get(f"{url}/repos/octo/demo/commits/HEAD", timeout=GENEROUS)
        process.terminate()
    assert (answer.text, refused.status_code) == (git("rev-parse", "HEAD"), 404)
