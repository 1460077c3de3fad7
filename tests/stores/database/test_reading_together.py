"""Reads of several collections at one moment, and the indexes of the embedded database."""

import asyncio

from benchmark_manager.stores.database.database import Database, Part, Session
from benchmark_manager.stores.database.starting import start as start_database

EVERYTHING = {
    "number": Part("numbers", [{"$match": {"_id": "now"}}]),
    "rows": Part("rows", [{"$match": {}}, {"$sort": {"_id": 1}}]),
    "nothing": Part("rows", [{"$match": {"_id": -1}}]),
}


async def test_parts_come_apart_by_their_names(database: Database) -> None:
    await database.collection("numbers").insert_one({"_id": "now", "n": 2})
    await database.collection("rows").insert_many([{"_id": 2}, {"_id": 1, "part": [1]}])
    assert await database.read_together(EVERYTHING) == {
        "number": [{"_id": "now", "n": 2}],
        "rows": [{"_id": 1, "part": [1]}, {"_id": 2}],
        "nothing": [],
    }


async def test_collections_which_were_made_a_moment_ago_are_read(database: Database) -> None:
    found = []
    for number in range(5):
        name = f"new_{number}"
        await database.collection(name).create_index("a")
        await database.collection(name).insert_one({"_id": number})
        parts = {"number": EVERYTHING["number"], "new": Part(name, [{"$match": {}}])}
        found += (await database.read_together(parts))["new"]
    assert found == [{"_id": number} for number in range(5)]


async def test_all_parts_are_of_one_moment(database: Database) -> None:
    numbers, rows = database.collection("numbers"), database.collection("rows")
    await numbers.insert_one({"_id": "now", "n": 0})
    done = asyncio.Event()

    async def change() -> None:
        for n in range(1, 41):

            async def work(session: Session, n: int = n) -> None:
                await numbers.update_one({"_id": "now"}, {"$set": {"n": n}}, session=session)
                await rows.insert_one({"_id": n}, session=session)

            await database.transaction(work)
        done.set()

    changing = asyncio.create_task(change())
    numbers_read: list[int] = []
    rows_read: list[list[int]] = []
    while not done.is_set():
        found = await database.read_together(EVERYTHING)
        numbers_read.append(found["number"][0]["n"])
        rows_read.append([row["_id"] for row in found["rows"]])
    await changing
    assert (await database.read_together(EVERYTHING))["number"][0]["n"] == 40
    assert numbers_read
    assert rows_read == [list(range(1, n + 1)) for n in numbers_read]


async def test_an_acknowledged_write_is_read_at_once(database: Database) -> None:
    rows = database.collection("rows")
    found = []
    for n in range(40):
        await rows.insert_one({"_id": n})
        found.append(len((await database.read_together(EVERYTHING))["rows"]))
    assert found == list(range(1, 41))


async def test_the_embedded_database_drops_the_indexes_that_mongodb_alone_uses(
    database: Database,
) -> None:
    files = database.collection("files")
    # As an earlier version made it.
    await files.create_index("sha")
    await start_database(database)
    names = set(await files.index_information())
    assert ("sha_1" in names) == (database.kind == "mongodb")
    assert "project_id_1_path_1_removed_at_1" in names
