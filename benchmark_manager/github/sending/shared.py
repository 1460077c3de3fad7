"""Shares the answer to one request with all callers that ask the same at that time."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

#: For what never changes, such as a tree under its object id: an answer of any age is right.
ANY_AGE: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class _Asked(Generic[T]):
    began: float
    task: "asyncio.Task[T]"


class Shared(Generic[T]):
    """Requests under way, and the last few answers."""

    def __init__(self, *, at_most: int, keep_seconds: float) -> None:
        self._at_most = at_most
        self._keep = keep_seconds
        self._asked: OrderedDict[Hashable, _Asked[T]] = OrderedDict()

    async def get(self, key: Hashable, wanted_at: float, ask: Callable[[], Awaitable[T]]) -> T:
        """Return the answer to `ask`, or a shared one.

        A shared one has the same key and began at `wanted_at` (monotonic) or later.

        Raises:
            Exception: the one that the shared call raised.
        """
        now = time.monotonic()
        self._forget(now)
        asked = self._asked.get(key)
        if asked is None or asked.began < wanted_at or _failed(asked.task):
            asked = _Asked(now, asyncio.create_task(_awaited(ask)))
            asked.task.add_done_callback(_noticed)
            self._asked[key] = asked
            self._asked.move_to_end(key)
        # A caller that is cancelled does not cancel the call for the others.
        return await asyncio.shield(asked.task)

    def __len__(self) -> int:
        """Return how many answers are kept or under way."""
        return len(self._asked)

    def clear(self) -> None:
        """Forget every answer."""
        self._asked.clear()

    def _forget(self, now: float) -> None:
        old = [
            key
            for key, asked in self._asked.items()
            if asked.task.done() and asked.began < now - self._keep
        ]
        finished = [
            key for key, asked in self._asked.items() if asked.task.done() and key not in old
        ]
        for key in (*old, *finished[: max(0, len(finished) - self._at_most)]):
            del self._asked[key]


async def _awaited(ask: Callable[[], Awaitable[T]]) -> T:
    return await ask()


def _failed(task: "asyncio.Task[T]") -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)


def _noticed(task: "asyncio.Task[T]") -> None:
    """Mark an exception as handled: the callers that waited for it have got it."""
    if not task.cancelled():
        task.exception()
