"""Shapes of the service's own state."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from benchmark_manager.models.governor import GovernorStatus, LimitResource, RateLimit
from benchmark_manager.models.project import SyncStatus


class HealthAnswer(BaseModel):
    """Whether the service works."""

    status: Literal["healthy", "unhealthy"]
    service: Literal["benchmark-manager"] = "benchmark-manager"
    timestamp: datetime
    version: str


class SchedulerAnswer(BaseModel):
    """The scheduler of this process, and the projects that are due."""

    running: bool
    next_poll_at: datetime | None
    projects_due: int


class DatabaseAnswer(BaseModel):
    """The database behind the service."""

    kind: Literal["embedded", "mongodb"]
    version: str
    latency_ms: float


class ResourceLimitAnswer(BaseModel):
    """One of a credential's primary limits, in points an hour; null until GitHub reports it."""

    limit: int | None
    remaining: int | None
    reset_at: datetime | None


class RateLimitAnswer(ResourceLimitAnswer):
    """One credential: its limits as GitHub last reported them, and its requests.

    `limit` is that of REST if it is known.
    """

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
    blocked_until: datetime | None = Field(description="GitHub asked for no requests until then.")
    points_last_minute: dict[LimitResource, int] = Field(
        description="Of all replicas, as far as they reported it; at most 900 and 2,000."
    )
    requests_running: int
    requests_waiting: int


class StatusAnswer(BaseModel):
    """The service at a glance."""

    service: Literal["benchmark-manager"] = "benchmark-manager"
    status: Literal["healthy"] = "healthy"
    version: str
    auth: Literal["open", "required", "proxy"] = Field(
        description="Who is served: everybody, those who prove who they are, or those whom a "
        "reverse proxy names too."
    )
    warning: str | None = Field(
        description="With `auth` open: that anyone who reaches the port may change everything."
    )
    uptime_seconds: float
    database: DatabaseAnswer
    total_projects: int
    total_files: int = Field(description="Original files and variants together.")
    total_original_files: int
    total_modified_files: int
    projects_by_sync_status: dict[SyncStatus, int]
    projects_paused: int = Field(description="Those that neither polls nor webhooks sync.")
    scheduler: SchedulerAnswer
    github: list[RateLimitAnswer]


def rate_limit_answer(status: GovernorStatus) -> RateLimitAnswer:
    """Return the limits of one credential."""
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
