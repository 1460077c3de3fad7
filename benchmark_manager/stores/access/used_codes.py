"""Codes that a command line has shown already."""

from datetime import datetime, timedelta
from typing import Final

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from benchmark_manager.errors import SignInError
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.database.indexes import USED_CODE_SECONDS
from benchmark_manager.stores.database.store import Store

_KEPT: Final = timedelta(seconds=USED_CODE_SECONDS)


class UsedCodeStore(Store):
    """The `used_codes` collection: by the ids of the tokens that were made for them.

    They are kept for longer than a code is good, also when the token is revoked before.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._codes = database.collection("used_codes")

    async def use(self, token_id: str, now: datetime, session: Session) -> None:
        """Use a code in the transaction that makes its token.

        Raises:
            SignInError: `sign_in_failed`: it was used before.
        """
        try:
            await self._codes.insert_one(
                {"_id": ObjectId(token_id), "used_at": now}, session=session
            )
        except DuplicateKeyError:
            raise SignInError("sign_in_failed", "expired") from None

    async def purge(self, now: datetime) -> int:
        """Delete what is too old; return how many.

        MongoDB does that by itself, the embedded server may not.
        """
        result = await self._codes.delete_many({"used_at": {"$lte": now - _KEPT}})
        return result.deleted_count
