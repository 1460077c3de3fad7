"""The watch of the event loop sees what holds it, and only that."""

import asyncio
import time

from support.stalls import LoopWatch


async def test_code_that_holds_the_loop_is_seen() -> None:
    with LoopWatch() as watch:
        await asyncio.sleep(0)
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            sum(range(10_000))
    assert watch.longest > 0.05


async def test_waiting_holds_nothing() -> None:
    with LoopWatch() as watch:
        await asyncio.sleep(0.1)
    assert watch.longest < 0.05
