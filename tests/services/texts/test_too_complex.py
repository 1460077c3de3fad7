"""Texts which take too much time: what a sync, a save, a comparison and a merge make of them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals
from benchmark_manager.workers.pool import Limits, WorkerPool
from github_test_server import GitHubTestServer
from support.problems import assert_problem
from support.service import Json, Service, running_service

#: Takes at least three times the CPU time that the service of these tests has for a text.
COSTLY = "".join(f"key{number}: [{number}, {number}]\n" for number in range(12_000))
SMALL = "a: 1\n"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hurried() -> AsyncIterator[WorkerPool]:
    """Worker processes that have 0.02 s of CPU time for a text."""
    # Each costly text ends a process. The next one starts in half the time without schemas.
    pool = WorkerPool(
        2,
        warm_up="support.tasks:read_rules",
        limits=Limits(base_seconds=0.02, seconds_per_byte=0, wait=60),
    )
    yield pool
    await pool.close()


@pytest.fixture
async def strict(
    database_url: str, github: GitHubTestServer, tmp_path: Path, hurried: WorkerPool
) -> AsyncIterator[Service]:
    """A service over these processes."""
    async with running_service(
        database_url, github, tmp_path, externals=Externals(workers=hurried)
    ) as service:
        yield service


async def variant_of(service: Service, name: str, **fields: object) -> Json:
    service.repository("acme/b", {f"config/{name}": SMALL.encode()})
    project = await service.synced("acme/b")
    [original] = (await service.files(project["id"])).values()
    return await service.variant(project["id"], original, **fields)


async def test_a_sync_keeps_the_bytes_lists_the_problems_and_goes_on(strict: Service) -> None:
    costly = {f"config/{number}.yaml": f"x{number}: 1\n{COSTLY}".encode() for number in range(2)}
    strict.repository("acme/b", {**costly, "config/small.yaml": SMALL.encode()})
    project = await strict.project("acme/b")
    assert (await strict.sync(project["id"]))["synced_files"] == 3
    files = await strict.files(project["id"], include="content")
    assert {path: file["content"].encode() for path, file in files.items()} == {
        **costly,
        "config/small.yaml": SMALL.encode(),
    }
    verdicts = {
        path: (file["validity"], [(each["severity"], each["code"]) for each in file["problems"]])
        for path, file in files.items()
    }
    assert verdicts == {
        **{path: ("invalid", [("error", "too_complex")]) for path in costly},
        "config/small.yaml": ("valid", []),
    }


async def test_a_search_counts_the_files_that_take_too_much_time(
    service: Service, strict: Service
) -> None:
    files = {"config/costly.yaml": COSTLY.encode(), "config/small.yaml": b"key1: 1\n"}
    service.repository("acme/b", files)
    project = await service.synced("acme/b")
    assert {
        where: await found_in(strict, project, where, query)
        for where, query in {"keys": "key1", "values": "1", "text": "key1:"}.items()
    } == {
        "keys": ("1", ["config/small.yaml"]),
        "values": ("1", ["config/small.yaml"]),
        "text": (None, ["config/costly.yaml", "config/small.yaml"]),
    }


async def found_in(
    service: Service, project: Json, where: str, query: str
) -> tuple[str | None, list[str]]:
    """How many files the first page leaves out, and the paths on all pages."""
    answer = await service.http.get(
        f"/projects/{project['id']}/search", params={"q": query, "in": where}
    )
    found, counted = answer.json(), answer.headers.get("X-Search-Incomplete")
    others: list[str | None] = []
    # Such a file takes so long that the page may end behind it.
    while "next" in answer.links:
        answer = await service.http.get(answer.links["next"]["url"])
        found += answer.json()
        others.append(answer.headers.get("X-Search-Incomplete"))
    assert others == [None] * len(others)
    return counted, [row["file"]["path"] for row in found]


async def test_a_save_is_refused_and_changes_nothing(strict: Service) -> None:
    variant = await variant_of(strict, "a.yaml")
    answer = await strict.http.put(f"/modified-files/{variant['id']}", json={"content": COSTLY})
    assert_problem(answer, 422, "too_complex")
    assert (await strict.get(f"/modified-files/{variant['id']}"))["revision"] == 1


async def test_a_save_which_takes_what_is_invalid_takes_it(strict: Service) -> None:
    variant = await variant_of(strict, "a.yaml")
    saved = await strict.put(
        f"/modified-files/{variant['id']}?allow_invalid=true", {"content": COSTLY}
    )
    assert (saved["validity"], [each["code"] for each in saved["problems"]]) == (
        "invalid",
        ["too_complex"],
    )
    assert saved["content"] == COSTLY


async def test_a_revision_comes_back_whatever_it_costs_to_read(
    service: Service, strict: Service
) -> None:
    variant = await variant_of(service, "a.yaml")
    address = f"/modified-files/{variant['id']}"
    await service.put(address, {"content": COSTLY})
    await service.put(address, {"content": SMALL})
    restored = await strict.post(f"{address}/restore", {"revision": 2}, 200)
    assert (restored["content"], restored["revision"]) == (COSTLY, 4)
    assert [each["code"] for each in restored["problems"]] == ["too_complex"]


async def test_asking_for_a_verdict_is_refused(strict: Service) -> None:
    answer = await strict.http.post(
        "/validate", json={"name": "a.yaml", "content": COSTLY, "file_type": "config"}
    )
    assert_problem(answer, 422, "too_complex")


async def test_a_merge_is_left_to_a_person_who_can_send_the_text(
    service: Service, strict: Service
) -> None:
    repository = service.repository("acme/b", {"config/a.yaml": COSTLY.encode()})
    project = await service.synced("acme/b")
    [original] = (await service.files(project["id"])).values()
    variant = await service.variant(project["id"], original, content=f"{COSTLY}mine: 1\n")
    repository.commit(
        {"config/a.yaml": f"theirs: 1\n{COSTLY.replace('[7, 7]', '[7, 8]')}".encode()},
        message="more",
    )
    await strict.sync(project["id"])
    address = f"/modified-files/{variant['id']}"
    assert (await strict.get(address))["drift"] == "conflict"
    assert_problem(await strict.http.get(f"{address}/merge"), 422, "too_complex")
    merged = f"theirs: 1\n{COSTLY}mine: 1\n"
    answer = await strict.post(f"{address}/rebase", {"content": merged}, 200)
    assert (answer["drift"], answer["content"]) == ("current", merged)
