"""Processes that stand still for a while, as on a machine that has no time for them."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.waiting import GENEROUS


def suspend(*pids: int) -> None:
    """Stop processes as they are; once this returns, none of their threads runs.

    The signal alone does not promise that: until the thread that takes it has had its turn on a
    busy machine, the process's other threads go on.

    Raises:
        TimeoutError: one still ran after `GENEROUS` seconds.
    """
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + GENEROUS
    while not all(map(_is_suspended, pids)):
        if time.monotonic() > deadline:
            raise TimeoutError("a process did not stand still")
        time.sleep(0.001)


def resume(*pids: int) -> None:
    """Let suspended processes go on."""
    for pid in pids:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def suspended(*pids: int) -> Iterator[None]:
    """Keep processes suspended inside the block."""
    suspend(*pids)
    try:
        yield
    finally:
        resume(*pids)


def _is_suspended(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    if status.exists():
        # The name of the program stands in brackets, and may contain anything.
        state = status.read_text(errors="replace").rpartition(")")[2].split()[0]
    else:
        command = ["ps", "-o", "stat=", "-p", str(pid)]
        state = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    return state.startswith("T")
