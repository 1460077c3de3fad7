"""When a project is polled next."""

import hashlib
import math
from datetime import datetime, timedelta
from typing import Final

#: Polls stray by this share of the interval, so that projects made together drift apart.
JITTER: Final = 0.05
#: Repeated failures slow polling down to this at most, seconds.
SLOWEST: Final = 3600.0
#: A person must act: asked again once an hour, seconds.
HOURLY: Final = 3600.0
#: How a failed first sync of a project without polling is repeated, seconds.
FIRST_SYNC_RETRY: Final = 60.0
_DOUBLINGS: Final = 20


def first_phase(project_id: str, interval: float) -> float:
    """Seconds from the first sync to the first poll: a hash of the id, spread evenly over one interval."""
    digest = hashlib.sha256(project_id.encode()).digest()
    return interval * (int.from_bytes(digest[:8]) / 2**64)


def next_planned(planned: datetime, now: datetime, interval: float, jitter: float) -> datetime:
    """One interval behind `planned`; ticks which were missed altogether count as one.

    `jitter` is a random number from -1 to 1.
    """
    step = interval * (1 + JITTER * jitter)
    following = planned + timedelta(seconds=step)
    if following > now:
        return following
    missed = math.floor((now - following).total_seconds() / interval) + 1
    return following + timedelta(seconds=missed * interval)


def retry_delay(interval: float, fail_count: int) -> float:
    """Seconds to wait behind the `fail_count`-th failure in a row: doubling, to an hour at most.

    An interval which is longer than an hour stays as it is.
    """
    base = interval or FIRST_SYNC_RETRY
    return max(base, min(SLOWEST, base * (1 << min(fail_count, _DOUBLINGS))))
