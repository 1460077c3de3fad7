"""Pausing and resuming: neither polls nor webhooks sync a paused project, people do."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import pytest_asyncio
from bson import ObjectId

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer, Status
from support.problems import assert_problem
from support.service import Json, Service, no_sleep, running_service, running_sync

DAY = 86_400


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def project(shared_service: Service, files: dict[str, bytes]) -> Json:
    """The only project at the start of each test."""
    shared_service.repository("acme/bench", files)
    return await shared_service.synced("acme/bench", polling_interval=DAY)


def address(project: Json, *parts: str) -> str:
    return "/".join((f"/projects/{project['id']}", *parts))


async def pause(service: Service, project: Json) -> Json:
    return await service.post(address(project, "pause"), None, 200)


async def resume(service: Service, project: Json) -> Json:
    return await service.post(address(project, "resume"), None, 200)


async def poll(service: Service) -> list[tuple[str, str]]:
    """Sync what is due until nothing is; (trigger, status) of each sync."""
    done: list[tuple[str, str]] = []
    while started := await service.services.sync.start_due(10, (), ()):
        for each in started:
            sync = await each.task
            done.append((sync.trigger, sync.status))
        assert len(done) < 5, "the same project is due again and again"
    return done


async def stored(service: Service, project: Json) -> Json:
    found: Json | None = await service.services.database.collection("projects").find_one(
        {"_id": ObjectId(project["id"])}
    )
    assert found is not None
    return found


def seconds_until(text: str) -> float:
    return (datetime.fromisoformat(text) - datetime.now(UTC)).total_seconds()


async def test_the_answer_is_the_project_s_detail_with_its_etag(
    service: Service, project: Json
) -> None:
    answer = await service.http.post(address(project, "pause"))
    assert answer.status_code == 200, answer.text
    now = await service.http.get(address(project))
    assert (answer.json(), answer.headers["etag"]) == (now.json(), now.headers["etag"])
    changed = {name: value for name, value in now.json().items() if project[name] != value}
    assert changed == {"paused": True, "next_poll_at": None, "updated_at": now.json()["updated_at"]}
    assert answer.headers["etag"].startswith('"2.')


async def test_a_project_is_not_paused_until_somebody_pauses_it(
    service: Service, project: Json
) -> None:
    assert project["paused"] is False
    assert [row["paused"] for row in await service.rows("/projects")] == [False]
    await pause(service, project)
    assert [row["paused"] for row in await service.rows("/projects")] == [True]


async def test_pausing_twice_and_resuming_what_runs_change_nothing(
    service: Service, project: Json
) -> None:
    firsts, seconds = [], []
    for verb in ("resume", "pause", "resume"):
        firsts.append(await service.http.post(address(project, verb)))
        seconds.append(await service.http.post(address(project, verb)))
    assert [answer.status_code for answer in seconds] == [200, 200, 200]
    assert [answer.json() for answer in seconds] == [answer.json() for answer in firsts]
    assert etags(seconds) == etags(firsts)
    assert (await stored(service, project))["revision"] == 3


def etags(answers: list[httpx.Response]) -> list[str]:
    return [answer.headers["etag"] for answer in answers]


@pytest.mark.parametrize(("verb", "revision"), [("pause", 2), ("resume", 3)])
async def test_both_take_if_match(
    service: Service, project: Json, verb: str, revision: int
) -> None:
    seen = (await service.http.get(address(project))).headers["etag"]
    if verb == "resume":
        await pause(service, project)
    current = (await service.http.get(address(project))).headers["etag"]
    answer = await service.http.post(address(project, verb), headers={"If-Match": current})
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"].startswith(f'"{revision}.')
    stale = await service.http.post(address(project, verb), headers={"If-Match": seen})
    assert assert_problem(stale, 412, "stale")["current_revision"] == revision


async def test_a_paused_project_is_not_polled_and_a_person_can_sync_it(
    service: Service, files: dict[str, bytes]
) -> None:
    repository = service.repository("acme/other", files)
    other = await service.project("acme/other", polling_interval=DAY)
    assert (await pause(service, other))["next_poll_at"] is None
    assert await poll(service) == [], "not even its first sync"
    assert (await service.sync(other["id"]))["status"] == "success"
    repository.commit({"config/a.yaml": b"model: new\n"})
    assert (await service.sync(other["id"]))["updated"] == 1
    now = await service.get(address(other))
    assert (now["paused"], now["next_poll_at"], now["sync_status"]) == (True, None, "ok")


async def test_sync_all_syncs_a_paused_project_too_and_leaves_it_paused(
    service: Service, project: Json
) -> None:
    await pause(service, project)
    assert (await service.post("/projects/sync-all", None, 202))["queued"] == [project["id"]]
    assert await poll(service) == [("manual", "unchanged")]
    now = await service.get(address(project))
    assert (now["paused"], now["next_poll_at"]) == (True, None)


async def test_pausing_takes_back_no_sync_that_a_person_has_queued(
    service: Service, project: Json
) -> None:
    await service.post("/projects/sync-all", None, 202)
    await pause(service, project)
    assert await poll(service) == [("manual", "unchanged")]
    assert (await service.get(address(project)))["next_poll_at"] is None


async def test_a_failure_does_not_make_a_paused_project_due(
    database_url: str, github: GitHubTestServer, tmp_path: Path, files: dict[str, bytes]
) -> None:
    async with running_service(
        database_url, github, tmp_path, externals=Externals(sleep=no_sleep)
    ) as service:
        service.repository("acme/bench", files)
        intervals = (0, DAY)
        projects = [
            await service.project("acme/bench", name=str(interval), polling_interval=interval)
            for interval in intervals
        ]
        service.github.faults.add(Status(500), times=None)
        for project in projects:
            await pause(service, project)
            await service.sync(project["id"], 502)
        now = [await service.get(address(project)) for project in projects]
    assert [(one["polling_interval"], one["next_poll_at"]) for one in now] == [
        (interval, None) for interval in intervals
    ]


@pytest.mark.parametrize("trigger", ["poll", "manual"])
async def test_a_sync_under_way_does_not_schedule_a_project_paused_meanwhile(
    service: Service, project: Json, trigger: str
) -> None:
    """The poll is dropped, what a person waits for is done anew."""
    with service.github.held():
        if trigger == "poll":
            await service.put(address(project), {"config_folder": "other"})
            [started] = await service.services.sync.start_due(10, (), ())
            running: asyncio.Task[Any] = started.task
        else:
            running = asyncio.create_task(service.sync(project["id"]))
        await running_sync(service, project)
        paused = await pause(service, project)
    assert paused["next_poll_at"] is None
    await asyncio.gather(running, return_exceptions=True)
    assert (running.exception() is None) is (trigger == "manual")
    now = await service.get(address(project))
    assert (now["paused"], now["next_poll_at"]) == (True, None)
    assert await poll(service) == []


async def test_resuming_makes_a_polled_project_due_once_and_then_after_its_interval(
    service: Service, project: Json
) -> None:
    await pause(service, project)
    resumed = await resume(service, project)
    assert resumed["paused"] is False
    assert abs(seconds_until(resumed["next_poll_at"])) < 10
    assert await poll(service) == [("poll", "unchanged")]
    assert -10 < seconds_until((await service.get(address(project)))["next_poll_at"]) <= DAY * 1.05


async def test_resuming_without_polling_makes_due_too_as_a_push_may_have_been_missed(
    service: Service,
) -> None:
    new = await service.project("acme/bench", name="new")
    await pause(service, new)
    assert (await resume(service, new))["next_poll_at"] is not None
    assert await poll(service) == [("poll", "success")]
    await pause(service, new)
    assert (await service.put(address(new), {"config_folder": "job"}))["next_poll_at"] is None
    assert (await resume(service, new))["next_poll_at"] is not None
    assert await poll(service) == [("poll", "success")]
    assert (await service.get(address(new)))["next_poll_at"] is None


async def test_no_change_of_the_settings_resumes_a_project(service: Service, project: Json) -> None:
    await pause(service, project)
    changes: list[Json] = [
        {"name": "renamed"},
        {"polling_interval": 60},
        {"branch": "dev"},
        {"config_folder": "job"},
        {"github_token": "ghp_secret"},
        {"polling_interval": 0},
    ]
    changed = [await service.put(address(project), change) for change in changes]
    assert [(one["paused"], one["next_poll_at"]) for one in changed] == [(True, None)] * 6
    assert await poll(service) == []


async def test_a_document_of_a_former_version_is_not_paused(
    service: Service, project: Json
) -> None:
    collection = service.services.database.collection("projects")
    await collection.update_one({"_id": ObjectId(project["id"])}, {"$unset": {"paused": 1}})
    assert (await service.get(address(project)))["paused"] is False
    assert (await service.get("/status"))["projects_paused"] == 0
    assert (await pause(service, project))["paused"] is True


async def test_the_status_counts_paused_projects(service: Service, project: Json) -> None:
    await service.project("acme/bench", name="other")
    await pause(service, project)
    status = await service.get("/status")
    assert (status["projects_paused"], status["total_projects"]) == (1, 2)
    assert status["scheduler"]["projects_due"] == 1


async def test_paused_is_no_field_of_a_request(service: Service, project: Json) -> None:
    answer = await service.http.put(address(project), json={"paused": True})
    assert_problem(answer, 422, "invalid_request")


async def test_ten_who_pause_and_resume_at_once_leave_one_of_both(
    service: Service, project: Json
) -> None:
    verbs = ["pause", "resume"] * 5
    answers = await asyncio.gather(*(service.http.post(address(project, verb)) for verb in verbs))
    assert {answer.status_code for answer in answers} == {200}
    now = await service.get(address(project))
    assert (now["next_poll_at"] is None) is now["paused"]


async def test_on_the_embedded_database(embedded_service: Service, files: dict[str, bytes]) -> None:
    service = embedded_service
    service.repository("acme/bench", files)
    project = await service.synced("acme/bench", polling_interval=DAY)
    assert (await pause(service, project))["next_poll_at"] is None
    assert (await service.get("/status"))["projects_paused"] == 1
    await service.post("/projects/sync-all", None, 202)
    assert await poll(service) == [("manual", "unchanged")]
    assert await poll(service) == []
    assert (await resume(service, project))["paused"] is False
    assert await poll(service) == [("poll", "unchanged")]
