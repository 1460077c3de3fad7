"""The tests' own replica set behaves as one: writes survive the loss of the primary."""

from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.uri_parser import parse_uri

from support.mongod import ReplicaSet, find_mongod


@pytest.mark.skipif(find_mongod() is None, reason="no mongod on this machine")
async def test_writes_go_on_without_the_primary(tmp_path: Path) -> None:
    """Three nodes, the primary killed amid majority writes: none is lost, and it comes back."""
    async with (
        await ReplicaSet.start(tmp_path, nodes=3) as replica_set,
        AsyncMongoClient[dict[str, Any]](replica_set.url, w="majority") as client,
    ):
        things = client["app"]["things"]
        await things.insert_one({"_id": 1})
        killed = await replica_set.kill_primary()
        await things.insert_one({"_id": 2})
        assert await replica_set.wait_for_primary() is not killed
        await replica_set.restart(replica_set.nodes.index(killed))
        await replica_set.wait_for_members()
        assert [thing["_id"] async for thing in things.find({}).sort("_id", 1)] == [1, 2]


async def test_a_fresh_database_of_mongod_takes_transactions(database_url: str) -> None:
    await check_fresh_database(database_url)


async def test_a_fresh_embedded_database_takes_transactions(embedded_database_url: str) -> None:
    await check_fresh_database(embedded_database_url)


async def check_fresh_database(url: str) -> None:
    """Its name is in the URL, and it is empty."""
    name = parse_uri(url)["database"]
    assert name
    assert len(name) < 64
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        for collection in await client[name].list_collection_names():
            assert await client[name][collection].count_documents({}) == 0, collection
        async with client.start_session() as session, await session.start_transaction():
            await client[name]["things"].insert_one({"_id": 1}, session=session)
        assert await client[name]["things"].count_documents({}) == 1
