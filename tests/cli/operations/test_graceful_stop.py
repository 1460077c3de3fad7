"""Stopping the service while it works."""

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import time
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr

from benchmark_manager.cli.operations.process_end import LAST_RESORT
from benchmark_manager.stores.embedded.process import until
from github_test_server import GitHubTestServer, Repository
from support.events import events_of
from support.mongod import ReplicaSet, find_mongod, frozen
from support.process import ROOT, environment, service_process, start_program
from support.service import running_service
from support.stopwatch import Stopwatch
from support.waiting import GENEROUS, eventually

needs_mongod = pytest.mark.skipif(
    find_mongod() is None, reason="there is no mongod on this machine"
)


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
        await _until_running(http, project)
        with Stopwatch() as watch:
            assert await asyncio.to_thread(service.terminate) == 0
        assert watch.seconds < 10
    github.latency = 0
    token = SecretStr("reader")
    async with running_service(database_url, github, tmp_path, github_token=token) as other:
        # The lease was released, so that no process waits until it expires.
        with Stopwatch() as watch:
            sync = await other.sync(project)
        assert watch.seconds < 10
        assert sync["synced_files"] == 200


async def test_a_new_project_and_a_queued_sync_are_done_by_the_service_itself(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    repository = Repository.init(tmp_path / "b.git")
    repository.commit({"config/a.yaml": b"a: 1\n"}, message="first")
    github.add("acme/b", repository, private_to=["reader"])
    token = SecretStr("reader")
    async with running_service(
        database_url, github, tmp_path, github_token=token, polls=True
    ) as service:
        http = service.http
        project = (await service.project("acme/b"))["id"]
        await _until(http, project, 1)
        assert (await http.get(f"/projects/{project}")).json()["next_poll_at"] is None
        queued = await http.post("/projects/sync-all")
        assert (queued.status_code, queued.json()) == (202, {"queued": [project]})
        syncs = await _until(http, project, 2)
        assert [(s["trigger"], s["status"]) for s in syncs] == [
            ("manual", "unchanged"),
            ("poll", "success"),
        ]


async def test_open_event_streams_do_not_delay_a_stop(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    """They end within a second, and a change in one process reaches a client of the other."""
    key = Fernet.generate_key().decode()
    settings = {"mongo_url": database_url, "github_api_urls": github.url, "secret_key": key}
    async with (
        service_process(tmp_path, **settings) as one,
        running_service(database_url, github, tmp_path, secret_key=SecretStr(key)) as other,
        one.client() as http,
        AsyncExitStack() as stack,
    ):
        streams = [await stack.enter_async_context(events_of(http)) for _ in range(20)]
        with Stopwatch() as watch:
            project = (await other.project("acme/b"))["id"]
            for stream in streams:
                await stream.until(("project", project, "created"))
        assert watch.seconds < 1
        stopping = asyncio.create_task(asyncio.to_thread(one.terminate))
        with Stopwatch() as watch:
            await asyncio.gather(
                *(stream.heard(lambda stream=stream: stream.ended) for stream in streams)
            )
        assert watch.seconds < 1
        with Stopwatch() as watch:
            assert await stopping == 0
        # Waiting for clients would take 7.
        assert watch.seconds < 4
        assert not [stream for stream in streams if stream.failure]
        assert "Exception in ASGI" not in one.output
        assert "without completing" not in one.output


async def _until(http: httpx.AsyncClient, project: str, count: int) -> list[dict[str, object]]:
    """The project's syncs, as soon as there are `count`."""

    async def found() -> list[dict[str, object]] | None:
        syncs: list[dict[str, object]] = (await http.get(f"/projects/{project}/syncs")).json()
        return syncs if len(syncs) >= count else None

    return await eventually(found, "no sync begins")


@needs_mongod
async def test_a_frozen_database_and_an_open_request_do_not_delay_a_stop(
    github: GitHubTestServer, tmp_path: Path
) -> None:
    """Whatever hangs, the process ends with exit code 0 before Docker's 10 s are over."""
    repository = Repository.init(tmp_path / "b.git")
    repository.commit({"config/a.yaml": b"a: 1\n"}, message="first")
    github.add("acme/b", repository, private_to=["reader"])
    async with await ReplicaSet.start(tmp_path / "mongod") as replica_set:
        settings = {
            "mongo_url": replica_set.url,
            "github_api_urls": github.url,
            "github_token": "reader",
        }
        async with service_process(tmp_path, **settings) as service, service.client() as http:
            body = {"name": "b", "github_repo_url": "acme/b", "polling_interval": 10}
            project = (await http.post("/projects", json=body)).json()["id"]
            await _until(http, project, 1)
            github.latency = 15
            waiting = asyncio.create_task(http.post(f"/projects/{project}/sync"))
            await _until_running(http, project)
            unfinished = _unfinished_request(service.url)
            with frozen(replica_set):
                assert await asyncio.to_thread(service.terminate) == 0
                # By its log: a busy machine may take its time until it hears of the signal.
                assert time.time() - _shutting_down(service.output) < 9
            unfinished.close()
            await asyncio.gather(waiting, return_exceptions=True)
    github.latency = 0


async def test_a_stop_answers_a_request_whose_body_never_ends(
    database_url: str, tmp_path: Path
) -> None:
    async with service_process(tmp_path, mongo_url=database_url) as service:
        unfinished = _unfinished_request(service.url, b"Expect: 100-continue\r\n")
        assert b"100 Continue" in await asyncio.to_thread(unfinished.recv, 1_024), (
            "a request waits for the body"
        )
        assert await asyncio.to_thread(service.terminate) == 0
        answer = await asyncio.to_thread(unfinished.recv, 65_536)
        unfinished.close()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"service_stopping"' in answer
        assert "Traceback" not in service.output


async def test_a_process_whose_event_loop_hangs_is_ended_in_time(tmp_path: Path) -> None:
    """So is one that waits for a thread, or whose C code holds Python's lock."""
    ends = await asyncio.gather(*(_ends(hang, tmp_path) for hang in HANGS))
    assert [code for code, _ in ends] == [0, 0, 1]
    assert max(seconds for _, seconds in ends) < 10


#: Each hangs after the signal: the loop, a thread that is waited for at the end, and C code with
#: Python's lock. On a busy machine, the end of the others takes longer than a last resort may.
HANGS = {
    "import time; time.sleep(60)": GENEROUS,
    "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start()": GENEROUS,
    "import ctypes; ctypes.PyDLL(None).sleep(60)": LAST_RESORT,
}


async def _ends(hang: str, folder: Path) -> tuple[int, float]:
    """Exit code of a process that hangs at its end, and seconds that it took."""
    program = folder / f"hang{[*HANGS].index(hang)}.py"
    begin = (
        "from benchmark_manager.cli.operations.process_end import end_process_in_time as end\n"
        f"print('', flush=True)\nend(0.5, last_resort={HANGS[hang]})"
    )
    program.write_text(f"{begin}\n{hang}")
    with program.with_suffix(".out").open("wb") as out:
        process = start_program(folder, [str(program)], streams=(out.fileno(),) * 3)
        await eventually(lambda: program.with_suffix(".out").stat().st_size, "it does not begin")
        with Stopwatch() as watch:
            code = await asyncio.to_thread(process.wait)
        return code, watch.seconds


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="only root can make a PID namespace",
)
@pytest.mark.parametrize("started", [("main.py",), ("-m", "benchmark_manager", "serve")])
async def test_process_one_ends_at_a_sigterm_while_its_modules_are_imported(
    started: tuple[str, ...], tmp_path: Path
) -> None:
    """The kernel drops a signal that process 1 of a container has no handler for."""
    marker = tmp_path / "handled"
    command = ("unshare", "--pid", "--fork", "--kill-child", sys.executable, "-X", "importtime")

    async def importing() -> asyncio.subprocess.Process | None:
        """A process amid its imports; None where a busy machine shows them too late."""
        with marker.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(*command, *started),
                cwd=ROOT,
                env=environment(data_dir=tmp_path / "data"),
                stderr=output,
            )
        # The handler's module is among the first, and the server's come long after it.
        assert await until(lambda: b"early_signals" in marker.read_bytes(), GENEROUS)
        if b"uvicorn" not in marker.read_bytes():
            return process
        process.kill()
        await process.wait()
        return None

    process = await eventually(importing, "the imports are over each time")
    (child,) = (
        int(pid)
        for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    )
    with Stopwatch() as watch:
        os.kill(child, signal.SIGTERM)
        assert await process.wait() == 128 + signal.SIGTERM
    assert watch.seconds < 5
    assert b"uvicorn" not in marker.read_bytes()


async def _until_running(http: httpx.AsyncClient, project: str) -> None:
    async def runs() -> bool:
        found = (await http.get(f"/projects/{project}")).json()
        return bool(found["sync_status"] == "running")

    await eventually(runs, "no sync begins")


def _shutting_down(log: str) -> float:
    """When the service began to stop, seconds since 1970."""
    (line,) = (line for line in log.splitlines() if '"Shutting down"' in line)
    return datetime.fromisoformat(json.loads(line)["timestamp"]).timestamp()


def _unfinished_request(url: str, header: bytes = b"") -> socket.socket:
    """A connection whose request never ends."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 0))
    connection.sendall(
        b"POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    )
    connection.sendall(header + b"Content-Length: 100\r\n\r\n{")
    return connection
