"""API tokens of programs."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.domain.access.api_tokens import PresentedToken
from benchmark_manager.domain.access.lifetimes import USE_PRECISION
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.access.account import AccountWithGrants
from benchmark_manager.models.access.credentials import ApiToken
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.stores.access.documents import (
    account_with_grants,
    joined_account,
    known_role,
)
from benchmark_manager.stores.database.database import Database, Document, Session, object_id
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store

_NOUN: Final = "token"
_NEWEST_FIRST: Final = Order("created_at", datetime, descending=True)
#: How long the list still shows a token that has expired.
_KEPT: Final = timedelta(days=30)


class ApiTokenStore(Store):
    """The `api_tokens` collection: tokens by their ids, with the hashes of their texts."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._tokens = database.collection("api_tokens")

    async def insert(
        self, token: ApiToken, token_hash: str, session: Session | None = None
    ) -> None:
        """Add a token, with the `api_token_hash` of its text."""
        projects = token.project_ids
        document = {
            **token.model_dump(exclude={"id", "account_id", "project_ids"}),
            "_id": ObjectId(token.id),
            "account_id": ObjectId(token.account_id),
            "project_ids": None if projects is None else sorted(projects),
            "hash": token_hash,
        }
        await self._tokens.insert_one(document, session=session)

    async def find(self, presented: PresentedToken) -> tuple[ApiToken, AccountWithGrants] | None:
        """Return a token that is not revoked and its account with all grants, in one command.

        It may have expired, and the account may be disabled.
        """
        match = {"_id": ObjectId(presented.id), "hash": presented.hash}
        rows = await (
            await self._tokens.aggregate([{"$match": match}, *joined_account()])
        ).to_list()
        return (_token(rows[0]), account_with_grants(rows[0])) if rows else None

    async def get(self, token_id: str, session: Session | None = None) -> ApiToken:
        """Return a token.

        Raises:
            NotFoundError
        """
        row = await self._tokens.find_one({"_id": object_id(token_id, _NOUN)}, session=session)
        if row is None:
            raise NotFoundError(_NOUN, token_id)
        return _token(row)

    async def touch(self, token_id: str, now: datetime, session: Session | None = None) -> bool:
        """Record a use, unless one is recorded of less than a minute ago.

        Returns:
            Whether it is the first use of the day (UTC), as one replica alone finds.
        """
        old = {"$or": [{"last_used_at": None}, {"last_used_at": {"$lte": now - USE_PRECISION}}]}
        before = await self._tokens.find_one_and_update(
            {"_id": ObjectId(token_id), **old},
            {"$set": {"last_used_at": now}},
            {"last_used_at": 1},
            session=session,
        )
        if before is None:
            return False
        last = before.get("last_used_at")
        return last is None or last.date() != now.date()

    async def page(
        self, request: PageRequest, account_id: str | None = None, token_id: str | None = None
    ) -> Page[ApiToken]:
        """Return a page of an account's tokens, or of all (None), newest first.

        With `token_id` it has that one alone.
        """
        match: Document = (
            {} if account_id is None else {"account_id": object_id(account_id, "account")}
        )
        if token_id is not None:
            match["_id"] = object_id(token_id, _NOUN)
        found = await self._database.snapshot(
            partial(paged, self._tokens, match, _NEWEST_FIRST, request)
        )
        return found.page(_token)

    async def count(self, account_id: str, session: Session) -> int:
        """Return how many tokens an account has, with those that have expired and are listed."""
        match = {"account_id": object_id(account_id, "account")}
        return await self._tokens.count_documents(match, session=session)

    async def delete(self, token_id: str, session: Session | None = None) -> None:
        """Delete a token.

        Raises:
            NotFoundError
        """
        match = {"_id": object_id(token_id, _NOUN)}
        result = await self._tokens.delete_one(match, session=session)
        if not result.deleted_count:
            raise NotFoundError(_NOUN, token_id)

    async def delete_of_account(self, account_id: str, session: Session | None = None) -> int:
        """Delete all tokens of an account; return how many."""
        match = {"account_id": object_id(account_id, "account")}
        result = await self._tokens.delete_many(match, session=session)
        return result.deleted_count

    async def purge(self, now: datetime) -> int:
        """Delete the tokens that expired a month ago; return how many."""
        result = await self._tokens.delete_many({"expires_at": {"$lte": now - _KEPT}})
        return result.deleted_count


def _token(row: dict[str, Any]) -> ApiToken:
    names = ApiToken.model_fields.keys() - {"id", "account_id", "project_ids", "role"}
    values = {name: row[name] for name in names if name in row}
    projects = row["project_ids"]
    return ApiToken(
        id=str(row["_id"]),
        account_id=str(row["account_id"]),
        role=known_role(row["role"]),
        project_ids=None if projects is None else frozenset(projects),
        **values,
    )
