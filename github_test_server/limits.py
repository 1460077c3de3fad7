"""Primary and secondary rate limits, for each token, or each client address without one.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from github_test_server.hosting import Caller

WINDOW_SECONDS = 3600
LOOPBACK = "127.0.0.1"
_Key = tuple[str | None, str | None]
"""(token, None), or (None, client address) without a token."""


@dataclass(slots=True)
class Allowance:
    """One hour's allowance of requests; `reset_at` is in seconds since the epoch."""

    limit: int
    remaining: int
    reset_at: float

    @property
    def used(self) -> int:
        return self.limit - self.remaining


@dataclass(frozen=True, slots=True)
class SecondaryLimit:
    until: float
    status: int
    tells_when: bool

    def retry_after(self, now: float) -> int | None:
        """Return whole seconds for the Retry-After header, or None where it shall be left out."""
        return max(1, round(self.until - now)) if self.tells_when else None


class Limits:
    """What is left to whom. All methods may be called from any thread while the server runs.

    `token` is None for clients without one, which GitHub tells apart by address.
    """

    def __init__(
        self, *, clock: Callable[[], float] = time.time, with_token: int = 5000, without_token: int = 60
    ) -> None:
        self.clock = clock
        self.with_token = with_token
        self.without_token = without_token
        self.free_304_without_token = False
        """GitHub documents that a 304 is free "if the request was made while correctly authorized"."""
        self._lock = threading.Lock()
        self._allowances: dict[_Key, Allowance] = {}
        self._secondary: dict[_Key, SecondaryLimit] = {}

    def set(
        self,
        token: str | None,
        *,
        limit: int | None = None,
        remaining: int | None = None,
        reset_in: float | None = None,
        client: str = LOOPBACK,
    ) -> None:
        """Change what is given, and leave the rest: requests an hour, requests left, seconds to the reset.

        A new limit without `remaining` starts unused.
        """
        with self._lock:
            allowance = self._current(_key(token, client))
            if limit is not None:
                allowance.limit = allowance.remaining = limit
            if remaining is not None:
                allowance.remaining = remaining
            if reset_in is not None:
                allowance.reset_at = self.clock() + reset_in

    def secondary(
        self,
        token: str | None,
        *,
        retry_after: float,
        status: int = 403,
        tells_when: bool = True,
        client: str = LOOPBACK,
    ) -> None:
        """Refuse everything for `retry_after` seconds, with a Retry-After header unless told otherwise."""
        until = self.clock() + retry_after
        self._secondary[_key(token, client)] = SecondaryLimit(until, status, tells_when)

    def clear(self) -> None:
        """Forget all use, and all that set() and secondary() changed; a 304 without a token costs again."""
        with self._lock:
            self.free_304_without_token = False
            self._allowances.clear()
            self._secondary.clear()

    def of(self, token: str | None, client: str = LOOPBACK) -> Allowance:
        """Return a copy of what is left now."""
        with self._lock:
            current = self._current(_key(token, client))
            return Allowance(current.limit, current.remaining, current.reset_at)

    def take(self, caller: Caller) -> bool:
        """Take one request from the caller's allowance; False if none is left."""
        with self._lock:
            allowance = self._current(_key(caller.token, caller.client))
            if allowance.remaining <= 0:
                return False
            allowance.remaining -= 1
            return True

    def give_back(self, caller: Caller) -> None:
        with self._lock:
            allowance = self._current(_key(caller.token, caller.client))
            allowance.remaining = min(allowance.limit, allowance.remaining + 1)

    def secondary_for(self, caller: Caller) -> SecondaryLimit | None:
        """Return the secondary limit in force for the caller."""
        found = self._secondary.get(_key(caller.token, caller.client))
        return found if found and self.clock() < found.until else None

    def _current(self, key: _Key) -> Allowance:
        now = self.clock()
        found = self._allowances.get(key)
        if found is None:
            limit = self.without_token if key[0] is None else self.with_token
            found = self._allowances[key] = Allowance(limit, limit, now + WINDOW_SECONDS)
        elif now >= found.reset_at:
            found.remaining, found.reset_at = found.limit, now + WINDOW_SECONDS
        return found


def _key(token: str | None, client: str) -> _Key:
    return (None, client) if token is None else (token, None)
