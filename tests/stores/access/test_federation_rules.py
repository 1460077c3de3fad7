"""Rules that accept signed tokens of other issuers."""

import pytest

from benchmark_manager.errors import ConflictError, NotFoundError, StaleError
from benchmark_manager.models.page import PageRequest
from benchmark_manager.stores.access.federation_rules import FederationRuleStore
from benchmark_manager.stores.database.database import Database
from support.access import a_rule, an_id


async def test_a_rule_comes_back_as_it_was(database: Database) -> None:
    store, rule = FederationRuleStore(database), a_rule()
    await store.insert(rule)
    assert await store.get(rule.id) == rule
    assert await store.of_issuer(rule.issuer) == [rule]


@pytest.mark.parametrize("issuer", ["", "https://example.com", a_rule().issuer + "/"])
async def test_another_issuer_has_no_rules(database: Database, issuer: str) -> None:
    store = FederationRuleStore(database)
    await store.insert(a_rule())
    assert await store.of_issuer(issuer) == []


async def test_no_two_rules_match_alike(database: Database) -> None:
    store = FederationRuleStore(database)
    await store.insert(a_rule("one"))
    with pytest.raises(ConflictError) as refused:
        await store.insert(a_rule("two"))
    assert refused.value.code == "federation_rule_taken"


async def test_a_change_is_stored(database: Database) -> None:
    store, rule = FederationRuleStore(database), a_rule()
    await store.insert(rule)
    changed = rule.model_copy(update={"name": "x", "project_ids": None, "revision": 2})
    await store.change(changed)
    assert await store.get(rule.id) == changed


async def test_a_change_of_an_older_revision_is_refused(database: Database) -> None:
    store, rule = FederationRuleStore(database), a_rule()
    await store.insert(rule)
    with pytest.raises(StaleError) as refused:
        await store.change(rule.model_copy(update={"revision": 3}))
    assert refused.value.current_revision == 1


async def test_a_change_into_another_rule_is_refused(database: Database) -> None:
    store, rule, other = FederationRuleStore(database), a_rule(), a_rule(subject="repo:acme/x:a")
    await store.insert(rule)
    await store.insert(other)
    with pytest.raises(ConflictError):
        await store.change(other.model_copy(update={"subject": rule.subject, "revision": 2}))


async def test_rules_are_listed_by_name(database: Database) -> None:
    store = FederationRuleStore(database)
    for name in ("b", "C", "a"):
        await store.insert(a_rule(name, f"repo:acme/{name}:x"))
    first = await store.page(PageRequest(2))
    rest = await store.page(PageRequest(2, first.next_cursor))
    assert [rule.name for rule in first.rows + rest.rows] == ["a", "b", "C"]


async def test_a_deleted_rule_is_gone(database: Database) -> None:
    store, rule = FederationRuleStore(database), a_rule()
    await store.insert(rule)
    await store.delete(rule.id)
    with pytest.raises(NotFoundError) as refused:
        await store.get(rule.id)
    assert refused.value.code == "federation_rule_not_found"


@pytest.mark.parametrize("rule_id", ["x", "65f0c0ffee65f0c0ffee65f0"])
async def test_what_does_not_exist_cannot_be_deleted(database: Database, rule_id: str) -> None:
    with pytest.raises(NotFoundError):
        await FederationRuleStore(database).delete(rule_id)


async def test_a_rule_that_does_not_exist_cannot_be_changed(database: Database) -> None:
    with pytest.raises(NotFoundError):
        await FederationRuleStore(database).change(
            a_rule().model_copy(update={"id": an_id(), "revision": 2})
        )
