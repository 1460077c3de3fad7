"""Wait for conditions; no test waits for a fixed time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, overload

T = TypeVar("T")

#: No machine is so busy that something takes longer, seconds.
GENEROUS: Final = 60.0
_PAUSE: Final = 0.02


@overload
async def eventually(
    attempt: Callable[[], Awaitable[T | None]], failure: str, *, seconds: float = GENEROUS
) -> T: ...
@overload
async def eventually(
    attempt: Callable[[], T | None], failure: str, *, seconds: float = GENEROUS
) -> T: ...
async def eventually(attempt: Callable[[], Any], failure: str, *, seconds: float = GENEROUS) -> Any:
    """Repeat until the attempt returns something true, and return that.

    Raises:
        TimeoutError: `failure`, after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not (found := await _awaited(attempt())):
        if time.monotonic() > deadline:
            raise TimeoutError(failure)
        await asyncio.sleep(_PAUSE)
    return found


async def _awaited(result: Any) -> Any:
    # A task is a result here, for the caller to wait for.
    return await result if inspect.iscoroutine(result) else result
