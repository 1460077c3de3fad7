"""When projects are polled: in the future, evenly spread, slower after failures."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark_manager.domain.projects.schedule import (
    HOURLY,
    JITTER,
    PUSH_SPREADS,
    SLOWEST,
    after_failure,
    after_lag,
    after_success,
    first_phase,
    next_planned,
    retry_delay,
)
from benchmark_manager.errors import (
    BenchmarkManagerError,
    FaultError,
    GitHubActionError,
    GitHubRateLimitedError,
    GitHubUnavailableError,
    TokenUnreadableError,
)
from benchmark_manager.models.project import Project, RepositoryAddress, Source, SyncState

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
INTERVALS = st.integers(10, 604_800).map(float)
JITTERS = st.floats(-1, 1)


@given(INTERVALS, JITTERS, st.integers(0, 10**15))
@example(10.0, 0.0, 10_000_000)
@example(10.0, -1.0, 9_500_000)
def test_the_next_poll_is_in_the_future_and_at_most_one_interval_away(
    interval: float, jitter: float, late_microseconds: int
) -> None:
    planned = NOW - timedelta(microseconds=late_microseconds)
    following = next_planned(planned, NOW, interval, jitter)
    assert NOW < following <= NOW + timedelta(seconds=interval * (1 + JITTER) + 1e-3)


@given(INTERVALS, JITTERS, st.integers(1, 10**4))
def test_missed_ticks_count_as_one_and_keep_the_rhythm(
    interval: float, jitter: float, missed: int
) -> None:
    planned = NOW - timedelta(seconds=missed * interval)
    following = next_planned(planned, NOW, interval, jitter)
    beat = (following - planned).total_seconds() - interval * (1 + JITTER * jitter)
    assert beat / interval == pytest.approx(round(beat / interval), abs=1e-5)


@given(INTERVALS, st.floats(0, 0.9))
def test_a_poll_done_in_time_does_not_drift(interval: float, share: float) -> None:
    planned = NOW - timedelta(seconds=interval * share)
    assert next_planned(planned, NOW, interval, 0.0) == planned + timedelta(seconds=interval)


def test_jitter_is_a_twentieth_of_the_interval_each_way() -> None:
    spans = [
        (next_planned(NOW, NOW, 100.0, jitter) - NOW).total_seconds() for jitter in (-1.0, 0.0, 1.0)
    ]
    assert spans == [95.0, 100.0, 105.0]


@given(st.text("0123456789abcdef", min_size=24, max_size=24), INTERVALS)
def test_the_first_phase_lies_within_one_interval_and_never_changes(
    project_id: str, interval: float
) -> None:
    phase = first_phase(project_id, interval)
    assert 0 <= phase < interval
    assert first_phase(project_id, interval) == phase


def test_first_phases_of_10000_projects_spread_evenly_over_every_second() -> None:
    seconds = [int(first_phase(f"{number:024x}", 100.0)) for number in range(10_000)]
    counts = [seconds.count(second) for second in range(100)]
    # 100 expected in each; a fair hash strays by more than 5 standard deviations once in a million.
    assert min(counts) > 50
    assert max(counts) < 150


@given(INTERVALS | st.just(0.0))
def test_retries_slow_down_by_doubling_to_an_hour_and_are_never_faster_than_polling(
    interval: float,
) -> None:
    delays = [retry_delay(interval, count) for count in range(100)]
    assert delays[-1] == max(SLOWEST, interval)
    assert all(interval <= delay <= max(SLOWEST, interval) for delay in delays)
    assert all(later in {2 * sooner, delays[-1]} for sooner, later in pairwise(delays))


def test_the_first_failure_doubles_the_interval() -> None:
    assert [retry_delay(180, count) for count in (1, 2, 3, 4, 5)] == [360, 720, 1440, 2880, 3600]


def test_a_first_sync_without_polling_is_repeated_within_minutes() -> None:
    assert [retry_delay(0, count) for count in (1, 2)] == [120, 240]


# What a sync's outcome says of the next one.

SOURCE = Source(
    repository=RepositoryAddress(api_url="https://api.github.com", owner="octo", name="demo"),
    config_folder="config",
    job_folder="job",
)
READ = SyncState(status="ok", head_sha="1" * 40, last_success_at=NOW - timedelta(days=1))
WHOLE_INTERVALS = st.integers(10, 604_800)
UNAVAILABLE = GitHubUnavailableError("timeout")
OURS = FaultError("sync")
#: Failures that a person must end: the address is wrong, or the token.
FOR_A_PERSON = [
    TokenUnreadableError(),
    *(
        GitHubActionError(code)
        for code in (
            "github_unauthorized",
            "github_forbidden",
            "repository_not_found",
            "branch_not_found",
        )
    ),
]
HOURLY_ERRORS = [error for error in FOR_A_PERSON if error.code != "branch_not_found"]


def project(interval: int, planned: datetime | None = NOW, state: SyncState = READ) -> Project:
    return Project(
        id="5" * 24,
        name="demo",
        source=SOURCE,
        polling_interval=interval,
        created_at=NOW,
        updated_at=NOW,
        state=state,
        next_poll_at=planned,
    )


@given(st.none() | st.integers(-(10**7), 10**7), JITTERS, st.sampled_from([SyncState(), READ]))
def test_without_polling_a_project_that_was_synced_is_never_due_by_itself(
    late: int | None, jitter: float, state: SyncState
) -> None:
    planned = None if late is None else NOW - timedelta(seconds=late)
    assert after_success(project(0, planned, state), NOW, jitter) is None


@given(
    st.just(0) | WHOLE_INTERVALS,
    st.none() | st.integers(-(10**7), 10**7),
    JITTERS,
    st.sampled_from([SyncState(), READ]),
    st.sampled_from(
        [UNAVAILABLE, OURS, *FOR_A_PERSON, GitHubRateLimitedError("token", retry_at=NOW)]
    ),
)
def test_a_paused_project_is_never_due_by_itself(
    interval: int, late: int | None, jitter: float, state: SyncState, error: BenchmarkManagerError
) -> None:
    """Not even where its source was never read, or where GitHub said when to ask again."""
    planned = None if late is None else NOW - timedelta(seconds=late)
    paused = project(interval, planned, state).model_copy(update={"paused": True})
    assert after_success(paused, NOW, jitter) is None
    assert after_failure(paused, error, NOW, jitter) is None


@given(WHOLE_INTERVALS, st.integers(-(10**8), 10**8), JITTERS)
@example(180, -400, 0.0)
@example(180, 400, 0.0)
def test_whatever_was_planned_the_next_poll_is_in_the_future_and_at_most_one_interval_away(
    interval: int, late: int, jitter: float
) -> None:
    """A time from a wrong clock, or of a longer interval, neither advances nor delays polls."""
    following = after_success(project(interval, NOW - timedelta(seconds=late)), NOW, jitter)
    assert following is not None
    assert NOW < following <= NOW + timedelta(seconds=interval * (1 + JITTER) + 1e-3)


@given(WHOLE_INTERVALS, st.floats(0.001, 1), JITTERS)
def test_a_sync_between_two_polls_does_not_move_the_next_one(
    interval: int, share: float, jitter: float
) -> None:
    planned = NOW + timedelta(seconds=interval * share)
    assert after_success(project(interval, planned), NOW, jitter) == planned


@given(WHOLE_INTERVALS, JITTERS)
def test_the_first_success_fixes_a_projects_phase_in_the_interval(
    interval: int, jitter: float
) -> None:
    phase = timedelta(seconds=first_phase("5" * 24, interval))
    assert after_success(project(interval, NOW, SyncState()), NOW, jitter) == NOW + phase
    # Polled again after a time without polling, it has the same phase.
    assert after_success(project(interval, None), NOW, jitter) == NOW + phase


@pytest.mark.parametrize("error", [UNAVAILABLE, OURS, *FOR_A_PERSON], ids=lambda error: error.code)
def test_without_polling_a_source_that_was_read_once_is_not_tried_again(
    error: BenchmarkManagerError,
) -> None:
    assert after_failure(project(0), error, NOW, 0.0) is None


@pytest.mark.parametrize("error", FOR_A_PERSON, ids=lambda error: error.code)
def test_without_polling_a_first_sync_which_needs_a_person_waits_for_one(
    error: BenchmarkManagerError,
) -> None:
    assert after_failure(project(0, NOW, SyncState()), error, NOW, 0.0) is None


@pytest.mark.parametrize("last_success_at", [None, NOW - timedelta(days=1)])
@pytest.mark.parametrize("error", [UNAVAILABLE, OURS], ids=lambda error: error.code)
def test_without_polling_a_new_source_is_tried_until_it_was_read(
    error: BenchmarkManagerError, last_success_at: datetime | None
) -> None:
    unread = [SyncState(last_success_at=last_success_at, fail_count=count) for count in range(7)]
    delays = [after_failure(project(0, NOW, state), error, NOW, 0.0) for state in unread]
    assert delays == [NOW + timedelta(seconds=s) for s in (120, 240, 480, 960, 1920, 3600, 3600)]


@pytest.mark.parametrize("interval", [0, 10, 86_400])
@given(jitter=JITTERS)
def test_a_used_up_limit_is_waited_for_and_then_projects_come_back_within_five_seconds(
    interval: int, jitter: float
) -> None:
    renewal = NOW + timedelta(seconds=1234)
    error = GitHubRateLimitedError("token", retry_at=renewal)
    due = after_failure(project(interval, NOW, SyncState(fail_count=9)), error, NOW, jitter)
    assert due is not None
    assert renewal <= due <= renewal + timedelta(seconds=5)


@pytest.mark.parametrize("error", HOURLY_ERRORS, ids=lambda error: error.code)
@given(interval=WHOLE_INTERVALS, jitter=JITTERS, count=st.integers(0, 1000))
def test_what_only_a_person_can_end_is_tried_hourly_or_as_rarely_as_it_is_polled(
    error: BenchmarkManagerError, interval: int, jitter: float, count: int
) -> None:
    state = READ.model_copy(update={"fail_count": count})
    delay = timedelta(seconds=max(HOURLY, interval) * (1 + JITTER * jitter))
    assert after_failure(project(interval, NOW, state), error, NOW, jitter) == NOW + delay


@given(WHOLE_INTERVALS, JITTERS, st.integers(0, 1000), st.sampled_from([UNAVAILABLE, OURS]))
def test_failures_which_pass_slow_polling_down_by_doubling(
    interval: int, jitter: float, count: int, error: BenchmarkManagerError
) -> None:
    state = READ.model_copy(update={"fail_count": count})
    delay = timedelta(seconds=retry_delay(interval, count + 1) * (1 + JITTER * jitter))
    assert after_failure(project(interval, NOW, state), error, NOW, jitter) == NOW + delay


# Behind a push


def pushed(seconds_ago: float, **changes: object) -> Project:
    at = NOW - timedelta(seconds=seconds_ago)
    return project(0).model_copy(update={"pushed_sha": "2" * 40, "pushed_at": at, **changes})


def test_a_push_that_does_not_show_is_checked_for_at_doubling_times_for_a_minute() -> None:
    age, waits = 1.0, []
    while (again := after_lag(pushed(age), "1" * 40, NOW)) is not None:
        waits.append((again - NOW).total_seconds())
        age += waits[-1]
    assert waits == [2, 3, 6, 12, 24, 48]
    assert age > PUSH_SPREADS


@pytest.mark.parametrize(
    ("waiting", "head"),
    [
        (pushed(1), "2" * 40),
        (pushed(1), "3" * 40),
        (pushed(1, pushed_sha=None), "1" * 40),
        (pushed(1, pushed_at=None), "1" * 40),
        (pushed(1, paused=True), "1" * 40),
    ],
    ids=[
        "it shows",
        "a later one shows",
        "a branch was deleted",
        "no push queued a sync",
        "paused",
    ],
)
def test_otherwise_there_is_no_further_check(waiting: Project, head: str) -> None:
    assert after_lag(waiting, head, NOW) is None
