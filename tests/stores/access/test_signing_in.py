"""Failed sign-ins, and links that make the first administrator."""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import pytest

from benchmark_manager.domain.access.random_secrets import new_secret, secret_hash
from benchmark_manager.errors import SignInError
from benchmark_manager.stores.access.setup_links import SetupLinkStore
from benchmark_manager.stores.access.sign_in_attempts import SignInAttemptStore
from benchmark_manager.stores.database.database import Database, Session
from support.access import NOW

HERE: Final = "198.51.100.7"
THERE: Final = "203.0.113.9"
SECOND: Final = timedelta(seconds=1)


async def tried(
    store: SignInAttemptStore,
    name: str = "kim",
    address: str = HERE,
    *,
    at: datetime = NOW,
) -> int:
    """Try to sign in; return the seconds to wait."""
    try:
        await store.begin(name, address, at)
    except SignInError as error:
        return int(str(error.facts["seconds"]))
    return 0


async def failed(database: Database, times: int) -> SignInAttemptStore:
    store = SignInAttemptStore(database)
    for _ in range(times):
        await tried(store)
    return store


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (4, 0), (5, 2)])
async def test_after_five_failures_a_further_try_has_to_wait(
    database: Database, failures: int, seconds: int
) -> None:
    assert await tried(await failed(database, failures)) == seconds


async def test_addresses_of_one_site_count_together(database: Database) -> None:
    store = SignInAttemptStore(database)
    waits = [await tried(store, address=f"2001:db8:1:2::{n}") for n in range(6)]
    assert waits == [0, 0, 0, 0, 0, 2]
    assert await tried(store, address="2001:db8:1:3::1") == 0


async def test_a_refusal_says_until_when(database: Database) -> None:
    store = await failed(database, 5)
    with pytest.raises(SignInError) as refused:
        await store.begin("kim", HERE, NOW)
    assert refused.value.code == "sign_in_paused"
    assert refused.value.facts == {"seconds": 2, "until": NOW + 2 * SECOND}


async def test_a_try_that_had_to_wait_is_not_counted(database: Database) -> None:
    store = await failed(database, 10)
    assert await tried(store, at=NOW + SECOND) == 1
    assert await tried(store, at=NOW + 2 * SECOND) == 0
    assert await tried(store, at=NOW + 3 * SECOND) == 3


@pytest.mark.parametrize(
    ("name", "address", "seconds"),
    [("KIM", HERE, 2), ("\uff4bim", HERE, 2), ("kim", THERE, 0), ("lee", HERE, 0)],
    ids=["case", "full width", "another address", "another account"],
)
async def test_failures_count_for_an_account_and_an_address(
    database: Database, name: str, address: str, seconds: int
) -> None:
    assert await tried(await failed(database, 5), name, address) == seconds


async def test_who_signed_in_may_fail_again(database: Database) -> None:
    store = await failed(database, 5)
    await store.forget("Kim", HERE)
    assert await tried(store) == 0


async def test_of_many_tries_at_once_five_are_let_through(database: Database) -> None:
    store = SignInAttemptStore(database)
    waits = await asyncio.gather(*(tried(store) for _ in range(8)))
    assert waits.count(0) == 5


async def test_after_twenty_failures_there_is_a_pause(database: Database) -> None:
    store, now, failures = SignInAttemptStore(database), NOW, 0
    while failures < 20:
        wait = await tried(store, at=now)
        failures += wait == 0
        now += wait * SECOND
    assert await tried(store, at=now) == 900


async def test_what_was_entered_is_not_stored(database: Database) -> None:
    await tried(SignInAttemptStore(database), "my password by mistake \ud800")
    rows = [row async for row in database.collection("sign_in_attempts").find({})]
    assert len(rows) == 1
    assert "password" not in str(rows)


@pytest.mark.parametrize(("minutes", "count"), [(59, 0), (60, 1)])
async def test_old_failures_are_swept(database: Database, minutes: int, count: int) -> None:
    store = await failed(database, 1)
    assert await store.purge(NOW + timedelta(minutes=minutes)) == count


def a_link(number: int) -> str:
    found = secret_hash(new_secret(lambda count: bytes([number]) * count))
    assert found is not None
    return found


async def redeemed(database: Database, link: str, now: datetime = NOW) -> str:
    store = SetupLinkStore(database)

    async def work(session: Session) -> None:
        await store.redeem(link, now, session)

    try:
        await database.transaction(work)
    except SignInError as error:
        return error.code
    return "done"


async def linked(database: Database) -> None:
    for number in (1, 2):
        await SetupLinkStore(database).insert(a_link(number), NOW)


@pytest.mark.parametrize(
    ("number", "outcome"), [(1, "done"), (2, "done"), (3, "setup_link_refused")]
)
async def test_a_link_of_any_replica_is_good(database: Database, number: int, outcome: str) -> None:
    await linked(database)
    assert await redeemed(database, a_link(number)) == outcome


@pytest.mark.parametrize("number", [1, 2])
async def test_a_used_link_ends_all(database: Database, number: int) -> None:
    await linked(database)
    await redeemed(database, a_link(1))
    assert await redeemed(database, a_link(number)) == "setup_link_refused"


async def test_of_two_links_that_are_used_at_once_one_is_good(database: Database) -> None:
    await linked(database)
    outcomes = await asyncio.gather(*(redeemed(database, a_link(number)) for number in (1, 2)))
    assert sorted(outcomes) == ["done", "setup_link_refused"]


async def test_an_old_link_is_refused(database: Database) -> None:
    await linked(database)
    later = NOW + timedelta(days=30)
    assert await redeemed(database, a_link(1), later) == "setup_link_refused"


async def test_old_links_are_swept(database: Database) -> None:
    await linked(database)
    assert await SetupLinkStore(database).purge(NOW + timedelta(days=30)) == 2
