"""Limits each credential's requests: how many at once, how many a minute, and when none at all.

GitHub documents the limits: 5,000 points an hour and 900 a minute for REST, 5,000 and 2,000 for
GraphQL, which is counted apart, 100 requests at once, and `Retry-After` after too many
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api). The service stays
well within: 20 requests at once, and the last tenth of each limit is kept for requests of people.
Checks come before the reading of changed repositories, which leaves enough points for the checks of
the rest of the hour: many first syncs make no poll late.
"""

import asyncio
import contextlib
import heapq
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

from benchmark_manager.errors import GitHubRateLimitedError
from benchmark_manager.github.protocol.limits import LONGEST_WAIT, rate_limit
from benchmark_manager.github.protocol.refusals import rate_limited
from benchmark_manager.github.sending.credentials import Credential
from benchmark_manager.models.governor import (
    GovernorState,
    GovernorStatus,
    LimitResource,
    RateLimit,
)

#: Requests under way at once per credential.
CONCURRENCY: Final = 20
#: This share of a limit is kept for syncs that people ask for.
RESERVE: Final = 0.1
#: Points in any minute.
POINTS_A_MINUTE: Final[Mapping[LimitResource, int]] = {"core": 900, "graphql": 2000}
#: Share of a minute that bulk requests leave to checks, beside what checks are expected to take.
_BULK_RESERVE: Final = 0.05
#: Share of a minute that bulk requests may have in any case.
_BULK_MINIMUM: Final = 0.1
_MINUTE: Final = 60
#: The checks of a minute, and of the hour, are estimated from the past of this length, seconds.
_ESTIMATED_BY: Final = 180
_HOUR_ESTIMATED_BY: Final = 900
#: At most this share of an hour's limit is kept for them.
_MOST_FOR_CHECKS: Final = 0.8
#: Points are counted in steps of this many seconds.
STEP: Final = 5

Sleep = Callable[[float], Awaitable[None]]
_Spent = dict[LimitResource, "Counter[int]"]


class Governor:
    """The limits of one credential: every request takes a slot, every answer updates the limits."""

    def __init__(
        self, credential: Credential, clock: Callable[[], datetime], sleep: Sleep = asyncio.sleep
    ) -> None:
        self.credential = credential
        self.limits: dict[LimitResource, RateLimit] = {}
        self.blocked_until: datetime | None = None
        #: Archives' own host, which has limits of its own, gets no request before then.
        self.no_downloads_until = datetime.min.replace(tzinfo=UTC)
        self._clock = clock
        self._sleep = sleep
        self._slots = _RequestSlots(CONCURRENCY)
        #: Points by the start of their step: those of all replicas as far as known, and of these
        #: the ones that only this process knows.
        self._spent: _Spent = {"core": Counter(), "graphql": Counter()}
        self._unshared: _Spent = {"core": Counter(), "graphql": Counter()}
        self._checks: _Spent = {"core": Counter(), "graphql": Counter()}
        self._check_points: _Spent = {"core": Counter(), "graphql": Counter()}
        self._changed = False

    @asynccontextmanager
    async def slot(
        self, resource: LimitResource, *, urgent: bool, bulk: bool = False
    ) -> AsyncIterator[None]:
        """Wait for a slot, the right to send one request, and hold it.

        `urgent` requests come first and may use the reserve; `bulk` ones come last and leave enough
        for checks.

        Raises:
            GitHubRateLimitedError: the request would have to wait for the limit's reset, or for
                as long as GitHub has demanded.
        """
        bulk = bulk and not urgent
        self.check(resource, urgent=urgent, bulk=bulk)
        await self._point(resource, urgent=urgent, bulk=bulk)
        async with self._slots.taken(urgent=urgent, bulk=bulk):
            # Other answers may have changed the limits while this request waited.
            self.check(resource, urgent=urgent, bulk=bulk)
            yield

    def check(self, resource: LimitResource, *, urgent: bool, bulk: bool = False) -> None:
        """Check that a request may be sent.

        Raises:
            GitHubRateLimitedError
        """
        now = self._clock()
        if self.blocked_until is not None and self.blocked_until > now:
            raise self._limited(self.blocked_until)
        known = self.limits.get(resource)
        if known is None or known.reset_at <= now:
            return
        kept = 0 if urgent else int(known.limit * RESERVE)
        if bulk:
            kept += min(
                self._checks_until(known.reset_at, resource), int(known.limit * _MOST_FOR_CHECKS)
            )
        if known.remaining <= kept:
            raise self._limited(known.reset_at)

    def _checks_until(self, reset_at: datetime, resource: LimitResource) -> int:
        """Estimate the points of checks until then, if they continue as before."""
        left = (reset_at - self._clock()).total_seconds()
        return int(
            self._sum(self._check_points[resource], _HOUR_ESTIMATED_BY) / _HOUR_ESTIMATED_BY * left
        )

    def charge_check(self, resource: LimitResource, points: int) -> None:
        """Count the points of a check against the hour's limit: most checks cost nothing."""
        if points:
            self._check_points[resource][self._step()] += points

    def _step(self) -> int:
        return int(self._clock().timestamp() // STEP) * STEP

    def _limited(self, until: datetime) -> GitHubRateLimitedError:
        return rate_limited(until, with_token=not self.credential.is_anonymous)

    async def _point(self, resource: LimitResource, *, urgent: bool, bulk: bool) -> None:
        """Take a point of this minute, or of the next.

        This comes before the slot: a request that waits for a minute must hold no slot.
        """
        while not self._minute_has_room(resource, urgent=urgent, bulk=bulk):
            await self._sleep(1.0)
        step = self._step()
        for counted in (self._spent, self._unshared, *([] if bulk else [self._checks])):
            counted[resource][step] += 1
        self._changed = True

    def _minute_has_room(self, resource: LimitResource, *, urgent: bool, bulk: bool) -> bool:
        """Return whether such a request may be sent in this minute."""
        points, spent = POINTS_A_MINUTE[resource], self.points_last_minute(resource)
        if urgent:
            return spent < points
        most = int(points * (1 - RESERVE))
        if not bulk:
            return spent < most
        checks = self._checks[resource]
        expected = self._sum(checks, _ESTIMATED_BY) * _MINUTE / _ESTIMATED_BY
        asked = self._sum_of(checks, _MINUTE)
        # The checks that are still expected, and some of the minute in any case.
        kept = max(0.0, expected - asked) + points * _BULK_RESERVE
        return spent + kept < most or (spent < most and spent - asked < points * _BULK_MINIMUM)

    def points_last_minute(self, resource: LimitResource) -> int:
        """Return the points of the last 60 to 65 s, of every replica as far as known."""
        return self._sum(self._spent[resource], _MINUTE)

    def _sum(self, spent: "Counter[int]", seconds: int) -> int:
        """Sum up the points of the last seconds, and forget older ones."""
        since = self._clock().timestamp() - seconds - STEP
        for old in [step for step in spent if step <= since]:
            del spent[old]
        return spent.total()

    def _sum_of(self, spent: "Counter[int]", seconds: int) -> int:
        since = self._clock().timestamp() - seconds - STEP
        return sum(points for step, points in spent.items() if step > since)

    def learn(self, asked: LimitResource, headers: Mapping[str, str]) -> None:
        """Update the limit from an answer's headers.

        Answers overtake each other, so within one window the smallest number is the true one.
        """
        reported = rate_limit(headers)
        if reported is None:
            return
        resource = _resource(headers.get("x-ratelimit-resource"), asked)
        self._take(
            resource,
            RateLimit(
                limit=reported.limit,
                remaining=reported.remaining,
                reset_at=min(reported.reset_datetime, self._clock() + LONGEST_WAIT),
            ),
        )

    def _take(self, resource: LimitResource, reported: RateLimit) -> None:
        known = self.limits.get(resource)
        if known is not None and (known.reset_at, known.limit) == (
            reported.reset_at,
            reported.limit,
        ):
            reported = reported.model_copy(
                update={"remaining": min(reported.remaining, known.remaining)}
            )
        if reported != known:
            self.limits[resource] = reported
            self._changed = True

    def block(self, until: datetime) -> None:
        """Send no request before then, as GitHub has demanded."""
        self.blocked_until = until
        self._changed = True

    def exhaust(self, resource: LimitResource, until: datetime) -> None:
        """Note that GitHub reports this limit as used up; an unknown limit blocks all requests."""
        known = self.limits.get(resource)
        if known is None:
            self.block(until)
        else:
            self._take(resource, known.model_copy(update={"remaining": 0, "reset_at": until}))

    # The state that outlives this process and is shared with other replicas.

    def unshared(self) -> GovernorState | None:
        """Return what other replicas do not know yet, or None.

        They add its `spent` to theirs.
        """
        if not self._changed:
            return None
        spent, self._unshared, self._changed = (
            self._unshared,
            {"core": Counter(), "graphql": Counter()},
            False,
        )
        return self._state(spent)

    def put_back(self, state: GovernorState) -> None:
        """Take back what `unshared` returned, as it could not be shared."""
        for resource, spent in state.spent.items():
            self._unshared[resource].update(spent)
        self._changed = True

    def merge(self, state: GovernorState) -> None:
        """Take over what other replicas, or a former process, knew."""
        if state.blocked_until is not None and (
            self.blocked_until is None or state.blocked_until > self.blocked_until
        ):
            self.blocked_until = state.blocked_until
        for resource, reported in state.limits.items():
            known = self.limits.get(resource)
            if known is None or known.reset_at <= reported.reset_at:
                changed = self._changed
                self._take(resource, reported)
                self._changed = changed
        for resource, unshared in self._unshared.items():
            self._spent[resource] = Counter(state.spent.get(resource, {})) + unshared

    def _state(self, spent: _Spent) -> GovernorState:
        return GovernorState(
            fingerprint=self.credential.fingerprint,
            api_url=self.credential.api_url,
            kind=self.credential.kind,
            limits=dict(self.limits),
            blocked_until=self.blocked_until,
            spent={resource: dict(steps) for resource, steps in spent.items() if steps},
        )

    @property
    def status(self) -> GovernorStatus:
        state = self._state(self._spent)
        return GovernorStatus(
            **dict(state),
            points_last_minute={
                resource: self.points_last_minute(resource) for resource in POINTS_A_MINUTE
            },
            requests_running=self._slots.running,
            requests_waiting=self._slots.waiting,
        )


def _resource(named: str | None, asked: LimitResource) -> LimitResource:
    match named:
        case "core" | "graphql":
            return named
        case _:
            return asked


class _RequestSlots:
    """A bounded number of slots: urgent requests come first, bulk ones last, equals in order."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.running = 0
        self._order = itertools.count()
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []

    @property
    def waiting(self) -> int:
        return sum(not turn.done() for _, _, turn in self._queue)

    @asynccontextmanager
    async def taken(self, *, urgent: bool, bulk: bool = False) -> AsyncIterator[None]:
        await self._acquire(0 if urgent else 2 if bulk else 1)
        try:
            yield
        finally:
            self.running -= 1
            self._wake()

    async def _acquire(self, rank: int) -> None:
        if self.running < self._most and not self._queue:
            self.running += 1
            return
        turn = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (rank, next(self._order), turn))
        self._wake()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # The slot was given at the very moment of the cancellation.
                self.running -= 1
                self._wake()
            raise

    def _wake(self) -> None:
        while self._queue and self.running < self._most:
            _, _, turn = heapq.heappop(self._queue)
            if not turn.done():
                self.running += 1
                turn.set_result(None)


class Governors:
    """The governors of every credential that this process has used."""

    def __init__(self, clock: Callable[[], datetime], sleep: Sleep = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._by_fingerprint: dict[str, Governor] = {}
        self._remembered: dict[str, GovernorState] = {}

    def of(self, credential: Credential) -> Governor:
        key = credential.fingerprint
        if key not in self._by_fingerprint:
            governor = Governor(credential, self._clock, self._sleep)
            with contextlib.suppress(KeyError):
                governor.merge(self._remembered.pop(key))
            self._by_fingerprint[key] = governor
        return self._by_fingerprint[key]

    def forget(self) -> None:
        """Forget every credential."""
        self._by_fingerprint.clear()

    def unshared(self) -> list[GovernorState]:
        return [
            state
            for governor in self._by_fingerprint.values()
            if (state := governor.unshared()) is not None
        ]

    def put_back(self, states: Iterable[GovernorState]) -> None:
        for state in states:
            self._by_fingerprint[state.fingerprint].put_back(state)

    def merge(self, states: Iterable[GovernorState]) -> None:
        """Take over the stored states; those of credentials not used yet are kept for later."""
        for state in states:
            governor = self._by_fingerprint.get(state.fingerprint)
            if governor is None:
                self._remembered[state.fingerprint] = state
            else:
                governor.merge(state)

    def statuses(self) -> list[GovernorStatus]:
        """Return the status of each credential that this process has used, by fingerprint."""
        used = (governor.status for governor in self._by_fingerprint.values())
        return sorted(used, key=lambda status: status.fingerprint)
