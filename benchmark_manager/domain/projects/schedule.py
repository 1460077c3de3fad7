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

#: Polls vary by this share of the interval, so that projects created together spread out.
JITTER: Final = 0.05
#: Repeated failures slow polling down to this at most, seconds.
SLOWEST: Final = 3600.0
#: The interval of tries where a person must act, seconds.
HOURLY: Final = 3600.0
#: The first wait after a failed first sync of a project without polling, seconds.
FIRST_SYNC_RETRY: Final = 60.0
_DOUBLINGS: Final = 20
#: GitHub may report a push before all its replicas have it: checks for its commit are repeated for
#: this long, seconds.
PUSH_SPREADS: Final = 60.0
#: The wait before the first of them, seconds; each further wait is as long as all before it.
_FIRST_RECHECK: Final = 2.0
#: After a credential's limit is renewed, its projects are due within this time, not all at once,
#: seconds.
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
    """Return when a project is due after a sync that succeeded.

    None: never by itself, such as a paused project.

    `jitter` is a random number from -1 to 1. `companion`: this was its next poll, made early.
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
        # A sync between two polls does not move the next one.
        return planned
    return next_planned(min(planned, now), now, interval, jitter)


def after_lag(project: Project, head_sha: str, now: datetime) -> datetime | None:
    """Return when to check again for a push after a sync that found the old commit.

    None: there is no push to wait for, or the wait was long enough. A push that was undone looks
    the same.
    """
    if project.paused or project.pushed_at is None or project.pushed_sha in {None, head_sha}:
        return None
    age = (now - project.pushed_at).total_seconds()
    if head_sha != project.state.head_sha or age >= PUSH_SPREADS:
        return None
    return now + timedelta(seconds=max(age, _FIRST_RECHECK))


def after_failure(
    project: Project, error: BenchmarkManagerError, now: datetime, jitter: float
) -> datetime | None:
    """Return when a project is due after a sync that failed with `error`.

    Its state is the one from before that sync. A project without polling is tried again only until
    its folders were read once, or where a webhook or a person queued the sync; a paused one never.
    """
    if project.paused:
        return None
    interval = project.polling_interval
    needs_person = isinstance(error, (GitHubActionError, TokenUnreadableError))
    if project.source.is_fixed and project.state.head_sha is not None:
        interval = 0
    # No poll repeats a push, or a sync that a person queued.
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
    """Return the seconds from the first sync to the first poll.

    A hash of the id spreads them evenly over one interval.
    """
    digest = hashlib.sha256(project_id.encode()).digest()
    return interval * (int.from_bytes(digest[:8]) / 2**64)


def next_planned(planned: datetime, now: datetime, interval: float, jitter: float) -> datetime:
    """Return the time one interval after `planned`; all missed ticks count as one.

    `jitter` is a random number from -1 to 1.
    """
    step = interval * (1 + JITTER * jitter)
    following = planned + timedelta(seconds=step)
    if following > now:
        return following
    missed = math.floor((now - following).total_seconds() / interval) + 1
    return following + timedelta(seconds=missed * interval)


def retry_delay(interval: float, fail_count: int) -> float:
    """Return the seconds to wait after the `fail_count`-th failure in a row.

    They double up to an hour; an interval that is longer than an hour stays as it is.
    """
    base = interval or FIRST_SYNC_RETRY
    return max(base, min(SLOWEST, base * (1 << min(fail_count, _DOUBLINGS))))
