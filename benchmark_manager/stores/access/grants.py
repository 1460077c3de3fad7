"""Roles of accounts and groups in projects."""

from functools import partial
from typing import Final, Literal

from bson import ObjectId

from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.access.account import Grant
from benchmark_manager.models.access.principal import Role
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.stores.access.documents import (
    grant_document,
    grant_of,
    grantee,
    known_role,
)
from benchmark_manager.stores.database.database import Database, Session, object_id
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store

_NOUN: Final = "grant"
_BY_GRANTEE: Final = Order("grantee")
_OF_GROUPS: Final = grantee("group", "")


class GrantStore(Store):
    """The `grants` collection: one document for each account or group that has a role in a project.

    Other stores read a principal's grants together with its account.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._grants = database.collection("grants")

    async def put(self, grant: Grant, session: Session | None = None) -> Role | None:
        """Store a grant in place of an earlier one to the same account or group.

        Returns:
            The role of the earlier one; None where there was none.
        """
        document = grant_document(grant)
        match = {name: document[name] for name in ("project_id", "grantee")}
        earlier = await self._grants.find_one_and_update(
            match, {"$set": {"role": grant.role}}, upsert=True, session=session
        )
        return None if earlier is None else known_role(earlier["role"])

    async def delete(
        self,
        project_id: str,
        kind: Literal["account", "group"],
        key: str,
        session: Session | None = None,
    ) -> Grant:
        """Delete a grant and return it.

        Raises:
            NotFoundError
        """
        match = {"project_id": object_id(project_id, "project"), "grantee": grantee(kind, key)}
        found = await self._grants.find_one_and_delete(match, session=session)
        if found is None:
            raise NotFoundError(_NOUN, key)
        return grant_of(found)

    async def page(self, project_id: str, request: PageRequest) -> Page[Grant]:
        """Return a page of a project's grants: those of accounts, then those of groups by name."""
        match = {"project_id": object_id(project_id, "project")}
        found = await self._database.snapshot(
            partial(paged, self._grants, match, _BY_GRANTEE, request)
        )
        return found.page(grant_of)

    async def of_account(self, account_id: str) -> list[Grant]:
        """Return the grants to an account itself, without those to its groups."""
        rows = self._grants.find({"grantee": grantee("account", account_id)})
        return [grant_of(row) async for row in rows.sort("project_id", 1)]

    async def groups(self) -> set[str]:
        """Return the names of all groups that have a grant."""
        # All names of groups sort before this.
        match = {"grantee": {"$gte": _OF_GROUPS, "$lt": "group;"}}
        found = await self._grants.distinct("grantee", match)
        return {name.removeprefix(_OF_GROUPS) for name in found}

    async def delete_of_account(self, account_id: str, session: Session) -> None:
        """Delete the grants to an account."""
        match = {"grantee": grantee("account", account_id)}
        await self._grants.delete_many(match, session=session)

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the grants to a deleted project."""
        await self._grants.delete_many({"project_id": ObjectId(project_id)})
