"""Accounts of people, with the hashes of local passwords."""

import re
from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, Final

from bson import ObjectId
from pydantic import SecretStr
from pymongo.errors import DuplicateKeyError

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.errors import ConflictError, NotFoundError, StaleError
from benchmark_manager.models.access.account import (
    Account,
    AccountKind,
    AccountWithGrants,
    LocalCredentials,
)
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.documents import (
    WITHOUT_PASSWORD,
    account_document,
    account_of,
    account_row_with_grants,
    external_identity,
    joined_grants,
    local_identity,
)
from benchmark_manager.stores.access.grants import GrantStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.database.database import Database, Document, Session, object_id
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store

_NOUN: Final = "account"
_BY_NAME: Final = Order("name_key")
_ADMINISTRATORS: Final[Mapping[str, Any]] = {"role": "admin", "disabled": False}
#: What a change never writes.
_FIXED: Final = frozenset({"_id", "kind", "issuer", "subject", "created_at"})


class AccountStore(Store):
    """The `accounts` collection.

    A local account's name is unique as `domain.access.names` compares; any other account is unique
    by its kind, issuer and subject, and may have anybody's name.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._accounts = database.collection("accounts")
        self._sessions = SessionStore(database)
        self._tokens = ApiTokenStore(database)
        self._grants = GrantStore(database)

    async def insert(
        self,
        account: Account,
        password_hash: SecretStr | None = None,
        session: Session | None = None,
    ) -> None:
        """Add an account; one without a password hash cannot sign in with a password.

        Raises:
            ConflictError: `account_name_taken`.
        """
        document = account_document(account)
        if password_hash is not None:
            document["password_hash"] = password_hash.get_secret_value()
        try:
            await self._accounts.insert_one(document, session=session)
        except DuplicateKeyError:
            raise ConflictError("account_name_taken", name=account.name) from None

    async def get(self, account_id: str, session: Session | None = None) -> Account:
        """Return an account.

        Raises:
            NotFoundError
        """
        match = {"_id": object_id(account_id, _NOUN)}
        row = await self._accounts.find_one(match, WITHOUT_PASSWORD, session=session)
        if row is None:
            raise NotFoundError(_NOUN, account_id)
        return account_of(row)

    async def with_grants(self, account_id: str) -> AccountWithGrants:
        """Return an account with its grants and those of its groups, in one command.

        Raises:
            NotFoundError
        """
        found = await self._read_with_grants({"_id": object_id(account_id, _NOUN)})
        if found is None:
            raise NotFoundError(_NOUN, account_id)
        return found

    async def of_identity(
        self, kind: AccountKind, issuer: str, subject: str, session: Session | None = None
    ) -> AccountWithGrants | None:
        """Return the account of a subject of an issuer, with its grants, in one command."""
        match = {"identity": external_identity(kind, issuer, subject)}
        return await self._read_with_grants(match, session)

    async def _read_with_grants(
        self, match: Mapping[str, Any], session: Session | None = None
    ) -> AccountWithGrants | None:
        pipeline: list[Document] = [
            {"$match": match},
            {"$project": WITHOUT_PASSWORD},
            joined_grants(),
        ]
        rows = await (await self._accounts.aggregate(pipeline, session=session)).to_list()
        return account_row_with_grants(rows[0]) if rows else None

    async def credentials(self, name: str) -> LocalCredentials | None:
        """Return the local account of a name with its password hash; nothing else returns one.

        None where there is no such account, or it has no password.
        """
        row = await self._accounts.find_one({"identity": local_identity(name)})
        if row is None or row.get("password_hash") is None:
            return None
        return LocalCredentials(
            account=account_of(row), password_hash=SecretStr(row["password_hash"])
        )

    async def set_password(
        self,
        account: Account,
        password_hash: SecretStr,
        session: Session | None = None,
        *,
        instead_of: SecretStr | None = None,
    ) -> None:
        """Store the hash of a new password; with `instead_of` only in place of that one.

        Raises:
            NotFoundError: the account was deleted, or has another password by now.
            ConflictError: `account_not_local`.
        """
        if account.kind != "local":
            raise ConflictError("account_not_local")
        change = {"$set": {"password_hash": password_hash.get_secret_value()}}
        match: Document = {"_id": ObjectId(account.id)}
        if instead_of is not None:
            match["password_hash"] = instead_of.get_secret_value()
        result = await self._accounts.update_one(match, change, session=session)
        if not result.matched_count:
            raise NotFoundError(_NOUN, account.id)

    async def has_password(
        self, account_id: str, password_hash: SecretStr, session: Session
    ) -> bool:
        """Return whether the account still has the password of this hash."""
        match = {"_id": ObjectId(account_id), "password_hash": password_hash.get_secret_value()}
        return await self._accounts.find_one(match, {"_id": 1}, session=session) is not None

    async def change(self, account: Account, session: Session | None = None) -> None:
        """Store the account's name, role, groups, and whether it is disabled.

        Its revision is one more than the stored one.

        Raises:
            NotFoundError
            StaleError: another change came first.
            ConflictError: `account_name_taken`.
        """
        document = account_document(account)
        changes = {name: document[name] for name in document.keys() - _FIXED}
        match = {"_id": document["_id"], "revision": account.revision - 1}
        try:
            result = await self._accounts.update_one(match, {"$set": changes}, session=session)
        except DuplicateKeyError:
            raise ConflictError("account_name_taken", name=account.name) from None
        if not result.matched_count:
            raise StaleError((await self.get(account.id, session)).revision)

    async def delete(self, account_id: str, session: Session) -> None:
        """Delete an account with its sessions, tokens and grants.

        Raises:
            NotFoundError
        """
        match = {"_id": object_id(account_id, _NOUN)}
        result = await self._accounts.delete_one(match, session=session)
        if not result.deleted_count:
            raise NotFoundError(_NOUN, account_id)
        await self.end_credentials(account_id, session)
        await self._grants.delete_of_account(account_id, session)

    async def end_credentials(self, account_id: str, session: Session) -> None:
        """Delete the sessions and tokens of an account."""
        await self._sessions.delete_of_account(account_id, session)
        await self._tokens.delete_of_account(account_id, session)

    async def has_administrator(self, session: Session | None = None) -> bool:
        """Return whether an account that is not disabled is an administrator."""
        found = await self._accounts.find_one(_ADMINISTRATORS, {"_id": 1}, session=session)
        return found is not None

    async def expect_other_administrator(self, account_id: str, session: Session) -> None:
        """Check that an administrator is left in this transaction, which ends this one's role.

        The other administrator's document is written. So of two transactions, each of which counts
        on the administrator that the other one removes, one is repeated and refused.

        Raises:
            ConflictError: `last_administrator`.
        """
        other = {**_ADMINISTRATORS, "_id": {"$ne": object_id(account_id, _NOUN)}}
        found = await self._accounts.find_one_and_update(
            other, {"$inc": {"counted_on": 1}}, {"_id": 1}, session=session
        )
        if found is None:
            raise ConflictError("last_administrator")

    async def count_on(self, account_id: str, session: Session) -> Account:
        """Return the account to which this transaction adds a session or a token.

        Its document is written. So of two transactions, one of which disables or deletes the
        account, one is repeated.

        Raises:
            NotFoundError
        """
        row = await self._accounts.find_one_and_update(
            {"_id": object_id(account_id, _NOUN)},
            {"$inc": {"counted_on": 1}},
            WITHOUT_PASSWORD,
            session=session,
        )
        if row is None:
            raise NotFoundError(_NOUN, account_id)
        return account_of(row)

    async def page(self, request: PageRequest, query: str | None = None) -> Page[Account]:
        """Return a page of accounts by name; `query` is searched anywhere in the name."""
        match: Document = {"name_key": {"$regex": re.escape(fold(query))}} if query else {}
        found = await self._database.snapshot(
            partial(paged, self._accounts, match, _BY_NAME, request)
        )
        return found.page(account_of)

    async def names(self, account_ids: Collection[str]) -> dict[str, str]:
        """Return the names of accounts, without those that are deleted."""
        ids = [ObjectId(key) for key in sorted(set(account_ids)) if ObjectId.is_valid(key)]
        found: dict[str, str] = {}
        at_once = self._database.in_at_most
        for start in range(0, len(ids), at_once):
            rows = self._accounts.find({"_id": {"$in": ids[start : start + at_once]}}, {"name": 1})
            found |= {str(row["_id"]): row["name"] async for row in rows}
        return found

    async def groups(self) -> list[str]:
        """Return the known groups by name: those of accounts, and those with grants."""
        # mongod reads them of the index, where no group at all is None.
        of_accounts = {name for name in await self._accounts.distinct("groups") if name}
        return sorted(of_accounts | await self._grants.groups())
