"""The hour's limit of each credential, and the slots of its requests."""

import asyncio
from datetime import timedelta

import pytest

from benchmark_manager.errors import GitHubRateLimitedError
from benchmark_manager.github.sending.governor import (
    CONCURRENCY,
    Governor,
    Governors,
)
from support.credential_limits import SteppedClock, credential, headers, passes

# The hour's limit


@pytest.mark.parametrize(
    ("remaining", "poll", "manual"),
    [(501, True, True), (500, False, True), (1, False, True), (0, False, False)],
)
def test_the_last_tenth_is_kept_for_people(
    governor: Governor, clock: SteppedClock, remaining: int, poll: bool, manual: bool
) -> None:
    governor.learn("core", headers(remaining, clock.now + timedelta(minutes=30)))
    assert (passes(governor, urgent=False), passes(governor, urgent=True)) == (poll, manual)


def test_no_request_waits_before_a_limit_is_known(governor: Governor) -> None:
    assert passes(governor, urgent=False)


def test_a_used_up_limit_reports_its_reset_and_ends_with_it(
    governor: Governor, clock: SteppedClock
) -> None:
    governor.learn("core", headers(0, clock.now + timedelta(minutes=30)))
    with pytest.raises(GitHubRateLimitedError) as refused:
        governor.check("core", urgent=True)
    assert refused.value.retry_at == clock.now + timedelta(minutes=30)
    clock.pass_time(1800)
    assert passes(governor, urgent=False)


def test_a_used_up_graphql_limit_does_not_hold_up_rest_nor_the_other_way_round(
    governor: Governor, clock: SteppedClock
) -> None:
    soon = clock.now + timedelta(minutes=30)
    governor.learn("graphql", headers(0, soon))
    assert passes(governor, urgent=False, resource="core")
    assert not passes(governor, urgent=True, resource="graphql")
    # What the answer itself names counts, whatever was asked.
    governor.learn("graphql", headers(0, soon, resource="core"))
    assert not passes(governor, urgent=True, resource="core")


def test_a_block_stops_all_requests_until_its_end(governor: Governor, clock: SteppedClock) -> None:
    governor.block(clock.now + timedelta(seconds=60))
    clock.pass_time(59)
    assert not passes(governor, urgent=True)
    assert not passes(governor, urgent=True, resource="graphql")
    clock.pass_time(1)
    assert passes(governor, urgent=False)


def test_answers_which_overtake_each_other_do_not_raise_what_remains(
    governor: Governor, clock: SteppedClock
) -> None:
    reset = clock.now + timedelta(minutes=30)
    for remaining in (100, 98, 99):
        governor.learn("core", headers(remaining, reset))
    assert governor.limits["core"].remaining == 98
    governor.learn("core", headers(4999, reset + timedelta(hours=1)))
    assert governor.limits["core"].remaining == 4999


def test_headers_without_sense_change_nothing(governor: Governor, clock: SteppedClock) -> None:
    governor.learn("core", headers(100, clock.now + timedelta(minutes=30)))
    governor.learn("core", {})
    governor.learn("core", {**headers(1, clock.now), "x-ratelimit-reset": "soon"})
    assert governor.limits["core"].remaining == 100


def test_a_reset_in_a_thousand_years_stops_requests_for_two_hours_at_most(
    governor: Governor, clock: SteppedClock
) -> None:
    governor.learn("core", headers(0, clock.now + timedelta(days=365_000)))
    clock.pass_time(7200)
    assert passes(governor, urgent=False)


def test_one_credential_does_not_block_another(clock: SteppedClock) -> None:
    governors = Governors(clock)
    governors.of(credential()).block(clock.now + timedelta(hours=1))
    others = [
        credential("ghp_two"),
        credential(None),
        credential(api_url="https://ghe.example/api/v3"),
    ]
    assert all(passes(governors.of(other), urgent=False) for other in others)
    assert not passes(governors.of(credential()), urgent=True)


def test_no_text_about_a_credential_holds_its_token(clock: SteppedClock) -> None:
    secret = credential("ghp_secret")
    governor = Governors(clock).of(secret)
    governor.learn("core", headers(1, clock.now + timedelta(minutes=1)))
    reported = (
        f"{secret!r} {secret.fingerprint} {governor.status!r} {governor.unshared()!r} {governor!r}"
    )
    assert "ghp_secret" not in reported


def test_known_limits_are_listed_once_a_credential(clock: SteppedClock) -> None:
    governors = Governors(clock)
    for token in ("a", "b", "a"):
        governors.of(credential(token)).learn("core", headers(10, clock.now + timedelta(minutes=1)))
    governors.of(credential("never shared"))
    reported = [
        [limit.remaining for limit in status.limits.values()] for status in governors.statuses()
    ]
    assert sorted(reported) == [[], [10], [10]]


# Slots


class Crowd:
    """Requests which end when the test says so."""

    def __init__(self, governor: Governor) -> None:
        self.governor = governor
        self.begun: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.ends: dict[str, asyncio.Event] = {}

    async def add(self, name: str, *, urgent: bool = False) -> None:
        self.ends[name] = asyncio.Event()

        async def request() -> None:
            async with self.governor.slot("core", urgent=urgent):
                self.begun.append(name)
                await self.ends[name].wait()

        self.tasks[name] = asyncio.create_task(request())
        await settled()

    async def end(self, name: str) -> None:
        self.ends[name].set()
        await self.tasks[name]
        await settled()

    async def close(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def full(governor: Governor) -> Crowd:
    crowd = Crowd(governor)
    for number in range(CONCURRENCY):
        await crowd.add(str(number))
    assert len(crowd.begun) == CONCURRENCY == 20
    return crowd


async def test_at_most_20_run_and_a_free_slot_goes_to_urgent_requests_then_to_the_first(
    governor: Governor,
) -> None:
    crowd = await full(governor)
    for name in ("first", "second"):
        await crowd.add(name)
    await crowd.add("urgent", urgent=True)
    assert (governor.status.requests_running, governor.status.requests_waiting) == (20, 3)
    assert len(crowd.begun) == 20
    begun = []
    for number in range(3):
        await crowd.end(str(number))
        begun.append((crowd.begun[-1], governor.status.requests_running))
    assert begun == [("urgent", 20), ("first", 20), ("second", 20)]
    await crowd.close()
    assert (governor.status.requests_running, governor.status.requests_waiting) == (0, 0)


@pytest.mark.parametrize("moment", ["while it waits", "as it is given the slot"])
async def test_the_slot_of_a_cancelled_request_goes_to_the_next(
    governor: Governor, moment: str
) -> None:
    crowd = await full(governor)
    await crowd.add("gone")
    await crowd.add("next")
    if moment == "while it waits":
        crowd.tasks["gone"].cancel()
        await crowd.end("0")
    else:
        crowd.ends["0"].set()
        # The slot is given in this round of the loop, and taken in the next.
        while not crowd.tasks["0"].done():  # noqa: ASYNC110 -- the very round counts
            await asyncio.sleep(0)
        crowd.tasks["gone"].cancel()
        await settled()
    assert crowd.begun[20:] == ["next"]
    assert governor.status.requests_running == 20
    await crowd.close()
    assert governor.status.requests_running == 0


async def test_limits_that_change_while_a_request_waits_for_a_slot_apply_to_it(
    governor: Governor, clock: SteppedClock
) -> None:
    crowd = await full(governor)
    await crowd.add("late")
    governor.block(clock.now + timedelta(seconds=30))
    await crowd.end("0")
    with pytest.raises(GitHubRateLimitedError):
        await crowd.tasks["late"]
    assert governor.status.requests_running == 19
    await crowd.close()
