"""A program of its own which runs one server and never lets it outlive the service.

    python -I -S guardian.py PARENT_PID LOCK_FD LOG PID_FILE COMMAND...

Standard input is a pipe whose other end only the service holds. What arrives there:

    b"t"        end the server with SIGTERM, and with SIGKILL after `GRACE` seconds
    b"k"        end it with SIGKILL
    end of file the service is gone, even if by SIGKILL: the same

The server inherits LOCK_FD (-1: there is none), so that its lock is free only when guardian and
server are both gone. What the server prints goes to LOG, which stays under `LOG_LIMIT` bytes, with
one older part beside it. PID_FILE gets `{"guardian": PID, "server": PID}`. The exit code is the
server's, as a shell gives it.

No module imports this one; it needs the standard library alone, and stays single-threaded:
`preexec_fn` and Linux's parent-death signal are safe only so. Each database waits for its start:
modules that take long to import (dataclasses, json) stay out.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

GRACE = 10.0
LOG_LIMIT = 1_000_000
TICK = 0.2
READ_SIZE = 65_536
PR_SET_PDEATHSIG = 1

# Anything else stays with the service: its tokens are none of the server's business, and a variable
# such as SECANTUS_TEST_FAST_STORAGE would switch durability off.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TZ")


class BoundedLog:
    """A log file that never fails its writer and never grows beyond a limit."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, data: bytes) -> None:
        # A full disk must not take the server down with it.
        with contextlib.suppress(OSError):
            if self._size() + len(data) > LOG_LIMIT:
                self._path.replace(self._path.with_name(f"{self._path.name}.1"))
            with self._path.open("ab") as file:
                file.write(data)

    def _size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0


class Guardian:
    """Watches one server until it is gone."""

    def __init__(self, server: "subprocess.Popen[bytes]", log: BoundedLog, parent: int) -> None:
        self.server = server
        self.log = log
        self.parent = parent
        self.kill_at: float | None = None
        self._open = [sys.stdin.fileno(), self._output]
        os.set_blocking(self._output, False)

    @property
    def _output(self) -> int:
        assert self.server.stdout is not None  # noqa: S101 -- it was opened as a pipe
        return self.server.stdout.fileno()

    def run(self) -> int:
        while self.server.poll() is None:
            readable, _, _ = select.select(self._open, [], [], TICK)
            if sys.stdin.fileno() in readable:
                self._obey()
            if self._output in readable:
                self._copy_output()
            self._check_time()
        self._copy_output()
        code = self.server.returncode
        return code if code >= 0 else 128 - code

    def terminate(self, *_: object) -> None:
        if self.kill_at is None:
            self.kill_at = time.monotonic() + GRACE
            self.server.terminate()

    def _obey(self) -> None:
        order = os.read(sys.stdin.fileno(), 1)
        if order == b"t":
            self.terminate()
            return
        if not order:
            self._open.remove(sys.stdin.fileno())
        self.server.kill()

    def _copy_output(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._output, READ_SIZE):
                self.log.write(data)
            if self._output in self._open:
                self._open.remove(self._output)
                # The server closes its output at its end: no need to wait for the next tick.
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.server.wait(TICK)

    def _check_time(self) -> None:
        # A process forked from the service may hold the pipe open; the parent's id shows the end.
        if os.getppid() != self.parent or (
            self.kill_at is not None and time.monotonic() > self.kill_at
        ):
            self.server.kill()


def die_with(guardian: int) -> Callable[[], None] | None:
    """Let the server end with the guardian, even by SIGKILL (Linux); runs in the server."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        import ctypes  # noqa: PLC0415 -- some Pythons are built without it

        prctl = ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError):
        return None

    def first() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != guardian:  # it died before the call above
            os._exit(1)

    return first


def server_environment() -> dict[str, str]:
    """Return the variables of `PASSED_ON`, and a home folder without anybody's configuration."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return passed_on | {"HOME": str(Path.cwd()), "PYTHONUNBUFFERED": "1"}


def start_server(command: Sequence[str], lock: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 -- the command is the service's
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=() if lock < 0 else (lock,),
        env=server_environment(),
        preexec_fn=die_with(os.getpid()),  # noqa: PLW1509 -- this process has one thread
    )


def write_pid_file(path: Path, server: int) -> None:
    """Whole or not at all, so that the service never reads half of it."""
    part = path.with_name(f"{path.name}.part")
    part.write_text(f'{{"guardian": {os.getpid()}, "server": {server}}}', encoding="utf-8")
    part.replace(path)


def main(arguments: Sequence[str]) -> int:
    parent, lock, log_path, pid_file, *command = arguments
    log = BoundedLog(Path(log_path))
    try:
        server = start_server(command, int(lock))
    except (OSError, subprocess.SubprocessError) as error:
        log.write(f"{command[0]} does not start: {error}\n".encode())
        return 127
    try:
        guardian = Guardian(server, log, int(parent))
        signal.signal(signal.SIGTERM, guardian.terminate)
        write_pid_file(Path(pid_file), server.pid)
        return guardian.run()
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
