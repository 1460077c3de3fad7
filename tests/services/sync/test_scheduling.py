"""When projects are due: `next_poll_at` through the API, and what the next tick syncs."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmark_manager.factory import Externals, utc_now
from benchmark_manager.models.project import Lease
from benchmark_manager.stores.sync.leases import LeaseStore
from github_test_server import GitHubTestServer, Status
from support.service import Json, Service, running_service
from support.waiting import eventually

FILES = {"config/a.yaml": b"model: llama\n", "other/b.yaml": b"b: 1\n"}


async def due_at(service: Service, project: Json) -> datetime | None:
    now = (await service.get(f"/projects/{project['id']}"))["next_poll_at"]
    return None if now is None else datetime.fromisoformat(now)


async def seconds_until_due(service: Service, project: Json) -> float:
    """Only for expectations of minutes: the test takes a moment itself."""
    due = await due_at(service, project)
    assert due is not None
    return (due - datetime.now(UTC)).total_seconds()


async def changed(service: Service, project: Json, **fields: Any) -> Json:
    return await service.put(f"/projects/{project['id']}", fields)


async def poll(service: Service) -> list[tuple[str, str]]:
    """Sync what is due until nothing is; (trigger, status) of each sync."""
    done: list[tuple[str, str]] = []
    while len(done) < 5 and (started := await service.services.sync.start_due(1, (), ())):
        for one in started:
            sync = await one.task
            done.append((sync.trigger, sync.status))
    assert len(done) < 5, "the same project is due again and again"
    return done


# A day: of shorter intervals, a first phase would sometimes be over before the test is.
@pytest.mark.parametrize("interval", [0, 86_400])
async def test_a_new_project_is_due_at_once_and_its_first_sync_fixes_its_polling_times(
    shared: Service, interval: int
) -> None:
    shared.repository("acme/b", FILES)
    project = await shared.project("acme/b", polling_interval=interval)
    assert await poll(shared) == [("poll", "success")]
    if interval == 0:
        assert await due_at(shared, project) is None
    else:
        assert -10 < await seconds_until_due(shared, project) <= interval


@pytest.mark.parametrize("clock_error", [-7200, -400, 400, 7200])
async def test_a_replica_with_a_wrong_clock_polls_as_often_as_others(
    database_url: str, github: GitHubTestServer, tmp_path: Path, clock_error: int
) -> None:
    externals = Externals(clock=lambda: utc_now() + timedelta(seconds=clock_error))
    async with running_service(database_url, github, tmp_path, externals=externals) as service:
        service.repository("acme/b", FILES)
        project = await service.project("acme/b", polling_interval=86_400)
        assert await poll(service) == [("poll", "success")]
        assert -10 < await seconds_until_due(service, project) <= 86_400


async def test_a_manual_sync_between_two_polls_does_not_move_the_next_one(shared: Service) -> None:
    repository = shared.repository("acme/b", FILES)
    project = await shared.synced("acme/b", polling_interval=86_400)
    planned = await due_at(shared, project)
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="two")
    assert (await shared.sync(project["id"]))["status"] == "success"
    assert await due_at(shared, project) == planned


async def test_another_interval_is_another_rhythm_and_0_is_none(shared: Service) -> None:
    shared.repository("acme/b", FILES)
    project = await shared.synced("acme/b", polling_interval=86_400)
    assert (await changed(shared, project, polling_interval=0))["next_poll_at"] is None
    await changed(shared, project, polling_interval=600)
    assert 0 <= await seconds_until_due(shared, project) + 10 <= 610


async def test_without_polling_new_folders_are_still_read_at_once(shared: Service) -> None:
    shared.repository("acme/b", FILES)
    project = await shared.synced("acme/b", polling_interval=60)
    await changed(shared, project, config_folder="other")
    assert (await changed(shared, project, polling_interval=0))["next_poll_at"] is not None
    assert await poll(shared) == [("poll", "success")]
    assert (await shared.files(project["id"])).keys() == {"other/b.yaml"}
    assert await due_at(shared, project) is None


async def test_no_polling_does_not_put_off_a_first_sync_which_failed(shared: Service) -> None:
    shared.repository("acme/b", FILES)
    project = await shared.project("acme/b", polling_interval=60)
    shared.github.faults.add(Status(500), path="/commits", times=None)
    await shared.sync(project["id"], status=502)
    planned = await due_at(shared, project)
    assert planned is not None
    await changed(shared, project, polling_interval=0)
    assert await due_at(shared, project) == planned


@pytest.mark.parametrize("read_before", [False, True])
async def test_a_source_without_polling_is_tried_until_it_was_read(
    shared: Service, read_before: bool
) -> None:
    shared.repository("acme/b", FILES)
    if read_before:
        project = await shared.synced("acme/b")
        await changed(shared, project, config_folder="other")
    else:
        project = await shared.project("acme/b", config_folder="other")
    fault = shared.github.faults.add(Status(500), path="/commits", times=None)
    assert await poll(shared) == [("poll", "failed")]
    assert await seconds_until_due(shared, project) == pytest.approx(120, abs=16)
    shared.github.faults.remove(fault)
    assert (await shared.sync(project["id"]))["status"] == "success"
    assert await due_at(shared, project) is None
    # Now that it was read, a failed manual sync starts no polling.
    shared.github.faults.add(Status(500), path="/commits", times=None)
    await shared.sync(project["id"], status=502)
    assert await due_at(shared, project) is None


async def test_failures_which_pass_double_the_interval_each_time_and_a_success_ends_that(
    shared: Service,
) -> None:
    shared.repository("acme/b", FILES)
    project = await shared.synced("acme/b", polling_interval=600)
    fault = shared.github.faults.add(Status(500), path="/commits", times=None)
    intervals = []
    for _ in range(4):
        await shared.sync(project["id"], status=502)
        intervals.append(await seconds_until_due(shared, project))
    assert intervals == pytest.approx([1200, 2400, 3600, 3600], rel=0.05, abs=10)
    shared.github.faults.remove(fault)
    await shared.sync(project["id"])
    assert await seconds_until_due(shared, project) <= 630


async def test_what_a_person_must_mend_is_tried_hourly(shared: Service) -> None:
    shared.repository("acme/b", FILES, private_to=["reader"])
    project = await shared.synced("acme/b", github_token="reader", polling_interval=60)
    shared.github.hosting.make_private("acme/b", [])
    failures = []
    for _ in range(2):
        code = (await shared.sync(project["id"], status=422))["code"]
        failures.append((code, await seconds_until_due(shared, project)))
    assert [code for code, _ in failures] == ["repository_not_found"] * 2
    assert [pause for _, pause in failures] == pytest.approx([3600, 3600], rel=0.05, abs=10)


async def test_another_token_is_tried_at_once_where_the_old_one_failed(shared: Service) -> None:
    shared.repository("acme/b", FILES, private_to=["reader", "other"])
    project = await shared.synced("acme/b", github_token="reader", polling_interval=86_400)
    planned = await due_at(shared, project)
    await changed(shared, project, github_token="other")
    assert await due_at(shared, project) == planned
    shared.github.hosting.revoke_token("other")
    await shared.sync(project["id"], status=422)
    await changed(shared, project, github_token="reader")
    assert await poll(shared) == [("poll", "unchanged")]


async def test_a_used_up_limit_is_waited_for(shared: Service) -> None:
    shared.repository("acme/b", FILES, private_to=["reader"])
    project = await shared.synced("acme/b", github_token="reader", polling_interval=60)
    shared.github.limits.set("reader", limit=5000, remaining=0, reset_in=7000)
    assert (await shared.sync(project["id"], status=503))["code"] == "github_rate_limited"
    assert 6990 <= await seconds_until_due(shared, project) <= 7006


async def test_a_sync_queued_for_all_during_a_sync_is_done_after_it(shared: Service) -> None:
    repository = shared.repository("acme/b", FILES)
    project = await shared.synced("acme/b")
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="two")
    shared.github.latency = 0.15
    shared.github.requests.reset()
    running = asyncio.create_task(shared.sync(project["id"]))

    async def has_read_the_head() -> bool | None:
        return shared.github.requests.count("/git/trees/") > 0 or None

    await eventually(has_read_the_head, "the sync read no tree")
    head = repository.commit(
        {"config/a.yaml": b"a: 3\n"}, message="three, which the running sync cannot see"
    )
    assert await shared.post("/projects/sync-all", None, 202) == {"queued": [project["id"]]}
    assert (await running)["commit_sha"] != head
    shared.github.latency = 0
    assert await poll(shared) == [("manual", "success")]
    now = await shared.get(f"/projects/{project['id']}")
    assert (now["last_sync"]["commit_sha"], now["next_poll_at"]) == (head, None)


@pytest.mark.parametrize(
    "fault", [Status(503), Status(403, {"message": "secondary rate limit"}, {"Retry-After": "60"})]
)
async def test_what_was_queued_without_polling_is_tried_until_it_was_done(
    shared: Service, fault: Status
) -> None:
    repository = shared.repository("acme/b", FILES)
    project = await shared.synced("acme/b")
    repository.commit({"config/a.yaml": b"model: other\n"})
    planned = shared.github.faults.add(fault, times=None)
    await shared.post("/projects/sync-all", None, 202)
    assert await poll(shared) == [("manual", "failed")]
    assert 0 < await seconds_until_due(shared, project) <= 200
    shared.github.faults.remove(planned)
    await shared.services.project_store.make_all_due("manual")
    shared.services.connection.governors.forget()
    assert await poll(shared) == [("manual", "success")]
    assert await due_at(shared, project) is None


@pytest.mark.parametrize("interval", [0, 3600])
async def test_another_interval_does_not_put_off_what_was_queued(
    shared: Service, interval: int
) -> None:
    shared.repository("acme/b", FILES)
    project = await shared.synced("acme/b", polling_interval=60)
    await shared.post("/projects/sync-all", None, 202)
    await changed(shared, project, polling_interval=interval)
    assert await poll(shared) == [("manual", "unchanged")]


async def test_a_lease_held_without_knowing_is_given_back_before_it_runs_out(
    shared: Service,
) -> None:
    """As when the database answers a claim too late, and writes it none the less."""
    shared.repository("acme/a", FILES)
    shared.repository("acme/b", FILES)
    running, forgotten = await shared.project("acme/a"), await shared.project("acme/b")
    shared.github.latency = 0.3
    syncing = asyncio.create_task(shared.sync(running["id"]))
    sync = shared.services.sync
    leases = LeaseStore(shared.services.database)

    async def lease() -> Lease | None:
        return next(iter(await leases.held(sync.owner)), None)

    held = await eventually(lease, "the sync took no lease")
    assert await leases.claim(forgotten["id"], sync.owner) is not None
    await sync.give_back_forgotten()
    assert await leases.held(sync.owner) == [held]
    shared.github.latency = 0
    assert await poll(shared) == [("poll", "success")]
    assert (await syncing)["status"] == "success"
    await sync.give_back_forgotten()
    assert await leases.held(sync.owner) == []
