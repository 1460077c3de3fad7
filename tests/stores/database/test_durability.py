"""What was acknowledged is kept: by which writes, and by how many members."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient, monitoring
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.write_concern import WriteConcern

from benchmark_manager.errors import StorageError
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Collection, Database, Session
from benchmark_manager.stores.database.starting import start
from support.databases import connected
from support.further_clients import further_client
from support.mongod import ReplicaSet, find_mongod
from support.relay import relay_to
from support.stopwatch import Stopwatch
from support.suspension import suspended

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DURABLE = {"w": "majority", "j": True}

needs_mongod = pytest.mark.skipif(
    find_mongod() is None, reason="there is no mongod on this machine"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def three_nodes(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ReplicaSet]:
    """A replica set whose members tests may stop and kill, if they are there again afterwards."""
    async with await ReplicaSet.start(tmp_path_factory.mktemp("three"), nodes=3) as replica_set:
        yield replica_set


async def insert(database: Database, number: int, session: Session | None = None) -> None:
    await database.collection("numbers").insert_one({"number": number}, session=session)


async def insert_in_transaction(database: Database, number: int) -> None:
    await database.transaction(lambda session: insert(database, number, session))


class SentConcerns(monitoring.CommandListener):
    """The write concerns of writes and commits, as they went to the server."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        # Inside a transaction, only its commit states one.
        if event.command_name == "commitTransaction" or (
            event.command_name == "insert" and "autocommit" not in event.command
        ):
            self.seen.append((event.command_name, event.command.get("writeConcern")))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass


@pytest.mark.parametrize("options", ["w=majority", "w=1", "w=1&journal=false", "w=0"])
async def test_every_write_asks_for_a_majority_and_the_journal_whatever_the_url_says(
    database_url: str, options: str
) -> None:
    sent = SentConcerns()
    url = f"{database_url}{'&' if '?' in database_url else '?'}{options}"
    async with further_client(url, listeners=[sent]) as database:
        await insert(database, 1)
        await insert_in_transaction(database, 2)
    assert sent.seen == [("insert", DURABLE), ("commitTransaction", DURABLE)]


@needs_mongod
@pytest.mark.xdist_group("three nodes")
async def test_a_write_is_acknowledged_only_when_a_majority_has_it(
    three_nodes: ReplicaSet,
) -> None:
    url = three_nodes.url.replace("/?", "/durable?") + "&w=1"
    async with connected(url) as database:
        await insert(database, 0)
        primary = await three_nodes.wait_for_primary()
        others = [
            node.pid for node in three_nodes.nodes if node is not primary and node.pid is not None
        ]
        with suspended(*others):
            writes = [
                asyncio.create_task(insert(database, 1)),
                asyncio.create_task(insert_in_transaction(database, 2)),
            ]
            answered, _ = await asyncio.wait(writes, timeout=1.5)
        # A primary which steps down may report its failure to a writer.
        assert all(isinstance(write.exception(), PyMongoError | StorageError) for write in answered)
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        stored = {row["number"] async for row in database.collection("numbers").find({})}
        acknowledged = {number for number, outcome in enumerate(outcomes, 1) if outcome is None}
        assert acknowledged | {0} <= stored
        # Transactions are repeated: nobody hears of an election.
        assert outcomes[1] is None


@needs_mongod
@pytest.mark.xdist_group("three nodes")
async def test_writes_go_on_without_the_primary(three_nodes: ReplicaSet) -> None:
    """The primary is killed amid majority writes: none is lost, and it comes back."""
    await three_nodes.wait_for_members()
    async with AsyncMongoClient[dict[str, Any]](three_nodes.url, w="majority") as client:
        things = client["app"]["things"]
        await things.insert_one({"_id": 1})
        killed = await three_nodes.kill_primary()
        await things.insert_one({"_id": 2})
        assert await three_nodes.wait_for_primary() is not killed
        await three_nodes.restart(three_nodes.nodes.index(killed))
        await three_nodes.wait_for_members()
        assert [thing["_id"] async for thing in things.find({}).sort("_id", 1)] == [1, 2]


async def test_a_database_which_went_away_does_not_hold_up_the_close(database_url: str) -> None:
    async with relay_to(database_url) as relay:
        database = Database(relay.url, "unnamed", "mongodb")
        await start(database)
        await insert_in_transaction(database, 1)
        await relay.close()
        # A graceful stop has 10 s in all, which is as long as the driver searches for a server.
        with Stopwatch() as watch:
            await database.close()
        assert watch.seconds < 5


class _TooFewMembers(Database):
    """A database whose replica set can never have as many members as writes ask for."""

    def collection(self, name: str) -> Collection:
        return super().collection(name).with_options(write_concern=WriteConcern(w=50, wtimeout=100))


@pytest.mark.parametrize("known", [0, 1])
async def test_contents_which_too_few_members_took_are_not_reported_as_stored(
    database_url: str, known: int
) -> None:
    contents = [b"a: 1\n", b"b: 1\n"]
    async with further_client(database_url) as database:
        # A content which is there already is a duplicate key, and must not hide the other error.
        await BlobStore(database).put(contents[:known], None, NOW)
    unsafe = _TooFewMembers(database_url, "unnamed", "mongodb")
    with pytest.raises(StorageError) as failed:
        await BlobStore(unsafe).put(contents, None, NOW)
    await unsafe.close()
    cause = failed.value.__cause__
    assert isinstance(cause, BulkWriteError)
    assert cause.details is not None
    assert cause.details["nInserted"] == len(contents) - known
    assert cause.details["writeConcernErrors"]
