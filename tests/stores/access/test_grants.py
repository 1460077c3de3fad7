"""Roles of accounts and groups in projects."""

import asyncio

import pytest

from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.access.account import Grant
from benchmark_manager.models.page import PageRequest
from benchmark_manager.stores.access.grants import GrantStore
from benchmark_manager.stores.database.database import Database
from support.access import a_grant, a_group_grant, an_account, an_id

KIM = an_account("kim")


async def test_a_grant_replaces_an_earlier_one_and_returns_its_role(database: Database) -> None:
    store, project = GrantStore(database), an_id()
    assert await store.put(a_grant(project, KIM, "reader")) is None
    assert await store.put(a_grant(project, KIM, "maintainer")) == "reader"
    found = await store.page(project, PageRequest())
    assert found.rows == (a_grant(project, KIM, "maintainer"),)


async def test_two_grants_at_once_leave_one(database: Database) -> None:
    store, project = GrantStore(database), an_id()
    grants = [a_grant(project, KIM, role) for role in ("reader", "editor")]
    await asyncio.gather(*map(store.put, grants), return_exceptions=True)
    assert (await store.page(project, PageRequest())).total == 1


async def test_a_list_has_accounts_and_then_groups_by_name(database: Database) -> None:
    store, project = GrantStore(database), an_id()
    grants = [
        a_group_grant(project, "ops"),
        a_group_grant(project, "acme/infra: a"),
        a_grant(project, KIM),
    ]
    for grant in [*grants, a_group_grant(an_id(), "other")]:
        await store.put(grant)
    first = await store.page(project, PageRequest(2))
    rest = await store.page(project, PageRequest(2, first.next_cursor))
    assert first.rows + rest.rows == tuple(reversed(grants))


async def test_a_deleted_grant_is_returned(database: Database) -> None:
    store, grant = GrantStore(database), a_group_grant(an_id(), "ops", "editor")
    await store.put(grant)
    assert await store.delete(grant.project_id, "group", "ops") == grant
    assert (await store.page(grant.project_id, PageRequest())).rows == ()


@pytest.mark.parametrize("key", ["ops", "", "Ops", "dev", "group:ops"])
async def test_a_grant_that_does_not_exist_is_not_found(database: Database, key: str) -> None:
    store, project = GrantStore(database), an_id()
    await store.put(a_group_grant(an_id(), "ops"))
    with pytest.raises(NotFoundError) as refused:
        await store.delete(project, "group", key)
    assert refused.value.code == "grant_not_found"


async def test_a_group_that_is_called_like_an_account_has_no_grant_of_it(
    database: Database,
) -> None:
    store, project = GrantStore(database), an_id()
    await store.put(a_grant(project, KIM))
    with pytest.raises(NotFoundError):
        await store.delete(project, "group", KIM.id)


async def test_the_grants_of_an_account_itself_are_listed(database: Database) -> None:
    store, grant = GrantStore(database), a_grant(an_id(), KIM)
    await store.put(grant)
    await store.put(a_group_grant(grant.project_id, "ops"))
    assert await store.of_account(KIM.id) == [grant]


async def test_the_grants_of_a_deleted_project_are_deleted(database: Database) -> None:
    store, deleted, kept = GrantStore(database), an_id(), an_id()
    for project in (deleted, kept):
        await store.put(a_grant(project, KIM))
    await store.delete_of_project(deleted)
    assert [grant.project_id for grant in await store.of_account(KIM.id)] == [kept]


async def test_a_role_of_a_newer_version_allows_to_read(database: Database) -> None:
    store, project = GrantStore(database), an_id()
    await store.put(a_group_grant(project, "ops", "admin"))
    await database.collection("grants").update_one({}, {"$set": {"role": "owner"}})
    assert (await store.page(project, PageRequest())).rows == (
        Grant(project_id=project, kind="group", id="ops", role="reader"),
    )
