"""Stopping the service while it works."""

import asyncio
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2 as httpx
from cryptography.fernet import Fernet

from github_test_server import GitHubTestServer, Repository
from support.events import events_of
from support.process import service_process


async def test_a_sync_under_way_finishes_or_is_abandoned_whole_within_ten_seconds(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "b.git")
    repository.commit({f"config/{n}.yaml": b"n: %d\n" % n for n in range(200)}, message="first")
    github.add("acme/b", repository, private_to=["reader"])
    settings = {"mongo_url": database_url, "github_api_urls": github.url, "github_token": "reader"}
    github.latency = 2.5
    async with service_process(tmp_path, **settings) as service, service.client() as http:
        body = {"name": "b", "github_repo_url": "acme/b", "polling_interval": 0}
        project = (await http.post("/projects", json=body)).json()["id"]
        await asyncio.sleep(4)
        assert (await http.get(f"/projects/{project}")).json()["sync_status"] == "running"
        begin = time.monotonic()
        assert await asyncio.to_thread(service.terminate) == 0
        assert time.monotonic() - begin < 10
    github.latency = 0
    async with service_process(tmp_path, **settings) as service, service.client() as http:
        # The lease was given back, so nobody waits for it to run out.
        begin = time.monotonic()
        sync = (await http.post(f"/projects/{project}/sync")).json()
        assert time.monotonic() - begin < 10
        assert sync["synced_files"] == 200


async def test_a_new_project_and_a_queued_sync_are_done_by_the_service_itself(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "b.git")
    repository.commit({"config/a.yaml": b"a: 1\n"}, message="first")
    github.add("acme/b", repository, private_to=["reader"])
    settings = {"mongo_url": database_url, "github_api_urls": github.url, "github_token": "reader"}
    async with service_process(tmp_path, **settings) as service, service.client() as http:
        body = {"name": "b", "github_repo_url": "acme/b", "polling_interval": 0}
        project = (await http.post("/projects", json=body)).json()["id"]
        await _until(http, project, 1)
        assert (await http.get(f"/projects/{project}")).json()["next_poll_at"] is None
        queued = await http.post("/projects/sync-all")
        assert (queued.status_code, queued.json()) == (202, {"queued": [project]})
        syncs = await _until(http, project, 2)
        assert [(s["trigger"], s["status"]) for s in syncs] == [("manual", "unchanged"), ("poll", "success")]


async def test_open_event_streams_do_not_hold_up_a_stop(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    """They end whole, within a second; and a change of one process shows at a client of the other."""
    settings = {"mongo_url": database_url, "github_api_urls": github.url, "secret_key": Fernet.generate_key().decode()}
    async with (
        service_process(tmp_path, name="one", **settings) as one,
        service_process(tmp_path, name="two", **settings) as two,
        one.client() as http,
        two.client() as other,
        AsyncExitStack() as stack,
    ):
        streams = [await stack.enter_async_context(events_of(http)) for _ in range(20)]
        body = {"name": "b", "github_repo_url": "acme/b", "polling_interval": 0}
        begin = time.monotonic()
        project = (await other.post("/projects", json=body)).json()["id"]
        for stream in streams:
            await stream.until(("project", project, "created"))
        assert time.monotonic() - begin < 1
        stopping = asyncio.create_task(asyncio.to_thread(one.terminate))
        await asyncio.gather(*(stream.heard(lambda stream=stream: stream.ended, 1) for stream in streams))
        begin = time.monotonic()
        assert await stopping == 0
        # Waiting for clients would take 7.
        assert time.monotonic() - begin < 4
        assert not [stream for stream in streams if stream.failure]
        assert "Exception in ASGI" not in one.output
        assert "without completing" not in one.output


async def _until(http: httpx.AsyncClient, project: str, count: int) -> list[dict[str, object]]:
    """The project's syncs, as soon as there are `count`."""
    for _ in range(100):
        syncs: list[dict[str, object]] = (await http.get(f"/projects/{project}/syncs")).json()
        if len(syncs) >= count:
            return syncs
        await asyncio.sleep(0.1)
    raise AssertionError("no sync in 10 s")
