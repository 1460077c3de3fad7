"""Requests, syncs, replicas and the end of the service, two of them at the same moment."""

import asyncio
import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from benchmark_manager.domain.projects.settings import ProjectChanges
from benchmark_manager.errors import LeaseLostError, StorageError
from benchmark_manager.factory import Externals, ServiceLimits, utc_now
from benchmark_manager.github.reading.contents import MemoryBudget
from benchmark_manager.models.project import Claim, Project
from benchmark_manager.scheduler import running_scheduler
from benchmark_manager.services.projects.editor import ProjectEditor
from benchmark_manager.services.projects.projects import ProjectService
from benchmark_manager.services.projects.sources import ProjectDefaults, SourceService
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.stores.sync.syncs import SyncStore
from github_test_server import ResetMidBody
from support.principals import open_principal
from support.problems import assert_problem
from support.replacements import beside
from support.service import Json, Service, running_sync
from support.waiting import GENEROUS, eventually

CONFIG = b"model: llama\n"
RENEWS_SOON = pytest.mark.parametrize(
    "externals", [Externals(limits=ServiceLimits(lease_renewal=1.0))], ids=["renews soon"]
)


def database_of(service: Service) -> Database:
    return service.services.database


async def lease_end(service: Service, project: Json) -> datetime | None:
    stored = await service.services.project_store.get(project["id"])
    return stored.lease_until


async def test_two_purges_at_once_leave_no_record_of_a_removed_file(
    either: Service,
) -> None:
    repository = either.repository("acme/b", {f"config/{n}.yaml": b"n: %d\n" % n for n in range(2)})
    project = await either.synced("acme/b")
    pairs = [
        [
            (await either.variant(project["id"], file, modified_name=f"{letter}.yaml"))["id"]
            for letter in (f"a{n}", f"b{n}")
        ]
        for n, file in enumerate((await either.files(project["id"])).values())
    ]
    repository.commit({"config": None, "job/x.yaml": b"kind: Job\n"}, message="gone")
    await either.sync(project["id"])
    statuses: list[int] = []
    for pair in pairs:
        answers = await asyncio.gather(
            *(either.http.delete(f"/modified-files/{key}") for key in pair)
        )
        statuses += (answer.status_code for answer in answers)
    assert statuses == [204] * 2 * len(pairs)
    later = datetime.now(UTC) + timedelta(days=31)
    await asyncio.gather(*(either.services.trash.purge(later) for _ in range(2)))
    assert (await either.files(project["id"], include_removed=True)).keys() == {"job/x.yaml"}


async def test_of_deletions_of_one_project_exactly_one_finds_it(either: Service) -> None:
    either.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await either.synced("acme/b")
    answers = await asyncio.gather(
        *(either.http.delete(f"/projects/{project['id']}") for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [204] + [404] * 7


async def test_of_variants_with_one_name_exactly_one_is_made_and_of_changes_to_one_revision_one(
    either: Service,
) -> None:
    either.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await either.synced("acme/b")
    file = (await either.files(project["id"]))["config/a.yaml"]
    body = {"original_file_id": file["id"], "modified_name": "v.yaml"}
    made = await asyncio.gather(
        *(
            either.http.post(f"/projects/{project['id']}/modified-files", json=body)
            for _ in range(8)
        )
    )
    assert sorted(answer.status_code for answer in made) == [201] + [409] * 7
    variant = next(answer for answer in made if answer.status_code == 201)
    etag = {"If-Match": variant.headers["etag"]}
    changed = await asyncio.gather(
        *(
            either.http.put(
                f"/modified-files/{variant.json()['id']}",
                json={"description": str(n)},
                headers=etag,
            )
            for n in range(8)
        )
    )
    assert sorted(answer.status_code for answer in changed) == [200] + [412] * 7


async def test_a_sync_and_changes_of_a_variant_leave_its_drift_true(either: Service) -> None:
    repository = either.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await either.synced("acme/b")
    file = (await either.files(project["id"]))["config/a.yaml"]
    variant = await either.variant(project["id"], file, modified_name="v.yaml")
    path = f"/modified-files/{variant['id']}"
    drifts = []
    for n in range(4):
        repository.commit({"config/a.yaml": CONFIG if n % 2 else b"n: %d\n" % n}, message="change")
        await asyncio.gather(
            either.sync(project["id"]),
            *(either.put(path, {"description": f"{n} {k}"}) for k in range(4)),
        )
        drifts.append((await either.get(path))["drift"])
    assert drifts == ["behind", "current"] * 2


async def test_a_sync_which_a_full_disk_stops_is_recorded_and_slows_polling_down(
    service: Service, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")

    async def no_room() -> None:
        raise StorageError("disk_full")

    full = Database(database_url, "unnamed", "mongodb", ensure_room=no_room)
    stopped = beside(service, full).sync
    failed = await stopped.sync(open_principal("jo"), project["id"], "manual")
    assert (failed.status, failed.error and failed.error.code) == ("failed", "disk_full")
    assert await stopped.start_due(1, (), ()) == [], "it is not tried again at once"
    await full.close()
    codes = [
        r.msg["code"]
        for r in caplog.records
        if isinstance(r.msg, dict) and r.levelno == logging.ERROR
    ]
    assert codes == ["disk_full"]
    assert await lease_end(service, project) is None
    shown = await service.get(f"/projects/{project['id']}")
    assert (shown["sync_status"], shown["error"]["code"]) == ("unavailable", "disk_full")
    assert (await service.sync(project["id"]))["status"] == "success"


async def test_a_sync_whose_lease_this_process_took_anew_leaves_its_successor_alone(
    service: Service,
) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    errors: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: errors.append(context))
    sync = service.services.sync
    with service.github.held():
        first = asyncio.create_task(sync.sync(open_principal("jo"), project["id"], "manual"))
        former = await running_sync(service, project)
        # As if this process had stood still for longer than a lease lasts.
        await (
            database_of(service)
            .collection("projects")
            .update_one(
                {"_id": ObjectId(project["id"])},
                {"$set": {"lease_until": datetime(2020, 1, 1, tzinfo=UTC)}},
            )
        )
        (started,) = await sync.start_due(1, (), ())
    second = started.task
    await asyncio.wait({former})
    assert sync.running.get(project["id"], second) is second
    found, applied = await first, await second
    assert applied.status == "success"
    # The caller of the former gets the applied sync, or a later one if that had ended already.
    assert found == applied or (found.status, found.commit_sha) == (
        "unchanged",
        applied.commit_sha,
    )
    await asyncio.sleep(0)
    loop.set_exception_handler(None)
    assert (errors, sync.running) == ([], {})
    assert await lease_end(service, project) is None


@RENEWS_SOON
async def test_a_sync_which_lasts_longer_than_its_lease_keeps_it(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    database = database_of(service)
    with service.github.held():
        syncing = asyncio.create_task(service.sync(project["id"]))
        await running_sync(service, project)
        # A while later it would run out.
        await database.collection("projects").update_one(
            {"_id": ObjectId(project["id"])},
            {"$set": {"lease_until": await database.now() + timedelta(seconds=25)}},
        )

        async def is_renewed() -> bool:
            until = await lease_end(service, project)
            assert until is not None
            return until > await database.now() + timedelta(seconds=30)

        await eventually(is_renewed, "the lease is not renewed")
        assert await service.services.sync.start_due(1, (), ()) == []
    assert (await syncing)["status"] == "success"


@RENEWS_SOON
async def test_a_sync_which_lost_its_lease_asks_github_no_more(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    with service.github.held():
        (started,) = await service.services.sync.start_due(1, (), ())
        await eventually(lambda: len(service.github.requests) > 1, "GitHub is not asked")
        until = await database_of(service).now() + timedelta(minutes=1)
        taken = {"$set": {"lease_owner": "another", "lease_until": until}, "$inc": {"fence": 1}}
        await (
            database_of(service)
            .collection("projects")
            .update_one({"_id": ObjectId(project["id"])}, taken)
        )
        async with asyncio.timeout(GENEROUS):
            with pytest.raises(LeaseLostError):
                await started.task
    # The commit and the repository's name were asked for at once, and no archive after them.
    assert (len(service.github.requests), service.github.requests.count("/tarball/")) == (2, 0)


async def test_a_stop_lets_running_syncs_come_to_their_end(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    service.github.latency = 0.3
    (started,) = await service.services.sync.start_due(1, (), ())
    await service.services.sync.stop(30)
    assert started.task.done()
    assert (await started.task).status == "success"
    assert await lease_end(service, project) is None


@pytest.mark.parametrize("when", ["while its sync runs", "afterwards"])
async def test_who_waits_for_a_sync_hears_that_the_service_stops(
    service: Service, when: str
) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    path = f"/projects/{project['id']}/sync"
    if when == "afterwards":
        await service.services.sync.stop(0.1)
        answer = await service.http.post(path)
    else:
        with service.github.held():
            asking = asyncio.create_task(service.http.post(path))
            await running_sync(service, project)
            await service.services.sync.stop(0.1)
            answer = await asking
    assert_problem(answer, 503, "service_stopping")
    assert "retry-after" in answer.headers
    now = await service.services.project_store.get(project["id"])
    # Nothing was recorded, and another replica goes on at once.
    assert (now.lease_until, now.state.status) == (None, "never")
    assert now.next_poll_at is not None


class SlowAnswers(LeaseStore):
    """A store whose claims are done before `go_on` is set, and answered afterwards."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.claims = 0
        self.go_on = asyncio.Event()

    async def claim_due(
        self, owner: str, limit: int, busy: Collection[str] = (), *, only_read: bool = False
    ) -> list[Claim]:
        claimed = await super().claim_due(owner, limit, busy, only_read=only_read)
        self.claims += 1
        await self.go_on.wait()
        return claimed


@pytest.mark.parametrize("stops", [False, True])
async def test_a_claim_whose_caller_goes_away_leaves_no_lease(
    service: Service, stops: bool
) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    leases = SlowAnswers(database_of(service))
    another = beside(service, leases=leases)
    tick = asyncio.create_task(another.polling.run_due())
    await eventually(lambda: leases.claims, "nothing is claimed")
    assert await lease_end(service, project) is not None
    tick.cancel()
    await asyncio.gather(tick, return_exceptions=True)
    if not stops:
        leases.go_on.set()
        await another.sync.settled()
    stopping = asyncio.create_task(another.sync.stop(GENEROUS))
    await asyncio.sleep(0)
    leases.go_on.set()
    await stopping
    assert await lease_end(service, project) is None
    # Its caller wanted no result: a sync that could be done is done all the same.
    assert (await service.get(f"/projects/{project['id']}"))["sync_status"] == (
        "never" if stops else "ok"
    )


@pytest.mark.parametrize("claims", [1, 2], ids=["while it claims", "before it claims again"])
async def test_a_stop_during_a_check_for_due_projects_is_no_error(
    service: Service, caplog: pytest.LogCaptureFixture, claims: int
) -> None:
    """APScheduler logs whatever comes out of its jobs."""
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b")
    leases = SlowAnswers(database_of(service))
    another = beside(service, leases=leases)
    if claims > 1:
        leases.go_on.set()
    async with running_scheduler(another) as scheduler:
        await eventually(lambda: leases.claims >= claims, "nothing is claimed")
        asyncio.get_running_loop().call_later(0.1, leases.go_on.set)
    assert not scheduler.running
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []
    assert await lease_end(service, project) is None


STORING = MemoryBudget(1)


@pytest.mark.parametrize("externals", [Externals(storing=STORING)], ids=["one byte"])
async def test_syncs_which_share_what_may_be_on_its_way_into_the_store_all_get_through(
    service: Service,
) -> None:
    """Also beside one that fails while its contents wait, and one that is abandoned.

    All of it is given back.
    """
    files = {f"config/{n}.yaml": b"n: %d\n" % n for n in range(700)}
    projects = []
    for name in ("a", "b", "broken", "abandoned"):
        service.repository(f"acme/{name}", files | {"config/name.yaml": name.encode()})
        projects.append(await service.project(f"acme/{name}"))
    *good, broken, abandoned = projects
    service.github.faults.add(ResetMidBody(), path="/acme/broken/legacy.tar.gz/", times=None)
    for one in projects:
        await service.services.sync.start(open_principal("jo"), one["id"], "manual")
    syncs = dict(service.services.sync.running)
    assert len(syncs) == len(projects)
    await eventually(lambda: STORING.free == 0, "no contents are stored")
    syncs[abandoned["id"]].cancel()
    await asyncio.gather(*syncs.values(), return_exceptions=True)
    assert [syncs[one["id"]].result().added for one in good] == [701, 701]
    assert syncs[broken["id"]].result().status == "failed"
    assert STORING.free == 1


class RotatedMeanwhile(ProjectStore):
    """A store in which the keys are rotated just before a change is stored."""

    async def replace(
        self,
        project: Project,
        before: Project,
        session: Session,
        *,
        reschedule: bool,
        forget_upstream: bool,
    ) -> None:
        replaced = [
            await self.replace_token(project_id, encrypted, "encrypted anew")
            for project_id, encrypted in await self.with_tokens()
            if encrypted != "encrypted anew"
        ]
        assert all(replaced)
        await super().replace(
            project, before, session, reschedule=reschedule, forget_upstream=forget_upstream
        )


async def test_a_change_of_a_project_does_not_undo_a_rotation_of_keys(service: Service) -> None:
    service.repository("acme/b", {"config/a.yaml": CONFIG})
    project = await service.project("acme/b", github_token="old-secret")
    database = database_of(service)
    store = RotatedMeanwhile(database)
    services = service.services
    changing = ProjectService(
        store,
        OriginalFileStore(database),
        SyncStore(database),
        ProjectEditor(database, store, clock=utc_now),
        SourceService(services.vault, services.credentials, api_urls=(service.github.url,)),
        defaults=ProjectDefaults("config", "job", 0),
        clock=utc_now,
    )
    changed = await changing.update(
        open_principal("jo"), project["id"], ProjectChanges(name="another"), None
    )
    assert (changed.name, changed.revision) == ("another", 2)
    assert await store.with_tokens() == [(project["id"], "encrypted anew")]
