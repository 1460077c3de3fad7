"""One asks, and who wants the same gets the same answer."""

import asyncio
import time
from functools import partial

import pytest

from benchmark_manager.github.sending.shared import ANY_AGE, Shared


class Questions:
    """What was asked; every answer comes when the test says so."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.go = asyncio.Event()
        self.error: Exception | None = None

    async def ask(self, name: str) -> str:
        self.asked.append(name)
        await self.go.wait()
        if self.error is not None:
            raise self.error
        return f"{name} {len(self.asked)}"


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_who_asks_the_same_meanwhile_or_soon_after_gets_the_same_answer() -> None:
    shared, questions = Shared[str](at_most=5, keep_seconds=60), Questions()
    begin = time.monotonic()
    asking = [
        asyncio.create_task(shared.get("k", begin, lambda: questions.ask("k"))) for _ in range(3)
    ]
    await settled()
    questions.go.set()
    assert await asyncio.gather(*asking) == ["k 1"] * 3
    assert await shared.get("k", begin, lambda: questions.ask("k")) == "k 1"
    assert await shared.get("other", begin, lambda: questions.ask("other")) == "other 2"


async def test_an_answer_which_began_too_early_does_not_do() -> None:
    shared, questions = Shared[str](at_most=5, keep_seconds=60), Questions()
    early = asyncio.create_task(shared.get("k", time.monotonic(), lambda: questions.ask("k")))
    await settled()
    late = asyncio.create_task(shared.get("k", time.monotonic(), lambda: questions.ask("k")))
    of_any_age = asyncio.create_task(shared.get("k", ANY_AGE, lambda: questions.ask("k")))
    await settled()
    assert questions.asked == ["k", "k"]
    questions.go.set()
    await asyncio.gather(early, late, of_any_age)


async def test_a_failure_is_raised_for_all_waiting_callers_and_not_for_later_ones() -> None:
    shared, questions = Shared[str](at_most=5, keep_seconds=60), Questions()
    questions.error = ValueError("no")
    asking = [
        asyncio.create_task(shared.get("k", ANY_AGE, lambda: questions.ask("k"))) for _ in range(2)
    ]
    await settled()
    questions.go.set()
    results = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(result) for result in results] == [ValueError] * 2
    questions.error = None
    assert await shared.get("k", ANY_AGE, lambda: questions.ask("k")) == "k 2"


async def test_the_first_caller_may_be_cancelled_and_the_others_get_the_answer() -> None:
    shared, questions = Shared[str](at_most=5, keep_seconds=60), Questions()
    first = asyncio.create_task(shared.get("k", ANY_AGE, lambda: questions.ask("k")))
    await settled()
    second = asyncio.create_task(shared.get("k", ANY_AGE, lambda: questions.ask("k")))
    await settled()
    first.cancel()
    await settled()
    questions.go.set()
    assert await second == "k 1"
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_no_more_answers_are_kept_than_allowed_nor_for_longer() -> None:
    shared, questions = Shared[str](at_most=2, keep_seconds=60), Questions()
    questions.go.set()
    for key in "abcd":
        await shared.get(key, ANY_AGE, partial(questions.ask, key))
    assert len(shared) <= 3
    await shared.get("d", ANY_AGE, lambda: questions.ask("d"))
    await shared.get("a", ANY_AGE, lambda: questions.ask("a"))
    assert questions.asked == ["a", "b", "c", "d", "a"]
    brief = Shared[str](at_most=2, keep_seconds=0)
    await brief.get("x", ANY_AGE, lambda: questions.ask("x"))
    await brief.get("x", ANY_AGE, lambda: questions.ask("x"))
    assert questions.asked[-2:] == ["x", "x"]
