"""When a project is polled next."""

import hashlib
import math
from datetime import datetime, timedelta
from typing import Final

from benchmark_manager.errors import (
    BenchmarkManagerError,
    GitHubActionError,
    GitHubError,
    TokenUnreadableError,
)
from benchmark_manager.models.project import Project

#: Polls stray by this share of the interval, so that projects made together drift apart.
JITTER: Final = 0.05
#: Repeated failures slow polling down to this at most, seconds.
SLOWEST: Final = 3600.0
#: A person must act: asked again once an hour, seconds.
HOURLY: Final = 3600.0
#: How a failed first sync of a project without polling is repeated, seconds.
FIRST_SYNC_RETRY: Final = 60.0
_DOUBLINGS: Final = 20
#: GitHub may tell of a push before all that answer for it have it: its commit is looked for so
#: long, seconds.
PUSH_SPREADS: Final = 60.0
#: The first time after so many; then each wait is as long as all before it.
_FIRST_LOOK: Final = 2.0
#: Projects of one credential come back within this time of the renewal of its limit, not all at
#: once, seconds.
_AFTER_LIMIT: Final = 5.0
#: Only a person can end these.
_HOURLY_CODES: Final = frozenset(
    {
        "github_unauthorized",
        "github_forbidden",
        "repository_not_found",
        "token_unreadable",
        "tree_too_large",
    }
)


def after_success(
    project: Project, now: datetime, jitter: float, *, companion: bool = False
) -> datetime | None:
    """When a project is due behind a sync that went well; None: never by itself, as for one that is paused.

    `jitter` is a random number from -1 to 1. `companion`: this was its poll, taken before its time.
    """
    interval = project.polling_interval
    # A commit never changes.
    if interval == 0 or project.paused or project.source.is_fixed:
        return None
    if companion:
        return next_planned(now, now, interval, jitter)
    planned = project.next_poll_at
    if project.state.last_success_at is None or planned is None:
        return now + timedelta(seconds=first_phase(project.id, interval))
    if now < planned <= now + timedelta(seconds=interval):
        # Somebody synced between two polls: that does not move the next one.
        return planned
    return next_planned(min(planned, now), now, interval, jitter)


def after_lag(project: Project, head_sha: str, now: datetime) -> datetime | None:
    """When to look once more for what a webhook told of, behind a sync which found the commit from before.

    None: there is nothing to wait for, or it was waited for long enough. A push which was taken
        back looks the same.
    """
    if project.paused or project.pushed_at is None or project.pushed_sha in {None, head_sha}:
        return None
    age = (now - project.pushed_at).total_seconds()
    if head_sha != project.state.head_sha or age >= PUSH_SPREADS:
        return None
    return now + timedelta(seconds=max(age, _FIRST_LOOK))


def after_failure(
    project: Project, error: BenchmarkManagerError, now: datetime, jitter: float
) -> datetime | None:
    """When a project is due behind a sync that failed with `error`; its state is the one from before.

    A project without polling is tried again only until its place was read once, or where the sync
    was queued by a webhook or a person; one that is paused never.
    """
    if project.paused:
        return None
    interval = project.polling_interval
    needs_person = isinstance(error, (GitHubActionError, TokenUnreadableError))
    if project.source.is_fixed and project.state.head_sha is not None:
        interval = 0
    # Nobody repeats a push, or what a person queued.
    wished = project.due_trigger != "poll"
    if interval == 0 and (needs_person or (project.state.head_sha is not None and not wished)):
        return None
    if isinstance(error, GitHubError) and error.retry_at is not None:
        return error.retry_at + timedelta(seconds=_AFTER_LIMIT * (1 + jitter) / 2)
    delay = (
        max(HOURLY, interval)
        if error.code in _HOURLY_CODES
        else retry_delay(interval, project.state.fail_count + 1)
    )
    return now + timedelta(seconds=delay * (1 + JITTER * jitter))


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
