"""The embedded database with real processes: who may use a server, and when it is replaced."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import PyMongoError

from benchmark_manager.errors import StartError
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.stores.embedded.ports import free_port
from benchmark_manager.stores.embedded.process import until
from benchmark_manager.stores.embedded.timing import Timing
from support.embedded_servers import (
    Client,
    alive,
    kill,
    linux_only,
    needs_server,
    read_again,
    running,
)
from support.suspension import resume, suspend
from support.waiting import GENEROUS

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


@dataclass(frozen=True, slots=True)
class Supervised:
    """A supervised database for one test after the other, which may kill its server."""

    database: EmbeddedDatabase
    folder: Path
    #: How often its server was replaced before the test.
    restarts: int
    #: The port that it was to take first, which another program had.
    taken_port: int

    @property
    def server(self) -> int:
        """The process id of the server that runs now."""
        assert self.database.pid is not None
        return self.database.pid

    async def replaced(self, times: int = 1) -> None:
        await wait_for_restart(self.database, self.restarts + times)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _supervised(
    used_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Supervised]:
    folder = Path(shutil.copytree(used_folder, tmp_path_factory.mktemp("supervised") / "data"))
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        # The last is tried first.
        ports = [free_port(), taken]
        async with running(folder, find_port=ports.pop) as database:
            assert not ports
            yield Supervised(database, folder, 0, taken)


@pytest.fixture
def supervised(_supervised: Supervised) -> Supervised:
    return replace(_supervised, restarts=_supervised.database.restarts)


@pytest.fixture
def prepared(used_folder: Path, tmp_path: Path) -> Path:
    """The data folder of a database that ran before."""
    return Path(shutil.copytree(used_folder, tmp_path / "data"))


async def wait_for_restart(database: EmbeddedDatabase, number: int) -> None:
    assert await until(lambda: database.restarts >= number, GENEROUS)


async def wait_for_length(items: list[int], length: int) -> None:
    assert await until(lambda: len(items) >= length, GENEROUS)


async def acknowledged_writes(client: Client, first: int, written: list[int]) -> None:
    """Insert until an insert fails; `written` gets what the server has acknowledged."""
    number = first
    with contextlib.suppress(PyMongoError):
        while True:
            await client["app"]["writes"].insert_one({"_id": number})
            written.append(number)
            number += 1


@needs_server
async def test_answers_a_transaction(supervised: Supervised) -> None:
    async def both(session: AsyncClientSession) -> None:
        await client["app"]["one"].insert_one({"_id": 1}, session=session)
        await client["app"]["two"].insert_one({"_id": 1}, session=session)

    async with AsyncMongoClient[dict[str, Any]](supervised.database.url) as client:
        async with client.start_session() as session:
            await session.with_transaction(both)
            await session.start_transaction()
            await client["app"]["one"].insert_one({"_id": 2}, session=session)
            await session.abort_transaction()
        assert await client["app"]["one"].count_documents({}) == 1
        assert await client["app"]["two"].count_documents({}) == 1


@needs_server
async def test_refuses_a_second_service(supervised: Supervised) -> None:
    """The error names the folder and the process that has it; the first service is undisturbed."""
    pid = supervised.server
    with pytest.raises(StartError) as refused:
        await EmbeddedDatabase(supervised.folder).start()
    assert str(supervised.folder) in refused.value.detail
    assert f"process {os.getpid()}" in refused.value.detail
    assert supervised.server == pid
    assert alive(pid)


@needs_server
@linux_only
async def test_ends_with_a_killed_guardian(supervised: Supervised) -> None:
    """SIGKILL to the guardian ends the server too; supervision starts both again."""
    server, guardian = supervised.server, supervised.database.guardian_pid
    assert guardian is not None
    kill(guardian)
    assert await until(lambda: not alive(server), GENEROUS)
    await supervised.replaced()
    assert alive(supervised.server)
    assert supervised.database.guardian_pid != guardian


@needs_server
async def test_replaces_a_crashed_server_which_loses_no_acknowledged_write(
    supervised: Supervised,
) -> None:
    """On the same port, and whatever was acknowledged amid writes is there at the next call."""
    database = supervised.database
    url, pid = database.url, supervised.server
    async with AsyncMongoClient[dict[str, Any]](
        url, w="majority", journal=True, serverSelectionTimeoutMS=2000
    ) as client:
        written: list[int] = []
        writer = asyncio.create_task(acknowledged_writes(client, 1, written))
        await wait_for_length(written, 50)
        kill(pid)
        await writer
        await supervised.replaced()
        assert database.url == url
        assert database.pid != pid
        # A write may have reached the disk although its acknowledgement never came.
        assert set(written) - set(await read_again(client, "writes")) == set()


@needs_server
async def test_replaces_a_hung_server(supervised: Supervised) -> None:
    """A stopped process still accepts connections; a read without an answer shows that it hangs."""
    pid = supervised.server
    suspend(pid)
    await supervised.replaced()
    assert not alive(pid)
    async with AsyncMongoClient[dict[str, Any]](supervised.database.url) as client:
        assert await client["app"]["hung"].count_documents({}) == 0


@needs_server
async def test_a_server_that_stands_still_for_a_while_is_not_replaced(prepared: Path) -> None:
    timing = Timing(tick=0.05, probe_every=0.1, hung_after=60.0, start=60.0, grace=0)
    async with (
        running(prepared, timing) as database,
        AsyncMongoClient[dict[str, Any]](database.url) as client,
    ):
        await client["app"]["things"].insert_one({"_id": 1})
        pid = database.pid or 0
        suspend(pid)
        waiting = asyncio.create_task(client["app"]["things"].count_documents({}))
        done, _ = await asyncio.wait({waiting}, timeout=0.5)
        assert not done
        resume(pid)
        assert await waiting == 1
        assert (database.pid, database.restarts) == (pid, 0)


@needs_server
@linux_only
async def test_a_server_that_gets_hardly_any_processor_time_is_slow_and_not_replaced(
    prepared: Path,
) -> None:
    """It runs a tenth of the time, as on a machine whose processors have other work."""
    timing = Timing(tick=0.02, probe_every=0.05, hung_after=0.8, start=60.0, grace=0)
    async with (
        running(prepared, timing) as database,
        AsyncMongoClient[dict[str, Any]](database.url) as client,
    ):
        things = client["app"]["many"]
        await things.insert_many([{"_id": number, "text": "x" * 100} for number in range(2_000)])
        pid = database.pid or 0
        begin = time.monotonic()
        waiting = asyncio.create_task(things.find({"text": {"$regex": "y$"}}).to_list())
        while time.monotonic() - begin < 3 * timing.hung_after or not waiting.done():
            suspend(pid)
            await asyncio.sleep(0.27)
            resume(pid)
            await asyncio.sleep(0.03)
        assert await waiting == []
        assert (database.pid, database.restarts) == (pid, 0)


@needs_server
async def test_another_user_of_the_machine_can_neither_read_nor_change_anything(
    supervised: Supervised,
) -> None:
    """Neither over the port without the password, nor by reading it from the folder."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("only root can act as another user")
    supervised.folder.parent.chmod(0o755)
    answer = await asyncio.to_thread(
        subprocess.run,
        [
            *(setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"),
            *(sys.executable, "-c", STRANGER),
            *(str(urlsplit(supervised.database.url).port), str(supervised.folder)),
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
async def test_takes_another_port_when_one_is_taken(supervised: Supervised) -> None:
    """Nor does a stranger on the port pass for the server."""
    assert urlsplit(supervised.database.url).port != supervised.taken_port
