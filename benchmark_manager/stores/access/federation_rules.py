"""Rules that accept signed tokens of other issuers."""

from functools import partial
from typing import Any, Final

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.errors import ConflictError, NotFoundError, StaleError
from benchmark_manager.models.access.credentials import FederationRule
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.stores.access.documents import known_role
from benchmark_manager.stores.database.database import Database, Document, Session, object_id
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store

_NOUN: Final = "federation rule"
_BY_NAME: Final = Order("name_key")
_FIXED: Final = frozenset({"_id", "created_at"})


class FederationRuleStore(Store):
    """The `federation_rules` collection; no two rules match the same tokens in the same way."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._rules = database.collection("federation_rules")

    async def insert(self, rule: FederationRule, session: Session | None = None) -> None:
        """Add a rule.

        Raises:
            ConflictError: `federation_rule_taken`.
        """
        try:
            await self._rules.insert_one(_document(rule), session=session)
        except DuplicateKeyError:
            raise ConflictError("federation_rule_taken") from None

    async def get(self, rule_id: str, session: Session | None = None) -> FederationRule:
        """Return a rule.

        Raises:
            NotFoundError
        """
        row = await self._rules.find_one({"_id": object_id(rule_id, _NOUN)}, session=session)
        if row is None:
            raise NotFoundError(_NOUN, rule_id)
        return _rule(row)

    async def of_issuer(self, issuer: str) -> list[FederationRule]:
        """Return all rules of an issuer; without any, nothing of it is trusted."""
        return [_rule(row) async for row in self._rules.find({"issuer": issuer})]

    async def page(self, request: PageRequest) -> Page[FederationRule]:
        """Return a page of rules by name."""
        found = await self._database.snapshot(partial(paged, self._rules, {}, _BY_NAME, request))
        return found.page(_rule)

    async def change(self, rule: FederationRule, session: Session | None = None) -> None:
        """Store a changed rule, whose revision is one more than the stored one.

        Raises:
            NotFoundError
            StaleError: another change came first.
            ConflictError: `federation_rule_taken`.
        """
        document = _document(rule)
        changes = {name: document[name] for name in document.keys() - _FIXED}
        match = {"_id": document["_id"], "revision": rule.revision - 1}
        try:
            result = await self._rules.update_one(match, {"$set": changes}, session=session)
        except DuplicateKeyError:
            raise ConflictError("federation_rule_taken") from None
        if not result.matched_count:
            raise StaleError((await self.get(rule.id, session)).revision)

    async def delete(self, rule_id: str, session: Session | None = None) -> None:
        """Delete a rule.

        Raises:
            NotFoundError
        """
        match = {"_id": object_id(rule_id, _NOUN)}
        result = await self._rules.delete_one(match, session=session)
        if not result.deleted_count:
            raise NotFoundError(_NOUN, rule_id)


def _document(rule: FederationRule) -> Document:
    projects = rule.project_ids
    return {
        **rule.model_dump(exclude={"id", "project_ids"}),
        "_id": ObjectId(rule.id),
        "name_key": fold(rule.name),
        "project_ids": None if projects is None else sorted(projects),
    }


def _rule(row: dict[str, Any]) -> FederationRule:
    names = FederationRule.model_fields.keys() - {"id", "project_ids", "role"}
    values = {name: row[name] for name in names if name in row}
    projects = row["project_ids"]
    return FederationRule(
        id=str(row["_id"]),
        role=known_role(row["role"]),
        project_ids=None if projects is None else frozenset(projects),
        **values,
    )
