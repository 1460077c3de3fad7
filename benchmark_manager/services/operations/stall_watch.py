"""Measures how long the event loop is blocked, for /metrics and for tests."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

#: Seconds between two measurements; a stall which begins in between is seen whole.
_PERIOD: Final = 0.05


class StallWatch:
    """Wakes up regularly and measures how late it was."""

    def __init__(self, observe: Callable[[float], None], *, period: float = _PERIOD) -> None:
        """`observe` is called with the seconds of each stall, 0 where there was none."""
        self._observe = observe
        self._period = period
        #: The longest stall since the start, seconds.
        self.longest = 0.0

    async def run(self) -> None:
        """Measure until cancelled."""
        while True:
            due, used = time.monotonic() + self._period, time.process_time()
            await asyncio.sleep(self._period)
            late, used = time.monotonic() - due, time.process_time() - used
            # On a machine without time for this process, everything is late; what the process did
            # itself is the stall.
            stall = max(0.0, min(late, used))
            self.longest = max(self.longest, stall)
            self._observe(stall)
