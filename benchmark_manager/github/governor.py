"""What is known of each credential's rate limit, and how many requests it may have under way.

A credential is one token at one API base, or no token there. It is told apart by a fingerprint,
so that no log or answer can hold the token.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from benchmark_manager.errors import GitHubRateLimitedError
from benchmark_manager.github.protocol import LONGEST_WAIT, rate_limit, rate_limited

#: Requests under way at once per credential.
CONCURRENCY: Final = 20
#: This share of a limit is kept for syncs that people ask for.
RESERVE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Credential:
    """A token (None: anonymous) and the API base it may be sent to."""

    api_url: str
    token: str | None = field(repr=False)

    @property
    def fingerprint(self) -> str:
        """Short, not reversible, equal for equal credentials."""
        return hashlib.sha256(f"{self.api_url}\n{self.token or ''}".encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """The primary limit as the last answer told it."""

    api_url: str
    limit: int
    remaining: int
    reset_at: datetime


class CredentialLimits:
    """One credential's limit and its places for requests."""

    def __init__(self, credential: Credential, clock: Callable[[], datetime]) -> None:
        self.credential = credential
        self.places = asyncio.Semaphore(CONCURRENCY)
        self.status: RateLimitStatus | None = None
        self._clock = clock
        self._blocked_until: datetime | None = None

    def check(self, *, urgent: bool) -> None:
        """Pass, or tell when to come back; only `urgent` requests may use the reserve.

        Raises:
            GitHubRateLimitedError
        """
        now = self._clock()
        if self._blocked_until is not None and self._blocked_until > now:
            raise self._limited(self._blocked_until)
        known = self.status
        if known is None or known.reset_at <= now:
            return
        kept = 0 if urgent else int(known.limit * RESERVE)
        if known.remaining <= kept:
            raise self._limited(known.reset_at)

    def _limited(self, until: datetime) -> GitHubRateLimitedError:
        return rate_limited(until, with_token=self.credential.token is not None)

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take the limit from any answer's headers.

        Answers overtake each other, so within one window the smallest number is the true one.
        """
        told = rate_limit(headers)
        if told is None:
            return
        known = self.status
        remaining = told.remaining
        if known is not None and known.reset_at == told.reset_datetime and known.limit == told.limit:
            remaining = min(remaining, known.remaining)
        self.status = RateLimitStatus(
            api_url=self.credential.api_url,
            limit=told.limit,
            remaining=remaining,
            reset_at=min(told.reset_datetime, self._clock() + LONGEST_WAIT),
        )

    def block(self, until: datetime) -> None:
        self._blocked_until = until


class LimitRegistry:
    """The limits of every credential that this process has used."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._by_fingerprint: dict[str, CredentialLimits] = {}

    def of(self, credential: Credential) -> CredentialLimits:
        key = credential.fingerprint
        if key not in self._by_fingerprint:
            self._by_fingerprint[key] = CredentialLimits(credential, self._clock)
        return self._by_fingerprint[key]

    def statuses(self) -> list[RateLimitStatus]:
        return [limits.status for limits in self._by_fingerprint.values() if limits.status is not None]
