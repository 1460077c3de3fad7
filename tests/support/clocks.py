"""Time that tests move on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


class Clock:
    """The time, and what a test adds to it."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def forward(self, **duration: float) -> None:
        """Let time pass: `seconds`, `minutes`, `hours` or `days`, as `timedelta` takes them."""
        self._ahead += timedelta(**duration)

    def reset(self) -> None:
        """Show the present time again."""
        self._ahead = timedelta()


@dataclass
class SetClock:
    """The time in seconds since 1970 that a test sets."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now
