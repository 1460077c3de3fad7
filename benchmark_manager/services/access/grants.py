"""Roles in projects, of accounts and groups."""

from typing import Final, Literal

from benchmark_manager.domain.access.names import check_group_name
from benchmark_manager.models.access.account import Account, Grant
from benchmark_manager.models.access.audit import AuditObject
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.services.access.accounts import AccountStores
from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.services.access.identities import IdentityService
from benchmark_manager.stores.database.database import Session

#: People among whom a maintainer chooses; a longer part of the name finds fewer.
_CANDIDATES: Final = 20


class GrantService:
    """Maintainers of a project say who may what in it."""

    def __init__(self, stores: AccountStores, audit: AuditLog, identities: IdentityService) -> None:
        self._stores = stores
        self._audit = audit
        self._identities = identities

    async def page(
        self, principal: Principal, project_id: str, request: PageRequest
    ) -> Page[Grant]:
        """Return a page of a project's grants.

        Raises:
            NotFoundError, ForbiddenError
        """
        principal.require("maintainer", project_id)
        return await self._stores.grants.page(project_id, request)

    async def candidates(
        self, principal: Principal, project_id: str, query: str
    ) -> tuple[Account, ...]:
        """Return the first people, by name, whose names contain `query`, without disabled ones.

        Maintainers may not list accounts, but know the names of colleagues from changes.

        Raises:
            NotFoundError, ForbiddenError
        """
        principal.require("maintainer", project_id)
        page = await self._stores.accounts.page(PageRequest(limit=_CANDIDATES), query)
        return tuple(account for account in page.rows if not account.disabled)

    async def put(self, principal: Principal, grant: Grant) -> Grant:
        """Give a role, or replace the one that was given. Nobody gives more than they have.

        Raises:
            NotFoundError: also where there is no such account.
            ForbiddenError
            InvalidInputError: `invalid_group_name`.
        """
        principal.require("maintainer", grant.project_id)
        principal.require(grant.role, grant.project_id)
        if grant.kind == "group":
            grant = grant.model_copy(update={"id": check_group_name(grant.id)})

        async def work(session: Session) -> None:
            name = grant.id
            if grant.kind == "account":
                name = (await self._stores.accounts.get(grant.id, session)).name
            await self._stores.grants.put(grant, session)
            await self._audit.done(
                principal,
                "grant.put",
                AuditObject(kind="grant", id=f"{grant.kind}:{grant.id}", name=name),
                session=session,
                project_id=grant.project_id,
                keys=("role",),
            )

        await self._stores.database.transaction(work)
        self._identities.forget()
        return grant

    async def delete(
        self,
        principal: Principal,
        project_id: str,
        kind: Literal["account", "group"],
        grantee_id: str,
    ) -> None:
        """Take a role away.

        Raises:
            NotFoundError, ForbiddenError
        """
        principal.require("maintainer", project_id)
        name = grantee_id
        if kind == "account":
            name = (await self._stores.accounts.names([grantee_id])).get(grantee_id, grantee_id)

        async def work(session: Session) -> None:
            await self._stores.grants.delete(project_id, kind, grantee_id, session)
            await self._audit.done(
                principal,
                "grant.delete",
                AuditObject(kind="grant", id=f"{kind}:{grantee_id}", name=name),
                session=session,
                project_id=project_id,
            )

        await self._stores.database.transaction(work)
        self._identities.forget()
