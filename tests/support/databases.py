"""Database fixtures: a real mongod and the embedded database, each started once a worker.

`tests/conftest.py` makes them known with `pytest_plugins = ["support.databases"]`.
"""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from benchmark_manager.stores.database import Database
from benchmark_manager.stores.embedded import EmbeddedDatabase, Timing, find_server
from support.mongod import ReplicaSet, find_mongod


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongod(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a replica set: TEST_MONGO_URL, or one node for this worker."""
    given = os.environ.get("TEST_MONGO_URL")
    if given:
        yield given
        return
    if find_mongod() is None:
        pytest.skip("no mongod: its wheel is for Linux on x86-64; set TEST_MONGO_URL to a replica set")
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


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(mongod: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The URL of a fresh database of the mongod, its name in the path; dropped after the test."""
    async with fresh_database(mongod, request.node.name) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def embedded_database_url(embedded: EmbeddedDatabase, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The same for the embedded database."""
    async with fresh_database(embedded.url, request.node.name) as url:
        yield url


@asynccontextmanager
async def fresh_database(server_url: str, label: str = "") -> AsyncIterator[str]:
    """A URL with a database name nobody else uses; the database is dropped at the end."""
    # MongoDB takes at most 63 bytes; the label tells a debugger which test left a database behind.
    name = f"test_{secrets.token_hex(4)}_{re.sub(r'[^A-Za-z0-9_]+', '_', label)[:40]}"
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            server_url,
            serverMonitoringMode="poll",  # why: see EmbeddedDatabase.url
        )
        async with client:
            await client.drop_database(name)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Database]:
    database = Database(url, "unnamed", "embedded" if "directConnection" in url else "mongodb")
    await database.start()
    yield database
    await database.close()
