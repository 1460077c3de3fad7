"""Server processes that end with the service, and the locks which keep two of them off one folder.

A lock here is `flock` on a file: it belongs to the open descriptor, so the kernel frees
it when the last holder ends, however it ends. The files stay, for removing one would let two
holders in.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmark_manager.errors import StartError

GUARDIAN = Path(__file__).with_name("guardian.py")
POLL = 0.02
# Generous: a loaded machine takes its time even for a SIGKILL.
AFTER_KILL = 5.0
LOG_TAIL = 4_096


class GuardedProcess:
    """One server in `directory`, ended by its guardian at the latest when this process ends.

    Writes `NAME.log` (at most 2 MB, in two parts) and `NAME.pid` into the directory. With `lock`,
    the server keeps that descriptor's lock until it is gone; the caller closes its own copy.
    """

    def __init__(
        self, command: Sequence[str], directory: Path, name: str, *, lock: int = -1
    ) -> None:
        self._command = tuple(command)
        self._log = directory / f"{name}.log"
        self._pid_file = directory / f"{name}.pid"
        self._log_start = self._log_size()
        self._pid_file.unlink(missing_ok=True)
        self._pid: int | None = None
        self._guardian = self._start_guardian(directory, lock)

    def _start_guardian(self, directory: Path, lock: int) -> "subprocess.Popen[bytes]":
        # -I and -S: nothing of the folder, the environment or site-packages runs in the guardian.
        program = [sys.executable, "-I", "-S", str(GUARDIAN)]
        arguments = [str(os.getpid()), str(lock), str(self._log), str(self._pid_file)]
        return subprocess.Popen(  # noqa: S603 -- our own program
            [*program, *arguments, *self._command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=() if lock < 0 else (lock,),
            cwd=directory,
            umask=0o077,
            # Ctrl-C in a terminal reaches the whole process group; the service must stop first.
            start_new_session=True,
        )

    @property
    def guardian_pid(self) -> int:
        return self._guardian.pid

    @property
    def pid(self) -> int | None:
        """The server's process id; None until it was started."""
        if self._pid is None:
            self._pid = read_pids(self._pid_file).get("server")
        return self._pid

    @property
    def exited(self) -> bool:
        """Return whether the guardian has ended: after its server, unless it was killed."""
        return self._guardian.poll() is not None

    def last_line(self) -> str:
        """Return the last line that this server printed, or an empty string."""
        try:
            with self._log.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                # A rotation since the start makes the file shorter than it was.
                start = self._log_start if self._log_start <= size else 0
                file.seek(max(start, size - LOG_TAIL))
                text = file.read().decode(errors="replace")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")

    async def end(self, grace: float = 0.0) -> None:
        """End it with SIGTERM, after `grace` seconds with SIGKILL, and wait until it is gone."""
        if grace > 0:
            self._tell(b"t")
            await until(lambda: self.exited, grace)
        self._tell(b"k")
        gone = await until(lambda: self.exited, AFTER_KILL)
        if not gone:  # the guardian itself was stopped
            self._guardian.kill()
            await until(lambda: self.exited, AFTER_KILL)
        self._close_pipe()
        if not gone or self._guardian.returncode < 0:
            # Where a parent's death ends no child (macOS), the server is still there.
            await kill_if_ours(self.pid, self._command)

    def _tell(self, order: bytes) -> None:
        pipe = self._guardian.stdin
        if pipe is not None and not pipe.closed:
            with contextlib.suppress(OSError):
                pipe.write(order)
                pipe.flush()

    def _close_pipe(self) -> None:
        if self._guardian.stdin is not None:
            with contextlib.suppress(OSError):
                self._guardian.stdin.close()

    def _log_size(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0


async def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait at most `seconds` for the condition; whether it holds now."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(POLL)
    return True


def try_lock(path: Path) -> int | None:
    """Return a descriptor which holds the file's lock, or None while another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def lock_for_service(data_dir: Path) -> int:
    """Lock the folder for this process; a StartError names the process that has it."""
    path = data_dir / "service.lock"
    descriptor = try_lock(path)
    if descriptor is None:
        holder = path.read_text(encoding="utf-8", errors="replace").strip()
        process = f"process {holder}" if holder.isdecimal() else "another process"
        raise StartError(
            f"Another Benchmark Manager ({process}) uses the data folder {data_dir}; "
            "stop it, or set DATA_DIR to another folder."
        )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    return descriptor


async def lock_for_server(
    directory: Path, name: str, command_part: Sequence[str], seconds: float
) -> int:
    """Return a descriptor of `NAME.lock`, as soon as every former server of the folder is gone.

    One that still runs after `seconds` gets SIGKILL, provided that the process named
    in `NAME.pid` runs with `command_part` in its command line. StartError: the lock is held even
    so.
    """
    path = directory / f"{name}.lock"
    descriptor = await _wait_for_lock(path, seconds)
    if descriptor is None:
        former = read_pids(directory / f"{name}.pid").values()
        killed = [await kill_if_ours(pid, command_part) for pid in former]
        descriptor = await _wait_for_lock(path, AFTER_KILL if any(killed) else 0.0)
    if descriptor is None:
        raise StartError(
            f"A database server of an earlier run still uses {directory}; "
            f"end the process which holds {path} open, then start again."
        )
    return descriptor


async def _wait_for_lock(path: Path, seconds: float) -> int | None:
    taken: list[int] = []

    def take() -> bool:
        descriptor = try_lock(path)
        if descriptor is not None:
            taken.append(descriptor)
        return descriptor is not None

    await until(take, seconds)
    return taken[0] if taken else None


def read_pids(path: Path) -> dict[str, int]:
    """Return the ids of `guardian` and `server` in a guardian's file; empty without the file."""
    try:
        pids = json.loads(path.read_bytes())
        return {name: int(pids[name]) for name in ("guardian", "server")}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


async def kill_if_ours(pid: int | None, command_part: Sequence[str]) -> bool:
    """Kill the process, if its command line has these arguments in a row, and wait for its end.

    Whether it was such a process: the id in an old file may be anybody's by now.
    """
    if pid is None or not has_arguments(pid, command_part):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    await until(lambda: not has_arguments(pid, command_part), AFTER_KILL)
    return True


def has_arguments(pid: int, arguments: Sequence[str]) -> bool:
    """Return whether a process of that id runs now with these arguments in a row."""
    if sys.platform.startswith("linux"):
        separator, running = "\0", _proc_command_line(pid)
    else:
        separator, running = " ", _ps_command_line(pid)
    return separator + separator.join(arguments) + separator in separator + running + separator


def _proc_command_line(pid: int) -> str:
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="surrogateescape").rstrip("\0")
        )
    except OSError:
        return ""


def _ps_command_line(pid: int) -> str:
    """For macOS, which has no /proc; the arguments come joined by spaces."""
    answer = subprocess.run(  # noqa: S603 -- a number is all that varies
        ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip()
