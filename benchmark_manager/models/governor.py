"""The known limits of one credential."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from benchmark_manager.models.record import Record

#: GitHub counts REST and GraphQL apart.
LimitResource = Literal["core", "graphql"]


class RateLimit(Record):
    """A primary limit as the last answer reported it: points of an hour."""

    limit: int
    remaining: int
    reset_at: datetime


class GovernorState(Record):
    """The state that outlives a process and that replicas share.

    `spent` counts points by resource and by the start of their 5 s, in seconds since the epoch.
    """

    fingerprint: str
    api_url: str
    kind: str
    limits: dict[LimitResource, RateLimit] = Field(default_factory=dict)
    blocked_until: datetime | None = None
    spent: dict[LimitResource, dict[int, int]] = Field(default_factory=dict)


class GovernorStatus(GovernorState):
    """A governor at this moment, in this process; the points are those of all replicas."""

    points_last_minute: dict[LimitResource, int]
    requests_running: int
    requests_waiting: int
