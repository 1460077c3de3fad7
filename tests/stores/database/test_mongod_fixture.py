"""The databases that tests get: empty, of each kind, and with transactions."""

from typing import Any

from pymongo import AsyncMongoClient
from pymongo.uri_parser import parse_uri


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
        names = await client[name].list_collection_names()
        assert [each for each in names if await client[name][each].find_one({})] == []
        async with client.start_session() as session, await session.start_transaction():
            await client[name]["things"].insert_one({"_id": 1}, session=session)
        assert await client[name]["things"].count_documents({}) == 1
