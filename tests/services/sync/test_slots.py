"""Whose turn it is to read contents."""

import asyncio
from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark_manager.models.sync import SyncTrigger
from benchmark_manager.services.sync.slots import (
    AT_ONCE,
    EXTRA_FOR_PEOPLE,
    PER_CREDENTIAL,
    SyncSlots,
)


class Syncs:
    """Syncs which end when the test says so."""

    def __init__(self, slots: SyncSlots) -> None:
        self.slots = slots
        self.begun: list[tuple[SyncTrigger, str]] = []
        self.running: dict[int, tuple[SyncTrigger, str]] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.ends: dict[int, asyncio.Event] = {}

    async def add(self, trigger: SyncTrigger, credential: str) -> None:
        number = len(self.tasks)
        self.ends[number] = asyncio.Event()

        async def sync() -> None:
            async with self.slots.taken(trigger, credential):
                self.begun.append((trigger, credential))
                self.running[number] = trigger, credential
                try:
                    await self.ends[number].wait()
                finally:
                    del self.running[number]

        self.tasks[number] = asyncio.create_task(sync())
        await self.settle()

    async def settle(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)

    async def end(self, which: int) -> None:
        if self.running:
            self.ends[sorted(self.running)[which % len(self.running)]].set()
            await self.settle()

    def waiting(self) -> list[int]:
        return [
            number
            for number, task in self.tasks.items()
            if not task.done() and number not in self.running
        ]

    async def cancel(self, which: int) -> None:
        if waiting := self.waiting():
            self.tasks[waiting[which % len(waiting)]].cancel()
            await self.settle()


async def test_people_come_before_webhooks_and_these_before_polls() -> None:
    syncs = Syncs(SyncSlots(at_once=1, per_credential=1))
    await syncs.add("poll", "a")
    for trigger in ("poll", "webhook", "poll", "webhook"):
        await syncs.add(trigger, "b")
    assert syncs.begun == [("poll", "a")]
    # Who waits in person need not wait for these.
    await syncs.add("manual", "b")
    assert syncs.begun[1:] == [("manual", "b")]
    while syncs.running:
        await syncs.end(0)
    assert [trigger for trigger, _ in syncs.begun[2:]] == ["webhook", "webhook", "poll", "poll"]


async def test_credentials_take_turns_and_none_holds_all_slots() -> None:
    syncs = Syncs(SyncSlots())
    for _ in range(30):
        await syncs.add("poll", "slow")
    assert Counter(syncs.begun) == {("poll", "slow"): PER_CREDENTIAL}
    for name in "bcd":
        for _ in range(12):
            await syncs.add("poll", name)
    first = Counter(name for _, name in syncs.begun)
    assert first.total() == AT_ONCE
    assert first["slow"] == PER_CREDENTIAL
    syncs.begun.clear()
    # What the slow one has does not end; of the others' slots each credential that waits gets its
    # turn.
    for _ in range(9):
        number = next(n for n in sorted(syncs.running) if syncs.running[n][1] != "slow")
        syncs.ends[number].set()
        await syncs.settle()
    assert {name for _, name in syncs.begun} == {"b", "c", "d"}
    for task in syncs.tasks.values():
        task.cancel()
    await asyncio.gather(*syncs.tasks.values(), return_exceptions=True)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "end", "cancel"]),
        st.sampled_from(["manual", "webhook", "poll"]),
        st.sampled_from("abc"),
        st.integers(0, 20),
    ),
    max_size=60,
)


@dataclass(frozen=True)
class Moment:
    """How many syncs run and wait, and how many nobody waits for in person, by credential."""

    running: int
    waiting: int
    others: Counter[str]


@given(actions=ACTIONS)
def test_slots_are_bounded_and_never_free_while_a_sync_could_have_one(
    actions: list[tuple[str, SyncTrigger, str, int]],
) -> None:
    at_once, per_credential = 4, 2
    moments: list[Moment] = []

    async def story() -> None:
        syncs = Syncs(SyncSlots(at_once, per_credential))
        for what, trigger, credential, number in actions:
            match what:
                case "add":
                    await syncs.add(trigger, credential)
                case "end":
                    await syncs.end(number)
                case _:
                    await syncs.cancel(number)
            others = Counter(name for kind, name in syncs.running.values() if kind != "manual")
            moments.append(Moment(len(syncs.running), len(syncs.waiting()), others))
        while syncs.running:
            await syncs.end(0)
        assert syncs.waiting() == []
        assert syncs.slots.waiting == 0

    asyncio.run(story())
    assert max((now.running for now in moments), default=0) <= at_once + EXTRA_FOR_PEOPLE
    assert max((now.others.total() for now in moments), default=0) <= at_once
    counts = [count for now in moments for count in now.others.values()]
    assert max(counts, default=0) <= per_credential
    least = min(at_once, per_credential)
    assert [now for now in moments if now.running < min(least, now.running + now.waiting)] == []


@pytest.mark.parametrize("trigger", ["manual", "poll"])
async def test_a_slot_given_to_a_sync_that_is_cancelled_at_that_moment_goes_to_the_next(
    trigger: SyncTrigger,
) -> None:
    syncs = Syncs(
        SyncSlots(at_once=1 if trigger == "poll" else 1 - EXTRA_FOR_PEOPLE, per_credential=9)
    )
    for _ in range(3):
        await syncs.add(trigger, "a")
    assert len(syncs.running) == 1
    syncs.ends[0].set()
    while not syncs.tasks[0].done():  # noqa: ASYNC110 -- the very round counts
        await asyncio.sleep(0)
    syncs.tasks[1].cancel()
    await syncs.settle()
    assert list(syncs.running) == [2]
    await syncs.end(0)
