"""Database fixtures: a real mongod and the embedded database, each started once a worker.

`tests/conftest.py` makes them known with `pytest_plugins = ["support.databases"]`.
"""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient, monitoring
from pymongo.asynchronous.database import AsyncDatabase

from benchmark_manager.stores.database.database import Database, DatabaseKind
from benchmark_manager.stores.database.starting import start as start_database
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.stores.embedded.server import find_server
from benchmark_manager.stores.embedded.timing import Timing
from support.mongod import ReplicaSet, find_mongod

#: Up to so many documents are sooner deleted than their database is dropped and made anew.
_FEW: Final = 300


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongod(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a replica set: TEST_MONGO_URL, or one node for this worker."""
    given = os.environ.get("TEST_MONGO_URL")
    if given:
        yield given
        return
    if find_mongod() is None:
        pytest.skip(
            "no mongod: its wheel is for Linux on x86-64; set TEST_MONGO_URL to a replica set"
        )
    async with await ReplicaSet.start(tmp_path_factory.mktemp("mongod")) as replica_set:
        yield replica_set.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedDatabase]:
    """An embedded database for this worker; a test may read it, but not end or restart it."""
    if find_server() is None:
        pytest.skip("SecantusDB is not installed: pip install -r requirements-dev.txt")
    database = EmbeddedDatabase(tmp_path_factory.mktemp("embedded"), timing=Timing(grace=0))
    await database.start()
    supervision = asyncio.create_task(database.supervise())
    yield database
    supervision.cancel()
    await asyncio.gather(supervision, return_exceptions=True)
    await database.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _of_mongod(mongod: str) -> AsyncIterator["_Reused"]:
    async with _reused(mongod) as database:
        yield database


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _of_embedded(embedded: EmbeddedDatabase) -> AsyncIterator["_Reused"]:
    async with _reused(embedded.url) as database:
        yield database


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(_of_mongod: "_Reused") -> AsyncIterator[str]:
    """The URL of an empty database of the mongod, its name in the path.

    Indexes of the test before may be there.
    """
    yield _of_mongod.url
    await _of_mongod.clear()


@pytest_asyncio.fixture(loop_scope="session")
async def embedded_database_url(_of_embedded: "_Reused") -> AsyncIterator[str]:
    """The same for the embedded database."""
    yield _of_embedded.url
    await _of_embedded.clear()


@dataclass(frozen=True, slots=True)
class _Reused:
    """A database for one test after the other.

    Making all indexes anew takes longer than most tests.
    """

    url: str
    database: AsyncDatabase[dict[str, Any]]

    async def clear(self) -> None:
        names = await self.database.list_collection_names(filter={"type": "collection"})
        counts = await asyncio.gather(
            *(self.database[name].estimated_document_count() for name in names)
        )
        if sum(counts) > _FEW:
            await self.database.client.drop_database(self.database.name)
            return
        filled = [name for name, count in zip(names, counts, strict=True) if count]
        await asyncio.gather(*(self.database[name].delete_many({}) for name in filled))


@asynccontextmanager
async def _reused(server_url: str) -> AsyncIterator[_Reused]:
    async with fresh_database(server_url, "reused") as url, _client(server_url) as client:
        yield _Reused(url, client[urlsplit(url).path[1:]])


@asynccontextmanager
async def fresh_database(server_url: str, label: str = "") -> AsyncIterator[str]:
    """A URL with a new database name; the database is dropped at the end."""
    # MongoDB takes at most 63 bytes; the label tells a debugger which test left a database behind.
    name = f"test_{secrets.token_hex(4)}_{re.sub(r'[^A-Za-z0-9_]+', '_', label)[:40]}"
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        async with _client(server_url) as client:
            await client.drop_database(name)


def _client(server_url: str) -> AsyncMongoClient[dict[str, Any]]:
    return AsyncMongoClient(
        server_url, serverMonitoringMode="poll"
    )  # why: see EmbeddedDatabase.url


@asynccontextmanager
async def connected(
    url: str, *, listeners: Sequence[monitoring.CommandListener] = ()
) -> AsyncIterator[Database]:
    """A started database; `listeners` get every command that is sent to it."""

    class Observed(Database):
        def new_client(self, **options: Any) -> AsyncMongoClient[dict[str, Any]]:
            return super().new_client(event_listeners=list(listeners), **options)

    kind: DatabaseKind = "embedded" if "directConnection" in url else "mongodb"
    database = Observed(url, "unnamed", kind)
    await start_database(database)
    yield database
    await database.close()
