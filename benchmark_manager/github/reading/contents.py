"""Fetches many blobs of one repository at once.

Only this module decides how single contents are requested: by GraphQL in batches of up to 50 blobs,
and by one raw REST request a blob for what GraphQL does not answer: large or binary blobs, text
that is not UTF-8, and all blobs where there is no GraphQL. Every byte is verified against its blob
id before it is passed on.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from typing import Final

from benchmark_manager.github.protocol.graphql import AT_MOST, LONGEST_TEXT
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.sending.requests import NoGraphQLError, PassingFailureError

#: Requests of one sync under way at once.
_AT_ONCE: Final = 16
#: Contents of one query, bytes.
_BATCH_BYTES: Final = 2_000_000
#: Queries of one sync that may fail before the rest is requested by REST, whose failures count.
_FAILURES: Final = 12
#: Contents that all syncs of a process may have in memory, bytes; each takes some five times as
#: much memory.
_BUDGET: Final = 16_000_000

Sized = tuple[str, int]


class MemoryBudget:
    """Bytes of contents that may be in memory at once; further requests wait in their order."""

    def __init__(self, size: int = _BUDGET) -> None:
        self._size = size
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def free(self) -> int:
        """Bytes that are under way nowhere."""
        return self._free

    async def take(self, size: int) -> int:
        """Wait for this many bytes, or for the whole budget if that is less.

        Returns:
            How many bytes to give back.
        """
        size = min(size, self._size)
        if self._waiting or self._free < size:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append((size, turn))
            try:
                await turn
            except asyncio.CancelledError:
                # Where it was still waiting, those behind it may have room now.
                self.give_back(size if turn.done() and not turn.cancelled() else 0)
                raise
        else:
            self._free -= size
        return size

    def give_back(self, size: int) -> None:
        self._free += size
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._free):
            wanted, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= wanted
                turn.set_result(None)


async def fetch_blobs(
    client: RepositoryClient, sizes: Iterable[Sized], budget: MemoryBudget
) -> AsyncGenerator[dict[str, bytes]]:
    """Yield contents by blob id, in any order; every byte is verified against its id.

    Args:
        client: the repository's.
        sizes: (blob id, size in bytes as the tree reports it).
        budget: what bounds the memory of all syncs together; contents count until the next are
            asked for.

    Raises:
        GitHubError: the first error of any request; what arrived before was yielded.
    """
    fetching = _Fetching(client, budget, list(sizes))
    try:
        while (done := await fetching.next_done()) is not None:
            # Successes first: what has arrived need not be requested again.
            for task in sorted(done, key=lambda t: t.exception() is not None):
                yield task.result()
                fetching.consumed(task)
    finally:
        await fetching.cancel()


_Fetch = asyncio.Task[dict[str, bytes]]


class _Fetching:
    """The requests that are still to be sent, and those under way."""

    def __init__(self, client: RepositoryClient, budget: MemoryBudget, wanted: list[Sized]) -> None:
        self._client = client
        self._budget = budget
        self._failures = 0
        self._batches: deque[list[Sized]] = deque()
        self._single: deque[Sized] = deque()
        self._running: set[_Fetch] = set()
        self._held: dict[_Fetch, int] = {}
        if client.requests.has_graphql:
            self._batches.extend(
                batches([(sha, size) for sha, size in wanted if size <= LONGEST_TEXT])
            )
            self._single.extend((sha, size) for sha, size in wanted if size > LONGEST_TEXT)
        else:
            self._single.extend(wanted)

    async def next_done(self) -> set[_Fetch] | None:
        """Wait for the next finished requests; return None when all are finished."""
        while len(self._running) < _AT_ONCE and (batch := self._next()) is not None:
            self._running.add(asyncio.create_task(self._fetch(batch)))
        if not self._running:
            return None
        done, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
        return done

    def _next(self) -> list[Sized] | Sized | None:
        if self._batches:
            return self._batches.popleft()
        return self._single.popleft() if self._single else None

    async def _fetch(self, wanted: list[Sized] | Sized) -> dict[str, bytes]:
        size = sum(size for _, size in wanted) if isinstance(wanted, list) else wanted[1]
        held = await self._budget.take(size)
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- a coroutine runs in one
        self._held[task] = held
        return await (self._query(wanted) if isinstance(wanted, list) else self._raw(*wanted))

    def consumed(self, task: _Fetch) -> None:
        self._budget.give_back(self._held.pop(task, 0))

    async def _query(self, batch: list[Sized]) -> dict[str, bytes]:
        if self._failures >= _FAILURES or not self._client.requests.has_graphql:
            self._single.extend(batch)
            return {}
        try:
            found = await self._client.blobs([sha for sha, _ in batch])
        except NoGraphQLError:
            found = {}
        except PassingFailureError:
            await self._split(batch)
            return {}
        self._single.extend((sha, size) for sha, size in batch if sha not in found)
        return found

    async def _split(self, batch: list[Sized]) -> None:
        """Split a query in two: GitHub gives a query up after 10 s. A single blob goes by REST."""
        self._failures += 1
        await self._client.requests.connection.pause(1)
        if len(batch) == 1:
            self._single.extend(batch)
            return
        half = len(batch) // 2
        self._batches.extendleft([batch[half:], batch[:half]])

    async def _raw(self, sha: str, size: int) -> dict[str, bytes]:
        return {sha: await self._client.blob(sha, size)}

    async def cancel(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for held in self._held.values():
            self._budget.give_back(held)
        self._held.clear()


def batches(sizes: list[Sized]) -> list[list[Sized]]:
    """Make as few batches as 50 blobs and 2 MB each allow, filled evenly with large and small."""
    if not sizes:
        return []
    total = sum(size for _, size in sizes)
    number = max(-(-len(sizes) // AT_MOST), -(-total // _BATCH_BYTES))
    ordered = sorted(sizes, key=lambda blob: blob[1], reverse=True)
    return [ordered[start::number] for start in range(number)]
