"""Records of syncs: folding, purging and filtered pages, on both databases."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.project import Project, RepositoryAddress, Source, SyncState
from benchmark_manager.models.sync import GitHubUsage, Sync, SyncSummary
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.sync.syncs import SyncStore

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
PROJECT = "5" * 24
OTHER = "6" * 24
Row = tuple[Sync, int, str | None]


def poll(minutes: float = 0, project_id: str = PROJECT, **changes: Any) -> Sync:
    start = NOW + timedelta(minutes=minutes)
    values: dict[str, Any] = {
        "id": str(ObjectId()),
        "project_id": project_id,
        "trigger": "poll",
        "status": "unchanged",
        "started_at": start,
        "finished_at": start + timedelta(seconds=1),
        "duration_ms": 1000,
        "commit_sha": "1" * 40,
        "previous_commit_sha": "1" * 40,
        "synced_files": 7,
        "message": "7 files in place: nothing changed.",
        "github": GitHubUsage(
            requests=1, points_used=0, rate_limit_remaining=4000 + round(minutes)
        ),
        **changes,
    }
    return Sync(**values)


@pytest.fixture
def syncs(database: Database) -> SyncStore:
    return SyncStore(database)


async def fold(database: Database, syncs: SyncStore, *rows: Row) -> None:
    await database.transaction(lambda session: syncs.fold_unchanged(rows, session))


async def records(syncs: SyncStore, project_id: str = PROJECT) -> list[Sync]:
    return list((await syncs.page(project_id, PageRequest())).rows)


async def test_polls_are_folded_into_the_first_s_record(
    database: Database, syncs: SyncStore
) -> None:
    first = poll()
    await fold(database, syncs, (first, 1, None))
    assert await records(syncs) == [first]
    for number in (1, 2):
        usage = GitHubUsage(requests=2, points_used=3, rate_limit_remaining=number)
        await fold(
            database, syncs, (poll(number, duration_ms=number, github=usage), 1 + number, first.id)
        )
    last = poll(2)
    expected = {
        "repeated": 2,
        "finished_at": last.finished_at,
        "duration_ms": 2,
        "github": GitHubUsage(requests=5, points_used=6, rate_limit_remaining=2),
    }
    assert await records(syncs) == [first.model_copy(update=expected)]
    found = await syncs.by_fence(PROJECT, 3)
    assert found is not None, "who waits for the last poll finds it"
    assert found.id == first.id


async def test_many_projects_are_folded_and_begun_in_one_write(
    database: Database, syncs: SyncStore
) -> None:
    begun = [poll(project_id=f"{n:024x}") for n in range(1, 60)]
    await fold(database, syncs, *((sync, 1, None) for sync in begun))
    rows: list[Row] = [
        (poll(1, sync.project_id), 2, sync.id if number % 2 else None)
        for number, sync in enumerate(begun)
    ]
    await fold(database, syncs, *rows)
    repeated = [[row.repeated for row in await records(syncs, sync.project_id)] for sync in begun]
    assert repeated == [[1] if number % 2 else [0, 0] for number in range(len(begun))]


async def test_folding_nothing_writes_nothing(database: Database, syncs: SyncStore) -> None:
    await fold(database, syncs)
    assert await records(syncs) == []


async def test_a_record_that_was_purged_is_written_anew_under_the_same_id(
    database: Database, syncs: SyncStore
) -> None:
    purged, kept = str(ObjectId()), poll(project_id=OTHER)
    await fold(database, syncs, (kept, 1, None))
    again = poll(5)
    await fold(database, syncs, (again, 7, purged), (poll(5, OTHER), 7, kept.id))
    assert await records(syncs) == [again.model_copy(update={"id": purged})]
    assert [row.repeated for row in await records(syncs, OTHER)] == [1]


async def test_a_transaction_that_fails_folds_nothing(database: Database, syncs: SyncStore) -> None:
    first = poll()
    await fold(database, syncs, (first, 1, None))

    async def work(session: Any) -> None:
        await syncs.fold_unchanged([(poll(1), 2, first.id)], session)
        raise NotFoundError("project", PROJECT)

    with pytest.raises(NotFoundError):
        await database.transaction(work)
    assert await records(syncs) == [first]


async def test_what_is_no_unchanged_poll_of_the_project_is_never_folded_into(
    database: Database, syncs: SyncStore
) -> None:
    others = [
        poll(project_id=OTHER),
        poll(trigger="manual"),
        poll(status="failed"),
    ]
    await fold(database, syncs, *((sync, 1, None) for sync in others))
    for target in others:
        await fold(database, syncs, (poll(1), 2, target.id))
    assert [row.repeated for row in (*await records(syncs), *await records(syncs, OTHER))] == [
        0,
        0,
        0,
    ]


async def test_pages_stay_stable_while_the_newest_record_grows(
    database: Database, syncs: SyncStore
) -> None:
    begun = [poll(minutes) for minutes in range(5)]
    await fold(database, syncs, *((sync, 1, None) for sync in begun))
    first = await syncs.page(PROJECT, PageRequest(limit=2))
    await fold(database, syncs, (poll(500), 2, begun[-1].id))
    second = await syncs.page(PROJECT, PageRequest(limit=3, cursor=first.next_cursor))
    assert [row.id for row in (*first.rows, *second.rows)] == [sync.id for sync in reversed(begun)]


# Purging.


async def add(database: Database, project_id: str, last: Sync | None) -> None:
    address = RepositoryAddress(api_url="https://api.github.com", owner="octo", name="demo")
    project = Project(
        id=project_id,
        name=project_id,
        source=Source(repository=address, config_folder="config", job_folder="job"),
        polling_interval=0,
        created_at=NOW,
        updated_at=NOW,
        state=SyncState(last_sync=None if last is None else SyncSummary.of(last)),
    )
    await ProjectStore(database).insert(project)


async def test_by_a_clock_that_was_set_back_the_last_sync_stays_though_it_is_not_the_newest(
    database: Database, syncs: SyncStore
) -> None:
    history = [poll(minutes) for minutes in range(6)]
    await fold(database, syncs, *((sync, 1, None) for sync in history))
    await add(database, PROJECT, history[0])
    assert await syncs.purge(NOW - timedelta(days=1), 2) == 3
    assert [row.id for row in await records(syncs)] == [history[n].id for n in (5, 4, 0)]


async def test_syncs_of_one_moment_are_ordered_by_their_ids(
    database: Database, syncs: SyncStore
) -> None:
    history = [poll() for _ in range(5)]
    await fold(database, syncs, *((sync, 1, None) for sync in history))
    await add(database, PROJECT, history[-1])
    assert await syncs.purge(NOW - timedelta(days=1), 2) == 3
    assert {row.id for row in await records(syncs)} == set(sorted(sync.id for sync in history)[-2:])


@pytest.mark.parametrize("projects", [0, 1, 2, 3, 4, 5, 7])
async def test_however_many_projects_rest_each_keeps_its_last_sync(
    database: Database, projects: int
) -> None:
    """The rounds of the deletion are short here: of 2 projects."""
    syncs = SyncStore(database, ids_at_once=2)
    ids = [f"{n:024x}" for n in range(1, projects + 1)]
    history = [
        poll(minutes, project_id) for minutes, project_id in itertools.product(range(3), ids)
    ]
    stray = poll(project_id=OTHER)
    await fold(database, syncs, *((sync, 1, None) for sync in (*history, stray)))
    for project_id in ids:
        await add(
            database, project_id, next(s for s in reversed(history) if s.project_id == project_id)
        )
    assert await syncs.purge(NOW + timedelta(days=1), 1000) == 2 * projects + 1
    kept = [[row.started_at for row in await records(syncs, project_id)] for project_id in ids]
    assert kept == [[NOW + timedelta(minutes=2)]] * projects


async def test_a_project_without_a_sync_is_no_obstacle(
    database: Database, syncs: SyncStore
) -> None:
    await add(database, PROJECT, None)
    await fold(database, syncs, *((poll(minutes), 1, None) for minutes in range(3)))
    assert await syncs.purge(NOW - timedelta(days=1), 1) == 2
    assert await syncs.purge(NOW + timedelta(days=1), 1) == 1
