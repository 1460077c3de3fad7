"""What joins, changes or ends a sync while it runs."""

import asyncio
from datetime import timedelta

import pytest
from bson import ObjectId

from benchmark_manager.factory import Externals, utc_now
from github_test_server import GitHubTestServer
from support.service import Service, running_service, running_sync

CONFIG = b"model: llama\n"


async def test_a_second_call_joins_the_running_sync(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    service.github.latency = 0.1
    one, two, three = await asyncio.gather(*(service.sync(project["id"]) for _ in range(3)))
    assert one == two == three
    assert service.github.requests.count("/commits$") == 1
    # Who comes while it runs asks GitHub nothing.
    service.github.requests.reset()
    with service.github.held():
        first = asyncio.create_task(service.sync(project["id"]))
        await running_sync(service, project)
        second = asyncio.create_task(service.sync(project["id"]))
        await service.get(f"/projects/{project['id']}")
    assert await second == await first
    assert len(service.github.requests) == 1
    assert len(await service.rows(f"/projects/{project['id']}/syncs")) == 2


async def test_a_sync_under_way_in_another_replica_is_joined(
    service: Service, database_url: str, github: GitHubTestServer
) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    github.latency = 0.2
    async with running_service(database_url, github, service.folder) as other:
        here, there = await asyncio.gather(service.sync(project["id"]), other.sync(project["id"]))
    assert here == there
    assert github.requests.count("/commits$") == 1


async def test_a_project_shows_running_while_it_is_synced(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    assert project["sync_status"] == "never"
    with service.github.held():
        task = asyncio.create_task(service.sync(project["id"]))
        await running_sync(service, project)
        assert (await service.get(f"/projects/{project['id']}"))["sync_status"] == "running"
        assert (await service.get("/status"))["projects_by_sync_status"]["running"] == 1
    await task
    assert (await service.get(f"/projects/{project['id']}"))["sync_status"] == "ok"


async def test_changing_the_folders_during_a_sync_makes_it_start_again(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG, "other/b.yaml": b"b: 1\n"})
    project = await service.project("acme/b")
    with service.github.held():
        task = asyncio.create_task(service.sync(project["id"]))
        await running_sync(service, project)
        await service.put(f"/projects/{project['id']}", {"config_folder": "other"})
    assert (await task)["status"] == "success"
    assert (await service.files(project["id"])).keys() == {"other/b.yaml"}


async def test_deleting_the_project_during_a_sync_leaves_nothing(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    with service.github.held():
        task = asyncio.create_task(service.sync(project["id"], status=404))
        await running_sync(service, project)
        assert (await service.http.delete(f"/projects/{project['id']}")).status_code == 204
    assert (await task)["code"] == "project_not_found"
    totals = await service.get("/status")
    assert (totals["total_projects"], totals["total_files"]) == (0, 0)


async def test_a_worker_which_lost_its_lease_commits_nothing(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    database = service.services.database
    with service.github.held():
        task = asyncio.create_task(service.sync(project["id"]))
        running = await running_sync(service, project)
        await database.collection("projects").update_one(
            {"_id": ObjectId(project["id"])},
            {"$set": {"lease_owner": "another"}, "$inc": {"fence": 1}},
        )
    await asyncio.wait({running})
    assert await service.files(project["id"]) == {}
    # The other replica dies: its lease runs out, and the sync which was asked for is done after
    # all.
    await database.collection("projects").update_one(
        {"_id": ObjectId(project["id"])}, {"$set": {"lease_until": utc_now()}}
    )
    assert (await task)["synced_files"] == 1


@pytest.mark.parametrize("clock_error", [-7200, 7200])
async def test_a_replica_with_a_wrong_clock_takes_no_lease_away(
    service: Service, database_url: str, github: GitHubTestServer, clock_error: int
) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    github.latency = 0.2
    externals = Externals(clock=lambda: utc_now() + timedelta(seconds=clock_error))
    async with running_service(database_url, github, service.folder, externals=externals) as other:
        here, there = await asyncio.gather(service.sync(project["id"]), other.sync(project["id"]))
    assert here == there
    assert github.requests.count("/commits$") == 1
