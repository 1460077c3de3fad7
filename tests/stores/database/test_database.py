"""What is checked of a database server at the start, on real servers."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from benchmark_manager.errors import StartError
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.starting import start as start_database
from benchmark_manager.stores.embedded.ports import accepts_connections, free_port
from benchmark_manager.stores.embedded.process import GuardedProcess
from support.mongod import HOST, find_mongod
from support.relay import relay_to
from support.waiting import eventually

needs_mongod = pytest.mark.skipif(
    find_mongod() is None, reason="there is no mongod on this machine"
)


@asynccontextmanager
async def lone_mongod(folder: Path, *options: str) -> AsyncIterator[str]:
    """A mongod which was started by hand; its address."""
    binary, port = find_mongod(), free_port()
    assert binary is not None
    common = ("--bind_ip", HOST, "--port", str(port), "--dbpath", str(folder), "--nounixsocket")
    parameters = (
        "--wiredTigerCacheSizeGB",
        "0.25",
        "--setParameter",
        "diagnosticDataCollectionEnabled=false",
    )
    process = GuardedProcess([binary, *common, *parameters, *options], folder, "mongod")
    try:

        async def answers() -> bool | None:
            assert not process.exited, process.last_line()
            return await accepts_connections(port) or None

        await eventually(answers, "mongod does not answer")
        yield f"{HOST}:{port}"
    finally:
        await process.end()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A replica set's address; root/right may do anything there, and reader/right may only read."""
    folder = tmp_path_factory.mktemp("guarded")
    key = folder / "key"
    key.write_text(secrets.token_hex(32))
    key.chmod(0o400)
    async with lone_mongod(
        folder, "--replSet", "guarded", "--keyFile", str(key), "--oplogSize", "64"
    ) as address:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            f"mongodb://{address}/?directConnection=true&serverMonitoringMode=poll"
        )
        async with client:
            members = [{"_id": 0, "host": address}]
            await client.admin.command("replSetInitiate", {"_id": "guarded", "members": members})

            async def primary() -> bool | None:
                return (await client.admin.command("hello"))["isWritablePrimary"] or None

            await eventually(primary, "no primary")
            # The first user may be made from this host without one.
            await client.admin.command("createUser", "root", pwd="right", roles=["root"])
            root: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
                f"mongodb://root:right@{address}/?directConnection=true&serverMonitoringMode=poll"
            )
            async with root:
                await root.admin.command(
                    "createUser", "reader", pwd="right", roles=[{"role": "read", "db": "app"}]
                )
        yield address


async def start(
    url: str, *, attempt_seconds: float = 5.0, seconds: float = 5.0, kind: type[Database] = Database
) -> None:
    database = kind(url, "app", "mongodb")
    try:
        await start_database(database, seconds=seconds, attempt_seconds=attempt_seconds)
    finally:
        await database.close()


async def refusal(
    url: str, *, attempt_seconds: float = 5.0, seconds: float = 5.0, kind: type[Database] = Database
) -> str:
    with pytest.raises(StartError) as refused:
        await start(url, attempt_seconds=attempt_seconds, seconds=seconds, kind=kind)
    assert "\n" not in refused.value.detail
    return refused.value.detail


@needs_mongod
async def test_a_mongod_without_a_replica_set_is_refused_with_the_remedy(tmp_path: Path) -> None:
    async with lone_mongod(tmp_path) as address:
        detail = await refusal(f"mongodb://{address}/?serverMonitoringMode=poll")
    assert "--replSet" in detail
    assert "rs.initiate()" in detail


@needs_mongod
async def test_a_user_with_all_rights_starts_and_one_with_a_wrong_password_does_not(
    guarded: str,
) -> None:
    await start(f"mongodb://root:right@{guarded}/?serverMonitoringMode=poll")
    detail = await refusal(f"mongodb://root:hunter2@{guarded}/?serverMonitoringMode=poll")
    assert "does not accept the user or password" in detail
    assert "hunter2" not in detail


@needs_mongod
@pytest.mark.parametrize("user", ["reader:right@", ""])
async def test_a_user_who_may_not_write_is_refused_at_the_start(guarded: str, user: str) -> None:
    detail = await refusal(f"mongodb://{user}{guarded}/?serverMonitoringMode=poll")
    assert "denies access" in detail
    assert "readWrite" in detail


@pytest.mark.parametrize(
    ("version", "accepted"),
    [
        *(
            ("4.4.29", False),
            ("5.0.30", False),
            ("5.3.2", False),
            ("6.0.0", True),
            ("6.0.5-rc1", True),
        ),
        *(("7.0.0", True), ("8.2.1-1-g0", True), ("10.0.1", True)),
    ],
)
async def test_a_server_older_than_mongodb_6_is_refused(
    database_url: str, version: str, accepted: bool
) -> None:
    class Versioned(Database):
        async def version(self) -> str:
            return version

    if accepted:
        await start(database_url, kind=Versioned)
    else:
        detail = await refusal(database_url, kind=Versioned)
        assert version in detail
        assert "6.0" in detail


async def test_a_server_which_is_not_there_is_waited_for_with_a_message_and_then_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        detail = await refusal(
            f"mongodb://user:hunter2@{HOST}:{free_port()}/?replicaSet=x&serverMonitoringMode=poll",
            seconds=2.0,
            attempt_seconds=0.5,
        )
    assert "did not answer within 2 s" in detail
    assert "hunter2" not in detail + caplog.text
    assert caplog.text.count("waiting for the database") == 1


@pytest.mark.parametrize("url", ["mongodb+srv://", "mongodb://h/?tls=true&tlsCAFile={no_ca}"])
async def test_an_address_which_is_none_is_refused_at_once(tmp_path: Path, url: str) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(StartError, match="MONGO_URL cannot be used"):
        Database(url.format(no_ca=tmp_path / "ca.pem"), "app", "mongodb")


async def test_a_server_which_comes_later_is_found(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with relay_to(database_url, opened=False) as relay:
        with caplog.at_level(logging.WARNING):
            starting = asyncio.create_task(start(relay.url, attempt_seconds=0.5, seconds=30))
            await eventually(
                lambda: "waiting for the database" in caplog.text, "nothing is waited for"
            )
        assert not starting.done()
        await relay.open()
        await starting


async def test_the_servers_time_is_read_again_where_the_connection_was_lost(
    database_url: str,
) -> None:
    async with relay_to(database_url) as relay:
        database = Database(relay.url, "app", "mongodb")
        try:
            before = await database.now()
            await relay.close()
            await relay.open()
            assert await database.now() >= before
        finally:
            await database.close()
