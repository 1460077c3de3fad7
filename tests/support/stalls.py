"""Measure how long a request holds the event loop."""

import asyncio
import gc
import json
import resource
import time
from types import TracebackType
from typing import Final, Self

#: What no request may exceed, seconds of CPU time of the loop's thread on an idle machine.
LONGEST_STALL: Final = 0.25
#: What any of the hundred thousand requests of a run may take: one of them meets a pause of the
#: machine.
ALARM: Final = 2 * LONGEST_STALL
_PERIOD: Final = 0.01
#: Only Linux accounts for threads.
_THREAD: Final[int | None] = getattr(resource, "RUSAGE_THREAD", None)
#: What `_reference_seconds` returns on an idle core of a server of 2022.
_REFERENCE: Final = 0.006
_DOCUMENT: Final = json.dumps([{"path": f"config/{n}.yaml", "size": n} for n in range(3000)])


def _thread_time() -> float:
    """Return the CPU time that this thread's own code took, where the machine reports it, seconds.

    The kernel's part is left out: where the host of a virtual machine takes its memory back, a
    request may spend tenths of a second on getting it again.
    """
    if _THREAD is None:
        return time.thread_time()
    return resource.getrusage(_THREAD).ru_utime


class _Overhead:
    """Sums up the CPU time that no request uses.

    Garbage collections take long in a process full of tests, and so do measurements of slowness.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun = 0.0
        gc.callbacks.append(self._noted)

    def _noted(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._begun = _thread_time()
        else:
            self.seconds += _thread_time() - self._begun


_overhead: Final = _Overhead()


def _used() -> float:
    return _thread_time() - _overhead.seconds


def _reference_seconds() -> float:
    """Return the CPU time that this thread needs now for work of a known size."""
    began = _used()
    for entry in json.loads(_DOCUMENT):
        entry["name"] = entry["path"].rpartition("/")[2].upper()
    json.dumps(json.loads(_DOCUMENT))
    return _used() - began


def slowness() -> float:
    """Return how many times as long as on an idle machine everything takes now; at least 1.

    Two threads on one core, and caches that others fill, double CPU time itself.
    """
    began = _used()
    try:
        return max(1.0, *(_reference_seconds() / _REFERENCE for _ in range(3)))
    finally:
        # Else each of many watches would take the others' measurements for another stall.
        _overhead.seconds += _used() - began


def is_within(seconds: float, limit: float) -> bool:
    """Return whether work that took `seconds` now takes less than `limit` on an idle machine.

    How slow this one is takes longer to measure than most work, so only what is late asks for it.
    """
    return seconds < limit or seconds < limit * slowness()


class LoopWatch:
    """Measures, between its beginning and its end, for how long nothing else came to run.

    `longest` is in seconds of an idle machine.

    with LoopWatch() as watch:
        await request
    assert watch.longest < LONGEST_STALL
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._used = 0.0

    def __enter__(self) -> Self:
        self._wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._measure()
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        self._due, self._used = time.monotonic() + _PERIOD, _used()
        self._timer = asyncio.get_running_loop().call_later(_PERIOD, self._tick)

    def _tick(self) -> None:
        self._measure()
        self._wait()

    def _measure(self) -> None:
        late, used = time.monotonic() - self._due, _used() - self._used
        held = min(late, used)
        if held > LONGEST_STALL:
            held /= slowness()
        self.longest = max(self.longest, held)
