"""How many points of a minute polls, people and readers of contents get."""

import asyncio
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.errors import GitHubRateLimitedError
from benchmark_manager.github.sending.governor import (
    POINTS_A_MINUTE,
    STEP,
    Governor,
)
from support.credential_limits import START, SteppedClock, credential, headers, spend


async def test_polls_take_at_most_nine_tenths_of_a_minute_and_people_the_rest_without_waiting(
    governor: Governor, clock: SteppedClock
) -> None:
    polls = POINTS_A_MINUTE["core"] * 9 // 10
    await spend(governor, polls, urgent=False)
    assert clock.now == START
    await spend(governor, POINTS_A_MINUTE["core"] - polls, urgent=True)
    assert clock.now == START
    await spend(governor, 1, urgent=False)
    # A whole minute, in steps of some seconds.
    assert timedelta(seconds=60) <= clock.now - START <= timedelta(seconds=60 + STEP + 1)


async def test_points_of_rest_and_graphql_are_counted_apart(
    governor: Governor, clock: SteppedClock
) -> None:
    await spend(governor, POINTS_A_MINUTE["core"], urgent=True)
    async with governor.slot("graphql", urgent=False):
        pass
    assert clock.now == START
    assert (governor.points_last_minute("core"), governor.points_last_minute("graphql")) == (900, 1)
    for _ in range(1999):
        async with governor.slot("graphql", urgent=True):
            pass
    assert clock.now == START
    async with governor.slot("graphql", urgent=True):
        pass
    assert clock.now >= START + timedelta(seconds=60)


async def test_what_reads_contents_leaves_the_checks_their_part_of_a_minute(
    governor: Governor, clock: SteppedClock
) -> None:
    for _ in range(180 // 5):
        await spend(governor, 25, urgent=False)
        clock.pass_time(5)
    begin = clock.now
    bulk = 0
    # The second condition ends a test whose clock stands still.
    while clock.now - begin < timedelta(seconds=30) and bulk <= POINTS_A_MINUTE["core"]:
        async with governor.slot("core", urgent=False, bulk=True):
            bulk += 1
    # Of 900 points checks took 300, of which they keep what they still may ask for; 15 hundredths
    # are in reserve.
    assert bulk <= 900 * 0.85 - 300 * 150 / 180
    # A check goes at once.
    before = clock.now
    await spend(governor, 1, urgent=False)
    assert clock.now == before


@pytest.mark.parametrize("checks", [0, 300, 420, 600, 780])
async def test_what_reads_contents_gets_the_rest_of_each_minute_however_many_checks_there_are(
    governor: Governor, clock: SteppedClock, checks: int
) -> None:
    bulk = 0
    points: list[int] = []

    async def read() -> None:
        nonlocal bulk
        while True:
            async with governor.slot("core", urgent=False, bulk=True):
                bulk += 1

    reading = asyncio.create_task(read())
    for second in range(300):
        for _ in range((second + 1) * checks // 60 - second * checks // 60):
            await spend(governor, 1, urgent=False)
        # Requests that wait for the next minute check once a second.
        clock.pass_time(1)
        for _ in range(3):
            await asyncio.sleep(0)
        points.append(governor.points_last_minute("core"))
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert max(points) <= 810
    assert bulk / 5 >= max(0.75 * (765 - checks), 0.05 * 900 if checks < 780 else 1)


@pytest.mark.parametrize("limit", [60, 5000])
async def test_checks_however_many_leave_a_tenth_of_the_limit_for_contents(
    governor: Governor, clock: SteppedClock, limit: int
) -> None:
    """A person may sync three projects without a token in a minute; the hour is not like that."""
    for _ in range(limit // 2):
        governor.charge_check("core", 1)
    governor.learn(
        "core", headers(limit * 9 // 10 + 1, clock.now + timedelta(minutes=59), limit=limit)
    )
    governor.check("core", urgent=False, bulk=True)
    governor.learn("core", headers(limit * 9 // 10, clock.now + timedelta(minutes=59), limit=limit))
    with pytest.raises(GitHubRateLimitedError):
        governor.check("core", urgent=False, bulk=True)
    governor.check("core", urgent=False)


async def test_checks_which_cost_nothing_of_the_hour_keep_nothing_of_it_from_contents(
    governor: Governor, clock: SteppedClock
) -> None:
    await spend(governor, 300, urgent=False)
    for _ in range(300):
        governor.charge_check("core", 0)
    governor.learn("core", headers(501, clock.now + timedelta(minutes=59)))
    governor.check("core", urgent=False, bulk=True)


# Sixteen times sixty requests are more than a minute's points.
@given(gaps=st.lists(st.floats(0, 2), min_size=16, max_size=30))
def test_in_no_minute_more_points_are_spent_than_allowed(gaps: list[float]) -> None:
    clock = SteppedClock()
    governor = Governor(credential(), clock, clock.sleep)
    times: list[datetime] = []

    async def story() -> None:
        for gap in gaps:
            clock.pass_time(gap)
            for _ in range(60):
                async with governor.slot("core", urgent=True):
                    times.append(clock.now)

    asyncio.run(story())
    most = POINTS_A_MINUTE["core"]
    durations = [later - former for former, later in zip(times, times[most:], strict=False)]
    assert min(durations) >= timedelta(seconds=60)
