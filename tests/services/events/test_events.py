"""Events for clients, over a feed of the test's own: limits, the end, and missed changes."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from benchmark_manager.errors import (
    BusyError,
    ChangesLostError,
    StoppingError,
    StorageError,
    TooManyListenersError,
)
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.change import Change
from benchmark_manager.services.events.events import (
    Delivery,
    EventLimits,
    EventService,
    Listener,
)
from benchmark_manager.stores.database.failures import failure_of
from support.principals import open_principal
from support.waiting import GENEROUS, eventually


def away(text: str) -> StorageError:
    return failure_of(AutoReconnect(text))


class Feed:
    """Stands in for the database's changes: position n is behind the n-th."""

    def __init__(self) -> None:
        self.news: asyncio.Queue[list[Change] | Exception] = asyncio.Queue()
        self.opened: list[str | None] = []
        self.refusal: Exception | None = None
        self.missed: list[Change] | Exception = []
        self._number = 0

    async def follow(self, after: str | None) -> AsyncGenerator[tuple[list[Change], str], None]:
        self.opened.append(after)
        if self.refusal is not None:
            raise self.refusal
        yield [], str(self._number)
        while True:
            news = await self.news.get()
            if isinstance(news, Exception):
                raise news
            self._number += len(news)
            yield news, str(self._number)

    async def between(self, after: str, until: str, at_most: int) -> list[Change]:
        assert after != until
        assert at_most > 0
        if isinstance(self.missed, Exception):
            raise self.missed
        return self.missed


@pytest.fixture
def feed() -> Feed:
    return Feed()


@pytest.fixture
def limits() -> EventLimits:
    return limited()


def limited(**changes: Any) -> EventLimits:
    return EventLimits(**{"pause": 0, "together": 0.01, **changes})


@pytest.fixture
async def service(feed: Feed, limits: EventLimits) -> AsyncIterator[EventService]:
    fake: Any = feed
    service = EventService(fake, limits)
    yield service
    await service.stop()


def change(number: int = 1, project: str = "p", what: Any = "changed") -> Change:
    return Change(noun="modified_file", project_id=project, id=str(number), what=what)


async def listening_to(
    service: EventService, project_ids: list[str], after: str | None, address: str = ""
) -> Listener:
    """Anybody who listens, where every request is served."""
    jo = open_principal("jo")

    async def identify() -> Principal:
        return jo

    return await service.listen(jo, project_ids, after, address, identify=identify)


async def heard(listener: Listener) -> Delivery:
    """What comes next that says something."""
    async with asyncio.timeout(GENEROUS):
        while (delivery := await listener.next(0.05)) is not None:
            if delivery.changes or delivery.reset:
                return delivery
    raise AssertionError("the stream has ended")


async def test_changes_that_come_together_are_reported_together(
    feed: Feed, service: EventService
) -> None:
    listener = await listening_to(service, [], None)
    for each in (change(1, what="created"), change(2), change(1)):
        feed.news.put_nowait([each])
    delivery = await heard(listener)
    assert (delivery.changes, delivery.position) == ([change(2), change(1, what="created")], "3")


async def test_a_position_is_reported_only_once_all_before_it_was(
    feed: Feed, service: EventService
) -> None:
    listener = await listening_to(service, [], None)
    feed.news.put_nowait([change()])
    await asyncio.sleep(0)
    # On a busy machine the first of them may have the change already.
    deliveries = [await listener.next(0)]
    if deliveries == [Delivery([], "0")]:
        deliveries.append(await heard(listener))
    assert deliveries[-1] == Delivery([change()], "1")


@pytest.mark.parametrize("limits", [limited(linger=0.5)], ids=["0.5 s"])
async def test_one_watcher_serves_all_until_a_while_after_the_last_has_left(
    feed: Feed, service: EventService
) -> None:
    listeners = await asyncio.gather(*(listening_to(service, [], None) for _ in range(10)))
    assert feed.opened == [None]
    for listener in listeners:
        service.leave(listener)
        service.leave(listener)
    service.leave(await listening_to(service, [], None))
    assert feed.opened == [None]
    await eventually(lambda: not service.watching, "it does not end")
    await listening_to(service, [], None)
    assert feed.opened == [None, None]


@pytest.mark.parametrize("limits", [limited(waiting=30)], ids=["30 changes"])
async def test_a_slow_client_costs_bounded_memory_and_has_to_reload(
    feed: Feed, service: EventService
) -> None:
    slow, quick = await listening_to(service, [], None), await listening_to(service, [], None)
    resets: list[str | None] = []
    waiting: list[int] = []
    for n in range(50):
        feed.news.put_nowait([change(n, project=f"p{n}")])
        resets.append((await heard(quick)).reset)
        waiting.append(slow.waiting)
    assert resets == [None] * 50
    assert max(waiting) <= 30
    delivery = await heard(slow)
    assert delivery.reset == "slow"
    assert delivery.position == "50"


@pytest.mark.parametrize("limits", [limited(clients=2)], ids=["two clients"])
async def test_beyond_as_many_clients_as_it_serves_it_is_busy(service: EventService) -> None:
    first, _ = await listening_to(service, [], None), await listening_to(service, [], None)
    with pytest.raises(BusyError) as refused:
        await listening_to(service, [], None)
    assert refused.value.code == "service_busy"
    service.leave(first)
    await listening_to(service, [], None)


@pytest.mark.parametrize("limits", [limited(clients_of_an_address=2)], ids=["two of an address"])
async def test_one_address_does_not_have_all_slots(service: EventService) -> None:
    first, _ = (
        await listening_to(service, [], None, "a"),
        await listening_to(service, [], None, "a"),
    )
    with pytest.raises(TooManyListenersError) as refused:
        await listening_to(service, [], None, "a")
    assert refused.value.code == "too_many_listeners"
    await listening_to(service, [], None, "b")
    service.leave(first)
    service.leave(first)
    await listening_to(service, [], None, "a")
    with pytest.raises(TooManyListenersError):
        await listening_to(service, [], None, "a")


async def test_a_broken_stream_goes_on_where_it_was_left(
    feed: Feed, service: EventService, caplog: pytest.LogCaptureFixture
) -> None:
    # Commands that ran in this process before may have raised the level.
    caplog.set_level("DEBUG")
    listener = await listening_to(service, [], None)
    election = away("an election")
    election.__cause__ = AutoReconnect("an election")
    for news in ([change(1)], election, [change(2)]):
        feed.news.put_nowait(news)
    changes: list[Change] = []
    reset: str | None = None
    while len(changes) < 2 and reset is None:
        delivery = await heard(listener)
        reset = delivery.reset
        changes += delivery.changes
    assert reset is None
    assert changes == [change(1), change(2)]
    assert feed.opened == [None, "1"]
    assert "AutoReconnect: an election" in caplog.text


async def test_a_lost_history_is_a_reset_which_comes_behind_the_new_beginning(
    feed: Feed, service: EventService
) -> None:
    listener = await listening_to(service, ["other"], None)
    feed.news.put_nowait(ChangesLostError())
    feed.refusal = away("still away")
    await eventually(lambda: len(feed.opened) > 2, "it does not try again")
    assert listener.reset_reason is None
    feed.refusal = None
    assert (await heard(listener)).reset == "lost"
    assert feed.opened[-1] is None


async def test_who_comes_first_hears_that_the_database_does_not_answer(
    feed: Feed, service: EventService
) -> None:
    feed.refusal = away("away")
    with pytest.raises(StorageError):
        await listening_to(service, [], None)
    assert service.listeners == 0
    feed.refusal = None
    await listening_to(service, [], None)


@pytest.mark.parametrize("failure", [ChangesLostError(), away("away"), TimeoutError()])
async def test_what_cannot_be_made_up_for_is_a_reset(
    feed: Feed, service: EventService, failure: Exception
) -> None:
    feed.missed = failure
    assert (await heard(await listening_to(service, [], "old"))).reset == "lost"


async def test_what_was_missed_comes_before_what_is_new(feed: Feed, service: EventService) -> None:
    feed.missed = [change(7), change(8, project="other")]
    listener = await listening_to(service, ["p"], "old")
    assert (await heard(listener)).changes == [change(7)]


async def test_a_stop_ends_every_stream_at_once_and_begins_none(service: EventService) -> None:
    listeners = [await listening_to(service, [], None) for _ in range(3)]
    waiting = [asyncio.create_task(listener.next(60)) for listener in listeners]
    await asyncio.sleep(0)
    service.end_all()
    async with asyncio.timeout(GENEROUS):
        assert await asyncio.gather(*waiting) == [None] * 3
    with pytest.raises(StoppingError):
        await listening_to(service, [], None)
    await service.stop()
    assert not service.watching
