"""Shapes of the service's own state."""

from datetime import datetime
from typing import Literal

from pydantic import (
    BaseModel,
    Field,
)

from benchmark_manager.models.governor import GovernorStatus, LimitResource, RateLimit
from benchmark_manager.models.project import SyncStatus


class HealthAnswer(BaseModel):
    """Whether the service serves."""

    status: Literal["healthy", "unhealthy"]
    service: Literal["benchmark-manager"] = "benchmark-manager"
    timestamp: datetime
    version: str


class SchedulerAnswer(BaseModel):
    """The scheduler of this process, and what is due in all."""

    running: bool
    next_poll_at: datetime | None
    projects_due: int


class DatabaseAnswer(BaseModel):
    """The database behind the service."""

    kind: Literal["embedded", "mongodb"]
    version: str
    latency_ms: float


class ResourceLimitAnswer(BaseModel):
    """One of a credential's primary limits, in points an hour; null while GitHub has not told it."""

    limit: int | None
    remaining: int | None
    reset_at: datetime | None


class RateLimitAnswer(ResourceLimitAnswer):
    """One credential: what GitHub last told of its limits, and how busy it is. `limit` is that of REST if known."""

    api_url: str
    credential: str = Field(
        description="The credential's fingerprint, as in GET /metrics.", examples=["3f786850e387"]
    )
    kind: str = Field(
        description="`token`, `app` (an installation of the GitHub App) or `anonymous`."
    )
    resources: dict[LimitResource, ResourceLimitAnswer] = Field(
        description="`core` is REST, `graphql` is counted apart."
    )
    blocked_until: datetime | None = Field(description="GitHub asked to be left alone until then.")
    points_last_minute: dict[LimitResource, int] = Field(
        description="Of all replicas, as far as they told; at most 900 and 2,000."
    )
    requests_running: int
    requests_waiting: int


class StatusAnswer(BaseModel):
    """The service at a glance."""

    service: Literal["benchmark-manager"] = "benchmark-manager"
    status: Literal["healthy"] = "healthy"
    version: str
    uptime_seconds: float
    database: DatabaseAnswer
    total_projects: int
    total_files: int = Field(description="Original and modified files together.")
    total_original_files: int
    total_modified_files: int
    projects_by_sync_status: dict[SyncStatus, int]
    projects_paused: int = Field(
        description="Those which are neither polled nor moved by webhooks."
    )
    scheduler: SchedulerAnswer
    github: list[RateLimitAnswer]


def rate_limit_answer(status: GovernorStatus) -> RateLimitAnswer:
    known = status.limits.get("core") or next(iter(status.limits.values()), None)
    return RateLimitAnswer(
        **_limit_answer(known).model_dump(),
        api_url=status.api_url,
        credential=status.fingerprint,
        kind=status.kind,
        resources={name: _limit_answer(limit) for name, limit in status.limits.items()},
        blocked_until=status.blocked_until,
        points_last_minute=status.points_last_minute,
        requests_running=status.requests_running,
        requests_waiting=status.requests_waiting,
    )


def _limit_answer(known: RateLimit | None) -> ResourceLimitAnswer:
    if known is None:
        return ResourceLimitAnswer(limit=None, remaining=None, reset_at=None)
    return ResourceLimitAnswer(**known.model_dump())
