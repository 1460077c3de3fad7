"""Requests of each key are limited by the minute, and nobody's limit is another's."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.errors import RateLimitedError
from benchmark_manager.services.access.rate_limits import RateLimiter


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def wait_of(limiter: RateLimiter, key: str = "a") -> int:
    """Count a request; return after how many seconds the next one is allowed, 0 if it was."""
    try:
        limiter.take(key)
    except RateLimitedError as error:
        return error.seconds
    return 0


def test_a_minute_of_requests_is_allowed_at_once_and_no_more() -> None:
    limiter = RateLimiter(60, clock=Seconds())
    assert [wait_of(limiter) for _ in range(62)] == [0] * 60 + [1, 1]


def test_one_who_waits_as_long_as_asked_is_served() -> None:
    clock = Seconds()
    limiter = RateLimiter(7, clock=clock)
    waits = [wait_of(limiter) for _ in range(8)]
    clock.now += waits[-1]
    assert (waits[-1], wait_of(limiter)) == (9, 0)


def test_another_key_has_an_allowance_of_its_own() -> None:
    limiter = RateLimiter(1, clock=Seconds())
    assert [wait_of(limiter, key) for key in "aab"] == [0, 60, 0]


def test_without_a_limit_everything_is_allowed() -> None:
    limiter = RateLimiter(None, clock=Seconds())
    assert {wait_of(limiter) for _ in range(1000)} == {0}


def test_many_keys_take_little_memory_and_the_last_ones_are_remembered() -> None:
    limiter = RateLimiter(1, clock=Seconds())
    keys = [str(number) for number in range(10_001)]
    assert {wait_of(limiter, key) for key in keys} == {0}
    assert (wait_of(limiter, keys[-1]), wait_of(limiter, keys[0])) == (60, 0)


@given(st.integers(1, 50), st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=100))
def test_in_no_minute_more_than_twice_the_limit_is_allowed(limit: int, pauses: list[float]) -> None:
    clock = Seconds()
    limiter = RateLimiter(limit, clock=clock)
    allowed = []
    for pause in pauses:
        clock.now += pause
        if wait_of(limiter) == 0:
            allowed.append(clock.now)
    assert all(one <= other for one, other in pairwise(allowed))
    most = max((sum(1 for at in allowed if 0 <= at - start < 60) for start in allowed), default=0)
    assert most <= 2 * limit


@pytest.mark.parametrize("limit", [1, 60, 1200])
def test_the_wait_is_whole_seconds_and_never_none(limit: int) -> None:
    limiter = RateLimiter(limit, clock=Seconds())
    waits = [wait_of(limiter) for _ in range(limit + 1)]
    assert waits[-1] >= 1
