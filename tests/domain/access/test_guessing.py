"""How long sign-ins are refused after wrong guesses."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.domain.access.guessing import refused_until

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
AGES = st.lists(st.integers(-100, 7200), max_size=40)


def failures(count: int, *, seconds_ago: float = 0) -> list[datetime]:
    return [NOW - timedelta(seconds=seconds_ago)] * count


def wait_after(count: int) -> float | None:
    until = refused_until(failures(count), NOW)
    return None if until is None else (until - NOW).total_seconds()


@pytest.mark.parametrize(
    ("count", "seconds"),
    [
        *((0, None), (1, None), (4, None), (5, 2), (6, 4), (7, 8), (10, 64), (12, 256)),
        *((13, 300), (19, 300), (20, 900), (1000, 900)),
    ],
)
def test_the_wait_grows(count: int, seconds: float | None) -> None:
    assert wait_after(count) == seconds


@pytest.mark.parametrize(
    ("count", "seconds_ago", "is_refused"),
    [(5, 1.9, True), (5, 2, False), (20, 899, True), (20, 900, False), (20, 3600, False)],
)
def test_the_wait_ends(count: int, seconds_ago: float, is_refused: bool) -> None:
    until = refused_until(failures(count, seconds_ago=seconds_ago), NOW)
    assert (until is not None) is is_refused


def test_failures_of_more_than_an_hour_ago_do_not_count() -> None:
    old = failures(30, seconds_ago=3600)
    assert refused_until([*old, *failures(4)], NOW) is None


def test_a_clock_that_is_fast_locks_nobody_out() -> None:
    ahead = [NOW + timedelta(days=1)] * 5
    assert refused_until(ahead, NOW) == NOW + timedelta(seconds=2)


@given(AGES)
def test_no_wait_is_longer_than_the_pause(ages: list[int]) -> None:
    until = refused_until([NOW - timedelta(seconds=age) for age in ages], NOW)
    assert until is None or NOW < until <= NOW + timedelta(minutes=15)


@given(AGES)
def test_the_order_does_not_matter(ages: list[int]) -> None:
    times = [NOW - timedelta(seconds=age) for age in ages]
    assert refused_until(times, NOW) == refused_until(reversed(times), NOW)


def test_who_waits_as_long_as_required_may_try_twenty_times_in_an_hour() -> None:
    """So the pause is reached, and 24 h allow at most a few hundred guesses."""
    now, tried = NOW, list[datetime]()
    while now < NOW + timedelta(days=1):
        now = refused_until(tried[-20:], now) or now
        tried.append(now)
    assert 100 < len(tried) < 500
