"""Limits of requests a minute, for each identity and address, in each replica."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from benchmark_manager.errors import RateLimitedError

#: Keys that are remembered; the least recently used is forgotten, and starts with a full allowance.
_KEYS: Final = 10_000
_MINUTE: Final = 60.0


class RateLimiter:
    """Allows `per_minute` requests at once, and as many again over each minute (token bucket)."""

    def __init__(
        self, per_minute: int | None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`per_minute` None allows every request; `clock` returns seconds."""
        self._per_minute = per_minute
        self._clock = clock
        #: By key: what was left, and when.
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Count one request.

        Raises:
            RateLimitedError
        """
        most = self._per_minute
        if most is None:
            return
        now = self._clock()
        left = self._left_at(now, key, most)
        self._left.pop(key, None)
        self._left[key] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > _KEYS:
            self._left.popitem(last=False)
        _require_one(left, most)

    def _left_at(self, now: float, key: str, most: int) -> float:
        left, then = self._left.get(key, (float(most), now))
        return min(most, left + (now - then) * most / _MINUTE)


def _require_one(left: float, most: int) -> None:
    if left < 1:
        raise RateLimitedError(math.ceil((1 - left) * _MINUTE / most))
