"""Repair how the driver waits for its locks on Python 3.11, where it could wait for ever."""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

T = TypeVar("T")


def repair_driver_waits() -> None:
    """Let the driver wait in the task that waits, as `asyncio.wait_for` does since Python 3.12.

    Before, `wait_for` starts a task, which takes the condition's lock again at the end of the wait.
    Where the waiting task is cancelled at that moment, nobody is left to release the lock. An
    outage of the database, in which requests are cancelled, then stops all operations of a client
    for good.
    """
    if sys.version_info < (3, 12):
        pymongo.lock.wait_for = _wait_for  # type: ignore[assignment, attr-defined]


async def _wait_for(awaitable: Awaitable[T], seconds: float | None) -> T:
    async with asyncio.timeout(seconds):
        return await awaitable
