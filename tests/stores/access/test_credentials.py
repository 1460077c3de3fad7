"""Sessions and API tokens: found with the account and its grants, used, listed and ended."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from benchmark_manager.domain.access.api_tokens import new_api_token, parse_api_token
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.access.account import Account
from benchmark_manager.models.access.credentials import ApiToken
from benchmark_manager.models.page import PageRequest
from benchmark_manager.stores.access.accounts import AccountStore
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.grants import GrantStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.database.database import Database
from support.access import NOW, a_group_grant, a_session, a_token, an_account, an_id
from support.database_commands import noted_commands

MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
NOON: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)


async def an_owner(database: Database, name: str = "kim") -> Account:
    account = an_account(name, kind="oidc", subject=name, groups=("ops",))
    await AccountStore(database).insert(account)
    return account


async def a_stored_token(database: Database, account: Account) -> tuple[ApiToken, str]:
    token = a_token(account, projects=frozenset({an_id(), an_id()}))
    text = new_api_token(token.id, bytes(32))
    presented = parse_api_token(text)
    assert presented is not None
    await ApiTokenStore(database).insert(token, presented.hash)
    return token, text


async def test_a_session_is_found_with_its_account_and_grants_in_one_command(
    database: Database,
) -> None:
    account, store, project = await an_owner(database), SessionStore(database), an_id()
    session = a_session(account)
    await store.insert(session, "hash")
    await GrantStore(database).put(a_group_grant(project, "ops", "editor"))
    with noted_commands() as commands:
        found = await store.find("hash")
    assert found is not None
    assert (found[0], found[1].account, found[1].roles) == (session, account, {project: "editor"})
    assert commands == ["aggregate"]


async def test_a_token_is_found_with_its_account_and_grants(database: Database) -> None:
    account, project = await an_owner(database), an_id()
    token, text = await a_stored_token(database, account)
    await GrantStore(database).put(a_group_grant(project, "ops", "editor"))
    presented = parse_api_token(text)
    assert presented is not None
    found = await ApiTokenStore(database).find(presented)
    assert found is not None
    assert (found[0], found[1].account, found[1].roles) == (token, account, {project: "editor"})


async def test_the_id_of_a_token_does_not_suffice(database: Database) -> None:
    token, _ = await a_stored_token(database, await an_owner(database))
    forged = parse_api_token(new_api_token(token.id, b"\1" * 32))
    assert forged is not None
    assert await ApiTokenStore(database).find(forged) is None


async def test_what_is_of_a_deleted_account_is_not_found(database: Database) -> None:
    account = an_account("gone")
    await SessionStore(database).insert(a_session(account), "hash")
    _, text = await a_stored_token(database, account)
    presented = parse_api_token(text)
    assert presented is not None
    assert await SessionStore(database).find("hash") is None
    assert await ApiTokenStore(database).find(presented) is None


async def test_a_disabled_account_is_found_as_such(database: Database) -> None:
    account = an_account("kim", disabled=True)
    await AccountStore(database).insert(account)
    await SessionStore(database).insert(a_session(account), "hash")
    found = await SessionStore(database).find("hash")
    assert found is not None
    assert found[1].account.disabled


@pytest.mark.parametrize("secret_hash", ["", "other", "HASH"])
async def test_another_hash_finds_no_session(database: Database, secret_hash: str) -> None:
    await SessionStore(database).insert(a_session(await an_owner(database)), "hash")
    assert await SessionStore(database).find(secret_hash) is None


@pytest.mark.parametrize(
    ("after", "seen"), [(MINUTE, NOW + MINUTE), (MINUTE / 2, NOW), (-HOUR, NOW)]
)
async def test_a_use_of_a_session_is_recorded_to_the_minute(
    database: Database, after: timedelta, seen: datetime
) -> None:
    account, store = await an_owner(database), SessionStore(database)
    session = a_session(account)
    await store.insert(session, "hash")
    await store.touch(session.id, NOW + after)
    assert (await store.page(account.id, PageRequest())).rows[0].last_seen_at == seen


async def test_sessions_are_listed_by_account_newest_first(database: Database) -> None:
    account, other = await an_owner(database), await an_owner(database, "lee")
    store = SessionStore(database)
    sessions = [a_session(account, age=HOUR * hours) for hours in (2, 0, 1)]
    for number, session in enumerate([*sessions, a_session(other)]):
        await store.insert(session, str(number))
    first = await store.page(account.id, PageRequest(2))
    rest = await store.page(account.id, PageRequest(2, first.next_cursor))
    assert first.rows + rest.rows == (sessions[1], sessions[2], sessions[0])
    assert first.total == 3


async def test_a_session_is_ended(database: Database) -> None:
    account, store = await an_owner(database), SessionStore(database)
    session = a_session(account)
    await store.insert(session, "hash")
    await store.delete(account.id, session.id)
    assert await store.find("hash") is None


async def test_nobody_ends_another_s_session(database: Database) -> None:
    account, store = await an_owner(database), SessionStore(database)
    session = a_session(account)
    await store.insert(session, "hash")
    with pytest.raises(NotFoundError) as refused:
        await store.delete(an_id(), session.id)
    assert refused.value.code == "session_not_found"
    assert await store.find("hash") is not None


@pytest.mark.parametrize(("keeps", "left"), [(False, 0), (True, 1)], ids=["all", "but one"])
async def test_all_sessions_of_an_account_are_ended(
    database: Database, keeps: bool, left: int
) -> None:
    account, store = await an_owner(database), SessionStore(database)
    sessions = [a_session(account) for _ in range(3)]
    for number, session in enumerate(sessions):
        await store.insert(session, str(number))
    but = sessions[0].id if keeps else None
    assert await store.delete_of_account(account.id, but=but) == 3 - left
    assert (await store.page(account.id, PageRequest())).total == left


async def test_sessions_that_have_ended_are_swept(database: Database) -> None:
    account, store = await an_owner(database), SessionStore(database)
    ages = {"fresh": HOUR, "idle": 12 * HOUR, "old": 7 * DAY}
    for name, age in ages.items():
        await store.insert(a_session(account, age=age), name)
    assert await store.purge(NOW, idle=12 * HOUR) >= 1
    found = {name for name in ages if await store.find(name) is not None}
    assert found == {"fresh"}


@pytest.mark.parametrize(
    ("uses", "first_of_day"),
    [
        ([NOON], True),
        ([NOON, NOON + MINUTE], False),
        ([NOON, NOON + MINUTE / 2], False),
        ([NOON, NOON + DAY], True),
        ([NOON, NOON - DAY], False),
    ],
    ids=["first", "later", "at once", "next day", "by a slow clock"],
)
async def test_the_first_use_of_a_token_in_a_day_is_reported(
    database: Database, uses: list[datetime], first_of_day: bool
) -> None:
    store = ApiTokenStore(database)
    token, _ = await a_stored_token(database, await an_owner(database))
    reported = [await store.touch(token.id, use) for use in uses]
    assert reported[-1] is first_of_day


async def test_a_token_shows_its_last_use_to_the_minute(database: Database) -> None:
    store = ApiTokenStore(database)
    token, _ = await a_stored_token(database, await an_owner(database))
    await store.touch(token.id, NOW)
    await store.touch(token.id, NOW + MINUTE / 2)
    assert (await store.get(token.id)).last_used_at == NOW


async def test_a_use_of_a_revoked_token_is_not_recorded(database: Database) -> None:
    assert await ApiTokenStore(database).touch(an_id(), NOW) is False


async def test_tokens_are_listed_of_one_account_and_of_all(database: Database) -> None:
    store, owner, other = ApiTokenStore(database), an_account("kim"), an_account("lee")
    tokens = [a_token(owner, age=DAY), a_token(owner), a_token(other, age=2 * DAY)]
    for number, token in enumerate(tokens):
        await store.insert(token, str(number))
    own = await store.page(PageRequest(), owner.id)
    assert own.rows == (tokens[1], tokens[0])
    assert (await store.page(PageRequest())).rows == (tokens[1], tokens[0], tokens[2])


async def test_a_revoked_token_is_not_found(database: Database) -> None:
    store = ApiTokenStore(database)
    token, text = await a_stored_token(database, await an_owner(database))
    await store.delete(token.id)
    presented = parse_api_token(text)
    assert presented is not None
    assert await store.find(presented) is None


@pytest.mark.parametrize("token_id", ["", "x", "65f0c0ffee65f0c0ffee65f0"])
async def test_a_token_that_does_not_exist_cannot_be_revoked(
    database: Database, token_id: str
) -> None:
    with pytest.raises(NotFoundError) as refused:
        await ApiTokenStore(database).delete(token_id)
    assert refused.value.code == "token_not_found"


async def test_all_tokens_of_an_account_are_ended(database: Database) -> None:
    store, owner, other = ApiTokenStore(database), an_account("kim"), an_account("lee")
    for number, account in enumerate((owner, owner, other)):
        await store.insert(a_token(account), str(number))
    assert await store.delete_of_account(owner.id) == 2
    assert (await store.page(PageRequest())).total == 1


async def test_tokens_are_shown_for_a_month_after_they_expired(database: Database) -> None:
    store, owner = ApiTokenStore(database), an_account("kim")
    ages = [119 * DAY, 120 * DAY]
    for number, age in enumerate(ages):
        await store.insert(a_token(owner, age=age), str(number))
    assert await store.purge(NOW) == 1
    assert (await store.page(PageRequest())).total == 1


async def test_neither_secrets_nor_tokens_are_stored(database: Database) -> None:
    owner = await an_owner(database)
    _, text = await a_stored_token(database, owner)
    rows = [row async for row in database.collection("api_tokens").find({})]
    assert text[28:] not in str(rows)
