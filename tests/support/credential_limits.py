"""Time, headers and requests for tests of what is known of a credential's limits."""

import asyncio
from datetime import UTC, datetime, timedelta

from benchmark_manager.errors import GitHubRateLimitedError
from benchmark_manager.github.sending.credentials import Credential
from benchmark_manager.github.sending.governor import (
    Governor,
)
from benchmark_manager.models.governor import LimitResource

API = "https://api.github.com"


START = datetime(2026, 5, 1, 12, tzinfo=UTC)


class SteppedClock:
    """Time that passes in sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.pass_time(seconds)
        await asyncio.sleep(0)


def credential(
    token: str | None = "ghp_one",  # noqa: S107 -- made up
    api_url: str = API,
) -> Credential:
    return Credential.of_token(api_url, token)


def headers(
    remaining: int, reset_at: datetime, limit: int = 5000, resource: str | None = None
) -> dict[str, str]:
    reported = {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(int(reset_at.timestamp())),
    }
    return reported if resource is None else {**reported, "x-ratelimit-resource": resource}


def passes(governor: Governor, *, urgent: bool, resource: LimitResource = "core") -> bool:
    try:
        governor.check(resource, urgent=urgent)
    except GitHubRateLimitedError:
        return False
    return True


async def spend(governor: Governor, count: int, *, urgent: bool) -> None:
    for _ in range(count):
        async with governor.slot("core", urgent=urgent):
            pass
