"""How long the event loop stood still during a request."""

import asyncio
import gc
import time
from types import TracebackType
from typing import Final, Self

#: What no request may exceed, seconds of CPU time of the loop's thread, so that a busy machine
#: changes nothing.
LONGEST_STALL: Final = 0.25
_PERIOD: Final = 0.01


class _Collections:
    """The CPU time of Python's garbage collections: in a process full of tests they take long, in a service not."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begun = 0.0
        gc.callbacks.append(self._noted)

    def _noted(self, phase: str, _: dict[str, int]) -> None:
        if phase == "start":
            self._begun = time.thread_time()
        else:
            self.seconds += time.thread_time() - self._begun


_collections: Final = _Collections()


def _used() -> float:
    return time.thread_time() - _collections.seconds


class LoopWatch:
    """Measures, between its beginning and its end, for how long nothing else came to run.

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
        self.longest = max(self.longest, min(late, used))
