"""Fetching many blobs of one repository at once.

This is the one place which decides how contents travel: here, one raw REST request a blob.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Final

from benchmark_manager.github.client import RepositoryClient

#: Blobs of one sync under way at once; with their sizes this bounds a sync's memory.
_AT_ONCE: Final = 10


async def fetch_blobs(client: RepositoryClient, sizes: Iterable[tuple[str, int]]) -> AsyncGenerator[tuple[str, bytes]]:
    """Yield (blob id, bytes) in any order; every byte is verified against its id.

    Args:
        client: the repository's.
        sizes: (blob id, size in bytes as the tree tells it).

    Raises:
        GitHubError: the first that any request met; what came before was yielded.
    """
    waiting = iter(sizes)
    running: set[asyncio.Task[tuple[str, bytes]]] = set()

    async def fetch(sha: str, size: int) -> tuple[str, bytes]:
        return sha, await client.blob(sha, size)

    def refill() -> None:
        while len(running) < _AT_ONCE and (wanted := next(waiting, None)) is not None:
            running.add(asyncio.create_task(fetch(*wanted)))

    try:
        refill()
        while running:
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            running.difference_update(done)
            # Successes first: what did arrive need not be asked for again.
            for task in sorted(done, key=lambda t: t.exception() is not None):
                yield task.result()
            refill()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
