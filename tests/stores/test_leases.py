"""Leases and fences, on both databases."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from benchmark_manager.errors import LeaseLostError, SourceChangedError
from benchmark_manager.models.project import Lease, Project, RepositoryAddress, Source, SyncState
from benchmark_manager.stores import database as database_module
from benchmark_manager.stores import projects as projects_module
from benchmark_manager.stores.database import Database, Session
from benchmark_manager.stores.projects import LEASE_SECONDS, ProjectStore
from support.databases import connected

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
REPOSITORY = RepositoryAddress(api_url="https://api.github.com", owner="octo", name="demo")
SOURCE = Source(repository=REPOSITORY, branch=None, config_folder="config", job_folder="job")


@pytest.fixture
def projects(database: Database) -> ProjectStore:
    return ProjectStore(database)


async def add(projects: ProjectStore, name: str = "demo", due_at: datetime | None = None) -> str:
    project = Project(
        id=str(ObjectId()),
        name=name,
        source=SOURCE,
        polling_interval=180,
        created_at=NOW,
        updated_at=NOW,
        next_poll_at=due_at,
    )
    await projects.insert(project)
    return project.id


async def take(projects: ProjectStore, project_id: str, owner: str) -> Lease:
    claimed = await projects.claim(project_id, owner)
    assert claimed is not None
    return claimed[1]


async def let_expire(database: Database, project_id: str, seconds: float) -> None:
    """Set the lease's end, seconds from the database's now."""
    until = await database.now() + timedelta(seconds=seconds)
    await database.collection("projects").update_one({"_id": ObjectId(project_id)}, {"$set": {"lease_until": until}})


async def finish(database: Database, projects: ProjectStore, lease: Lease, source: Source = SOURCE) -> None:
    """The transaction of a sync which began with `source`: its outcome, and something else which it writes."""
    begun = Project(
        id=lease.project_id, name="begun", source=source, polling_interval=0, created_at=NOW, updated_at=NOW
    )

    async def work(session: Session) -> None:
        await database.collection("syncs").insert_one({"by": lease.owner}, session=session)
        await projects.finish(lease, begun, SyncState(status="ok"), next_poll_at=NOW, renamed_to=None, session=session)

    await database.transaction(work)


async def test_the_longest_due_project_is_claimed_first_and_none_that_is_not_due(
    database: Database, projects: ProjectStore
) -> None:
    now = await database.now()
    for name, due_in in {"b": -20, "a": -10, "c": -30, "later": 60, "never": None}.items():
        await add(projects, name, None if due_in is None else now + timedelta(seconds=due_in))
    names = []
    while (claimed := await projects.claim_due("replica")) is not None:
        names.append(claimed[0].name)
    assert names == ["c", "b", "a"]


async def test_of_fifty_claims_at_once_over_five_replicas_exactly_one_wins(
    url: str, database: Database, projects: ProjectStore
) -> None:
    project_id = await add(projects, due_at=await database.now())
    async with connected(url) as b, connected(url) as c, connected(url) as d, connected(url) as e:
        stores = [projects, *(ProjectStore(other) for other in (b, c, d, e))]
        by_id = [stores[n % 5].claim(project_id, f"replica {n}") for n in range(25)]
        by_date = [stores[n % 5].claim_due(f"replica {n}") for n in range(25, 50)]
        claims = await asyncio.gather(*by_id, *by_date)
    winners = [claimed for claimed in claims if claimed is not None]
    assert len(winners) == 1
    stored = await projects.get(project_id)
    assert (stored.lease_owner, stored.fence) == (winners[0][1].owner, 1)


async def test_five_replicas_share_many_due_projects_without_claiming_one_twice(
    url: str, database: Database, projects: ProjectStore
) -> None:
    now = await database.now()
    ids = [await add(projects, str(number), now - timedelta(seconds=number)) for number in range(20)]
    claimed: list[str] = []

    async def replica(store: ProjectStore, owner: str) -> None:
        while (found := await store.claim_due(owner)) is not None:
            claimed.append(found[0].id)

    async with connected(url) as second, connected(url) as third:
        stores = (projects, ProjectStore(second), ProjectStore(third))
        await asyncio.gather(*(replica(store, str(number)) for number, store in enumerate(stores)))
    assert sorted(claimed) == sorted(ids)


async def test_a_lease_holds_until_it_runs_out_and_its_successor_has_a_higher_fence(
    database: Database, projects: ProjectStore
) -> None:
    project_id = await add(projects, due_at=await database.now())
    first = await take(projects, project_id, "first")
    await let_expire(database, project_id, 5)
    assert await projects.claim(project_id, "second") is None
    assert await projects.claim_due("second") is None
    await let_expire(database, project_id, -0.001)
    second = await take(projects, project_id, "second")
    assert (first.fence, second.fence) == (1, 2)


async def test_leases_run_by_the_databases_clock_whatever_a_replicas_own_says(
    database: Database, projects: ProjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = await add(projects)

    class Wrong(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Wrong":
            return cls(2001, 1, 1, tzinfo=tz)

    monkeypatch.setattr(projects_module, "datetime", Wrong)
    monkeypatch.setattr(database_module, "datetime", Wrong)
    for fence in (1, 2, 3):
        before = await database.now()
        lease = await take(projects, project_id, "replica")
        after = await database.now()
        until = (await projects.get(project_id)).lease_until
        assert until is not None
        assert before <= until - timedelta(seconds=LEASE_SECONDS) <= after
        assert lease.fence == fence
        await let_expire(database, project_id, -0.001)
    assert abs(datetime.now(UTC) - await database.now()) < timedelta(minutes=1)


async def test_a_renewed_lease_lasts_longer_and_a_released_one_is_free_and_as_due_as_before(
    database: Database, projects: ProjectStore
) -> None:
    due_at = (await database.now()) - timedelta(seconds=1)
    project_id = await add(projects, due_at=due_at)
    lease = await take(projects, project_id, "first")
    await let_expire(database, project_id, 1)
    await projects.renew(lease)
    renewed = (await projects.get(project_id)).lease_until
    assert renewed is not None
    assert renewed > await database.now() + timedelta(seconds=LEASE_SECONDS - 10)
    await projects.release(lease)
    claimed = await projects.claim_due("second")
    assert claimed is not None
    assert claimed[0].next_poll_at == due_at


async def test_a_finished_sync_gives_the_lease_back_with_its_result(database: Database, projects: ProjectStore) -> None:
    project_id = await add(projects)
    await finish(database, projects, await take(projects, project_id, "first"))
    stored = await projects.get(project_id)
    assert (stored.state.status, stored.lease_owner, stored.lease_until, stored.next_poll_at) == ("ok", None, None, NOW)
    assert (await take(projects, project_id, "second")).fence == 2


@pytest.mark.parametrize("how", ["taken over", "released and taken", "deleted"])
async def test_a_lost_lease_can_neither_be_renewed_nor_commit_anything_nor_free_its_successors(
    database: Database, projects: ProjectStore, how: str
) -> None:
    project_id = await add(projects)
    lost = await take(projects, project_id, "replica")
    if how == "released and taken":
        await projects.release(lost)
    else:
        await let_expire(database, project_id, -0.001)
    # The same replica's name: only the fence tells the two leases apart.
    await take(projects, project_id, "replica")
    before = await projects.get(project_id)
    if how == "deleted":
        await projects.delete(project_id, None, NOW)
    with pytest.raises(LeaseLostError):
        await projects.renew(lost)
    with pytest.raises(LeaseLostError):
        await finish(database, projects, lost)
    await projects.release(lost)
    assert await database.collection("syncs").count_documents({}) == 0
    if how != "deleted":
        assert await projects.get(project_id) == before


async def test_settings_which_changed_during_a_sync_keep_it_from_committing(
    database: Database, projects: ProjectStore
) -> None:
    project_id = await add(projects)
    lease = await take(projects, project_id, "replica")
    with pytest.raises(SourceChangedError):
        await finish(database, projects, lease, SOURCE.model_copy(update={"version": 0}))
    assert await database.collection("syncs").count_documents({}) == 0
    assert (await projects.get(project_id)).lease_owner == "replica"
