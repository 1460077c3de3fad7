"""Slow or many bodies use up neither the service's memory nor the time of other clients."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Message

from benchmark_manager.api.http.bodies import BUDGET, BodyBudget, BodyLimit, LimitedBody
from benchmark_manager.api.http.problems import RefusedBodyError, body_too_large
from benchmark_manager.factory import Externals, ServiceLimits
from support.outcomes import outcome
from support.problems import assert_problem
from support.service import Service

KIB = 1024
MIB = 1024 * KIB
HEADERS = {"Content-Type": "application/json"}


def messages(*sizes: int, ends: bool = True) -> list[Message]:
    last = len(sizes) - 1
    return [
        {"type": "http.request", "body": b" " * size, "more_body": not (ends and number == last)}
        for number, size in enumerate(sizes)
    ]


def body_of(
    given: list[Message], budget: BodyBudget, caller: str = "a", limit: int = 4 * MIB
) -> LimitedBody:
    left = iter(given)

    async def receive() -> Message:
        return next(left)

    return LimitedBody(receive, BodyLimit(limit, body_too_large(limit)), budget, caller, seconds=20)


async def test_unfinished_bodies_share_one_budget_and_no_caller_has_more_than_half() -> None:
    budget = BodyBudget()
    held: list[LimitedBody] = []
    refusals: list[RefusedBodyError] = []
    for number in range(120):
        body = body_of(messages(4 * MIB, ends=False), budget, caller=f"address {number % 4}")
        try:
            await body.receive()
            held.append(body)
        except RefusedBodyError as error:
            refusals.append(error)
            body.close()
    assert {(error.error.code, error.status_code) for error in refusals} == {("service_busy", 503)}
    assert len(refusals) > 100
    assert BUDGET - 4 * MIB <= budget.held <= BUDGET
    for body in held:
        body.close()
    assert budget.held == 0
    alone = [body_of(messages(4 * MIB, ends=False), budget) for _ in range(8)]
    for body in alone:
        await body.receive()
    with pytest.raises(RefusedBodyError):
        await body_of(messages(4 * MIB), budget).receive()
    await body_of(messages(4 * MIB), budget, caller="somebody else").receive()


async def test_small_bodies_are_read_whatever_large_ones_do() -> None:
    budget = BodyBudget()
    assert budget.take("b", BUDGET // 2)
    assert budget.take("a", BUDGET // 2)
    assert len((await body_of(messages(16 * KIB), budget).receive())["body"]) == 16 * KIB
    with pytest.raises(RefusedBodyError):
        await body_of(messages(17 * KIB), budget).receive()


async def test_a_body_over_its_limit_is_refused_as_soon_as_it_exceeds_it() -> None:
    body = body_of(messages(60, 50, ends=False), BodyBudget(), limit=100)
    await body.receive()
    with pytest.raises(RefusedBodyError) as refused:
        await body.receive()
    assert refused.value.error.code == "body_too_large"


async def test_a_client_that_stays_behind_its_body_has_no_deadline() -> None:
    gone = asyncio.Event()
    first = messages(3)

    async def receive() -> Message:
        if first:
            return first.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    limit = BodyLimit(MIB, body_too_large(MIB))
    body = LimitedBody(receive, limit, BodyBudget(), "a", seconds=0.05)
    await body.receive()
    waiting = asyncio.create_task(body.receive())
    await asyncio.wait({waiting}, timeout=0.15)
    assert not waiting.done()
    gone.set()
    assert (await waiting)["type"] == "http.disconnect"


SOON = pytest.mark.parametrize(
    "externals", [Externals(limits=ServiceLimits(body_seconds=0.1))], ids=["0.1 s"]
)


@SOON
@pytest.mark.parametrize("path", ["/projects", "/validate"])
async def test_a_body_that_stops_in_the_middle_is_answered(service: Service, path: str) -> None:
    async def stopping() -> AsyncIterator[bytes]:
        yield b'{"name": '
        await asyncio.sleep(60)

    answer = await service.http.post(path, content=stopping(), headers=HEADERS)
    assert_problem(answer, 408, "request_timeout")


@SOON
async def test_a_form_that_stops_in_the_middle_is_a_page(service: Service) -> None:
    async def stopping() -> AsyncIterator[bytes]:
        yield b"name="
        await asyncio.sleep(60)

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    answer = await service.http.post("/ui/you", content=stopping(), headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (408, "text/html; charset=utf-8")


async def test_a_body_beyond_the_budget_is_refused_with_when_to_try_again(
    service: Service,
) -> None:
    """Ten bodies that stop short of their end, from one address: its share is 32 MiB."""
    go_on = asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        for _ in range(62):
            yield b" " * (64 * KIB)
        await go_on.wait()

    tasks = [
        asyncio.create_task(service.http.post("/projects", content=waiting(), headers=HEADERS))
        for _ in range(10)
    ]
    done, held = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    answers = [task.result() for task in done]
    assert {(outcome(answer), answer.headers.get("retry-after")) for answer in answers} == {
        ("503 service_busy", "10")
    }
    assert len(held) >= 8
    await service.project("acme/b")
    go_on.set()
    await asyncio.gather(*held)
    large = {"name": "large", "github_repo_url": "acme/b", "branch": "b" * (2 * MIB)}
    assert (await service.http.post("/projects", json=large)).status_code == 422
