"""Accounts and their passwords."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from benchmark_manager.domain.access.names import check_account_name
from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.errors import ForbiddenError, NotFoundError, SignInError
from benchmark_manager.models.access.account import Account
from benchmark_manager.models.access.audit import AuditObject
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.services.access.hashing import Passwords
from benchmark_manager.services.access.identities import IdentityService
from benchmark_manager.stores.access.accounts import AccountStore
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.grants import GrantStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.access.sign_in_attempts import SignInAttemptStore
from benchmark_manager.stores.access.used_codes import UsedCodeStore
from benchmark_manager.stores.database.database import Database, Session, milliseconds


@dataclass(frozen=True, slots=True)
class AccountStores:
    """The database, and the stores of accounts and of what belongs to them."""

    database: Database
    accounts: AccountStore
    sessions: SessionStore
    tokens: ApiTokenStore
    used_codes: UsedCodeStore
    grants: GrantStore
    attempts: SignInAttemptStore


class AccountService:
    """Administrators make, change and delete accounts; everybody changes their own password."""

    def __init__(
        self,
        stores: AccountStores,
        passwords: Passwords,
        audit: AuditLog,
        identities: IdentityService,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._stores = stores
        self._passwords = passwords
        self._audit = audit
        self._identities = identities
        self._clock = clock

    async def page(
        self, principal: Principal, request: PageRequest, query: str | None = None
    ) -> Page[Account]:
        """Return a page of accounts by name.

        Raises:
            ForbiddenError
        """
        principal.require_site_wide("admin")
        return await self._stores.accounts.page(request, query)

    async def get(self, principal: Principal, account_id: str) -> Account:
        """Return an account: one's own, or for administrators any.

        Raises:
            NotFoundError, ForbiddenError
        """
        if account_id != principal.id:
            principal.require_site_wide("admin")
        return await self._stores.accounts.get(account_id)

    async def groups(self) -> list[str]:
        """Return the known groups by name."""
        return await self._stores.accounts.groups()

    async def create(
        self, principal: Principal, name: str, password: str, role: Role | None
    ) -> Account:
        """Make a local account.

        Raises:
            ForbiddenError
            InvalidInputError: `invalid_account_name`, `password_refused`.
            ConflictError: `account_name_taken`.
        """
        principal.require_site_wide("admin")
        name = check_account_name(name)
        password_hash = await self._passwords.checked_hash(password, name)
        now = milliseconds(self._clock())
        account = Account(
            id=Database.new_id(), kind="local", name=name, role=role, created_at=now, updated_at=now
        )

        async def work(session: Session) -> None:
            await self._stores.accounts.insert(account, password_hash, session)
            await self._audit.done(
                principal, "account.create", object_of(account), session=session, revision=1
            )

        await self._stores.database.transaction(work)
        return account

    async def change(
        self,
        principal: Principal,
        account_id: str,
        *,
        name: str | None = None,
        role: Role | Literal["none"] | None = None,
        disabled: bool | None = None,
        expected_revisions: Collection[int] | None = None,
    ) -> Account:
        """Change the fields that are given; a disabled account has no sessions and no tokens.

        The role `none` takes the site-wide role away.

        Raises:
            ForbiddenError, NotFoundError, StaleError
            InvalidInputError: `invalid_account_name`.
            ConflictError: `account_name_taken`, `last_administrator`.
        """
        principal.require_site_wide("admin")
        name = None if name is None else check_account_name(name)

        async def work(session: Session) -> Account:
            before = await self._stores.accounts.get(account_id, session)
            expect_revision(before, expected_revisions)
            given = _given_fields(before, name, role, disabled)
            keys = tuple(key for key, value in given.items() if value != getattr(before, key))
            if not keys:
                return before
            after = before.model_copy(
                update={
                    **given,
                    "updated_at": milliseconds(self._clock()),
                    "revision": before.revision + 1,
                }
            )
            await self._store_change(before, after, session)
            await self._audit.done(
                principal,
                "account.edit",
                object_of(after),
                session=session,
                keys=keys,
                revision=after.revision,
            )
            return after

        changed = await self._stores.database.transaction(work)
        self._identities.forget()
        return changed

    async def _store_change(self, before: Account, after: Account, session: Session) -> None:
        if _is_administrator(before) and not _is_administrator(after):
            await self._stores.accounts.expect_other_administrator(after.id, session)
        await self._stores.accounts.change(after, session)
        if after.disabled and not before.disabled:
            await self._stores.accounts.end_credentials(after.id, session)

    async def delete(
        self,
        principal: Principal,
        account_id: str,
        expected_revisions: Collection[int] | None = None,
    ) -> None:
        """Delete an account with its sessions, tokens and grants; names on record stay.

        Raises:
            ForbiddenError, NotFoundError, StaleError
            ConflictError: `last_administrator`.
        """
        principal.require_site_wide("admin")

        async def work(session: Session) -> None:
            account = await self._stores.accounts.get(account_id, session)
            expect_revision(account, expected_revisions)
            if _is_administrator(account):
                await self._stores.accounts.expect_other_administrator(account_id, session)
            await self._stores.accounts.delete(account_id, session)
            await self._audit.done(principal, "account.delete", object_of(account), session=session)

        await self._stores.database.transaction(work)
        self._identities.forget()

    async def change_password(self, principal: Principal, current: str, new: str) -> None:
        """Change one's own password; all other sessions end.

        Guesses of the current password count as those of signing in.

        Raises:
            SignInError: `sign_in_failed`, `sign_in_paused`.
            InvalidInputError: `password_refused`.
            ConflictError: `account_not_local`.
            ForbiddenError: the principal is no person who signed in.
        """
        if principal.via != "session":
            raise ForbiddenError("reader", "session")
        account = await self._stores.accounts.get(principal.id)
        await self._stores.attempts.begin(account.name, principal.address, self._clock())
        found = await self._stores.accounts.credentials(account.name)
        is_own = found is not None and found.account.id == account.id
        known = found.password_hash if found and is_own else None
        stored = None if known is None else known.get_secret_value()
        if not await self._passwords.matches(stored, current):
            await self._audit.refused(principal, "account.password", object_of(account))
            raise SignInError("sign_in_failed", "password")
        await self._stores.attempts.forget(account.name, principal.address)
        password_hash = await self._passwords.checked_hash(new, account.name)

        async def work(session: Session) -> None:
            # An administrator may have set another one since it was checked.
            await self._stores.accounts.set_password(
                account, password_hash, session, instead_of=known
            )
            # Who changes a password may fear that somebody else knew the old one.
            await self._stores.sessions.delete_of_account(
                account.id, session, but=principal.session_id
            )
            await self._audit.done(
                principal, "account.password", object_of(account), session=session
            )

        try:
            await self._stores.database.transaction(work)
        except NotFoundError:
            raise SignInError("sign_in_failed", "password") from None
        self._identities.forget()

    async def set_password(self, principal: Principal, account_id: str, new: str) -> None:
        """Give a local account a password; all its sessions and tokens end.

        For a person who forgot the old one, or whose old one others know.

        Raises:
            ForbiddenError, NotFoundError
            InvalidInputError: `password_refused`.
            ConflictError: `account_not_local`.
        """
        principal.require_site_wide("admin")
        account = await self._stores.accounts.get(account_id)
        password_hash = await self._passwords.checked_hash(new, account.name)

        async def work(session: Session) -> None:
            await self._stores.accounts.set_password(account, password_hash, session)
            await self._stores.accounts.end_credentials(account.id, session)
            await self._audit.done(
                principal, "account.password", object_of(account), session=session
            )

        await self._stores.database.transaction(work)
        self._identities.forget()

    async def of_name(self, principal: Principal, name: str) -> Account:
        """Return the local account of a name, regardless of case.

        Raises:
            ForbiddenError, NotFoundError
        """
        principal.require_site_wide("admin")
        found = await self._stores.accounts.credentials(name)
        if found is None:
            raise NotFoundError("account", name)
        return found.account

    async def names(self, account_ids: Collection[str]) -> dict[str, str]:
        """Return the names of accounts, without those that are deleted."""
        return await self._stores.accounts.names(account_ids)


def object_of(account: Account) -> AuditObject:
    """Return the account as the object of a record."""
    return AuditObject(kind="account", id=account.id, name=account.name)


def _given_fields(
    account: Account,
    name: str | None,
    role: Role | Literal["none"] | None,
    disabled: bool | None,
) -> dict[str, str | bool | None]:
    """Return the fields of an account with those that are given; None keeps a field."""
    return {
        "name": account.name if name is None else name,
        "role": account.role if role is None else _given_role(role),
        "disabled": account.disabled if disabled is None else disabled,
    }


def _given_role(role: Role | Literal["none"]) -> Role | None:
    return None if role == "none" else role


def _is_administrator(account: Account) -> bool:
    return account.role == "admin" and not account.disabled
