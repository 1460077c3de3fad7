"""Slots: the right to read contents, for a bounded number of syncs at once, fairly shared."""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from benchmark_manager.models.sync import SyncTrigger

#: Syncs of one process that read contents at once, and how many of them one credential may have.
AT_ONCE: Final = 16
PER_CREDENTIAL: Final = 8
#: A sync that a person waits for need not wait for these slots: so many more may run.
EXTRA_FOR_PEOPLE: Final = 8
_ORDER: Final[tuple[SyncTrigger, ...]] = ("manual", "webhook", "poll")


@dataclass(slots=True)
class _HeldSlot:
    """The slot of one sync, as the tasks that it starts see it."""

    trigger: SyncTrigger
    credential: str
    is_held: bool = True


_held: Final[ContextVar[_HeldSlot | None]] = ContextVar("held_slot", default=None)

_Turns = OrderedDict[str, deque[asyncio.Future[None]]]


class SyncSlots:
    """Gives slots to manual syncs first, then to webhooks and polls; credentials take turns.

    One credential whose repositories are slow never holds all slots.
    """

    def __init__(self, at_once: int = AT_ONCE, per_credential: int = PER_CREDENTIAL) -> None:
        self._at_once = at_once
        self._per_credential = per_credential
        self._running: Counter[str] = Counter()
        self._queues: dict[SyncTrigger, _Turns] = {trigger: OrderedDict() for trigger in _ORDER}

    @property
    def waiting(self) -> int:
        return sum(len(turns) for queue in self._queues.values() for turns in queue.values())

    @asynccontextmanager
    async def taken(self, trigger: SyncTrigger, credential: str) -> AsyncIterator[None]:
        """Wait for a slot and hold it."""
        await self._wait(trigger, credential)
        held = _HeldSlot(trigger, credential)
        token = _held.set(held)
        try:
            yield
        finally:
            _held.reset(token)
            if held.is_held:
                self._give_back(credential)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[None]:
        """Give back the slot that this sync holds, if any, and take one again afterwards.

        Inside, the sync must read nothing from GitHub.
        """
        held = _held.get()
        if held is None or not held.is_held:
            yield
            return
        held.is_held = False
        self._give_back(held.credential)
        try:
            yield
        finally:
            await self._wait(held.trigger, held.credential)
            held.is_held = True

    async def _wait(self, trigger: SyncTrigger, credential: str) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._queues[trigger].setdefault(credential, deque()).append(turn)
        self._give()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back(credential)
            raise

    def _give_back(self, credential: str) -> None:
        self._running[credential] -= 1
        self._running += Counter()
        self._give()

    def _give(self) -> None:
        for trigger in _ORDER:
            while self._give_one(trigger):
                pass

    def _give_one(self, trigger: SyncTrigger) -> bool:
        extra = EXTRA_FOR_PEOPLE if trigger == "manual" else 0
        if self._running.total() >= self._at_once + extra:
            return False
        queue = self._queues[trigger]
        for credential, turns in list(queue.items()):
            while turns and turns[0].done():
                turns.popleft()
            if not turns:
                del queue[credential]
            elif self._running[credential] < self._per_credential + extra:
                self._running[credential] += 1
                turns.popleft().set_result(None)
                # Next time the other credentials come first.
                queue.move_to_end(credential)
                return True
        return False
