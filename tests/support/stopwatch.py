"""Measure durations in seconds of an idle machine."""

import os
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_PERIOD: Final = 0.02
_LOAD: Final = Path("/proc/loadavg")


class Stopwatch:
    """Counts the seconds between its beginning and its end that the machine had for them.

    A machine that lets nothing run for a while, or has several programs to run on each core, makes
    everything take longer: those seconds count for less.

    with Stopwatch() as watch:
        await something
    assert watch.seconds < 10
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._count, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _count(self) -> None:
        last = time.monotonic()
        while not self._ended.wait(_PERIOD):
            now = time.monotonic()
            # What is later than it should be stood still, as everything else did.
            self.seconds += min(now - last, 2 * _PERIOD) / _programs_for_each_core()
            last = now


def _programs_for_each_core() -> float:
    """Return how many programs want to run now for each core; at least 1.

    The average of a minute, which other systems have alone, comes too late for a sudden load.
    """
    running = os.getloadavg()[0]
    if _LOAD.exists():
        running = max(running, float(_LOAD.read_text().split()[3].partition("/")[0]))
    return max(1.0, 2 * running / (os.cpu_count() or 1))
