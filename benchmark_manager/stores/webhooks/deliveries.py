"""Webhook deliveries that were accepted, so that a repeated one does nothing."""

from datetime import datetime, timedelta
from typing import Final

from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.database.indexes import REMEMBERED_SECONDS
from benchmark_manager.stores.database.store import Store

#: How long a delivery is remembered.
REMEMBERED: Final = timedelta(seconds=REMEMBERED_SECONDS)


class WebhookDeliveryStore(Store):
    """The `webhook_deliveries` collection: one document for each delivery, under GitHub's id."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._deliveries = database.collection("webhook_deliveries")

    async def remember(self, delivery_id: str, now: datetime, session: Session) -> bool:
        """Remember a delivery as part of a transaction; False when it is known already.

        Of two transactions which remember the same one at once, one is repeated and finds it known.
        """
        known = await self._deliveries.find_one(
            {"_id": delivery_id, "created_at": {"$gt": now - REMEMBERED}}, session=session
        )
        if known is not None:
            return False
        # One that was forgotten may still be there: nothing deletes them to the second.
        await self._deliveries.update_one(
            {"_id": delivery_id}, {"$set": {"created_at": now}}, upsert=True, session=session
        )
        return True

    async def purge(self, now: datetime) -> int:
        """Delete what need not be remembered any more; returns how many.

        MongoDB does that by itself, by the index on `created_at`; the embedded server may not.
        """
        result = await self._deliveries.delete_many({"created_at": {"$lte": now - REMEMBERED}})
        return result.deleted_count
