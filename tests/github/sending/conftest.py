"""A governor whose time passes only in its own pauses, or when a test says so."""

import pytest

from benchmark_manager.github.sending.governor import (
    Governor,
)
from support.credential_limits import SteppedClock, credential


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def governor(clock: SteppedClock) -> Governor:
    return Governor(credential(), clock, clock.sleep)
