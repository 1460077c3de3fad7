"""A listener hears of what it may read, as long as it may."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from benchmark_manager.errors import TooManyListenersError, UnauthenticatedError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.change import Change
from benchmark_manager.services.events.events import EventLimits, EventService
from benchmark_manager.services.events.rights import Rights
from support.principals import account, admin, open_principal, reader_of, stranger


def change(project: str | None) -> Change:
    return Change(noun="modified_file", project_id=project, id="1", what="changed")


@dataclass
class Identity:
    """Stands in for the identities, which change their minds."""

    principal: Principal | None
    asked: int = 0
    refuses: bool = False

    async def __call__(self) -> Principal | None:
        self.asked += 1
        if self.refuses:
            raise UnauthenticatedError
        return self.principal


class SilentFeed:
    """A database in which nothing happens."""

    async def follow(self, _: str | None) -> AsyncIterator[tuple[list[Change], str]]:
        yield [], "0"


@pytest.fixture
def limits() -> EventLimits:
    return EventLimits(rights=0)


@pytest.fixture
async def service(limits: EventLimits) -> AsyncIterator[EventService]:
    silence: Any = SilentFeed()
    service = EventService(silence, limits)
    yield service
    await service.stop()


async def heard_by(
    service: EventService, principal: Principal, *changes: Change
) -> list[str | None]:
    """Return the projects of those changes that a listener to all hears of."""
    listener = await service.listen(principal, [], None, identify=Identity(principal))
    listener.offer(changes)
    delivery = await listener.next(0)
    assert delivery is not None
    return [one.project_id for one in delivery.changes]


async def test_nothing_is_heard_of_what_may_not_be_read(service: EventService) -> None:
    changes = change("mine"), change("another's"), change(None)
    assert await heard_by(service, reader_of("mine"), *changes) == ["mine"]


async def test_who_reads_all_hears_all(service: EventService) -> None:
    changes = change("one"), change("other"), change(None)
    assert await heard_by(service, account(role="reader"), *changes) == ["one", "other", None]


async def test_who_may_read_nothing_hears_nothing(service: EventService) -> None:
    assert await heard_by(service, stranger(), change("one"), change(None)) == []


async def test_a_project_that_may_not_be_read_is_silent_as_an_unknown_one(
    service: EventService,
) -> None:
    principal = reader_of("mine")
    listener = await service.listen(principal, ["other"], None, identify=Identity(principal))
    listener.offer([change("other"), change("mine")])
    delivery = await listener.next(0)
    assert delivery is not None
    assert delivery.changes == []


async def test_what_waits_is_not_heard_once_the_right_has_ended(service: EventService) -> None:
    identity = Identity(reader_of("mine", "other"))
    listener = await service.listen(reader_of("mine", "other"), [], None, identify=identity)
    listener.offer([change("mine"), change("other")])
    identity.principal = reader_of("other")
    delivery = await listener.next(0)
    assert delivery is not None
    assert delivery.changes == [change("other")]


async def test_a_new_right_is_heard_of(service: EventService) -> None:
    identity = Identity(reader_of("mine", "new"))
    listener = await service.listen(reader_of("mine"), [], None, identify=identity)
    await listener.next(0)
    listener.offer([change("new")])
    delivery = await listener.next(0)
    assert delivery is not None
    assert delivery.changes == [change("new")]


@pytest.mark.parametrize(
    "identity",
    [Identity(None), Identity(admin(), refuses=True), Identity(stranger())],
    ids=["signed out", "revoked", "without a role"],
)
async def test_a_listener_ends_with_its_right(service: EventService, identity: Identity) -> None:
    listener = await service.listen(reader_of("mine"), ["mine"], None, identify=identity)
    listener.offer([change("mine")])
    assert await listener.next(0) is None
    assert listener.ended.is_set()


async def test_a_silent_listener_ends_with_its_right_too(service: EventService) -> None:
    listener = await service.listen(reader_of("mine"), [], None, identify=Identity(None))
    assert await listener.next(3600) is None


async def test_who_it_is_is_asked_again_only_when_the_answer_is_old() -> None:
    identity, now = Identity(admin()), [0.0]
    rights = Rights(admin(), identity, every=5, clock=lambda: now[0])
    for now[0] in (1.0, 4.9, 5.0, 6.0, 9.9, 10.0):
        await rights.renew()
    assert identity.asked == 2


@pytest.mark.parametrize("limits", [EventLimits(clients_of_an_identity=1)], ids=["one each"])
async def test_one_identity_does_not_have_all_slots(service: EventService) -> None:
    for principal in (admin(), account("jo", "reader")):
        await service.listen(principal, [], None, "a", identify=Identity(principal))
    with pytest.raises(TooManyListenersError):
        await service.listen(admin(), [], None, "b", identify=Identity(admin()))


@pytest.mark.parametrize(
    "limits",
    [EventLimits(clients_of_an_identity=1, clients_of_an_address=2)],
    ids=["two of an address"],
)
async def test_where_all_are_served_addresses_are_counted(service: EventService) -> None:
    jo = open_principal("jo")
    for _ in range(2):
        await service.listen(jo, [], None, "a", identify=Identity(jo))
    await service.listen(jo, [], None, "b", identify=Identity(jo))
    with pytest.raises(TooManyListenersError):
        await service.listen(jo, [], None, "a", identify=Identity(jo))
