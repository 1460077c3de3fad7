"""The deadline for stopping the service, and how its parts share the time.

Each part gets until a moment after the request, not a time of its own: however many parts are late,
the last of them ends when it should.
"""

import time
from collections.abc import Callable
from typing import Final

#: Seconds after the request to stop by which each part has ended, in this order.
SYNCS_END: Final = 4.0
REQUESTS_END: Final = 5.0
TICKS_END: Final = 5.5
LAST_WORDS_END: Final = 6.5
EMBEDDED_END: Final = 7.5
#: What still runs then is ended without being asked. Worker processes end with it.
PROCESS_END: Final = 8.0


class StopDeadline:
    """When the service was asked to stop: at `begin`, or when a part first asks for its time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began: float | None = None

    @property
    def began(self) -> bool:
        """Whether the service was asked to stop."""
        return self._began is not None

    def begin(self) -> None:
        """Record that the service was asked to stop now; harmless to repeat."""
        if self._began is None:
            self._began = self._clock()

    def until(self, end: float, *, at_least: float = 0.0) -> float:
        """Return the seconds left until `end` seconds after the request."""
        self.begin()
        assert self._began is not None  # noqa: S101 -- set by begin()
        return max(at_least, self._began + end - self._clock())
