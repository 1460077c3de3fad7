"""Sign-ins that failed, so that no replica lets anybody guess for long."""

import hashlib
import math
from datetime import datetime
from typing import Final

from benchmark_manager.domain.access.guessing import (
    COUNTED,
    FAILURES_BEFORE_PAUSE,
    refused_until,
)
from benchmark_manager.domain.access.names import account_key
from benchmark_manager.domain.http.callers import quota_of
from benchmark_manager.errors import SignInError
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.database.store import Store

_FIELD: Final = "failures"


class SignInAttemptStore(Store):
    """The `sign_in_attempts` collection: the last failures by account and address.

    What a person enters as a name may be a password, so it is stored as a hash. Whether an account
    has the name makes no difference.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._attempts = database.collection("sign_in_attempts")

    async def begin(self, name: str, address: str, now: datetime) -> None:
        """Count a try as a failure before its password is checked, unless it has to wait.

        So of tries at the same moment no more are let through than of one after the other.

        Raises:
            SignInError: `sign_in_paused`.
        """
        key = _key(name, address)

        async def work(session: Session) -> None:
            row = await self._attempts.find_one({"_id": key}, session=session)
            until = refused_until([] if row is None else row[_FIELD], now)
            if until is not None:
                raise SignInError(
                    "sign_in_paused", seconds=math.ceil((until - now).total_seconds()), until=until
                )
            # More than are counted change nothing.
            last = {"$each": [now], "$slice": -FAILURES_BEFORE_PAUSE}
            change = {"$push": {_FIELD: last}, "$set": {"at": now}}
            await self._attempts.update_one({"_id": key}, change, upsert=True, session=session)

        await self._database.transaction(work, small=True)

    async def forget(self, name: str, address: str) -> None:
        """Forget the failures of a person who has signed in."""
        await self._attempts.delete_one({"_id": _key(name, address)})

    async def purge(self, now: datetime) -> int:
        """Delete what does not count any more; return how many.

        MongoDB does that by itself, the embedded server may not.
        """
        result = await self._attempts.delete_many({"at": {"$lte": now - COUNTED}})
        return result.deleted_count


def _key(name: str, address: str) -> str:
    text = f"{account_key(name)}\n{quota_of(address)}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
