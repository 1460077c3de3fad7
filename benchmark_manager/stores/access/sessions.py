"""Browsers that are signed in."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.domain.access.lifetimes import USE_PRECISION
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.access import credentials
from benchmark_manager.models.access.account import AccountWithGrants
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.stores.access.documents import account_with_grants, joined_account
from benchmark_manager.stores.database.database import Database, Document, Session, object_id
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store

_NOUN: Final = "session"
_NEWEST_FIRST: Final = Order("created_at", datetime, descending=True)


class SessionStore(Store):
    """The `sessions` collection, by the hashes of the secrets in cookies.

    Those that have ended may still be there: `domain.access.lifetimes` says which have.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._sessions = database.collection("sessions")

    async def insert(
        self, signed_in: credentials.Session, secret_hash: str, session: Session | None = None
    ) -> None:
        """Add a session, by the `secret_hash` of its secret."""
        document = {
            **signed_in.model_dump(exclude={"id", "account_id"}),
            "_id": ObjectId(signed_in.id),
            "account_id": ObjectId(signed_in.account_id),
            "hash": secret_hash,
        }
        await self._sessions.insert_one(document, session=session)

    async def find(self, secret_hash: str) -> tuple[credentials.Session, AccountWithGrants] | None:
        """Return a session and its account with all grants, in one command."""
        pipeline = [{"$match": {"hash": secret_hash}}, *joined_account()]
        rows = await (await self._sessions.aggregate(pipeline)).to_list()
        return (_session(rows[0]), account_with_grants(rows[0])) if rows else None

    async def touch(self, session_id: str, now: datetime) -> None:
        """Record a use; one less than a minute after the last one is not recorded."""
        match = {"_id": ObjectId(session_id), "last_seen_at": {"$lte": now - USE_PRECISION}}
        await self._sessions.update_one(match, {"$set": {"last_seen_at": now}})

    async def page(self, account_id: str, request: PageRequest) -> Page[credentials.Session]:
        """Return a page of an account's sessions, newest first."""
        match = {"account_id": object_id(account_id, "account")}
        found = await self._database.snapshot(
            partial(paged, self._sessions, match, _NEWEST_FIRST, request)
        )
        return found.page(_session)

    async def exists(
        self, account_id: str, session_id: str, session: Session | None = None
    ) -> bool:
        """Return whether the account has this session, which may have ended by its times."""
        match = {
            "_id": object_id(session_id, _NOUN),
            "account_id": object_id(account_id, "account"),
        }
        found = await self._sessions.find_one(match, {"_id": 1}, session=session)
        return found is not None

    async def delete(
        self, account_id: str, session_id: str, session: Session | None = None
    ) -> None:
        """Delete a session of this account.

        Raises:
            NotFoundError: there is none, or it is another account's.
        """
        match = {
            "_id": object_id(session_id, _NOUN),
            "account_id": object_id(account_id, "account"),
        }
        result = await self._sessions.delete_one(match, session=session)
        if not result.deleted_count:
            raise NotFoundError(_NOUN, session_id)

    async def delete_of_secret(
        self, secret_hash: str, session: Session | None = None
    ) -> str | None:
        """Delete the session of a secret; return its id, or None where there is none."""
        match = {"hash": secret_hash}
        found = await self._sessions.find_one_and_delete(match, {"_id": 1}, session=session)
        return None if found is None else str(found["_id"])

    async def delete_of_account(
        self, account_id: str, session: Session | None = None, *, but: str | None = None
    ) -> int:
        """Delete all sessions of an account but one, where `but` names one; return how many."""
        match: Document = {"account_id": object_id(account_id, "account")}
        if but is not None:
            match["_id"] = {"$ne": object_id(but, _NOUN)}
        result = await self._sessions.delete_many(match, session=session)
        return result.deleted_count

    async def purge(self, now: datetime, idle: timedelta) -> int:
        """Delete the sessions that have ended; return how many.

        MongoDB deletes those beyond their greatest age by itself, the embedded server may not.
        """
        ended = [{"expires_at": {"$lte": now}}, {"last_seen_at": {"$lte": now - idle}}]
        result = await self._sessions.delete_many({"$or": ended})
        return result.deleted_count


def _session(row: dict[str, Any]) -> credentials.Session:
    names = credentials.Session.model_fields.keys() - {"id", "account_id"}
    values = {name: row[name] for name in names if name in row}
    return credentials.Session(id=str(row["_id"]), account_id=str(row["account_id"]), **values)
