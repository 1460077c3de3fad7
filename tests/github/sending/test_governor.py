"""How politely each credential asks, and what is known of its limits."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.errors import GitHubRateLimitedError
from benchmark_manager.github.sending.credentials import Credential
from benchmark_manager.github.sending.governor import (
    CONCURRENCY,
    POINTS_A_MINUTE,
    STEP,
    Governor,
    Governors,
)
from benchmark_manager.models.governor import GovernorState, LimitResource, RateLimit

API = "https://api.github.com"
START = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Clock:
    """Time that passes in sleeps, or when a test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.pass_time(seconds)
        await asyncio.sleep(0)


def credential(token: str | None = "ghp_one", api_url: str = API) -> Credential:  # noqa: S107 -- made up
    return Credential.of_token(api_url, token)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def governor(clock: Clock) -> Governor:
    return Governor(credential(), clock, clock.sleep)


def headers(
    remaining: int, reset_at: datetime, limit: int = 5000, resource: str | None = None
) -> dict[str, str]:
    reported = {
        "x-ratelimit-limit": str(limit),
        "x-ratelimit-remaining": str(remaining),
        "x-ratelimit-reset": str(int(reset_at.timestamp())),
    }
    return reported if resource is None else {**reported, "x-ratelimit-resource": resource}


def passes(governor: Governor, *, urgent: bool, resource: LimitResource = "core") -> bool:
    try:
        governor.check(resource, urgent=urgent)
    except GitHubRateLimitedError:
        return False
    return True


# The hour's limit


@pytest.mark.parametrize(
    ("remaining", "poll", "manual"),
    [(501, True, True), (500, False, True), (1, False, True), (0, False, False)],
)
def test_the_last_tenth_is_kept_for_people(
    governor: Governor, clock: Clock, remaining: int, poll: bool, manual: bool
) -> None:
    governor.learn("core", headers(remaining, clock.now + timedelta(minutes=30)))
    assert (passes(governor, urgent=False), passes(governor, urgent=True)) == (poll, manual)


def test_no_request_waits_before_a_limit_is_known(governor: Governor) -> None:
    assert passes(governor, urgent=False)


def test_a_used_up_limit_reports_its_reset_and_ends_with_it(
    governor: Governor, clock: Clock
) -> None:
    governor.learn("core", headers(0, clock.now + timedelta(minutes=30)))
    with pytest.raises(GitHubRateLimitedError) as refused:
        governor.check("core", urgent=True)
    assert refused.value.retry_at == clock.now + timedelta(minutes=30)
    clock.pass_time(1800)
    assert passes(governor, urgent=False)


def test_a_used_up_graphql_limit_does_not_hold_up_rest_nor_the_other_way_round(
    governor: Governor, clock: Clock
) -> None:
    soon = clock.now + timedelta(minutes=30)
    governor.learn("graphql", headers(0, soon))
    assert passes(governor, urgent=False, resource="core")
    assert not passes(governor, urgent=True, resource="graphql")
    # What the answer itself names counts, whatever was asked.
    governor.learn("graphql", headers(0, soon, resource="core"))
    assert not passes(governor, urgent=True, resource="core")


def test_a_block_stops_all_requests_until_its_end(governor: Governor, clock: Clock) -> None:
    governor.block(clock.now + timedelta(seconds=60))
    clock.pass_time(59)
    assert not passes(governor, urgent=True)
    assert not passes(governor, urgent=True, resource="graphql")
    clock.pass_time(1)
    assert passes(governor, urgent=False)


def test_answers_which_overtake_each_other_do_not_raise_what_remains(
    governor: Governor, clock: Clock
) -> None:
    reset = clock.now + timedelta(minutes=30)
    for remaining in (100, 98, 99):
        governor.learn("core", headers(remaining, reset))
    assert governor.limits["core"].remaining == 98
    governor.learn("core", headers(4999, reset + timedelta(hours=1)))
    assert governor.limits["core"].remaining == 4999


def test_headers_without_sense_change_nothing(governor: Governor, clock: Clock) -> None:
    governor.learn("core", headers(100, clock.now + timedelta(minutes=30)))
    governor.learn("core", {})
    governor.learn("core", {**headers(1, clock.now), "x-ratelimit-reset": "soon"})
    assert governor.limits["core"].remaining == 100


def test_a_reset_in_a_thousand_years_stops_requests_for_two_hours_at_most(
    governor: Governor, clock: Clock
) -> None:
    governor.learn("core", headers(0, clock.now + timedelta(days=365_000)))
    clock.pass_time(7200)
    assert passes(governor, urgent=False)


def test_one_credential_does_not_block_another(clock: Clock) -> None:
    governors = Governors(clock)
    governors.of(credential()).block(clock.now + timedelta(hours=1))
    others = [
        credential("ghp_two"),
        credential(None),
        credential(api_url="https://ghe.example/api/v3"),
    ]
    assert all(passes(governors.of(other), urgent=False) for other in others)
    assert not passes(governors.of(credential()), urgent=True)


def test_no_text_about_a_credential_holds_its_token(clock: Clock) -> None:
    secret = credential("ghp_secret")
    governor = Governors(clock).of(secret)
    governor.learn("core", headers(1, clock.now + timedelta(minutes=1)))
    reported = (
        f"{secret!r} {secret.fingerprint} {governor.status!r} {governor.unshared()!r} {governor!r}"
    )
    assert "ghp_secret" not in reported


def test_known_limits_are_listed_once_a_credential(clock: Clock) -> None:
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
    governor: Governor, clock: Clock
) -> None:
    crowd = await full(governor)
    await crowd.add("late")
    governor.block(clock.now + timedelta(seconds=30))
    await crowd.end("0")
    with pytest.raises(GitHubRateLimitedError):
        await crowd.tasks["late"]
    assert governor.status.requests_running == 19
    await crowd.close()


# Points of a minute


async def spend(governor: Governor, count: int, *, urgent: bool) -> None:
    for _ in range(count):
        async with governor.slot("core", urgent=urgent):
            pass


async def test_polls_take_at_most_nine_tenths_of_a_minute_and_people_the_rest_without_waiting(
    governor: Governor, clock: Clock
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
    governor: Governor, clock: Clock
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
    governor: Governor, clock: Clock
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
    governor: Governor, clock: Clock, checks: int
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
    governor: Governor, clock: Clock, limit: int
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
    governor: Governor, clock: Clock
) -> None:
    await spend(governor, 300, urgent=False)
    for _ in range(300):
        governor.charge_check("core", 0)
    governor.learn("core", headers(501, clock.now + timedelta(minutes=59)))
    governor.check("core", urgent=False, bulk=True)


@given(gaps=st.lists(st.floats(0, 2), min_size=1, max_size=60))
def test_in_no_minute_more_points_are_spent_than_allowed(gaps: list[float]) -> None:
    clock = Clock()
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
    assert min(durations, default=timedelta(seconds=60)) >= timedelta(seconds=60)


# What others know, and what outlives the process


class Shelf:
    """What the store keeps of one credential: `spent` is added up, the rest is replaced."""

    def __init__(self) -> None:
        self.spent: dict[LimitResource, Counter[int]] = {}
        self.limits: dict[LimitResource, RateLimit] = {}
        self.blocked_until: datetime | None = None

    def share(self, state: GovernorState) -> None:
        for resource, steps in state.spent.items():
            self.spent.setdefault(resource, Counter()).update(steps)
        self.limits |= state.limits
        if state.blocked_until is not None:
            self.blocked_until = max(self.blocked_until or state.blocked_until, state.blocked_until)

    def state(self) -> GovernorState:
        return GovernorState(
            fingerprint=credential().fingerprint,
            api_url=API,
            kind="token",
            limits=dict(self.limits),
            blocked_until=self.blocked_until,
            spent={resource: dict(steps) for resource, steps in self.spent.items()},
        )


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["spend", "share", "cannot share", "listen", "restart"]), st.integers(0, 2)
    ),
    max_size=60,
)


class Replicas:
    """Three processes and the shelf between them."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.shelf = Shelf()
        self.all = [Governor(credential(), self.clock) for _ in range(3)]
        self.spent = 0

    def run(self, action: str, which: int) -> None:
        governor = self.all[which]
        match action:
            case "spend":
                asyncio.run(spend(governor, 1, urgent=True))
                self.spent += 1
            case "share":
                if (state := governor.unshared()) is not None:
                    self.shelf.share(state)
            case "cannot share":
                if (state := governor.unshared()) is not None:
                    governor.put_back(state)
            case "listen":
                governor.merge(self.shelf.state())
            case _:
                self.restart(which)

    def restart(self, which: int) -> None:
        """What was not shared is lost."""
        if (state := self.all[which].unshared()) is not None:
            self.spent -= sum(state.spent.get("core", {}).values())
        self.all[which] = Governor(credential(), self.clock)
        self.all[which].merge(self.shelf.state())


@given(actions=ACTIONS)
def test_points_of_all_replicas_are_counted_once_each_whatever_fails_or_ends_in_between(
    actions: list[tuple[str, int]],
) -> None:
    replicas = Replicas()
    for action, which in [
        *actions,
        *((last, which) for last in ("share", "listen") for which in range(3)),
    ]:
        replicas.run(action, which)
    assert [governor.points_last_minute("core") for governor in replicas.all] == [
        replicas.spent
    ] * 3


def test_what_github_said_before_holds_for_the_next_process(clock: Clock) -> None:
    shelf = Shelf()
    former = Governor(credential(), clock)
    former.block(clock.now + timedelta(seconds=90))
    former.learn("graphql", headers(0, clock.now + timedelta(minutes=30)))
    reported = former.unshared()
    assert reported is not None
    shelf.share(reported)
    governors = Governors(clock)
    governors.merge([shelf.state()])
    later = governors.of(credential())
    assert not passes(later, urgent=True)
    clock.pass_time(90)
    assert passes(later, urgent=True)
    assert not passes(later, urgent=True, resource="graphql")


def test_who_listens_does_not_forget_what_it_knows_better(governor: Governor, clock: Clock) -> None:
    shelf = Shelf()
    soon, later = clock.now + timedelta(minutes=10), clock.now + timedelta(minutes=70)
    shelf.blocked_until = clock.now + timedelta(seconds=10)
    shelf.limits = {"core": RateLimit(limit=5000, remaining=4000, reset_at=soon)}
    governor.block(clock.now + timedelta(seconds=60))
    governor.learn("core", headers(10, later))
    governor.merge(shelf.state())
    assert governor.blocked_until == clock.now + timedelta(seconds=60)
    assert governor.limits["core"].remaining == 10


@pytest.mark.parametrize("change", ["learn", "block", "spend"])
def test_new_facts_are_shared_once_and_nothing_where_there_are_none(
    governor: Governor, clock: Clock, change: str
) -> None:
    changes: dict[str, Callable[[], None]] = {
        "learn": lambda: governor.learn("core", headers(10, clock.now + timedelta(minutes=1))),
        "block": lambda: governor.block(clock.now + timedelta(seconds=5)),
        "spend": lambda: asyncio.run(spend(governor, 1, urgent=False)),
    }
    assert governor.unshared() is None
    changes[change]()
    assert governor.unshared() is not None
    assert governor.unshared() is None
    governor.merge(Shelf().state())
    assert governor.unshared() is None
