"""The collection of receipts."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.domain.results.receipts import FOLLOWED_BY_RESULTS
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.result import Receipt
from benchmark_manager.stores.database.database import Database, Document, Session, object_id
from benchmark_manager.stores.database.store import Store

_NOUN: Final = "receipt"


class ReceiptStore(Store):
    """The `receipts` collection. A stored receipt never changes."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._receipts = database.collection("receipts")

    async def insert(self, receipt: Receipt, session: Session) -> None:
        """Add a receipt."""
        document = {
            **receipt.model_dump(exclude={"id"}),
            "_id": ObjectId(receipt.id),
            "project_id": ObjectId(receipt.project_id),
        }
        await self._receipts.insert_one(document, session=session)

    async def get(self, receipt_id: str, session: Session | None = None) -> Receipt:
        """Return a receipt.

        Raises:
            NotFoundError
        """
        match = {"_id": object_id(receipt_id, _NOUN)}
        document = await self._receipts.find_one(match, session=session)
        if document is None:
            raise NotFoundError(_NOUN, receipt_id)
        return _receipt(document)

    async def get_many(self, receipt_ids: Iterable[str]) -> dict[str, Receipt]:
        """Return receipts by their ids, without those that are not there."""
        found: dict[str, Receipt] = {}
        ids = sorted({ObjectId(receipt_id) for receipt_id in receipt_ids})
        for some in self._database.parts(ids):
            async for row in self._receipts.find({"_id": {"$in": list(some)}}):
                found[str(row["_id"])] = _receipt(row)
        return found

    async def newest(
        self, project_id: str, release: str, token_id: str, before: datetime, session: Session
    ) -> Receipt | None:
        """Return the last receipt of an API token for a release, made in the week before a time."""
        match: Document = {
            "token_id": token_id,
            "release": release,
            "project_id": ObjectId(project_id),
            "at": {"$lte": before, "$gte": before - FOLLOWED_BY_RESULTS},
        }
        newest_first = [("at", -1), ("_id", -1)]
        row = await self._receipts.find_one(match, sort=newest_first, session=session)
        return None if row is None else _receipt(row)

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the receipts of a deleted project."""
        await self._receipts.delete_many({"project_id": ObjectId(project_id)})


def _receipt(document: Mapping[str, Any]) -> Receipt:
    ids = {"id": str(document["_id"]), "project_id": str(document["project_id"])}
    return Receipt(**{**document, **ids})
