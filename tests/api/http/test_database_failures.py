"""What an answer is where the database fails in the middle of a change."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import AsyncMongoClient

from support.problems import assert_problem
from support.service import Json, Service

Failing = Callable[[str, str, int], Any]
#: Number and name of a failure as mongod reports it, and the answer's status and code.
FAILURES = [
    pytest.param(14031, 503, "disk_full", id="disk full"),
    pytest.param(388, 507, "change_too_large", id="cache too small"),
    pytest.param(146, 503, "database_overloaded", id="out of memory"),
    pytest.param(2, 500, "database_failed", id="asked wrongly"),
]


@pytest.fixture
def failing(database_url: str) -> Failing:
    """While it lasts, commands of one kind on one collection fail with this number."""

    @asynccontextmanager
    async def fail(command: str, collection: str, number: int) -> AsyncIterator[None]:
        async with AsyncMongoClient[Json](database_url, serverMonitoringMode="poll") as client:
            namespace = f"{urlsplit(database_url).path[1:]}.{collection}"
            data = {"failCommands": [command], "errorCode": number, "namespace": namespace}
            point = {"configureFailPoint": "failCommand"}
            await client.admin.command({**point, "mode": "alwaysOn", "data": data})
            try:
                yield
            finally:
                await client.admin.command({**point, "mode": "off"})

    return fail


async def ready(service: Service, files: dict[str, bytes]) -> tuple[str, Json]:
    service.repository("acme/bench", files)
    project = (await service.synced("acme/bench"))["id"]
    return project, (await service.files(project))["config/a.yaml"]


@pytest.mark.parametrize(("number", "status", "code"), FAILURES)
async def test_a_failure_while_a_release_is_made_leaves_none(
    service: Service, files: dict[str, bytes], failing: Failing, number: int, status: int, code: str
) -> None:
    project, _ = await ready(service, files)
    async with failing("insert", "release_makings", number):
        answer = await service.http.post(f"/projects/{project}/releases", json={})
    assert_problem(answer, status, code)
    assert await service.rows(f"/projects/{project}/releases") == []
    assert (await service.http.post(f"/projects/{project}/releases", json={})).status_code == 201


@pytest.mark.parametrize(("number", "status", "code"), FAILURES)
async def test_a_failure_during_a_reset_keeps_the_variants(
    service: Service, files: dict[str, bytes], failing: Failing, number: int, status: int, code: str
) -> None:
    project, original = await ready(service, files)
    await service.variant(project, original, modified_name="v.yaml")
    async with failing("insert", "resets", number):
        answer = await service.http.delete(f"/projects/{project}/modified-files")
    assert_problem(answer, status, code)
    assert len(await service.rows(f"/projects/{project}/modified-files")) == 1


@pytest.mark.parametrize(("number", "status", "code"), FAILURES)
async def test_a_failure_during_a_sync_is_recorded_and_slows_polling_down(
    service: Service, files: dict[str, bytes], failing: Failing, number: int, status: int, code: str
) -> None:
    service.repository("acme/bench", files)
    project = (await service.project("acme/bench", polling_interval=60))["id"]
    async with failing("insert", "files", number):
        answer = await service.http.post(f"/projects/{project}/sync")
    assert_problem(answer, status, code)
    failed = answer.json()["sync"]
    assert (failed["status"], failed["error"]["code"]) == ("failed", code)
    assert (await service.rows(f"/projects/{project}/syncs"))[0]["id"] == failed["id"]
    shown = await service.get(f"/projects/{project}")
    assert (shown["sync_status"], shown["error"]["code"]) == ("unavailable", code)
    assert shown["next_poll_at"] == failed["error"]["retry_at"] > failed["finished_at"]
    assert await service.files(project) == {}
    assert (await service.sync(project))["added"] == len(files)


async def test_a_second_sync_without_a_database_is_recorded_as_failed(
    service: Service, files: dict[str, bytes], failing: Failing
) -> None:
    """Once may be an election, for which no poll is given up."""
    service.repository("acme/bench", files)
    project = (await service.project("acme/bench"))["id"]
    async with failing("insert", "blobs", 6):
        first = await service.http.post(f"/projects/{project}/sync")
        second = await service.http.post(f"/projects/{project}/sync")
    assert_problem(first, 503, "database_unavailable")
    assert_problem(second, 503, "database_unavailable")
    assert "sync" not in first.json()
    assert second.json()["sync"]["status"] == "failed"
