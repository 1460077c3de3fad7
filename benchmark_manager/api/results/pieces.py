"""Long lists of results as JSON, of which few are in memory at once."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from benchmark_manager.models.result import Result


async def in_json(
    pieces: AsyncIterator[Sequence[Result]],
    written: Callable[[Sequence[Result]], Iterable[bytes]],
) -> AsyncIterator[bytes]:
    """Yield a JSON array of what `written` makes of the results, in a thread.

    It yields the elements one by one, as a thread that writes one keeps all others waiting.
    """
    before = b"["
    async for piece in pieces:
        if elements := await asyncio.to_thread(_joined, written, piece):
            yield before + elements
            before = b","
    yield b"[]" if before == b"[" else b"]"


def _joined(
    written: Callable[[Sequence[Result]], Iterable[bytes]], piece: Sequence[Result]
) -> bytes:
    return b",".join(written(piece))
