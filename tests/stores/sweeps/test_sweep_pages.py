"""Pages of sweeps are bounded by the size of their definitions, which people choose."""

from datetime import UTC, datetime, timedelta
from itertools import chain

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.definition import read_definition
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.sweep import Sweep, SweepVersion
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.sweeps.sweeps import PAGE_BYTES, SweepStore

FIRST = datetime(2026, 11, 30, tzinfo=UTC)
#: Of one definition, characters.
SIZE = 900_000


def sweep_of(number: int, project_id: str) -> Sweep:
    value = "x" * (SIZE // 100)
    points: list[JsonValue] = [{"name": str(each), "set": {"a:b": value}} for each in range(100)]
    definition = read_definition(
        {"name": "large", "files": {"a": "a.yaml"}, "axes": [{"name": "x", "points": points}]}
    )
    at = FIRST + timedelta(seconds=number)
    return Sweep(
        id=Database.new_id(),
        project_id=project_id,
        name=str(number),
        description="",
        definition=definition,
        generation=1,
        revision=1,
        bases=(),
        base_list_id="",
        others_id="",
        cells_count=0,
        base_commit_sha=None,
        created_at=at,
        created_by="ada",
        updated_at=at,
    )


async def test_a_page_of_large_sweeps_ends_early_and_leads_to_the_rest(database: Database) -> None:
    store, project_id, count = SweepStore(database), Database.new_id(), 10
    for number in range(count):
        sweep = sweep_of(number, project_id)
        version = SweepVersion(sweep_id=sweep.id, number=1, definition=sweep.definition, bases=())

        async def work(
            session: Session, sweep: Sweep = sweep, version: SweepVersion = version
        ) -> None:
            await store.insert(sweep, version, session)

        await database.transaction(work)
    pages = [await store.page(project_id, PageRequest(limit=100, cursor=None))]
    while pages[-1].next_cursor is not None:
        request = PageRequest(limit=100, cursor=pages[-1].next_cursor)
        pages.append(await store.page(project_id, request))
    names = [[sweep.name for sweep in page.rows] for page in pages]
    assert list(chain.from_iterable(names)) == [str(number) for number in reversed(range(count))]
    assert {page.total for page in pages} == {count}
    assert [len(rows) * SIZE <= PAGE_BYTES for rows in names] == [True] * len(names)
    one = await store.page(project_id, PageRequest(limit=1, cursor=None))
    assert len(one.rows) == 1
