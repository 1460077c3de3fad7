"""How long sign-ins to one account from one address are refused after wrong guesses."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

#: How long a failure counts.
COUNTED: Final = timedelta(hours=1)
#: Failures in that time after which the long pause begins; earlier ones need not be known.
FAILURES_BEFORE_PAUSE: Final = 20

_FREE_FAILURES: Final = 5
_PAUSE: Final = timedelta(minutes=15)
_FIRST_WAIT: Final = timedelta(seconds=2)
_LONGEST_WAIT: Final = timedelta(minutes=5)


def refused_until(failures: Iterable[datetime], now: datetime) -> datetime | None:
    """Return until when a further try is refused; None where it is not.

    After 5 failures the wait is 2 s, and it doubles with each further one, to 5 minutes at most.
    After 20 in an hour it is 15 minutes. A failure of the future was recorded by a clock that is
    fast, and counts as one of now: that clock must not lock a person out for longer.
    """
    counted = [min(when, now) for when in failures if now - when < COUNTED]
    if len(counted) < _FREE_FAILURES:
        return None
    until = max(counted) + _wait_after(len(counted))
    return until if until > now else None


def _wait_after(failures: int) -> timedelta:
    if failures >= FAILURES_BEFORE_PAUSE:
        return _PAUSE
    return min(_FIRST_WAIT * (1 << (failures - _FREE_FAILURES)), _LONGEST_WAIT)
