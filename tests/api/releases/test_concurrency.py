"""Releases that are made at the same time, during syncs, and without holding up others."""

import asyncio
import inspect
import sys
import threading
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import FrameType

import httpx2 as httpx

from support.problems import assert_problem
from support.released import FORMATS, archive_of, files_of, make_release, unpacked
from support.service import Json, Service


async def test_ten_concurrent_requests_make_one_release(service: Service, project: Json) -> None:
    path = f"/projects/{project['id']}/releases"
    answers = await asyncio.gather(
        *(service.http.post(path, json={"name": f"{n}"}) for n in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [201]
    assert len({answer.json()["digest"] for answer in answers}) == 1
    release = await service.get(f"/releases/{answers[0].json()['digest']}")
    assert [making["number"] for making in release["makings"]] == list(range(1, 11))
    assert {making["name"] for making in release["makings"]} == {f"{n}" for n in range(10)}
    [first] = [answer.json() for answer in answers if answer.status_code == 201]
    assert (release["name"], release["makings_count"]) == (first["name"], 10)
    assert len(await service.rows(path)) == 1


async def make_eight_at_once(service: Service, project: Json) -> None:
    """Make different releases that share contents; each content is counted once for each."""
    original = (await service.files(project["id"]))["config/a.yaml"]
    variants = [
        await service.variant(project["id"], original, modified_name=f"{n}.yaml") for n in range(8)
    ]
    path = f"/projects/{project['id']}/releases"
    bodies = [{"modified_file_ids": [variant["id"]]} for variant in variants]
    answers = await asyncio.gather(*(service.http.post(path, json=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [201] * 8, [
        answer.text for answer in answers
    ]
    assert len({answer.json()["digest"] for answer in answers}) == 8
    held = service.services.database.collection("release_blobs")
    assert [row["releases"] async for row in held.find({})] == [8, 8, 8]


async def test_releases_that_share_contents_can_be_made_at_once(
    service: Service, project: Json
) -> None:
    await make_eight_at_once(service, project)


async def test_no_release_holds_half_a_sync(service: Service) -> None:
    """Every file holds the number of its commit; releases are made while syncs apply them."""
    paths = [f"config/{n:03}.yaml" for n in range(120)]
    repository = service.repository("acme/numbered", dict.fromkeys(paths, b"commit: 0\n"))
    project = await service.synced("acme/numbered")
    stop = asyncio.Event()

    async def sync_all() -> None:
        for number in range(1, 6):
            repository.commit(dict.fromkeys(paths, b"commit: %d\n" % number))
            await service.sync(project["id"])
        stop.set()

    async def release_all() -> list[httpx.Response]:
        answers = []
        while not stop.is_set():
            path = f"/projects/{project['id']}/releases"
            answers.append(await service.http.post(path, json={}))
        return answers

    _, *made = await asyncio.gather(sync_all(), release_all(), release_all())
    answers = [answer for each in made for answer in each]
    assert [answer.text for answer in answers if answer.status_code not in {200, 201}] == []
    found = [answer.json()["files"] for answer in answers]
    assert {len(rows) for rows in found} == {len(paths)}
    assert {len({row["sha256"] for row in rows}) for rows in found} == {1}
    assert {len({row["commit_sha"] for row in rows}) for rows in found} == {1}
    assert min(map(len, made)) > 1


async def test_releases_work_on_the_embedded_database(
    embedded_service: Service, files: dict[str, bytes]
) -> None:
    service = embedded_service
    repository = service.repository("acme/bench", files)
    project = await service.synced("acme/bench")
    path = f"/projects/{project['id']}/releases"
    await make_eight_at_once(service, await service.synced("acme/bench", name="other"))
    answers = await asyncio.gather(*(service.http.post(path, json={}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] * 4 + [201], [
        answer.text for answer in answers
    ]
    release = await service.get(f"/releases/{answers[0].json()['digest'][:19]}")
    assert [making["number"] for making in release["makings"]] == list(range(1, 6))
    assert await files_of(service, release) == files
    archives = {name: await archive_of(service, release["digest"], name) for name in FORMATS}
    assert {name: unpacked(data, name) for name, data in archives.items()} == dict.fromkeys(
        FORMATS, files
    )
    repository.commit({"config/a.yaml": b"model: new\n"})
    await service.sync(project["id"])
    newer = await make_release(service, project, pinned=True)
    assert [row["digest"] for row in await service.rows(path, limit=1)] == [
        newer["digest"],
        release["digest"],
    ]
    assert (await service.put(f"/releases/{release['digest']}", {"name": "x"}))["name"] == "x"
    await service.services.housekeeping.run()
    await service.http.delete(f"/projects/{project['id']}")
    await service.services.housekeeping.run()
    answer = await service.http.get(f"/releases/{release['digest']}")
    assert_problem(answer, 404, "release_not_found")
    assert (await files_of(service, newer))["config/a.yaml"] == b"model: new\n"


@contextmanager
def threads_of(names: Collection[str]) -> Iterator[dict[str, set[int]]]:
    """Record in which threads functions with these names are called, on an own executor."""
    threads: dict[str, set[int]] = {}

    def note(frame: FrameType, event: str, _: object) -> None:
        name = frame.f_code.co_name
        coroutine = frame.f_code.co_flags & inspect.CO_COROUTINE
        if event == "call" and name in names and not coroutine:
            threads.setdefault(name, set()).add(threading.get_ident())

    # Threads are profiled that begin from now on.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield threads
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


async def test_work_that_takes_long_for_many_files_does_not_block_other_requests(
    service: Service, project: Json
) -> None:
    """It runs in other threads than the one that answers requests."""
    making = ("chosen", "with_sums", "release_digest", "provenance_id")
    delivering = ("sums_text", "archive_length", "config_map", "compared")
    answering = ("release_detail", "effective_answer", "comparison_answer")
    with threads_of({*making, *delivering, *answering}) as threads:
        first = await make_release(service, project)
        original = (await service.files(project["id"]))["config/a.yaml"]
        await service.variant(project["id"], original, content="mine: 1\n")
        second = await make_release(service, project)
        address = f"/releases/{first['digest']}"
        await service.get(f"/projects/{project['id']}/effective")
        await service.get(f"{address}/compare/{second['digest']}")
        answers = [
            await service.http.get(f"{address}/{route}")
            for route in ("SHA256SUMS", "archive", "configmap")
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert threads.keys() == {*making, *delivering, *answering}
    assert threading.get_ident() not in set().union(*threads.values())
