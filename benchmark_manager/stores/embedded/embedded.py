"""The embedded database: SecantusDB as a supervised child process, for evaluation on one machine.

It speaks MongoDB's wire protocol, so everything above this module is the same as with MongoDB. It
is GPL software: it stays a separate program and is never imported.

It listens on a port of the loopback interface, which every user of the machine reaches, and asks
them for a password (module `password`). What remains open to them: the server answers `hello`,
`ping` and `buildInfo` without one, and takes at most 1,000 connections, so another user can keep it
busy.

Files in the data folder: `service.lock` (this process), `database.lock` (guardian and server),
`database.pid`, `database.log`, `database.password`, `database.url` (while it runs),
`secantusd.toml` (empty) and `database/` with the data.
"""

import asyncio
import os
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

import structlog
from pymongo.errors import PyMongoError

from benchmark_manager.errors import StartError, StorageError, reason_of
from benchmark_manager.stores.embedded.address import AddressFile
from benchmark_manager.stores.embedded.password import (
    USER,
    Certificate,
    PasswordFile,
    make_user,
    new_password,
)
from benchmark_manager.stores.embedded.ports import HOST, accepts_connections, free_port
from benchmark_manager.stores.embedded.probe import PasswordRefusedError, Probe
from benchmark_manager.stores.embedded.process import (
    POLL,
    GuardedProcess,
    lock_for_server,
    lock_for_service,
)
from benchmark_manager.stores.embedded.progress import Sample, Silence, sample
from benchmark_manager.stores.embedded.server import (
    CHECKOUT_REQUIREMENTS,
    find_server,
    how_to_get_a_database,
)
from benchmark_manager.stores.embedded.timing import Timing

NAME = "database"
MINIMUM_FREE_BYTES = 64_000_000
FREE_SPACE_VALID_SECONDS = 1.0
PORT_ATTEMPTS = 5
PORT_TAKEN = "Address already in use"
#: The longest silence of a server that works, seconds: each replacement doubles the limit.
SILENT_AT_MOST_EVER = 3_600.0

log = structlog.get_logger(__name__)


def free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


class EmbeddedDatabase:
    """One server on one data folder, from `start()` to `stop()`.

    Between the two, `supervise()` must run as a task: it restarts a server that crashed or
    hangs. `url` and the port stay the same over restarts, so that clients reconnect by themselves.
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
        find_port: Callable[[], int] = free_port,
        make_user: Callable[[str, int, Path, str], None] = make_user,
        requirements: Path = CHECKOUT_REQUIREMENTS,
    ) -> None:
        """`requirements`: the file that a checkout installs the server from."""
        self._data_dir = data_dir.absolute()
        self._cache_size = cache_size
        self._timing = timing or Timing()
        self._find_server = find_server
        self._free_bytes = free_bytes
        self._clock = clock
        self._sleep = sleep
        self._find_port = find_port
        self._user_maker = make_user
        self._requirements = requirements
        self._port = 0
        self._password = ""
        self._password_file = PasswordFile(self._data_dir)
        self._silent_at_most = self._timing.silent_at_most
        self._restarts = 0
        self._stopping = False
        self._changing = asyncio.Lock()
        self._service_lock: int | None = None
        self._process: GuardedProcess | None = None
        self._probe: Probe | None = None
        self._room: tuple[float, int] | None = None

    @property
    def url(self) -> str:
        """The MongoDB URL with the password, without a database name, for use after `start()`."""
        # Direct: a single server has no members to discover, which would take half a second at each
        # connection. Transactions and sessions work so too. It has no retryable writes. Polling
        # monitors connect less often, and PyMongo 4.20 leaves a socket unclosed when a client is
        # closed while its monitor connects.
        options = (
            "directConnection=true&retryWrites=false&serverMonitoringMode=poll&authSource=admin"
        )
        return f"mongodb://{USER}:{self._password}@{HOST}:{self._port}/?{options}"

    @property
    def pid(self) -> int | None:
        """The server's process id; None while there is none."""
        return self._process.pid if self._process else None

    def sample(self) -> Sample | None:
        """Return what the server's process does now; None where that is not known."""
        return sample(self.pid) if self.pid is not None else None

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
                await self._start_with_password()
                AddressFile(self._data_dir).write(self.url)
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

    async def stop(self, grace: float | None = None) -> None:
        """End the server and its guardian and release the folder; harmless to repeat.

        Cancel the task of `supervise()` and close the clients first. It takes about 2 s, and at
        most `grace` and what a SIGKILL takes: no acknowledged write needs an orderly end.
        """
        self._stopping = True
        async with self._changing:
            # First, while there is a server to end its session at.
            await self._close_probe()
            await self._end(
                grace=self._timing.grace if grace is None else min(grace, self._timing.grace)
            )
            self._release()

    async def supervise(self) -> None:
        """Replace a server which exits or hangs; ends only after `stop()`.

        A server hangs when a read stays unanswered and its process does no work meanwhile. A server
        that works is only slow: a busy machine is no reason to kill it, unless it works for minutes
        without an answer.
        """
        while not self._stopping:
            reason = await self._reason_to_replace()
            if reason is not None:
                await self._replace(reason)

    async def _reason_to_replace(self) -> str | None:
        """Ask again and again until there is a reason; None once `stop()` was called."""
        silence = self._new_silence()
        question: asyncio.Task[bool] | None = None
        ask_at = self._clock() + self._timing.probe_every
        try:
            while not self._stopping:
                begin = self._clock()
                await self._sleep(self._timing.tick)
                if self._exited():
                    return "it ended by itself"
                if question is None:
                    if self._clock() >= ask_at:
                        question = asyncio.create_task(self._answers())
                    continue
                silence.add(self.sample(), self._clock() - begin)
                if question.done():
                    if question.result():
                        silence = self._new_silence()
                        ask_at = self._clock() + self._timing.probe_every
                    question = None
                if silence.hangs:
                    return f"it has not answered for {silence.waited:.0f} s, and does not work"
                if silence.waited >= self._silent_at_most:
                    self._silent_at_most = min(2 * self._silent_at_most, SILENT_AT_MOST_EVER)
                    return f"it has not answered for {silence.waited:.0f} s"
        finally:
            if question is not None:
                question.cancel()
                await asyncio.gather(question, return_exceptions=True)
        return None

    def _new_silence(self) -> Silence:
        return Silence(self._timing.tick, self._timing.hung_after)

    def has_room(self) -> bool:
        """Return whether the disk has room for writes, as of at most a second ago."""
        return self._free() >= MINIMUM_FREE_BYTES

    async def ensure_room(self) -> None:
        """Raise StorageError `disk_full` when the disk is nearly full: call it before a write."""
        if not self.has_room():
            raise StorageError(
                "disk_full",
                "embedded",
                free=self._free() // 1_000_000,
                folder=str(self._data_dir),
                limit=MINIMUM_FREE_BYTES // 1_000_000,
            )

    def _free(self) -> int:
        now = self._clock()
        if self._room is None or now - self._room[0] >= FREE_SPACE_VALID_SECONDS:
            self._room = (now, self._free_bytes(self._data_dir))
        return self._room[1]

    def _executable(self) -> str:
        executable = self._find_server()
        if executable is None:
            raise StartError(how_to_get_a_database(self._requirements))
        return executable

    def _prepare(self) -> None:
        """Take the folder for this process."""
        self._executable()  # nothing is made for a database which cannot start
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._service_lock = lock_for_service(self._data_dir)
            # A service that was killed left its own.
            AddressFile(self._data_dir).remove()
            # An empty file: otherwise the server searches several folders for one.
            self._config.write_bytes(b"")
        except OSError as error:
            raise StartError(
                f"The data folder {self._data_dir} cannot be used: {reason_of(error)}."
            ) from error

    @property
    def _config(self) -> Path:
        return self._data_dir / "secantusd.toml"

    @property
    def _storage_arguments(self) -> list[str]:
        return ["--storage-path", str(self._data_dir / NAME)]

    def _command(self, access: Sequence[str]) -> list[str]:
        """Return the server's command line; `access` says who may connect."""
        # Without --sync-on-commit, SIGKILL loses acknowledged writes.
        return [
            *(self._executable(), "--config", str(self._config), *self._storage_arguments),
            *("--host", HOST, "--port", str(self._port), *access),
            *("--cache-size", self._cache_size, "--sync-on-commit"),
        ]

    async def _start_with_password(self) -> None:
        """Start the server with the folder's password; make a new one where that is refused."""
        password = self._password_file.read()
        if password is not None:
            self._password = password
            try:
                return await self._on_free_port(self._launch)
            except PasswordRefusedError:
                log.warning(
                    "The embedded database's password is made anew.", data_dir=str(self._data_dir)
                )
        self._password = new_password()
        await self._on_free_port(self._make_user)
        self._password_file.write(self._password)
        return await self._on_free_port(self._launch)

    async def _on_free_port(self, launch: Callable[[], Awaitable[None]]) -> None:
        for attempt in range(1, PORT_ATTEMPTS + 1):
            await self._close_probe()
            self._port = self._find_port()
            try:
                return await launch()
            except StartError as error:
                if PORT_TAKEN not in error.detail or attempt == PORT_ATTEMPTS:
                    raise
        return None

    async def _launch(self) -> None:
        """Start a server on `_port`, instead of any other, and wait until it answers a read."""
        process = await self._new_process(["--auth"])
        await self._wait_until(process, partial(self._first_answer, process))

    async def _make_user(self) -> None:
        """Start a server only to make the user in it (module `password`)."""
        certificate = Certificate(self._data_dir)
        try:
            certificate.write(HOST)
            process = await self._new_process(certificate.server_options)
            await self._wait_until(process, partial(self._has_made_user, certificate.path))
        except OSError as error:
            raise StartError(
                f"The data folder {self._data_dir} cannot be used: {reason_of(error)}."
            ) from error
        finally:
            # What was acknowledged is on the disk.
            await self._end()
            certificate.remove()

    async def _has_made_user(self, certificate: Path) -> bool:
        try:
            await asyncio.to_thread(self._user_maker, HOST, self._port, certificate, self._password)
        except PyMongoError:
            return False
        return True

    async def _new_process(self, access: Sequence[str]) -> GuardedProcess:
        await self._end()
        try:
            lock = await lock_for_server(
                self._data_dir, NAME, self._storage_arguments, self._timing.former_server
            )
            try:
                self._process = GuardedProcess(
                    self._command(access), self._data_dir, NAME, lock=lock
                )
            finally:
                os.close(lock)
        except OSError as error:
            raise StartError(f"The embedded database cannot be started: {error}.") from error
        return self._process

    async def _wait_until(
        self, process: GuardedProcess, answers: Callable[[], Awaitable[bool]]
    ) -> None:
        """Wait for the first answer as long as the server works for it."""
        silence = Silence(self._timing.tick, self._timing.start)
        begin = time.monotonic()
        question: asyncio.Task[bool] | None = None
        try:
            while True:
                question = question or asyncio.create_task(self._is_up(answers))
                await asyncio.wait({question}, timeout=self._timing.tick)
                if question.done():
                    if question.result():
                        return
                    question = None
                    await asyncio.sleep(POLL)
                if process.exited:
                    raise StartError(
                        f"The embedded database ended at its start: {self._last_line(process)}"
                    )
                if self._stopping:
                    raise StartError("The embedded database was stopped while it started.")
                if time.monotonic() - begin >= self._timing.tick:
                    silence.add(self.sample(), time.monotonic() - begin)
                    begin = time.monotonic()
                if silence.hangs or silence.waited > self._timing.start_at_most:
                    raise StartError(
                        f"The embedded database did not answer within {silence.waited:.0f} s: "
                        f"{self._last_line(process)}"
                    )
        finally:
            if question is not None:
                question.cancel()
                await asyncio.gather(question, return_exceptions=True)

    async def _is_up(self, answers: Callable[[], Awaitable[bool]]) -> bool:
        return await accepts_connections(self._port) and await answers()

    def _last_line(self, process: GuardedProcess) -> str:
        return process.last_line() or f"it printed nothing to {self._data_dir / NAME}.log"

    async def _first_answer(self, process: GuardedProcess) -> bool:
        """Return whether it is our server that answers, and from its storage."""
        # One for all servers on this port: closed while there is none, it leaves a socket unclosed.
        self._probe = self._probe or Probe(self.url)
        return await self._probe.first_answer(process.pid)

    async def _answers(self) -> bool:
        return self._probe is not None and await self._probe.answers()

    def _exited(self) -> bool:
        return self._process is None or self._process.exited

    async def _replace(self, reason: str) -> None:
        """Kill the server and start another, until one answers or `stop()` is called."""
        pause = self._timing.tick
        while not self._stopping:
            log.error(
                "The embedded database is started again.", reason=reason, last_line=self._log_tail()
            )
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
                    log.error(  # noqa: TRY400 -- the detail says why
                        "The embedded database does not start.", error=error.detail
                    )
                return False
            self._restarts += 1
            return True

    async def _end(self, *, grace: float = 0.0) -> None:
        if self._process is not None:
            await self._process.end(grace)
            self._process = None

    async def _close_probe(self) -> None:
        if self._probe is not None:
            await self._probe.close()
            self._probe = None

    def _release(self) -> None:
        if self._service_lock is not None:
            AddressFile(self._data_dir).remove()
            os.close(self._service_lock)
            self._service_lock = None
