"""Fetching many blobs."""

import asyncio
import json
import math
from collections import Counter
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import benchmark_manager
from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.errors import GitHubError, GitHubRateLimitedError
from benchmark_manager.github.protocol.graphql import LONGEST_TEXT
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.contents import MemoryBudget, batches, fetch_blobs
from github_test_server import (
    Delay,
    FlippedByte,
    GraphQLError,
    RecordedRequest,
    Repository,
    ResetBefore,
    Stall,
    Status,
)
from github_test_server.answers import ServedAnswer
from support.hub import Hub
from support.stopwatch import Stopwatch
from support.waiting import GENEROUS, eventually

TOKEN = "ghp_test"
COUNT = 40
BUDGET = 16_000_000


@pytest.fixture
def contents(repository: Repository) -> dict[str, bytes]:
    """Contents by blob id."""
    return committed(
        repository, [f"number: {number}\n".encode() * (number + 1) for number in range(COUNT)]
    )


def committed(repository: Repository, found: list[bytes]) -> dict[str, bytes]:
    repository.commit({f"config/{number}.yaml": content for number, content in enumerate(found)})
    return {blob_id(content): content for content in found}


def many(count: int) -> list[bytes]:
    return [f"n: {number}\n".encode() for number in range(count)]


def sizes(contents: dict[str, bytes]) -> list[tuple[str, int]]:
    return [(sha, len(content)) for sha, content in contents.items()]


def with_token(hub: Hub) -> RepositoryClient:
    hub.server.hosting.add_token(TOKEN)
    return hub.repository(TOKEN)


def clients(hub: Hub, way: str) -> RepositoryClient:
    return with_token(hub) if way == "graphql" else hub.repository()


async def fetched(client: RepositoryClient, contents: dict[str, bytes]) -> dict[str, bytes]:
    """Everything, each exactly once."""
    budget = MemoryBudget()
    found = [blobs async for blobs in fetch_blobs(client, sizes(contents), budget)]
    came = Counter(sha for blobs in found for sha in blobs)
    assert [sha for sha, times in came.items() if times > 1] == []
    assert budget.free == BUDGET
    return {sha: blob for blobs in found for sha, blob in blobs.items()}


async def until_failure(
    client: RepositoryClient, contents: dict[str, bytes], got: dict[str, bytes] | None = None
) -> tuple[dict[str, bytes], GitHubError]:
    """What came before the failure, and the failure."""
    got = {} if got is None else got
    budget = MemoryBudget()

    async def fetch() -> None:
        async for found in fetch_blobs(client, sizes(contents), budget):
            got.update(found)

    with pytest.raises(GitHubError) as error:
        await fetch()
    assert budget.free == BUDGET
    return got, error.value


def own_tasks() -> set[asyncio.Task[Any]]:
    """The tasks that run code of the package: a database's driver begins and ends others."""
    package = Path(benchmark_manager.__file__).parent
    return {task for task in asyncio.all_tasks() if package in code_of(task).parents}


def code_of(task: asyncio.Task[Any]) -> Path:
    """The file of the code that a task runs."""
    coroutine: Any = task.get_coro()
    return Path(coroutine.cr_code.co_filename)


# One request a blob, where there is no GraphQL


async def test_every_blob_comes_once_and_costs_exactly_one_request(
    hub: Hub, contents: dict[str, bytes]
) -> None:
    assert await fetched(hub.repository(), contents) == contents
    assert sorted(r.path for r in hub.server.requests) == sorted(
        f"/repos/octo/demo/git/blobs/{sha}" for sha in contents
    )


@pytest.mark.parametrize("way", ["rest", "graphql"])
async def test_nothing_wanted_asks_nothing(hub: Hub, way: str) -> None:
    assert await fetched(clients(hub, way), {}) == {}
    assert len(hub.server.requests) == 0


async def test_at_most_sixteen_are_under_way(own_hub: Hub, contents: dict[str, bytes]) -> None:
    with own_hub.server.held():
        fetching = asyncio.create_task(fetched(own_hub.repository(), contents))
        await eventually(lambda: len(own_hub.server.requests) >= 16, "too few requests are sent")
    await fetching
    assert own_hub.server.requests.most_at_once == 16


async def test_no_more_is_asked_for_than_the_budget_has_room_for(
    hub: Hub, repository: Repository
) -> None:
    """What was asked for and not yet done with, raw and by queries, keeps within it."""
    contents = committed(
        repository,
        [bytes([n]) * 900_000 for n in range(6)] + [b"%d" % n * 300_000 for n in range(6)],
    )
    size = 2_800_000
    client = with_token(hub)
    got: dict[str, bytes] = {}
    taken: list[int] = []
    async with aclosing(fetch_blobs(client, sizes(contents), MemoryBudget(size))) as arriving:
        async for found in arriving:
            await asyncio.sleep(0.05)  # for more to be asked for, if it is
            asked = 900_000 * hub.server.requests.count(
                "/git/blobs/"
            ) + 1_800_000 * hub.server.requests.count("graphql$")
            taken.append(asked - sum(map(len, got.values())))
            got |= found
    assert max(taken) <= size
    assert got == contents


@pytest.mark.parametrize("way", ["rest", "graphql"])
async def test_successes_are_yielded_before_the_first_failure_raises(
    hub: Hub, contents: dict[str, bytes], way: str
) -> None:
    failing = next(iter(contents))
    # By GraphQL it does not come, so that it is asked for by itself.
    hub.server.faults.add(
        GraphQLError(f"r.b{index_of(contents, failing)}"), path="graphql$", times=None
    )
    hub.server.faults.add(Status(403), path=failing, times=None)
    got: dict[str, bytes] = {}
    with hub.server.held(failing):
        fetching = asyncio.create_task(until_failure(clients(hub, way), contents, got))
        await eventually(lambda: len(got) == len(contents) - 1, "the others do not come")
    _, error = await fetching
    assert error.code == "github_forbidden"
    assert set(got) == set(contents) - {failing}


def index_of(contents: dict[str, bytes], sha: str) -> int:
    """The position of a blob in the one query for all."""
    (batch,) = batches(sizes(contents))
    return [each for each, _ in batch].index(sha)


@pytest.mark.parametrize("way", ["rest", "graphql"])
async def test_one_wrong_blob_fails_after_its_tries_and_is_not_among_the_yielded(
    hub: Hub, contents: dict[str, bytes], way: str
) -> None:
    wrong = list(contents)[5]
    hub.server.faults.add(
        GraphQLError(f"r.b{index_of(contents, wrong)}"), path="graphql$", times=None
    )
    hub.server.faults.add(FlippedByte(3), path=wrong, times=None)
    got, error = await until_failure(clients(hub, way), contents)
    assert error.code == "github_unavailable"
    assert hub.server.requests.count(wrong) == 4
    assert got.items() <= contents.items()
    assert wrong not in got


async def test_closing_cancels_what_is_under_way(own_hub: Hub, contents: dict[str, bytes]) -> None:
    first, *others = contents
    for sha in others:
        own_hub.server.faults.add(Delay(30), path=sha, times=None)
    before = own_tasks()
    budget = MemoryBudget()
    with Stopwatch() as watch:
        async with aclosing(fetch_blobs(own_hub.repository(), sizes(contents), budget)) as blobs:
            assert (await anext(blobs)).keys() == {first}
    assert watch.seconds < 5
    assert own_tasks() <= before
    assert len(own_hub.server.requests) <= 17
    assert budget.free == BUDGET


async def test_a_failure_cancels_the_rest(own_hub: Hub, contents: dict[str, bytes]) -> None:
    first, *others = contents
    own_hub.server.faults.add(Status(403), path=first, times=None)
    for sha in others:
        own_hub.server.faults.add(Delay(30), path=sha, times=None)
    before = own_tasks()
    await until_failure(own_hub.repository(), contents)
    assert own_tasks() <= before
    assert len(own_hub.server.requests) <= 16


# GraphQL


@pytest.mark.parametrize("count", [1, 50, 51, 120])
async def test_fifty_blobs_come_with_one_query(
    hub: Hub, repository: Repository, count: int
) -> None:
    contents = committed(repository, many(count))
    client = with_token(hub)
    assert await fetched(client, contents) == contents
    # What this client sent: a request of the test before may reach the server late.
    assert len(hub.sent) == hub.server.requests.count("graphql$") == math.ceil(count / 50)
    assert client.usage.points_used == math.ceil(count / 50)


async def test_what_graphql_does_not_answer_exactly_is_fetched_raw_by_itself(
    hub: Hub, repository: Repository
) -> None:
    """Binary contents, text which is not UTF-8, and what is longer than `text` may be."""
    odd = [b"a\0b", b"caf\xe9\n", b"x" * (LONGEST_TEXT + 1)]
    plain = [b"", "naïve 🎉\n".encode(), b"\xef\xbb\xbfa: 1\r\n", b"x" * LONGEST_TEXT]
    contents = committed(repository, [*odd, *plain])
    assert await fetched(with_token(hub), contents) == contents
    raw = {r.path.rpartition("/")[2] for r in hub.server.requests.select("/git/blobs/")}
    assert raw == {blob_id(data) for data in odd}
    assert hub.server.requests.count("graphql$") == 1


@pytest.mark.parametrize("fault", [Status(502), Stall(5)], ids=["502", "timeout"])
async def test_a_query_that_is_too_much_is_halved(
    hub: Hub, contents: dict[str, bytes], fault: Status | Stall
) -> None:
    def too_many(request: RecordedRequest) -> bool:
        if request.body.count(b"object(") <= 20:
            return False
        # The halves get the time that they take on a busy machine.
        hub.connection.request_seconds = GENEROUS
        return True

    hub.connection.request_seconds = 1.0
    hub.server.faults.add(fault, path="graphql$", where=too_many, times=None)
    assert await fetched(with_token(hub), contents) == contents
    assert len(hub.server.requests) == hub.server.requests.count("graphql$") == 3


async def test_a_blob_at_which_every_query_fails_comes_raw_and_the_others_by_graphql(
    hub: Hub, contents: dict[str, bytes]
) -> None:
    poison = list(contents)[17]
    hub.server.faults.add(
        Status(502), path="graphql$", where=lambda r: poison.encode() in r.body, times=None
    )
    assert await fetched(with_token(hub), contents) == contents
    assert [r.path.rpartition("/")[2] for r in hub.server.requests.select("/git/blobs/")] == [
        poison
    ]


async def test_where_every_query_fails_their_number_is_bounded_and_all_comes_raw(
    hub: Hub, repository: Repository
) -> None:
    contents = committed(repository, many(150))
    hub.server.faults.add(Status(502), path="graphql$", times=None)
    assert await fetched(with_token(hub), contents) == contents
    assert hub.server.requests.count("graphql$") <= 28
    assert len({request.path for request in hub.server.requests.select("/git/blobs/")}) == 150


async def test_where_nothing_answers_the_requests_are_bounded(
    hub: Hub, repository: Repository
) -> None:
    contents = committed(repository, many(150))
    client = with_token(hub)
    hub.server.faults.add(ResetBefore(), times=None)
    got, error = await until_failure(client, contents)
    assert (got, error.code) == ({}, "github_unavailable")
    assert len(hub.server.requests) <= 28 + 16 * 4


async def test_a_server_without_graphql_is_asked_for_it_once(
    hub: Hub, contents: dict[str, bytes]
) -> None:
    hub.server.graphql = False
    assert await fetched(with_token(hub), contents) == contents
    assert await fetched(with_token(hub), contents) == contents
    assert hub.server.requests.count("graphql$") == 1


async def test_a_used_up_limit_of_graphql_is_reported_and_no_more_is_sent(
    hub: Hub, contents: dict[str, bytes]
) -> None:
    client = with_token(hub)
    hub.server.limits.set(TOKEN, limit=5000, remaining=0, reset_in=600, resource="graphql")
    failures = [await until_failure(client, contents) for _ in range(2)]
    retry_times = [
        error.retry_at.timestamp()
        for _, error in failures
        if isinstance(error, GitHubRateLimitedError) and error.retry_at is not None
    ]
    reset_at = hub.server.limits.of(TOKEN, resource="graphql").reset_at
    assert retry_times == pytest.approx([reset_at, reset_at], abs=2)
    assert len(hub.server.requests) == 1


class ChangedText:
    """A fault: one text of an answer is another of the same length."""

    def __init__(self, text: str) -> None:
        self.text = json.dumps(text)[1:-1].encode()

    def change(self, answer: ServedAnswer, body: bytes) -> ServedAnswer:
        assert self.text in body
        return replace(answer, body=body.replace(self.text, self.text.swapcase(), 1))


async def test_a_wrong_text_in_an_answer_of_graphql_is_never_returned(
    hub: Hub, repository: Repository
) -> None:
    contents = committed(repository, [b"alone: 1\n", b"other: 2\n"])
    hub.server.faults.add(ChangedText("alone: 1"), path="graphql$", times=None)
    assert await fetched(with_token(hub), contents) == contents
    assert [r.path.rpartition("/")[2] for r in hub.server.requests.select("/git/blobs/")] == [
        blob_id(b"alone: 1\n")
    ]


# Batches

SIZES = st.tuples(st.integers(0, 200), st.sampled_from([100, 40_000, LONGEST_TEXT])).flatmap(
    lambda bounds: st.lists(st.integers(0, bounds[1]), min_size=bounds[0], max_size=bounds[0])
)


@given(found=SIZES)
def test_batches_hold_every_blob_once_and_are_as_few_as_fifty_blobs_and_two_megabytes_allow(
    found: list[int],
) -> None:
    blobs = [(str(number), size) for number, size in enumerate(found)]
    result = batches(blobs)
    assert sorted(blob for batch in result for blob in batch) == sorted(blobs)
    assert all(0 < len(batch) <= 50 for batch in result)
    # Evenly filled: none exceeds the average by more than its largest blob.
    assert all(sum(size for _, size in batch) <= 2_000_000 + LONGEST_TEXT for batch in result)
    assert len(result) == max(math.ceil(len(blobs) / 50), math.ceil(sum(found) / 2_000_000))


# The budget


class Taker:
    """Somebody who takes from a budget and gives back later."""

    def __init__(self, budget: MemoryBudget, size: int) -> None:
        self.held: int | None = None
        self.budget = budget
        self.task = asyncio.create_task(self._take(size))

    async def _take(self, size: int) -> None:
        self.held = await self.budget.take(size)

    def give_back(self) -> None:
        assert self.held is not None
        self.budget.give_back(self.held)
        self.held = None


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


STEPS = st.lists(
    st.tuples(st.sampled_from(["take", "give", "cancel", "cancel at once"]), st.integers(0, 150)),
    max_size=40,
)


@given(steps=STEPS)
def test_never_more_than_the_budget_is_out_and_who_waits_gets_it_whatever_others_do(
    steps: list[tuple[str, int]],
) -> None:
    async def story() -> None:
        budget = MemoryBudget(100)
        takers: list[Taker] = []
        held: list[int] = []
        free: list[int] = []

        def holders() -> list[Taker]:
            return [taker for taker in takers if taker.held is not None]

        for what, number in steps:
            waiting = [taker for taker in takers if not taker.task.done()]
            if what == "take":
                takers.append(Taker(budget, number))
            elif what == "give" and holders():
                holders()[number % len(holders())].give_back()
            elif waiting and what == "cancel":
                waiting[number % len(waiting)].task.cancel()
            elif waiting and holders():
                # The turn comes in the very moment of the cancellation.
                holders()[0].give_back()
                waiting[0].task.cancel()
            await settled()
            held.append(sum(taker.held or 0 for taker in takers))
            free.append(budget.free)
        while holders():
            holders()[0].give_back()
            await settled()
        assert max(held, default=0) <= 100
        # Nobody waits while there is room for the first of those who wait.
        assert free == [100 - size for size in held]
        assert all(taker.task.done() for taker in takers)
        assert budget.free == 100

    asyncio.run(story())


async def test_who_wants_more_than_the_budget_gets_all_of_it_when_everything_is_back() -> None:
    budget = MemoryBudget(100)
    assert await budget.take(60) == 60
    large = Taker(budget, 5000)
    small = Taker(budget, 1)
    await settled()
    assert (large.held, small.held) == (None, None)
    budget.give_back(60)
    await settled()
    assert (large.held, small.held) == (100, None)
    large.give_back()
    await settled()
    assert small.held == 1


async def test_who_stops_waiting_lets_those_behind_go_on() -> None:
    budget = MemoryBudget(100)
    assert await budget.take(60) == 60
    large, small = Taker(budget, 50), Taker(budget, 40)
    await settled()
    large.task.cancel()
    await settled()
    assert small.held == 40
