"""One-time links that make the first administrator."""

from datetime import datetime, timedelta
from typing import Final

from benchmark_manager.errors import SignInError
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.database.indexes import SETUP_LINK_SECONDS
from benchmark_manager.stores.database.store import Store

_GOOD_FOR: Final = timedelta(seconds=SETUP_LINK_SECONDS)


class SetupLinkStore(Store):
    """The `setup_links` collection: hashes of the links that replicas have logged.

    Each replica logs a link of its own, and the first one that is used ends all.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._links = database.collection("setup_links")

    async def insert(self, secret_hash: str, now: datetime) -> None:
        """Add a link, by the `secret_hash` of its secret; it is valid for 30 days."""
        await self._links.insert_one({"_id": secret_hash, "created_at": now})

    async def redeem(self, secret_hash: str, now: datetime, session: Session) -> None:
        """Use a link in the transaction that makes the administrator; all links end with it.

        Of two transactions that use links at once, one is repeated and refused.

        Raises:
            SignInError: `setup_link_refused`.
        """
        match = {"_id": secret_hash, "created_at": {"$gt": now - _GOOD_FOR}}
        if await self._links.find_one(match, {"_id": 1}, session=session) is None:
            raise SignInError("setup_link_refused")
        await self._links.delete_many({}, session=session)

    async def purge(self, now: datetime) -> int:
        """Delete what is too old; return how many.

        MongoDB does that by itself, the embedded server may not.
        """
        result = await self._links.delete_many({"created_at": {"$lte": now - _GOOD_FOR}})
        return result.deleted_count
