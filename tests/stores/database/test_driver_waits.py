"""The driver's locks are free again, whenever a request that waits for one is cancelled."""

import asyncio

import pymongo.lock

from benchmark_manager.stores.database.driver_waits import repair_driver_waits
from support.waiting import GENEROUS


async def test_a_wait_that_is_cancelled_when_it_may_take_its_lock_again_leaves_the_lock_free() -> (
    None
):
    """As when many requests wait for a primary, and are answered because there is none."""
    repair_driver_waits()
    lock = pymongo.lock._async_create_lock()  # noqa: SLF001 -- the driver has no public one
    condition = pymongo.lock._async_create_condition(lock)  # noqa: SLF001 -- the same
    begun = asyncio.Event()

    async def wait() -> None:
        async with lock:
            begun.set()
            await pymongo.lock._async_cond_wait(condition, 0.01)  # noqa: SLF001 -- the same

    waiting = asyncio.create_task(wait())
    await begun.wait()
    async with lock:
        await asyncio.sleep(0.1)  # longer than it waits
        waiting.cancel()
    await asyncio.wait({waiting})
    async with asyncio.timeout(GENEROUS), lock:
        assert waiting.cancelled()
