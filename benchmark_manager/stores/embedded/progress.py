"""Distinguishes a process that hangs from one that works slowly, as on a busy machine.

A process works when it uses its processors, or would: a thread runs, waits for a processor to run
on, or waits for a disk. One that was stopped, or whose threads all wait for each other, does none
of it.
"""

import os
import sys
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

#: Threads in these states work: running or ready to run, and waiting for a disk (proc(5)).
_WORKING_STATES: Final = frozenset("RD")
#: Of the time between two samples, a process which used this share of a processor worked.
_WORKING_SHARE: Final = 0.1
#: Threads of a hung process that wake up now and then to wait on are no work: at least this share
#: of samples is.
_WORKING_SAMPLES: Final = 0.2


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at one moment."""

    cpu_seconds: float
    has_working_thread: bool


def sample(pid: int) -> Sample | None:
    """Return what /proc says of the process; None without such a process, or /proc (macOS)."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        fields = _fields(Path(f"/proc/{pid}/stat"))
        states = [_fields(path)[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")]
    except (OSError, IndexError):
        return None
    ticks = int(fields[11]) + int(fields[12])  # utime and stime
    return Sample(ticks / os.sysconf("SC_CLK_TCK"), not _WORKING_STATES.isdisjoint(states))


def _fields(path: Path) -> list[str]:
    """Return the fields of a stat file from the state on, after the process's name."""
    return path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()


class Silence:
    """A time without an answer, from samples of the process which owes it.

    `waited` counts each pause between two samples up to twice its planned length: what is longer
    says that this process itself was kept waiting, and could not have read an answer.
    """

    def __init__(self, tick: float, window: float) -> None:
        """Take samples every `tick` seconds; `hangs` judges the last `window` seconds."""
        self._tick = tick
        self._window = window
        self._former: Sample | None = None
        #: The last samples that fill the window: whether the process worked.
        self._worked: deque[bool] = deque(maxlen=max(2, round(window / tick)))
        self.waited = 0.0

    def add(self, now: Sample | None, elapsed: float) -> None:
        """Add one more sample, `elapsed` seconds after the one before."""
        self.waited += min(elapsed, 2 * self._tick)
        self._worked.append(self._works(now, elapsed))
        self._former = now

    def _works(self, now: Sample | None, elapsed: float) -> bool:
        if now is None:
            return True  # nothing is known, so nothing is held against it
        if now.has_working_thread or self._former is None:
            return now.has_working_thread
        return now.cpu_seconds - self._former.cpu_seconds >= _WORKING_SHARE * elapsed

    @property
    def hangs(self) -> bool:
        """Whether the process did nothing in the last window."""
        full = len(self._worked) == self._worked.maxlen and self.waited >= self._window
        return full and sum(self._worked) < _WORKING_SAMPLES * len(self._worked)
