"""Databases that tests share hold, behind each test, what they held before it."""

from bson import ObjectId

from benchmark_manager.stores.database.database import Database
from support.reused_database import lent_database
from support.unchanged_database import stored_documents, unchanged

#: A collection without unique keys.
NAME = "deleted_projects"
IDS = [ObjectId() for _ in range(3)]


async def ids(database: Database) -> set[ObjectId]:
    return set((await stored_documents(database)).get(NAME, {}))


async def test_documents_are_as_they_were_before(either_url: str) -> None:
    async with lent_database(either_url) as database:
        rows = database.collection(NAME)
        await rows.insert_many([{"_id": IDS[0], "name": "a"}, {"_id": IDS[1], "name": "b"}])
        before = await stored_documents(database)
        async with unchanged(database):
            await rows.delete_one({"_id": IDS[0]})
            await rows.update_one({"_id": IDS[1]}, {"$set": {"name": "c"}})
            await rows.insert_one({"_id": IDS[2], "name": "d"})
        assert await stored_documents(database) == before


async def test_they_are_behind_a_block_that_only_reads(either_url: str) -> None:
    async with lent_database(either_url) as database:
        rows = database.collection(NAME)
        await rows.insert_one({"_id": IDS[0], "name": "a"})
        async with unchanged(database):
            await rows.find_one({})
        async with unchanged(database):
            await rows.delete_one({"_id": IDS[0]})
        assert await ids(database) == {IDS[0]}


async def test_what_is_written_between_two_blocks_stays(either_url: str) -> None:
    async with lent_database(either_url) as database:
        rows = database.collection(NAME)
        async with unchanged(database):
            await rows.insert_one({"_id": IDS[0], "name": "a"})
        await rows.insert_one({"_id": IDS[1], "name": "b"})
        async with unchanged(database):
            await rows.insert_one({"_id": IDS[2], "name": "c"})
        assert await ids(database) == {IDS[1]}
