"""Primary and secondary rate limits, for each token, or each client address without one.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
https://docs.github.com/en/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
"""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from github_test_server.hosting import Requester

Resource = Literal["core", "graphql"]
"""Each has an allowance of its own: "core" is the REST API's."""

WINDOW_SECONDS = 3600
MINUTE_SECONDS = 60
LOOPBACK = "127.0.0.1"
_AT_ONCE_RETRY_SECONDS = 1
_Account = tuple[str | None, str | None]
"""(whose token it is, None), or (None, client address) without a token."""
_Key = tuple[_Account, Resource]


@dataclass(slots=True)
class Allowance:
    """One hour's allowance of points; `reset_at` is in seconds since the epoch."""

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


@dataclass(slots=True)
class _LastMinute:
    """What one account spent within the last 60 seconds, request by request."""

    points: int = 0
    spent: deque[tuple[float, int]] = field(default_factory=deque)

    def wait(self, points: int, most: int, now: float) -> float:
        """Spend the points and return 0, or return the seconds until there is room for them."""
        while self.spent and self.spent[0][0] <= now - MINUTE_SECONDS:
            self.points -= self.spent.popleft()[1]
        if self.points + points <= most:
            self.spent.append((now, points))
            self.points += points
            return 0.0
        return self.spent[0][0] + MINUTE_SECONDS - now if self.spent else float(MINUTE_SECONDS)


class AccountLimits:
    """What is left to whom. All methods may be called from any thread while the server runs.

    `token` is None for clients without one, which GitHub distinguishes by address.

    Attributes:
        free_304_without_token: GitHub documents that a 304 is free "if the request was made while
            correctly
            authorized"; True makes it free for all clients.
        points_per_minute: the most that an account may spend on the REST API within 60 seconds,
            before it meets
            the secondary limit; None: no such rule. GitHub's is 900. A GET costs 1, also where it
            ends as a 304, any other method 5.
        graphql_points_per_minute: the same of GraphQL, where a query costs 1. GitHub's is 2,000.
        requests_at_once: the most requests of an account under way at once, in both APIs together,
            before it
            meets the secondary limit; None: no such rule. GitHub's is 100.
        graphql_exhausted_status: GraphQL's status after its primary limit is exhausted:
            200, or 403.
        graphql_exhausted_type: the error's `type` in that answer; GitHub has been seen to say
            "RATE_LIMIT" too.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        with_token: int = 5000,
        without_token: int = 60,
        account_of: Callable[[str], str] = str,
    ) -> None:
        self.clock = clock
        self.with_token = with_token
        self.without_token = without_token
        self._account_of = account_of
        self._lock = threading.Lock()
        self._allowances: dict[_Key, Allowance] = {}
        self._secondary: dict[_Account, SecondaryLimit] = {}
        self._last_minutes: dict[_Key, _LastMinute] = {}
        self._relax()

    def _relax(self) -> None:
        self.free_304_without_token = False
        self.points_per_minute: int | None = None
        self.graphql_points_per_minute: int | None = None
        self.requests_at_once: int | None = None
        self.graphql_exhausted_status = 200
        self.graphql_exhausted_type = "RATE_LIMITED"

    def set(
        self,
        token: str | None,
        *,
        limit: int | None = None,
        remaining: int | None = None,
        reset_in: float | None = None,
        client: str = LOOPBACK,
        resource: Resource = "core",
    ) -> None:
        """Change the given values: points an hour, points left, seconds to the reset.

        A new limit without `remaining` starts unused. Tokens of one installation have one
        allowance.
        """
        with self._lock:
            allowance = self._current((self._account(token, client), resource))
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
        """Refuse every request for `retry_after` seconds, by default with a Retry-After header."""
        until = self.clock() + retry_after
        self._secondary[self._account(token, client)] = SecondaryLimit(until, status, tells_when)

    def clear(self) -> None:
        """Forget all use, and undo set(), secondary() and added rules."""
        with self._lock:
            self._relax()
            self._allowances.clear()
            self._secondary.clear()
            self._last_minutes.clear()

    def of(
        self, token: str | None, client: str = LOOPBACK, *, resource: Resource = "core"
    ) -> Allowance:
        """Return a copy of what is left now."""
        with self._lock:
            current = self._current((self._account(token, client), resource))
            return Allowance(current.limit, current.remaining, current.reset_at)

    def of_caller(self, caller: Requester, resource: Resource = "core") -> Allowance:
        """Return a copy of what the caller has left now."""
        with self._lock:
            current = self._current((self._account_of_caller(caller), resource))
            return Allowance(current.limit, current.remaining, current.reset_at)

    def take(self, caller: Requester, resource: Resource = "core") -> bool:
        """Take one point from the caller's allowance; False if none is left."""
        with self._lock:
            allowance = self._current((self._account_of_caller(caller), resource))
            if allowance.remaining <= 0:
                return False
            allowance.remaining -= 1
            return True

    def give_back(self, caller: Requester, resource: Resource = "core") -> None:
        with self._lock:
            allowance = self._current((self._account_of_caller(caller), resource))
            allowance.remaining = min(allowance.limit, allowance.remaining + 1)

    def secondary_for(self, caller: Requester) -> SecondaryLimit | None:
        """Return the secondary limit in force for the caller."""
        found = self._secondary.get(self._account_of_caller(caller))
        return found if found and self.clock() < found.until else None

    def spend_in_minute(
        self, caller: Requester, resource: Resource, points: int
    ) -> SecondaryLimit | None:
        """Count points for the secondary limit; a request beyond it is refused, not counted."""
        most = self.points_per_minute if resource == "core" else self.graphql_points_per_minute
        if most is None:
            return None
        now = self.clock()
        key: _Key = (self._account_of_caller(caller), resource)
        with self._lock:
            wait = self._last_minutes.setdefault(key, _LastMinute()).wait(points, most, now)
        return SecondaryLimit(now + math.ceil(wait), 403, tells_when=True) if wait else None

    def too_many_at_once(self, under_way: int) -> SecondaryLimit | None:
        """Judge the number of the caller's requests under way, the new one among them."""
        if self.requests_at_once is None or under_way <= self.requests_at_once:
            return None
        return SecondaryLimit(self.clock() + _AT_ONCE_RETRY_SECONDS, 403, tells_when=True)

    def account_digest(self, caller: Requester) -> str:
        """Name whose allowance a caller draws on, without showing a token."""
        account = self._account_of_caller(caller)
        return hashlib.sha256(repr(account).encode()).hexdigest()[:16]

    @staticmethod
    def _account_of_caller(caller: Requester) -> _Account:
        return (None, caller.client) if caller.account is None else (caller.account, None)

    def _account(self, token: str | None, client: str) -> _Account:
        return (None, client) if token is None else (self._account_of(token), None)

    def _current(self, key: _Key) -> Allowance:
        now = self.clock()
        found = self._allowances.get(key)
        if found is None:
            limit = self._initial(key)
            found = self._allowances[key] = Allowance(limit, limit, now + WINDOW_SECONDS)
        elif now >= found.reset_at:
            found.remaining, found.reset_at = found.limit, now + WINDOW_SECONDS
        return found

    def _initial(self, key: _Key) -> int:
        (token, _), resource = key
        if token is not None:
            return self.with_token
        return self.without_token if resource == "core" else 0
