"""What was acknowledged is kept: by which writes, and by how many members."""

import asyncio
import os
import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import monitoring
from pymongo.errors import BulkWriteError, PyMongoError
from pymongo.write_concern import WriteConcern

from benchmark_manager.errors import StorageError
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Collection, Database, Session
from benchmark_manager.stores.database.starting import start
from support.databases import connected
from support.mongod import ReplicaSet, find_mongod

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
DURABLE = {"w": "majority", "j": True}

needs_mongod = pytest.mark.skipif(
    find_mongod() is None, reason="there is no mongod on this machine"
)


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
    async with connected(url, listeners=[sent]) as database:
        await insert(database, 1)
        await insert_in_transaction(database, 2)
    assert sent.seen == [("insert", DURABLE), ("commitTransaction", DURABLE)]


@needs_mongod
async def test_a_write_is_acknowledged_only_when_a_majority_has_it(tmp_path: Path) -> None:
    async with await ReplicaSet.start(tmp_path / "set", nodes=3) as replica_set:
        url = replica_set.url.replace("/?", "/durable?") + "&w=1"
        async with connected(url) as database:
            await insert(database, 0)
            primary = await replica_set.wait_for_primary()
            others = [
                node.pid
                for node in replica_set.nodes
                if node is not primary and node.pid is not None
            ]
            for pid in others:
                os.kill(pid, signal.SIGSTOP)
            writes = [
                asyncio.create_task(insert(database, 1)),
                asyncio.create_task(insert_in_transaction(database, 2)),
            ]
            answered, _ = await asyncio.wait(writes, timeout=1.5)
            for pid in others:
                os.kill(pid, signal.SIGCONT)
            # A primary which steps down may tell a writer of its failure.
            assert all(
                isinstance(write.exception(), PyMongoError | StorageError) for write in answered
            )
            outcomes = await asyncio.gather(*writes, return_exceptions=True)
            stored = {row["number"] async for row in database.collection("numbers").find({})}
            assert {number for number, outcome in enumerate(outcomes, 1) if outcome is None} | {
                0
            } <= stored
            # Transactions are repeated: nobody hears of an election.
            assert outcomes[1] is None


@needs_mongod
async def test_a_database_which_went_away_does_not_hold_up_the_close(tmp_path: Path) -> None:
    async with await ReplicaSet.start(tmp_path / "set") as replica_set:
        database = Database(replica_set.url, "unnamed", "mongodb")
        await start(database)
        await insert_in_transaction(database, 1)
        await replica_set.kill(0)
        # A graceful stop has 10 s in all, which is as long as the driver looks for a server.
        async with asyncio.timeout(5):
            await database.close()


class _TooFewMembers(Database):
    """A database whose replica set can never have as many members as writes ask for."""

    def collection(self, name: str) -> Collection:
        return super().collection(name).with_options(write_concern=WriteConcern(w=50, wtimeout=100))


@pytest.mark.parametrize("known", [0, 1])
async def test_contents_which_too_few_members_took_are_not_reported_as_stored(
    database_url: str, known: int
) -> None:
    contents = [b"a: 1\n", b"b: 1\n"]
    async with connected(database_url) as database:
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
