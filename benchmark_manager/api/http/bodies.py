"""Bodies of requests while they arrive: each has a limit and a deadline, all have a budget."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Final

from starlette.types import Message, Receive

from benchmark_manager.api.http.problems import RefusedBodyError
from benchmark_manager.errors import RequestError

#: Bytes of all bodies that are being read or worked on.
BUDGET: Final = 64 * 1024 * 1024
#: Bytes of it that one address may use, so that one slow client does not block all others.
_SHARE: Final = BUDGET // 2
#: Bytes of each body that do not count: small requests are served beside any large ones.
_FREE: Final = 16 * 1024
#: A body has one more second for each so many bytes that have come.
_BYTES_A_SECOND: Final = 32 * 1024


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Bytes that a body may have, and the error of one that has more."""

    size: int
    error: RequestError


class BodyBudget:
    """Counts the bytes of bodies in this process, for all and for each caller."""

    def __init__(self) -> None:
        self._held = 0
        self._held_by: Counter[str] = Counter()

    @property
    def held(self) -> int:
        """Return the bytes that are counted now."""
        return self._held

    def take(self, caller: str, size: int) -> bool:
        """Count `size` more bytes, unless they exceed the budget or the caller's share."""
        if self._held + size > BUDGET or self._held_by[caller] + size > _SHARE:
            return False
        self._held += size
        self._held_by[caller] += size
        return True

    def give_back(self, caller: str, size: int) -> None:
        """Stop counting `size` bytes of this caller."""
        self._held -= size
        self._held_by[caller] -= size
        if not self._held_by[caller]:
            del self._held_by[caller]


class LimitedBody:
    """One request's body; `receive` replaces the server's own, `close` frees its budget."""

    __slots__ = (
        "_budget",
        "_caller",
        "_counted",
        "_deadline",
        "_ended",
        "_limit",
        "_receive",
        "_received",
        "_seconds",
    )

    def __init__(
        self, receive: Receive, limit: BodyLimit, budget: BodyBudget, caller: str, *, seconds: float
    ) -> None:
        """`limit`: what this body may have; `seconds`: for its first bytes."""
        self._receive = receive
        self._limit = limit
        self._seconds = seconds
        self._budget = budget
        self._caller = caller
        self._received = 0
        self._counted = 0
        self._deadline: float | None = None
        self._ended = False

    async def receive(self) -> Message:
        """Return the next message.

        Raises:
            RefusedBodyError: that of the limit, `request_timeout`, or `service_busy`.
        """
        if self._ended:
            # Only the message that the client has left can follow.
            return await self._receive()
        message = await self._next()
        size = len(message.get("body", b""))
        self._ended = not message.get("more_body", False)
        self._received += size
        if self._received > self._limit.size:
            raise RefusedBodyError(self._limit.error)
        self._count()
        return message

    async def _next(self) -> Message:
        loop = asyncio.get_running_loop()
        if self._deadline is None:
            self._deadline = loop.time() + self._seconds
        try:
            async with asyncio.timeout_at(self._deadline + self._received / _BYTES_A_SECOND):
                return await self._receive()
        except TimeoutError:
            raise RefusedBodyError(RequestError("request_timeout")) from None

    def _count(self) -> None:
        more = self._received - _FREE - self._counted
        if more <= 0:
            return
        if not self._budget.take(self._caller, more):
            raise RefusedBodyError(RequestError("service_busy", "bodies"))
        self._counted += more

    def close(self) -> None:
        """Give back what was counted; the request is over."""
        if self._counted:
            self._budget.give_back(self._caller, self._counted)
            self._counted = 0
