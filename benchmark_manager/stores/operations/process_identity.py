"""Which process something belongs to, and whether that process is known to be gone."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process of one boot of one kernel; no two processes are ever the same by all four."""

    boot_id: str
    """The kernel's name of this boot; other machines have others."""
    pid_namespace: str
    """Containers on one machine have their own, in which ids of processes repeat."""
    pid: int
    started: int
    """When it started, in ticks since the boot."""


def own_identity() -> ProcessIdentity | None:
    """Return the identity of this process; None where the system does not say (macOS)."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = str(Path("/proc/self/ns/pid").readlink())
        _, started = _state_and_start(os.getpid())
    except (OSError, ValueError, IndexError):
        return None
    return ProcessIdentity(boot_id, namespace, os.getpid(), started)


def is_known_to_be_gone(process: ProcessIdentity, seen_from: ProcessIdentity) -> bool:
    """Return whether the process is gone for certain; False where it cannot be seen from there."""
    if (process.boot_id, process.pid_namespace) != (seen_from.boot_id, seen_from.pid_namespace):
        return False
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        pass  # it belongs to another user
    try:
        state, started = _state_and_start(process.pid)
    except (OSError, ValueError, IndexError):
        return False
    # One that has ended may wait for its parent to notice; its id may also be another process's by
    # now.
    return state == "Z" or started != process.started


def _state_and_start(pid: int) -> tuple[str, int]:
    """Return fields 3 and 22 of proc(5)'s stat; the name before them may hold parentheses."""
    fields = (
        Path(f"/proc/{pid}/stat")
        .read_text(encoding="utf-8", errors="replace")
        .rpartition(")")[2]
        .split()
    )
    return fields[0], int(fields[19])
