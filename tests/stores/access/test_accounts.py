"""Accounts, their grants and passwords, and the last administrator."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr
from pymongo import monitoring

from benchmark_manager.errors import BenchmarkManagerError, ConflictError, NotFoundError, StaleError
from benchmark_manager.models.access.account import Account, LocalCredentials
from benchmark_manager.models.page import PageRequest
from benchmark_manager.stores.access.accounts import AccountStore
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.grants import GrantStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.database.database import Database, Session
from support.access import (
    ISSUER,
    a_grant,
    a_group_grant,
    a_session,
    a_token,
    an_account,
    an_id,
)
from support.further_clients import further_client
from support.reused_database import lent

HASH = SecretStr("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA")


class Replies(monitoring.CommandListener):
    """What the database answers to reads."""

    def __init__(self) -> None:
        self.reads: list[Any] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Nothing is recorded before the answer."""

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        if event.command_name in {"find", "aggregate", "findAndModify"}:
            self.reads.append(event.reply)

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """A test shows it."""


async def stored(database: Database, *accounts: Account) -> AccountStore:
    store = AccountStore(database)
    for account in accounts:
        await store.insert(account, HASH if account.kind == "local" else None)
    return store


async def code_of_insert(store: AccountStore, account: Account) -> str | None:
    try:
        await store.insert(account)
    except ConflictError as error:
        return error.code
    return None


@pytest.mark.parametrize(
    "account",
    [
        an_account("Kim Min-jun", "admin"),
        an_account("none", None, disabled=True),
        an_account("Ann", "editor", kind="oidc", subject="7", groups=("dev", "ops")),
    ],
    ids=["local", "without a role", "oidc"],
)
async def test_an_account_comes_back_as_it_was(database: Database, account: Account) -> None:
    store = await stored(database, account)
    assert await store.get(account.id) == account


@pytest.mark.parametrize("account_id", ["", "x", "65f0c0ffee65f0c0ffee65f0", "\0", "a" * 1000])
async def test_what_does_not_exist_is_not_found(database: Database, account_id: str) -> None:
    with pytest.raises(NotFoundError) as refused:
        await AccountStore(database).get(account_id)
    assert refused.value.code == "account_not_found"


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (an_account("KIM"), "account_name_taken"),
        (an_account("\uff4bim"), "account_name_taken"),
        (an_account("kimm"), None),
        (an_account("kim", kind="oidc", subject="1"), None),
        (an_account("kim", kind="oidc", subject="7"), "account_name_taken"),
        (an_account("kim", kind="github", subject="7"), None),
    ],
    ids=["case", "full width", "another", "of an issuer", "same subject", "another kind"],
)
async def test_only_local_names_and_subjects_of_issuers_are_unique(
    database: Database, account: Account, code: str | None
) -> None:
    store = await stored(database, an_account("kim"), an_account("x", kind="oidc", subject="7"))
    assert await code_of_insert(store, account) == code


async def test_an_account_of_an_issuer_is_found_by_its_subject_with_its_grants(
    database: Database,
) -> None:
    account = an_account("Ann", kind="oidc", subject="7", groups=("dev", "ops"))
    store = await stored(database, account, an_account("x", kind="oidc", subject="8"))
    grants, one, two, other = GrantStore(database), an_id(), an_id(), an_id()
    await grants.put(a_grant(one, account, "reader"))
    await grants.put(a_group_grant(one, "ops", "maintainer"))
    await grants.put(a_group_grant(two, "dev", "editor"))
    await grants.put(a_group_grant(other, "qa", "admin"))
    found = await store.of_identity("oidc", ISSUER, "7")
    assert found is not None
    assert (found.account, found.roles) == (account, {one: "maintainer", two: "editor"})


@pytest.mark.parametrize(
    ("issuer", "subject"), [(ISSUER, "70"), (f"{ISSUER}/", "7"), (ISSUER, ""), ("", "7")]
)
async def test_no_other_subject_finds_it(database: Database, issuer: str, subject: str) -> None:
    store = await stored(database, an_account("Ann", kind="oidc", subject="7"))
    assert await store.of_identity("oidc", issuer, subject) is None


async def test_an_account_without_grants_has_no_roles(database: Database) -> None:
    account = an_account()
    store = await stored(database, account)
    assert (await store.with_grants(account.id)).roles == {}


async def test_grants_of_an_unknown_account_are_not_found(database: Database) -> None:
    with pytest.raises(NotFoundError):
        await AccountStore(database).with_grants(an_id())


@pytest.mark.parametrize("name", ["kim", "KIM", "\uff4bim"])
async def test_a_local_account_is_found_by_its_name_with_its_hash(
    database: Database, name: str
) -> None:
    account = an_account("kim")
    store = await stored(database, account)
    assert await store.credentials(name) == LocalCredentials(account=account, password_hash=HASH)


@pytest.mark.parametrize("name", ["nobody", "Ann", "", "{'$ne': 1}"])
async def test_who_has_no_password_has_no_credentials(database: Database, name: str) -> None:
    store = await stored(database, an_account("kim"), an_account("Ann", kind="oidc", subject="7"))
    assert await store.credentials(name) is None


async def test_a_hash_is_not_shown(database: Database) -> None:
    store = await stored(database, an_account("kim"))
    assert HASH.get_secret_value() not in repr(await store.credentials("kim"))


async def test_no_other_read_gets_a_hash_from_the_database(url: str) -> None:
    replies = Replies()
    async with further_client(url, listeners=[replies]) as database:
        account, admin = an_account("kim"), an_account("root", "admin")
        store = await stored(database, account, admin)
        sessions = SessionStore(database)
        await sessions.insert(a_session(account), "hash of a secret")
        replies.reads.clear()
        await store.get(account.id)
        await store.with_grants(account.id)
        await sessions.find("hash of a secret")
        await store.has_administrator()

        async def check(session: Session) -> None:
            await store.expect_other_administrator(account.id, session)

        await database.transaction(check)
    assert len(replies.reads) == 5
    assert "argon2id" not in str(replies.reads)


async def test_a_new_password_replaces_the_old_one(database: Database) -> None:
    account = an_account("kim")
    store = await stored(database, account)
    await store.set_password(account, SecretStr("new"))
    found = await store.credentials("kim")
    assert found is not None
    assert found.password_hash.get_secret_value() == "new"


@pytest.mark.parametrize(
    ("account", "code"),
    [
        (an_account("Ann", kind="oidc", subject="7"), "account_not_local"),
        (an_account("kim"), "account_not_found"),
    ],
    ids=["of an issuer", "deleted"],
)
async def test_a_password_is_refused(database: Database, account: Account, code: str) -> None:
    with pytest.raises(BenchmarkManagerError) as refused:
        await AccountStore(database).set_password(account, HASH)
    assert refused.value.code == code


async def test_a_change_keeps_the_password_and_finds_the_account_by_its_new_name(
    database: Database,
) -> None:
    account = an_account("kim")
    store = await stored(database, account)
    changed = account.model_copy(update={"name": "lee", "role": "editor", "revision": 2})
    await store.change(changed)
    assert await store.credentials("lee") == LocalCredentials(account=changed, password_hash=HASH)
    assert await store.credentials("kim") is None


async def test_a_change_of_groups_changes_the_grants(database: Database) -> None:
    account, project = an_account("Ann", kind="oidc", subject="7", groups=("dev",)), an_id()
    store = await stored(database, account)
    await GrantStore(database).put(a_group_grant(project, "ops", "editor"))
    await store.change(account.model_copy(update={"groups": ("ops",), "revision": 2}))
    assert (await store.with_grants(account.id)).roles == {project: "editor"}


async def test_a_change_of_an_older_revision_is_refused(database: Database) -> None:
    account = an_account("kim")
    store = await stored(database, account)
    await store.change(account.model_copy(update={"role": "editor", "revision": 2}))
    with pytest.raises(StaleError) as refused:
        await store.change(account.model_copy(update={"role": "admin", "revision": 2}))
    assert refused.value.current_revision == 2


async def test_a_change_of_a_deleted_account_is_refused(database: Database) -> None:
    with pytest.raises(NotFoundError):
        await AccountStore(database).change(an_account().model_copy(update={"revision": 2}))


async def test_a_name_of_another_account_is_refused(database: Database) -> None:
    account = an_account("kim")
    store = await stored(database, account, an_account("lee"))
    with pytest.raises(ConflictError) as refused:
        await store.change(account.model_copy(update={"name": "LEE", "revision": 2}))
    assert refused.value.code == "account_name_taken"


async def test_a_deleted_account_leaves_nothing_behind(database: Database) -> None:
    account, other, project = an_account("kim"), an_account("lee"), an_id()
    store = await stored(database, account, other)
    for each in (account, other):
        await SessionStore(database).insert(a_session(each), f"of {each.name}")
        await ApiTokenStore(database).insert(a_token(each), f"of {each.name}")
        await GrantStore(database).put(a_grant(project, each))

    async def delete(session: Session) -> None:
        await store.delete(account.id, session)

    await database.transaction(delete)
    left = {
        name: [row async for row in database.collection(name).find({}, {"account_id": 1})]
        for name in ("accounts", "sessions", "api_tokens", "grants")
    }
    assert {name: len(rows) for name, rows in left.items()} == dict.fromkeys(left, 1)
    assert await SessionStore(database).find("of kim") is None
    assert await GrantStore(database).of_account(account.id) == []


async def test_a_deletion_that_is_rolled_back_leaves_everything(database: Database) -> None:
    account = an_account("kim")
    store = await stored(database, account)
    await SessionStore(database).insert(a_session(account), "secret")

    async def delete(session: Session) -> None:
        await store.delete(account.id, session)
        raise ConflictError("last_administrator")

    with pytest.raises(ConflictError):
        await database.transaction(delete)
    assert await store.get(account.id) == account
    assert await SessionStore(database).find("secret") is not None


async def test_what_is_deleted_already_is_not_found(database: Database) -> None:
    async def delete(session: Session) -> None:
        await AccountStore(database).delete(an_id(), session)

    with pytest.raises(NotFoundError):
        await database.transaction(delete)


@pytest.mark.parametrize(
    ("accounts", "has"),
    [
        ([], False),
        ([an_account("kim", "maintainer")], False),
        ([an_account("kim", "admin", disabled=True)], False),
        ([an_account("kim", "admin")], True),
        ([an_account("Ann", "admin", kind="oidc", subject="7")], True),
    ],
    ids=["none", "maintainer", "disabled", "local", "oidc"],
)
async def test_an_administrator_is_one_who_may_act(
    database: Database, accounts: list[Account], has: bool
) -> None:
    assert await (await stored(database, *accounts)).has_administrator() is has


async def demoted(database: Database, account: Account) -> str:
    """Take an administrator's role away; return the code of the refusal, or "done"."""
    store = AccountStore(database)

    async def work(session: Session) -> None:
        current = await store.get(account.id, session)
        await store.expect_other_administrator(account.id, session)
        update = {"role": "reader", "revision": current.revision + 1}
        await store.change(current.model_copy(update=update), session)

    try:
        await database.transaction(work)
    except ConflictError as error:
        return error.code
    return "done"


@pytest.mark.parametrize(
    ("other", "outcome"),
    [
        (an_account("lee", "maintainer"), "last_administrator"),
        (an_account("lee", "admin", disabled=True), "last_administrator"),
        (an_account("lee", "admin"), "done"),
    ],
    ids=["no other", "disabled", "another"],
)
async def test_the_last_administrator_stays(
    database: Database, other: Account, outcome: str
) -> None:
    admin = an_account("kim", "admin")
    await stored(database, admin, other)
    assert await demoted(database, admin) == outcome


async def test_of_two_administrators_who_leave_at_once_one_stays(database: Database) -> None:
    admins = [an_account(name, "admin") for name in ("kim", "lee")]
    store = await stored(database, *admins)
    outcomes = await asyncio.gather(*(demoted(database, admin) for admin in admins))
    assert sorted(outcomes) == ["done", "last_administrator"]
    assert await store.has_administrator()


async def test_a_list_is_by_name_and_comes_in_pages(database: Database) -> None:
    store = await stored(
        database, *(an_account(name) for name in ("lee", "Kim", "ann", "\uff42ob"))
    )
    first = await store.page(PageRequest(3))
    rest = await store.page(PageRequest(3, first.next_cursor))
    assert [each.name for each in first.rows + rest.rows] == ["ann", "\uff42ob", "Kim", "lee"]
    assert (first.total, rest.next_cursor) == (4, None)


@pytest.mark.parametrize(
    ("query", "names"), [("I", ["kim", "mina"]), (".*", []), ("", ["kim", "lee", "mina"])]
)
async def test_a_list_is_searched_by_name(database: Database, query: str, names: list[str]) -> None:
    store = await stored(database, *map(an_account, ("kim", "lee", "mina")))
    found = await store.page(PageRequest(), query)
    assert [each.name for each in found.rows] == names


async def test_names_of_ids_are_found_and_others_left_out(database: Database) -> None:
    account = an_account("kim")
    store = await stored(database, account)
    assert await store.names([account.id, an_id(), "poll", ""]) == {account.id: "kim"}


async def test_groups_are_those_of_accounts_and_of_grants(database: Database) -> None:
    store = await stored(
        database,
        an_account("Ann", kind="oidc", subject="7", groups=("dev", "ops")),
        an_account("Bob", kind="oidc", subject="8", groups=("dev",)),
    )
    await GrantStore(database).put(a_group_grant(an_id(), "acme/qa"))
    assert await store.groups() == ["acme/qa", "dev", "ops"]


async def test_a_role_of_a_newer_version_allows_nothing(database: Database) -> None:
    account = an_account("kim", "editor")
    store = await stored(database, account)
    await database.collection("accounts").update_one({}, {"$set": {"role": "owner", "new": 1}})
    assert (await store.get(account.id)).role is None


async def test_who_counts_on_an_account_learns_that_it_was_disabled_meanwhile(
    database_url: str,
) -> None:
    account = an_account()
    async with lent(database_url) as database:
        assert database is not None
        accounts = await stored(database, account)
        disabled = account.model_copy(update={"disabled": True, "revision": 2})
        found: list[bool] = []

        async def work(session: Session) -> None:
            found.append((await accounts.get(account.id, session)).disabled)
            if len(found) == 1:
                await accounts.change(disabled)
            found.append((await accounts.count_on(account.id, session)).disabled)

        await database.transaction(work)
        assert found == [False, True, True]


async def test_nobody_counts_on_an_account_that_is_gone(database: Database) -> None:
    accounts = AccountStore(database)
    with pytest.raises(NotFoundError):
        await database.transaction(lambda session: accounts.count_on(an_id(), session))
