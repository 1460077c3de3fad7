"""What a start that failed says of each server: what is wrong with it, and what to do."""

import asyncio
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure

from benchmark_manager.errors import StartError
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.diagnosis import DiagnosisTiming, diagnose
from benchmark_manager.stores.database.starting import start as start_database
from benchmark_manager.stores.embedded.password import Certificate
from benchmark_manager.stores.embedded.ports import accepts_connections, free_port
from benchmark_manager.stores.embedded.process import GuardedProcess, until
from support.mongod import HOST, find_mongod
from support.waiting import GENEROUS, eventually

needs_mongod = pytest.mark.skipif(
    find_mongod() is None, reason="there is no mongod on this machine"
)


@asynccontextmanager
async def tls_server(folder: Path) -> AsyncIterator[int]:
    """A server which speaks TLS with a certificate that nobody knows; its port."""
    certificate = Certificate(folder)
    certificate.write(HOST)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.path)

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(hang_up, HOST, 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_name_that_is_unknown_and_a_port_without_a_server_have_messages_of_their_own() -> (
    None
):
    port = free_port()
    found = await diagnose(
        f"mongodb://user:hunter2@mongodb.invalid:27017,{HOST}:{port}/?replicaSet=rs0", []
    )
    assert "mongodb.invalid:27017 is a name that is unknown here." in found
    assert f"{HOST}:{port} refuses connections: no server listens on this port." in found
    assert "hunter2" not in found


async def test_a_replica_set_of_another_name_is_named(mongod: str) -> None:
    server = urlsplit(mongod).netloc
    found = await diagnose(f"mongodb://{server}/?replicaSet=rs0", [])
    assert (
        found
        == f"{server} belongs to the replica set 'tests', not to 'rs0': write replicaSet=tests."
    )


async def test_a_server_that_speaks_no_tls_and_one_that_speaks_nothing_else(
    mongod: str, tmp_path: Path
) -> None:
    server = urlsplit(mongod).netloc
    async with tls_server(tmp_path) as port:
        none, only, unknown = await asyncio.gather(
            diagnose(f"mongodb://{server}/?tls=true", []),
            diagnose(f"mongodb://{HOST}:{port}/", []),
            diagnose(f"mongodb://{HOST}:{port}/?tls=true", []),
        )
    assert none == f"{server} speaks no TLS: remove tls=true from MONGO_URL."
    assert only == f"{HOST}:{port} speaks TLS only: add tls=true to MONGO_URL."
    assert (
        "has a certificate that is not accepted "
        "(certificate verify failed: self-signed certificate)" in unknown
    )


async def test_a_server_that_is_no_mongodb() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, HOST, 0) as server:
        port = server.sockets[0].getsockname()[1]
        found = await diagnose(f"mongodb://{HOST}:{port}/", [], DiagnosisTiming(0.5, 0.5))
    assert "it hangs, or is no MongoDB" in found


@needs_mongod
async def test_a_set_that_was_not_initiated_and_a_member_whose_own_name_is_unknown_here(
    tmp_path: Path,
) -> None:
    """Compose's members call themselves `mongodb:27017`, which only Compose's network knows."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("only root can give a process names of its own")
    binary, port = find_mongod(), free_port()
    assert binary is not None
    (tmp_path / "hosts").write_text(f"{HOST} localhost only-there\n")
    address = f"--bind_ip {HOST} --port {port}"
    options = f"--replSet rs0 {address} --dbpath {tmp_path} --nounixsocket --oplogSize 64"
    program = f"mount --bind {tmp_path}/hosts /etc/hosts && exec {binary} {options}"
    process = GuardedProcess(["unshare", "--mount", "sh", "-c", program], tmp_path, "mongod")
    client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
        f"mongodb://{HOST}:{port}/?directConnection=true&serverMonitoringMode=poll"
    )
    try:
        await eventually(lambda: accepts_connections(port), "mongod does not answer")
        found = await diagnose(f"mongodb://{HOST}:{port}/?replicaSet=rs0", [])
        assert (
            found == f"{HOST}:{port} belongs to a replica set that was not initiated: "
            "run rs.initiate() once."
        )
        members = [{"_id": 0, "host": f"only-there:{port}"}]
        await client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
        assert (
            f"calls itself only-there:{port} in its replica set, which from here "
            "is a name that is unknown here"
            in (await diagnose(f"mongodb://{HOST}:{port}/?replicaSet=rs0", []))
        )
    finally:
        await client.close()
        await process.end()
        assert await until(lambda: process.exited, GENEROUS)


async def test_the_start_says_it_in_its_one_line(mongod: str) -> None:
    database = Database(
        f"{mongod.partition('?')[0]}?replicaSet=rs0&serverMonitoringMode=poll", "app", "mongodb"
    )
    with pytest.raises(
        StartError,
        match=r"did not answer within 1 s; check MONGO_URL\. .*write replicaSet=tests\.$",
    ):
        await start_database(database, seconds=1.0, attempt_seconds=0.5)
    await database.close()


@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"codeName": "NotImplemented", "errmsg": "no"}, "NotImplemented"),
        ({"errmsg": "it ends\nnow."}, "it ends now"),
        ({}, "OperationFailure, code 1"),
        (None, "OperationFailure, code 1"),
    ],
)
async def test_a_refusal_is_never_none(
    database_url: str, details: dict[str, object] | None, said: str
) -> None:
    class Refusing(Database):
        async def version(self) -> str:
            raise OperationFailure("", 1, details)

    database = Refusing(database_url, "app", "mongodb")
    with pytest.raises(StartError) as refused:
        await start_database(database, seconds=0)
    assert refused.value.detail == f"MongoDB refused the start: {said}."
    await database.close()


@pytest.mark.parametrize(
    ("code", "details"),
    [
        (1, {"ok": 0.0, "errmsg": "the storage is closed"}),
        (11602, {"codeName": "InterruptedDueToReplStateChange"}),
    ],
    ids=["the embedded database is replaced", "an election"],
)
async def test_a_server_that_fails_for_a_moment_during_the_start_is_asked_again(
    database_url: str, code: int, details: dict[str, object]
) -> None:
    refusals = 2

    class Restarting(Database):
        async def version(self) -> str:
            nonlocal refusals
            refusals -= 1
            if refusals >= 0:
                raise OperationFailure("", code, details)
            return await super().version()

    database = Restarting(database_url, "app", "mongodb")
    await start_database(database, seconds=30)
    await database.close()
    assert refusals < 0
