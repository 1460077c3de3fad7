"""Leases and fences, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from benchmark_manager.errors import LeaseLostError, SourceChangedError
from benchmark_manager.models.project import (
    Lease,
    Project,
    Ref,
    RepositoryAddress,
    Source,
    SyncState,
)
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.database.starting import start
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.sync.leases import LEASE_SECONDS, FinishedSync, LeaseStore
from support.further_clients import further_client

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
REPOSITORY = RepositoryAddress(api_url="https://api.github.com", owner="octo", name="demo")
SOURCE = Source(repository=REPOSITORY, config_folder="config", job_folder="job")


@pytest.fixture
def projects(database: Database) -> ProjectStore:
    return ProjectStore(database)


@pytest.fixture
def leases(database: Database) -> LeaseStore:
    return LeaseStore(database)


def a_project(name: str = "demo", due_at: datetime | None = None, **fields: Any) -> Project:
    values: dict[str, Any] = {
        "source": SOURCE,
        "polling_interval": 180,
        "next_poll_at": due_at,
        **fields,
    }
    return Project(id=str(ObjectId()), name=name, created_at=NOW, updated_at=NOW, **values)


async def delete(database: Database, projects: ProjectStore, project_id: str) -> None:
    await database.transaction(lambda session: projects.delete(project_id, None, NOW, session))


async def add(
    projects: ProjectStore, name: str = "demo", due_at: datetime | None = None, **fields: Any
) -> str:
    project = a_project(name, due_at, **fields)
    await projects.insert(project)
    return project.id


async def take(leases: LeaseStore, project_id: str, owner: str) -> Lease:
    claimed = await leases.claim(project_id, owner)
    assert claimed is not None
    return claimed.lease


async def names_due(leases: LeaseStore, *busy: str, at_once: int = 100) -> list[str]:
    """The names of what is claimed, in order, until nothing is."""
    claims: list[list[str]] = []
    while claimed := await leases.claim_due("replica", at_once, busy):
        claims.append([claim.project.name for claim in claimed])
    assert max(map(len, claims), default=0) <= at_once
    return [name for names in claims for name in names]


async def let_expire(database: Database, project_id: str, seconds: float) -> None:
    """Set the lease's end, seconds from the database's now."""
    until = await database.now() + timedelta(seconds=seconds)
    await database.collection("projects").update_one(
        {"_id": ObjectId(project_id)}, {"$set": {"lease_until": until}}
    )


def finished(lease: Lease, source: Source = SOURCE, **fields: Any) -> FinishedSync:
    begun = a_project("begun", source=source, polling_interval=0, **fields)
    return FinishedSync(lease, begun, SyncState(status="ok"), next_poll_at=NOW)


async def finish(
    database: Database, leases: LeaseStore, lease: Lease, source: Source = SOURCE
) -> None:
    """The transaction of a sync that began with `source`: its outcome, and another write."""

    async def work(session: Session) -> None:
        await database.collection("syncs").insert_one({"by": lease.owner}, session=session)
        await leases.finish(finished(lease, source), session)

    await database.transaction(work)


async def finish_many(database: Database, leases: LeaseStore, rows: list[FinishedSync]) -> set[str]:
    async def work(session: Session) -> set[str]:
        return await leases.finish_many(rows, session)

    return await database.transaction(work)


# Claims


@pytest.mark.parametrize("at_once", [1, 2, 100])
async def test_the_longest_due_project_is_claimed_first_and_none_that_is_not_due(
    database: Database, projects: ProjectStore, leases: LeaseStore, at_once: int
) -> None:
    now = await database.now()
    for name, due_in in {"b": -20, "a": -10, "c": -30, "later": 60, "never": None}.items():
        await add(projects, name, None if due_in is None else now + timedelta(seconds=due_in))
    assert await names_due(leases, at_once=at_once) == ["c", "b", "a"]


async def test_what_people_wait_for_comes_before_webhooks_and_these_before_polls(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    now = await database.now()
    for name, seconds, trigger in [
        *(("poll 1", 900, "poll"), ("hook 1", 500, "webhook"), ("manual 1", 2, "manual")),
        *(("poll 2", 800, "poll"), ("hook 2", 400, "webhook"), ("manual 2", 1, "manual")),
    ]:
        await add(projects, name, now - timedelta(seconds=seconds), due_trigger=trigger)
    await add(projects, "manual, later", now + timedelta(seconds=60), due_trigger="manual")
    expected = ["manual 1", "manual 2", "hook 1", "hook 2", "poll 1", "poll 2"]
    assert await names_due(leases, at_once=4) == expected


async def test_projects_of_a_busy_credential_are_left_for_later_and_delay_no_other(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    now = await database.now()
    busy = SOURCE.model_copy(update={"token_fingerprint": "busy"})
    for number in range(3):
        await add(projects, f"busy {number}", now - timedelta(seconds=900 - number), source=busy)
        await add(projects, f"free {number}", now - timedelta(seconds=9 - number))
    assert await names_due(leases, "busy", at_once=2) == ["free 0", "free 1", "free 2"]
    assert await names_due(leases, REPOSITORY.api_url) == ["busy 0", "busy 1", "busy 2"]


async def test_a_claim_has_its_lateness_and_whether_another_workers_lease_ran_out(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    due_at = await database.now() - timedelta(seconds=30)
    project_id = await add(projects, due_at=due_at)
    (first,) = await leases.claim_due("first", 1)
    assert first.lateness is not None
    assert 30 <= first.lateness < 60
    assert not first.taken_over
    await let_expire(database, project_id, -0.001)
    (second,) = await leases.claim_due("second", 1)
    assert second.taken_over
    never_due = await leases.claim(await add(projects, "never"), "first")
    assert never_due is not None
    assert (never_due.lateness, never_due.taken_over) == (None, False)


async def test_a_poll_claims_projects_that_its_check_serves_and_that_are_due_before_its_next(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    now = await database.now()
    soon, read = now + timedelta(seconds=60), SyncState(head_sha="a" * 40)
    other_branch = SOURCE.model_copy(update={"ref": Ref.of_branch("other")})
    other_token = SOURCE.model_copy(update={"token_fingerprint": "other"})
    other_case = SOURCE.model_copy(
        update={"repository": REPOSITORY.model_copy(update={"owner": "OCTO"})}
    )
    elsewhere = SOURCE.model_copy(
        update={"repository": REPOSITORY.model_copy(update={"name": "other"})}
    )
    await add(projects, "leader", now - timedelta(seconds=1), state=read)
    wanted = {
        "same": await add(projects, "same", soon, state=read),
        "folders differ": await add(
            projects,
            "folders differ",
            soon,
            state=read,
            source=SOURCE.model_copy(update={"job_folder": "x"}),
        ),
        "case differs": await add(projects, "case differs", soon, state=read, source=other_case),
    }
    for number, source in enumerate((other_branch, other_token, elsewhere)):
        await add(projects, f"other {number}", soon, state=read, source=source)
    await add(projects, "never read", soon)
    await add(projects, "after the leader's next", now + timedelta(seconds=900), state=read)
    await add(projects, "manual", soon, state=read, due_trigger="manual")
    await add(projects, "never due", None, state=read)
    await leases.claim(await add(projects, "worked on", soon, state=read), "another")
    (leader,) = await leases.claim_due("replica", 10)
    claims = await leases.claim_companions("replica", [leader.project], 100)
    assert {claim.project.name: claim.project.id for claim in claims} == wanted
    assert all(claim.lateness is not None and claim.lateness < 0 for claim in claims)
    assert await leases.claim_companions("replica", [leader.project], 100) == []
    assert await leases.claim_companions("replica", [], 100) == []


async def test_of_fifty_claims_at_once_over_five_replicas_exactly_one_wins(
    url: str, database: Database, projects: ProjectStore
) -> None:
    project_id = await add(projects, due_at=await database.now())
    async with (
        further_client(url) as b,
        further_client(url) as c,
        further_client(url) as d,
        further_client(url) as e,
    ):
        stores = [LeaseStore(other) for other in (database, b, c, d, e)]
        by_id = await asyncio.gather(
            asyncio.gather(*(stores[n % 5].claim(project_id, f"replica {n}") for n in range(25))),
            asyncio.gather(*(stores[n % 5].claim_due(f"replica {n}", 10) for n in range(25, 50))),
        )
    winners = [
        claim
        for claim in [*by_id[0], *(claim for some in by_id[1] for claim in some)]
        if claim is not None
    ]
    assert len(winners) == 1
    stored = await projects.get(project_id)
    assert (stored.lease_owner, stored.fence) == (winners[0].lease.owner, 1)


async def test_five_replicas_share_many_due_projects_without_claiming_one_twice(
    url: str, database: Database, projects: ProjectStore
) -> None:
    now = await database.now()
    ids = [
        await add(projects, str(number), now - timedelta(seconds=number)) for number in range(20)
    ]
    claimed: list[str] = []

    async def replica(store: LeaseStore, owner: str) -> None:
        while found := await store.claim_due(owner, 3):
            claimed.extend(claim.project.id for claim in found)

    async with further_client(url) as second, further_client(url) as third:
        stores = [LeaseStore(each) for each in (database, second, third)]
        await asyncio.gather(*(replica(store, str(number)) for number, store in enumerate(stores)))
    assert sorted(claimed) == sorted(ids)


async def test_a_lease_holds_until_it_runs_out_and_its_successor_has_a_higher_fence(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    project_id = await add(projects, due_at=await database.now())
    first = await take(leases, project_id, "first")
    await let_expire(database, project_id, 5)
    assert await leases.claim(project_id, "second") is None
    assert await leases.claim_due("second", 10) == []
    await let_expire(database, project_id, -0.001)
    second = await take(leases, project_id, "second")
    assert (first.fence, second.fence) == (1, 2)


async def lease_end(projects: ProjectStore, project_id: str) -> datetime:
    until = (await projects.get(project_id)).lease_until
    assert until is not None
    return until


async def test_leases_run_by_the_databases_clock_whatever_a_replicas_own_says(
    url: str,
) -> None:
    class Ahead(Database):
        """A database whose clock is an hour ahead of this machine's."""

        async def now(self) -> datetime:
            return await super().now() + timedelta(hours=1)

    database = Ahead(url, "unnamed", "embedded" if "directConnection" in url else "mongodb")
    await start(database)
    projects, leases = ProjectStore(database), LeaseStore(database)
    project_id = await add(projects)
    fences: list[int] = []
    times: list[datetime] = []
    for _ in range(3):
        times.append(await database.now())
        fences.append((await take(leases, project_id, "replica")).fence)
        begin = await lease_end(projects, project_id) - timedelta(seconds=LEASE_SECONDS)
        times += [begin, await database.now()]
        await let_expire(database, project_id, -0.001)
    assert fences == [1, 2, 3]
    assert times == sorted(times)
    await database.close()


async def test_the_time_of_the_database_is_now(database: Database) -> None:
    assert abs(datetime.now(UTC) - await database.now()) < timedelta(minutes=1)


async def test_a_renewed_lease_lasts_longer_and_a_released_one_is_free_and_as_due_as_before(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    due_at = (await database.now()) - timedelta(seconds=1)
    project_id = await add(projects, due_at=due_at)
    lease = await take(leases, project_id, "first")
    await let_expire(database, project_id, 1)
    assert await leases.renew([lease]) == set()
    renewed = (await projects.get(project_id)).lease_until
    assert renewed is not None
    assert renewed > await database.now() + timedelta(seconds=LEASE_SECONDS - 10)
    await leases.release(lease)
    (claimed,) = await leases.claim_due("second", 1)
    assert claimed.project.next_poll_at == due_at


async def test_a_finished_sync_gives_the_lease_back_with_its_result(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    project_id = await add(projects)
    await finish(database, leases, await take(leases, project_id, "first"))
    stored = await projects.get(project_id)
    assert (stored.state.status, stored.lease_owner, stored.lease_until, stored.next_poll_at) == (
        "ok",
        None,
        None,
        NOW,
    )
    assert (await take(leases, project_id, "second")).fence == 2


@pytest.mark.parametrize("how", ["taken over", "released and taken", "deleted"])
async def test_a_lost_lease_can_neither_be_renewed_nor_commit_anything_nor_free_its_successors(
    database: Database, projects: ProjectStore, leases: LeaseStore, how: str
) -> None:
    project_id = await add(projects)
    lost = await take(leases, project_id, "replica")
    if how == "released and taken":
        await leases.release(lost)
    else:
        await let_expire(database, project_id, -0.001)
    # The same replica's name: only the fence distinguishes the two leases.
    await take(leases, project_id, "replica")
    before = await projects.get(project_id)
    if how == "deleted":
        await delete(database, projects, project_id)
    assert await leases.renew([lost]) == {project_id}
    assert await finish_many(database, leases, [finished(lost)]) == set()
    with pytest.raises(LeaseLostError):
        await finish(database, leases, lost)
    await leases.release(lost)
    assert await database.collection("syncs").count_documents({}) == 0
    if how != "deleted":
        assert await projects.get(project_id) == before


async def test_settings_which_changed_during_a_sync_keep_it_from_committing(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    project_id = await add(projects)
    lease = await take(leases, project_id, "replica")
    with pytest.raises(SourceChangedError):
        await finish(database, leases, lease, SOURCE.model_copy(update={"version": 0}))
    assert await database.collection("syncs").count_documents({}) == 0
    assert (await projects.get(project_id)).lease_owner == "replica"


# Many at once


async def test_of_many_renewals_the_lost_ones_are_returned(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    held = [await take(leases, await add(projects, str(number)), "replica") for number in range(5)]
    lost = held[1], held[3]
    await let_expire(database, lost[0].project_id, -0.001)
    await take(leases, lost[0].project_id, "replica")
    await delete(database, projects, lost[1].project_id)
    for lease in held:
        await let_expire(database, lease.project_id, 1)
    assert await leases.renew(held) == {lease.project_id for lease in lost}
    soon = await database.now() + timedelta(seconds=LEASE_SECONDS - 10)
    ends = [
        (await projects.get(lease.project_id)).lease_until for lease in held if lease not in lost
    ]
    assert [until for until in ends if until is None or until <= soon] == []
    assert await leases.renew([]) == set()


async def test_unchanged_syncs_are_finished_together_but_those_whose_lease_or_settings_changed(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    held = {
        name: await take(leases, await add(projects, name), "replica")
        for name in ("a", "b", "lost", "set", "wish")
    }
    await let_expire(database, held["lost"].project_id, -0.001)
    await take(leases, held["lost"].project_id, "replica")
    collection = database.collection("projects")
    await collection.update_one(
        {"_id": ObjectId(held["set"].project_id)}, {"$inc": {"source.version": 1}}
    )
    await collection.update_one({"_id": ObjectId(held["wish"].project_id)}, {"$inc": {"wishes": 1}})
    done = await finish_many(database, leases, [finished(lease) for lease in held.values()])
    assert done == {held["a"].project_id, held["b"].project_id}
    states = {name: await projects.get(lease.project_id) for name, lease in held.items()}
    assert {name for name, stored in states.items() if stored.state.status == "ok"} == {"a", "b"}
    assert {name for name, stored in states.items() if stored.lease_owner is None} == {"a", "b"}
    assert await finish_many(database, leases, [finished(held["wish"], wishes=1)]) == {
        held["wish"].project_id
    }


async def test_a_sync_that_was_queued_meanwhile_keeps_its_project_due(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    lease = await take(leases, await add(projects), "replica")
    await projects.make_all_due("manual")
    await finish(database, leases, lease)
    (claimed,) = await leases.claim_due("replica", 1)
    assert (claimed.project.state.status, claimed.project.due_trigger) == ("ok", "manual")


async def test_the_only_process_of_a_database_ends_what_its_forerunner_left(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    lease = await take(leases, await add(projects, due_at=await database.now()), "forerunner")
    await leases.break_all()
    with pytest.raises(LeaseLostError):
        await finish(database, leases, lease)
    (claimed,) = await leases.claim_due("successor", 1)
    assert claimed.lease.fence > lease.fence + 1


async def test_due_projects_are_counted_by_credential(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    now = await database.now()
    other = SOURCE.model_copy(update={"token_fingerprint": "other"})
    for number, seconds in enumerate((-5, 10, 100, None)):
        due_at = None if seconds is None else now + timedelta(seconds=seconds)
        await add(projects, f"{number}", due_at)
        await add(projects, f"other {number}", due_at, source=other)
    assert await leases.due_by_credential(now + timedelta(seconds=50)) == {
        REPOSITORY.api_url: 2,
        "other": 2,
    }


async def test_a_transaction_which_a_dead_process_left_open_holds_up_its_own_project_only(
    database: Database, projects: ProjectStore, leases: LeaseStore
) -> None:
    """MongoDB ends such a transaction after a minute; until then, writes to its documents wait."""
    if database.kind == "embedded":
        pytest.skip("a database of one process is restarted with it")
    past = await projects.now() - timedelta(minutes=1)
    locked = await add(projects, "locked", past)
    for name in ("free 1", "free 2"):
        await add(projects, name, past + timedelta(seconds=1))
    client = database.new_client()
    async with client, client.start_session() as session:
        await session.start_transaction()
        await client[database.name]["projects"].update_one(
            {"_id": ObjectId(locked)}, {"$set": {"name": "half done"}}, session=session
        )
        assert await names_due(leases) == ["free 1", "free 2"]
        assert await names_due(leases) == [], "and it is left alone for a while"
        await session.abort_transaction()
    assert await leases.claim(locked, "replica") is not None
