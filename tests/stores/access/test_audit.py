"""The audit: who changed what, who signed in, and what was refused."""

from datetime import timedelta
from typing import Final

import pytest

from benchmark_manager.errors import ConflictError
from benchmark_manager.models.access.audit import AuditFilter, AuditRecord
from benchmark_manager.models.page import PageRequest
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.database.database import Database, Session
from support.access import NOW, a_record, an_id

MINUTE: Final = timedelta(minutes=1)
PROJECT: Final = an_id()
OTHER: Final = an_id()
RECORDS: Final = {
    "edit": a_record(project_id=PROJECT),
    "release": a_record(
        action="release.create", object_name="Nightly", project_id=OTHER, age=MINUTE
    ),
    "refused": a_record(actor="lee", outcome="refused", project_id=PROJECT, age=2 * MINUTE),
    "sign in": a_record(actor="KIM", action="sign_in", age=3 * MINUTE),
}
NAMES: Final = {record.id: name for name, record in RECORDS.items()}


async def filled(database: Database, *, rows_at_once: int = 2) -> AuditStore:
    store = AuditStore(database, rows_at_once=rows_at_once)
    await store.insert(list(RECORDS.values()))
    return store


def names(records: "list[AuditRecord] | tuple[AuditRecord, ...]") -> list[str]:
    return [NAMES[record.id] for record in records]


async def test_a_record_comes_back_as_it_was(database: Database) -> None:
    store = AuditStore(database)
    system = a_record().model_copy(
        update={"object": None, "revision": None, "on_behalf_of": "lee", "project_id": "unknown"}
    )
    await store.insert([system])
    assert (await store.page(AuditFilter(), PageRequest())).rows == (system,)


FILTERS: Final = [
    ({}, ["edit", "release", "refused", "sign in"]),
    ({"actor": "kim"}, ["edit", "release", "sign in"]),
    ({"actor": RECORDS["refused"].actor.id}, ["refused"]),
    ({"actor": "ki"}, []),
    ({"actor": ""}, []),
    ({"action": "sign_in"}, ["sign in"]),
    ({"action": "sign"}, []),
    ({"object": "NIGHTLY"}, ["release"]),
    ({"object": RECORDS["edit"].object.id if RECORDS["edit"].object else ""}, ["edit"]),
    ({"project_ids": frozenset({PROJECT})}, ["edit", "refused"]),
    ({"project_ids": frozenset({PROJECT, OTHER})}, ["edit", "release", "refused"]),
    ({"project_ids": frozenset()}, []),
    ({"outcome": "refused"}, ["refused"]),
    ({"since": NOW - MINUTE}, ["edit", "release"]),
    ({"until": NOW - MINUTE}, ["refused", "sign in"]),
    ({"since": NOW - 2 * MINUTE, "until": NOW}, ["release", "refused"]),
    ({"actor": "kim", "project_ids": frozenset({OTHER}), "outcome": "done"}, ["release"]),
]


@pytest.mark.parametrize(("wanted", "found"), FILTERS, ids=range(len(FILTERS)))
async def test_a_page_has_what_a_filter_leaves_newest_first(
    database: Database, wanted: dict[str, object], found: list[str]
) -> None:
    page = await (await filled(database)).page(AuditFilter.model_validate(wanted), PageRequest())
    assert (names(page.rows), page.total) == (found, len(found))


@pytest.mark.parametrize("limit", [1, 3, 4])
async def test_pages_have_every_record_once(database: Database, limit: int) -> None:
    store, found, cursor = await filled(database), list[AuditRecord](), None
    while True:
        page = await store.page(AuditFilter(), PageRequest(limit, cursor))
        found += page.rows
        if (cursor := page.next_cursor) is None:
            break
    assert names(found) == list(RECORDS)


@pytest.mark.parametrize("rows_at_once", [1, 2, 3, 4, 100])
async def test_all_records_are_read_some_at_a_time(database: Database, rows_at_once: int) -> None:
    store = await filled(database, rows_at_once=rows_at_once)
    assert names([record async for record in store.every(AuditFilter())]) == list(RECORDS)


async def test_records_of_the_same_moment_are_read_once(database: Database) -> None:
    store = AuditStore(database, rows_at_once=2)
    records = [a_record() for _ in range(5)]
    await store.insert(records)
    found = [record.id async for record in store.every(AuditFilter())]
    assert found == [record.id for record in reversed(records)]


async def test_a_stream_has_what_a_filter_leaves(database: Database) -> None:
    store = await filled(database, rows_at_once=1)
    wanted = AuditFilter(actor="Kim", project_ids=frozenset({PROJECT, OTHER}))
    assert names([record async for record in store.every(wanted)]) == ["edit", "release"]


async def test_a_record_of_a_change_that_is_rolled_back_is_not_kept(database: Database) -> None:
    store = AuditStore(database)

    async def change(session: Session) -> None:
        await store.insert([a_record(), a_record()], session)
        raise ConflictError("last_administrator")

    with pytest.raises(ConflictError):
        await database.transaction(change)
    assert (await store.page(AuditFilter(), PageRequest())).total == 0


async def test_a_change_of_nothing_has_no_record(database: Database) -> None:
    store = AuditStore(database)
    await store.insert([])
    assert (await store.page(AuditFilter(), PageRequest())).total == 0


async def test_old_records_are_deleted(database: Database) -> None:
    store = await filled(database)
    assert await store.purge(NOW - MINUTE) == 2
    assert names([record async for record in store.every(AuditFilter())]) == ["edit", "release"]


async def test_records_of_many_days_are_deleted(database: Database) -> None:
    store = AuditStore(database)
    ages = [timedelta(hours=hours) for hours in (0, 1, 24, 25, 24 * 400, 24 * 3000)]
    await store.insert([a_record(age=age) for age in ages])
    assert await store.purge(NOW) == len(ages) - 1
    assert (await store.page(AuditFilter(), PageRequest())).total == 1


@pytest.mark.parametrize("word", ["object", "actor"])
async def test_a_hostile_filter_is_a_text(database: Database, word: str) -> None:
    store = await filled(database)
    wanted = AuditFilter.model_validate({word: '{"$ne": null}'})
    assert (await store.page(wanted, PageRequest())).rows == ()


async def test_words_of_a_newer_version_are_read(database: Database) -> None:
    store = AuditStore(database)
    await store.insert([a_record()])
    newer = {"outcome": "asked", "actor.kind": "robot", "actor.via": "x", "more": 1}
    await database.collection("audit").update_one({}, {"$set": newer})
    (found,) = (await store.page(AuditFilter(), PageRequest())).rows
    assert (found.outcome, found.actor.kind, found.actor.via) == ("done", "anonymous", "open")
