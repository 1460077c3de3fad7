"""The history of syncs: filters, pages, one sync, and what is kept of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx2 as httpx
import pytest
import pytest_asyncio
from bson import ObjectId

from benchmark_manager.factory import Externals, utc_now
from github_test_server import GitHubTestServer, Status
from support.problems import ObservedAnswers, assert_problem, fields_at_fault
from support.reused_database import reused_database
from support.service import Json, Service, no_sleep, running_service

UNKNOWN = "65f0c0ffee65f0c0ffee65f0"


async def a_history(service: Service, files: dict[str, bytes]) -> Json:
    """A project with six syncs: manual and polled ones, of every outcome."""
    repository = service.repository("acme/bench", files)
    project = await service.project("acme/bench")
    [first] = await service.services.sync.start_due(10, (), ())
    await first.task
    await service.sync(project["id"])
    fault = service.github.faults.add(Status(500), times=None)
    for _ in range(2):
        await service.sync(project["id"], 502)
    service.github.faults.remove(fault)
    repository.commit({"config/a.yaml": b"model: new\n"})
    await service.sync(project["id"])
    await service.sync(project["id"])
    return project


EXPECTED = [
    ("manual", "unchanged"),
    ("manual", "success"),
    ("manual", "failed"),
    ("manual", "failed"),
    ("manual", "unchanged"),
    ("poll", "success"),
]


#: Of each filter, which of the six it leaves.
FILTERS = {
    "": [0, 1, 2, 3, 4, 5],
    "status=failed": [2, 3],
    "status=unchanged": [0, 4],
    "status=failed&status=success": [1, 2, 3, 5],
    "status=failed&status=failed": [2, 3],
    "trigger=manual": [0, 1, 2, 3, 4],
    "trigger=poll": [5],
    "trigger=webhook": [],
    "trigger=webhook&trigger=poll": [5],
    "trigger=manual&status=success": [1],
    "trigger=poll&status=unchanged": [],
}


@dataclass(frozen=True)
class SyncHistory:
    """The history of a project with six syncs, and all its rows."""

    service: Service
    path: str
    rows: list[Json]

    def ids(self, numbers: list[int]) -> list[str]:
        return [self.rows[number]["id"] for number in numbers]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def six_syncs(
    either_server: str, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> AsyncIterator[SyncHistory]:
    """A history on each kind of database, which no test changes."""
    folder, externals = tmp_path_factory.mktemp("history"), Externals(sleep=no_sleep)
    with GitHubTestServer() as github:
        async with (
            reused_database(either_server) as url,
            running_service(url, github, folder, externals=externals) as running,
        ):
            observed = ObservedAnswers()
            running.http.event_hooks = {"request": [], "response": [observed.note]}
            project = await a_history(running, files)
            path = f"/projects/{project['id']}/syncs"
            yield SyncHistory(running, path, await running.rows(path))
            assert observed.undocumented == []


async def test_the_history_lists_every_sync_newest_first(six_syncs: SyncHistory) -> None:
    assert [(row["trigger"], row["status"]) for row in six_syncs.rows] == EXPECTED


@pytest.mark.parametrize(("query", "numbers"), FILTERS.items(), ids=FILTERS)
async def test_the_history_is_filtered_by_outcome_and_trigger(
    six_syncs: SyncHistory, query: str, numbers: list[int]
) -> None:
    answer = await six_syncs.service.http.get(f"{six_syncs.path}?{query}")
    assert [row["id"] for row in answer.json()] == six_syncs.ids(numbers)
    assert answer.headers["x-total-count"] == str(len(numbers))


@pytest.mark.parametrize("either_server", ["mongod"], indirect=True, scope="module")
@pytest.mark.parametrize(("query", "numbers"), FILTERS.items(), ids=FILTERS)
async def test_every_page_of_the_history_is_filtered(
    six_syncs: SyncHistory, query: str, numbers: list[int]
) -> None:
    found, totals, links = [], set(), []
    url = f"{six_syncs.path}?{query}&limit=1"
    while url:
        answer = await six_syncs.service.http.get(url)
        totals.add(answer.headers["x-total-count"])
        found += [row["id"] for row in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
        links.append(httpx.URL(url))
    assert found == six_syncs.ids(numbers)
    assert totals == {str(len(numbers))}
    statuses = httpx.QueryParams(query).get_list("status")
    assert [link.params.get_list("status") for link in links[:-1]] == (
        [statuses] * max(len(numbers) - 1, 0)
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=ok", "status"),
        ("status=failed&status=FAILED", "status"),
        ("status=", "status"),
        ("trigger=cron", "trigger"),
        ("trigger=poll&trigger=%00", "trigger"),
    ],
)
async def test_what_is_no_outcome_or_trigger_is_refused_by_its_parameter(
    service: Service, query: str, field: str
) -> None:
    path = f"/projects/{(await service.project('acme/bench'))['id']}/syncs"
    assert fields_at_fault(await service.http.get(f"{path}?{query}")) == {field}


async def test_one_sync_is_read_with_an_etag(service: Service, files: dict[str, bytes]) -> None:
    service.repository("acme/bench", files)
    project = await service.project("acme/bench")
    sync = await service.sync(project["id"])
    path = f"/projects/{project['id']}/syncs/{sync['id']}"
    answer = await service.http.get(path)
    assert (answer.status_code, answer.json()) == (200, sync)
    again = await service.http.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert sync["repeated"] == 0
    assert (await service.get(f"/projects/{project['id']}"))["last_sync"]["id"] == sync["id"]


async def test_a_sync_of_another_project_is_not_found(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    project, other = (
        await service.project("acme/bench"),
        await service.project("acme/bench", name="other"),
    )
    sync = await service.sync(project["id"])
    answers = [
        await service.http.get(f"/projects/{other['id']}/syncs/{sync_id}")
        for sync_id in (sync["id"], UNKNOWN, "x")
    ]
    problems = [assert_problem(answer, 404, "sync_not_found") for answer in answers]
    assert len(problems) == 3
    answer = await service.http.get(f"/projects/{UNKNOWN}/syncs/{sync['id']}")
    assert_problem(answer, 404, "project_not_found")


async def test_a_record_of_a_former_version_is_read(
    service: Service, files: dict[str, bytes]
) -> None:
    service.repository("acme/bench", files)
    project = await service.project("acme/bench")
    sync = await service.sync(project["id"])
    database = service.services.database
    await database.collection("syncs").update_one({}, {"$unset": {"repeated": 1}})
    await database.collection("projects").update_one(
        {}, {"$unset": {"state.last_sync.repeated": 1}}
    )
    assert await service.rows(f"/projects/{project['id']}/syncs") == [sync]
    assert (await service.get(f"/projects/{project['id']}"))["last_sync"]["repeated"] == 0


# What is kept.


async def synced_often(service: Service, name: str, times: int) -> tuple[Json, list[str]]:
    """A project and the ids of its syncs, newest first."""
    project = await service.project("acme/bench", name=name)
    ids = [(await service.sync(project["id"]))["id"] for _ in range(times)]
    return project, ids[::-1]


async def history(service: Service, project: Json) -> list[str]:
    return [row["id"] for row in await service.rows(f"/projects/{project['id']}/syncs")]


@pytest.mark.parametrize("kept", [1, 3])
async def test_of_each_project_the_newest_syncs_are_kept(
    database_url: str, github: GitHubTestServer, tmp_path: Path, files: dict[str, bytes], kept: int
) -> None:
    async with running_service(
        database_url, github, tmp_path, sync_retention_count=kept
    ) as service:
        service.repository("acme/bench", files)
        many, all_of_many = await synced_often(service, "many", 5)
        few, all_of_few = await synced_often(service, "few", kept)
        await service.services.housekeeping.run()
        assert await history(service, many) == all_of_many[:kept]
        assert await history(service, few) == all_of_few
        await service.services.housekeeping.run()
        assert await history(service, many) == all_of_many[:kept]


async def test_old_syncs_go_but_never_a_project_s_last_one(
    database_url: str, github: GitHubTestServer, tmp_path: Path, files: dict[str, bytes]
) -> None:
    """Also where more projects rest than the database compares with at once."""
    now = [utc_now()]
    externals = Externals(clock=lambda: now[0])
    async with running_service(
        database_url, github, tmp_path, externals=externals, sync_retention_days=2
    ) as service:
        service.repository("acme/bench", files)
        busy, _ = await synced_often(service, "busy", 2)
        resting, of_resting = await synced_often(service, "resting", 3)
        _, of_deleted = await synced_often(service, "deleted", 1)
        await service.http.delete(
            f"/projects/{(await service.rows('/projects', q='deleted'))[0]['id']}"
        )
        now[0] += timedelta(days=3)
        recent = await service.sync(busy["id"])
        await service.services.housekeeping.run()
        assert await history(service, busy) == [recent["id"]]
        assert await history(service, resting) == of_resting[:1]
        assert (await service.get(f"/projects/{resting['id']}"))["last_sync"]["id"] == of_resting[0]
        syncs = service.services.database.collection("syncs")
        assert await syncs.count_documents({"_id": ObjectId(of_deleted[0])}) == 0


async def test_on_the_embedded_database_history_is_cut_too(
    embedded_database_url: str, github: GitHubTestServer, tmp_path: Path, files: dict[str, bytes]
) -> None:
    async with running_service(
        embedded_database_url, github, tmp_path, sync_retention_count=2
    ) as service:
        service.repository("acme/bench", files)
        project, ids = await synced_often(service, "many", 4)
        await service.services.housekeeping.run()
        assert await history(service, project) == ids[:2]
