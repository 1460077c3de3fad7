"""Every fault as a client meets it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import httpx2
import pytest

from github_test_server import (
    CutBody,
    Delay,
    EmptyBody,
    FlippedByte,
    GitHubTestServer,
    HtmlPage,
    Redirect,
    Repository,
    ResetBefore,
    ResetMidBody,
    Stall,
    Status,
)
from support.waiting import GENEROUS, eventually

Git = Callable[..., str]

DEMO = "/repos/octo/demo"
RAW = {"Accept": "application/vnd.github.raw"}
#: The seconds of a client that gives up soon, but not before it is connected.
IMPATIENT = httpx2.Timeout(GENEROUS, read=0.05)


async def test_a_status_replaces_the_answer_and_keeps_the_limits(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.faults.add(Status(502, {"message": "Server Error"}, {"X-Extra": "1"}))
    answer = await client.get(DEMO)
    assert (answer.status_code, answer.json(), answer.headers["x-extra"]) == (
        502,
        {"message": "Server Error"},
        "1",
    )
    assert "x-ratelimit-remaining" in answer.headers
    assert "etag" not in answer.headers
    assert (await client.get(DEMO)).status_code == 200


async def test_a_body_may_be_text(client: httpx2.AsyncClient, server: GitHubTestServer) -> None:
    server.faults.add(Status(503, "busy"))
    assert (await client.get(DEMO)).text == "busy"


async def test_a_reset_in_mid_body_is_an_error_of_the_connection(
    client: httpx2.AsyncClient, server: GitHubTestServer, repository: Repository, git: Git
) -> None:
    content = b"x" * 1_000_000
    repository.commit({"large": content})
    server.faults.add(ResetMidBody())
    sha = git("rev-parse", "HEAD:large")
    async with client.stream("GET", f"{DEMO}/git/blobs/{sha}", headers=RAW) as answer:
        assert answer.headers["content-length"] == "1000000"
        with pytest.raises(httpx2.ReadError):
            await answer.aread()
        assert answer.num_bytes_downloaded == 500_000
    assert (server.requests[0].status, server.requests[0].bytes_sent) == (200, 500_000)


async def test_a_reset_before_the_answer_sends_nothing(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.faults.add(ResetBefore())
    with pytest.raises(httpx2.ReadError):
        await client.get(DEMO)
    assert (server.requests[0].status, server.requests[0].bytes_sent) == (None, 0)
    assert (await client.get(DEMO)).status_code == 200


async def test_cut_json_comes_in_a_whole_response(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.faults.add(CutBody())
    answer = await client.get(DEMO)
    assert (answer.status_code, answer.headers["content-length"]) == (200, str(len(answer.content)))
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_html_comes_instead_of_json(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.faults.add(HtmlPage())
    answer = await client.get(DEMO)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert answer.content.startswith(b"<!DOCTYPE html>")


async def test_a_body_may_be_missing(client: httpx2.AsyncClient, server: GitHubTestServer) -> None:
    server.faults.add(EmptyBody())
    answer = await client.get(DEMO)
    assert (answer.status_code, answer.content) == (200, b"")


async def test_one_byte_may_be_wrong(
    client: httpx2.AsyncClient, server: GitHubTestServer, git: Git
) -> None:
    server.faults.add(FlippedByte(-1), path="/git/blobs/")
    answer = await client.get(
        f"{DEMO}/git/blobs/{git('rev-parse', 'HEAD:config/a.yaml')}", headers=RAW
    )
    assert answer.content == b"a: 1\x0b"


async def test_an_answer_may_come_late(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.faults.add(Delay(0.1))
    started = time.perf_counter()
    assert (await client.get(DEMO)).status_code == 200
    assert time.perf_counter() - started >= 0.1


async def test_all_answers_may_be_slow(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.latency = 0.1
    started = time.perf_counter()
    await asyncio.gather(*(client.get(DEMO) for _ in range(5)))
    assert time.perf_counter() - started >= 0.1


async def test_a_client_which_gives_up_still_counts(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.faults.add(Delay(30))
    with pytest.raises(httpx2.ReadTimeout):
        await client.get(DEMO, timeout=IMPATIENT)
    await eventually(lambda: server.requests.count() == 1, "the request does not arrive")


async def test_a_client_which_left_cannot_be_reset(
    client: httpx2.AsyncClient, server: GitHubTestServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.faults.add(Delay(0.1))
    server.faults.add(ResetBefore())
    with pytest.raises(httpx2.ReadTimeout):
        await client.get(DEMO, timeout=IMPATIENT)
    await eventually(
        lambda: [record.finished for record in server.requests] == [True],
        "the answer is still under way",
    )
    assert (await client.get(DEMO)).status_code == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_body_may_stall_in_the_middle(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.faults.add(Stall(0.2), times=2)
    whole = await client.get(DEMO)
    assert whole.json()["full_name"] == "octo/demo"
    with pytest.raises(httpx2.ReadTimeout):
        await client.get(DEMO, timeout=IMPATIENT)


async def test_a_redirect_leads_anywhere(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.faults.add(Redirect("http://elsewhere.invalid/x", 307))
    answer = await client.get(DEMO)
    assert (answer.status_code, answer.headers["location"]) == (307, "http://elsewhere.invalid/x")


async def test_an_archive_may_be_cut_off(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    server.faults.add(ResetMidBody(), path="^/codeload/")
    with pytest.raises(httpx2.ReadError):
        await client.get(f"{DEMO}/tarball/main", follow_redirects=True)


async def test_a_fault_strikes_the_requests_it_is_for(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    planned = server.faults.add(Status(500), path="/commits/", method="GET", nth=2, times=2)
    statuses = [
        (await client.get(f"{DEMO}{path}")).status_code for path in ["", *["/commits/main"] * 4]
    ]
    assert statuses == [200, 200, 500, 500, 200]
    assert planned.fired == 2


async def test_a_fault_may_last_until_it_is_removed(
    client: httpx2.AsyncClient, server: GitHubTestServer
) -> None:
    planned = server.faults.add(
        Status(500), times=None, where=lambda request: "x-bad" in request.headers
    )
    statuses = [(await client.get(DEMO, headers={"X-Bad": "1"})).status_code for _ in range(3)]
    assert statuses == [500] * 3
    assert (await client.get(DEMO)).status_code == 200
    server.faults.remove(planned)
    assert (await client.get(DEMO, headers={"X-Bad": "1"})).status_code == 200


async def test_faults_add_up(client: httpx2.AsyncClient, server: GitHubTestServer) -> None:
    server.faults.add(Delay(0.1))
    server.faults.add(Status(504))
    started = time.perf_counter()
    assert (await client.get(DEMO)).status_code == 504
    assert time.perf_counter() - started >= 0.1
