"""When projects are polled: in the future, evenly spread, slower after failures."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmark_manager.domain.schedule import JITTER, SLOWEST, first_phase, next_planned, retry_delay

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
def test_missed_ticks_count_as_one_and_keep_the_rhythm(interval: float, jitter: float, missed: int) -> None:
    planned = NOW - timedelta(seconds=missed * interval)
    following = next_planned(planned, NOW, interval, jitter)
    beat = (following - planned).total_seconds() - interval * (1 + JITTER * jitter)
    assert beat / interval == pytest.approx(round(beat / interval), abs=1e-5)


@given(INTERVALS, st.floats(0, 0.9))
def test_a_poll_done_in_time_does_not_drift(interval: float, share: float) -> None:
    planned = NOW - timedelta(seconds=interval * share)
    assert next_planned(planned, NOW, interval, 0.0) == planned + timedelta(seconds=interval)


def test_jitter_is_a_twentieth_of_the_interval_each_way() -> None:
    spans = [(next_planned(NOW, NOW, 100.0, jitter) - NOW).total_seconds() for jitter in (-1.0, 0.0, 1.0)]
    assert spans == [95.0, 100.0, 105.0]


@given(st.text("0123456789abcdef", min_size=24, max_size=24), INTERVALS)
def test_the_first_phase_lies_within_one_interval_and_never_changes(project_id: str, interval: float) -> None:
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
def test_retries_slow_down_by_doubling_to_an_hour_and_are_never_faster_than_polling(interval: float) -> None:
    delays = [retry_delay(interval, count) for count in range(100)]
    assert delays[-1] == max(SLOWEST, interval)
    assert all(interval <= delay <= max(SLOWEST, interval) for delay in delays)
    assert all(later in {2 * sooner, delays[-1]} for sooner, later in pairwise(delays))


def test_the_first_failure_doubles_the_interval() -> None:
    assert [retry_delay(180, count) for count in (1, 2, 3, 4, 5)] == [360, 720, 1440, 2880, 3600]


def test_a_first_sync_without_polling_is_repeated_within_minutes() -> None:
    assert [retry_delay(0, count) for count in (1, 2)] == [120, 240]
