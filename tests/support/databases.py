"""Database fixtures: a real mongod and the embedded database, each started once a worker."""

import asyncio
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient, monitoring

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.starting import start as start_database
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.stores.embedded.server import find_server
from benchmark_manager.stores.embedded.timing import Timing
from support.further_clients import further_client
from support.mongod import ReplicaSet, find_mongod
from support.reused_database import close_reused, reused_database


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongod(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The URL of a replica set: TEST_MONGO_URL, or one node for this worker."""
    given = os.environ.get("TEST_MONGO_URL")
    if given:
        yield given
        await close_reused(given)
        return
    if find_mongod() is None:
        pytest.skip(
            "no mongod: its wheel is for Linux on x86-64; set TEST_MONGO_URL to a replica set"
        )
    async with await ReplicaSet.start(tmp_path_factory.mktemp("mongod")) as replica_set:
        yield replica_set.url
        await close_reused(replica_set.url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def used_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder whose embedded database has run once, for tests to copy.

    The first start in a folder takes a second server, which makes the user; a start in a copy does
    not. All workers share it.
    """
    if find_server() is None:
        pytest.skip("SecantusDB is not installed: pip install -r requirements-dev.txt")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, making = shared / "used_folder", shared / "used_folder_in_the_making"
    with making.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            database = EmbeddedDatabase(making, timing=Timing(grace=0))
            await database.start()
            await database.stop()
            making.rename(folder)
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded(
    used_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[EmbeddedDatabase]:
    """An embedded database for this worker; a test may read it, but not end or restart it."""
    folder = Path(shutil.copytree(used_folder, tmp_path_factory.mktemp("embedded") / "data"))
    database = EmbeddedDatabase(folder, timing=Timing(grace=0))
    await database.start()
    supervision = asyncio.create_task(database.supervise())
    yield database
    await close_reused(database.url)
    supervision.cancel()
    await asyncio.gather(supervision, return_exceptions=True)
    await database.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(mongod: str) -> AsyncIterator[str]:
    """The URL of an empty database of the mongod, its name in the path.

    Indexes of the test before may be there.
    """
    async with reused_database(mongod) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def embedded_database_url(embedded: EmbeddedDatabase) -> AsyncIterator[str]:
    """The same for the embedded database."""
    async with reused_database(embedded.url) as url:
        yield url


@asynccontextmanager
async def fresh_database(server_url: str, label: str = "") -> AsyncIterator[str]:
    """A URL with a new database name; the database is dropped at the end."""
    # MongoDB takes at most 63 bytes; the label shows which test left a database behind.
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
    async with further_client(url, listeners=listeners) as database:
        await start_database(database)
        yield database
