"""Several reads that all see one moment."""

from collections.abc import AsyncIterator

import pytest
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from benchmark_manager.errors import StorageError
from benchmark_manager.stores.database.database import Database, PendingError, Session
from support.reused_database import lent_database

#: The moment is not kept any more, or a collection is younger.
NO_SNAPSHOT = (239, 246)


@pytest.fixture
async def on_mongod(database_url: str) -> AsyncIterator[Database]:
    async with lent_database(database_url) as database:
        yield database


async def numbers(database: Database, session: Session) -> list[int]:
    rows = database.collection("rows").find({}, session=session).sort("_id", 1)
    return [row["_id"] for row in await rows.to_list()]


async def test_all_reads_see_the_moment_of_the_first(database: Database) -> None:
    rows = database.collection("rows")
    await rows.insert_one({"_id": 1})

    async def read(session: Session) -> list[list[int]]:
        before = await numbers(database, session)
        await rows.insert_one({"_id": 2})
        return [before, await numbers(database, session)]

    assert await database.snapshot(read) == [[1], [1]]


async def test_an_acknowledged_write_is_read_at_once(database: Database) -> None:
    found = []
    for n in range(20):
        await database.collection("rows").insert_one({"_id": n})
        found.append(await database.snapshot(lambda session: numbers(database, session)))
    assert found == [list(range(n + 1)) for n in range(20)]


async def test_a_collection_that_was_made_a_moment_ago_is_read(database: Database) -> None:
    await database.collection("rows").drop()
    await database.collection("rows").create_index("a")
    await database.collection("rows").insert_one({"_id": 1})
    assert await database.snapshot(lambda session: numbers(database, session)) == [1]


async def test_on_mongodb_nothing_is_written_to_the_log_of_operations(on_mongod: Database) -> None:
    client = on_mongod.collection("rows").database.client
    began = (await client["admin"].command("ping"))["operationTime"]
    await on_mongod.snapshot(lambda session: numbers(on_mongod, session))
    written = client["local"]["oplog.rs"].find({"ts": {"$gt": began}})
    assert [row for row in await written.to_list() if "read-only" in str(row)] == []


async def test_reads_are_repeated_after_what_they_wait_for(database: Database) -> None:
    async def write() -> None:
        await database.collection("rows").insert_one({"_id": 1})

    async def read(session: Session) -> list[int]:
        found = await numbers(database, session)
        if not found:
            raise PendingError(write)
        return found

    assert await database.snapshot(read) == [1]


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(AutoReconnect("gone"), id="lost connection"),
        *(pytest.param(OperationFailure("no", code), id=str(code)) for code in NO_SNAPSHOT),
    ],
)
async def test_reads_are_repeated_after_a_failure_that_passes(
    on_mongod: Database, error: PyMongoError
) -> None:
    failures = [error]

    async def read(session: Session) -> list[int]:
        if failures:
            raise failures.pop()
        return await numbers(on_mongod, session)

    assert await on_mongod.snapshot(read) == []


async def test_reads_that_fail_for_good_are_not_repeated(database: Database) -> None:
    tries = []

    async def read(_: Session) -> None:
        tries.append(1)
        raise OperationFailure("never", 2)

    with pytest.raises(StorageError):
        await database.snapshot(read)
    assert tries == [1]
