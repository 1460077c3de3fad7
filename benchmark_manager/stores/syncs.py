"""Sync history."""

from datetime import datetime
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.sync import Sync
from benchmark_manager.stores.database import Database, Document, Session
from benchmark_manager.stores.paging import behind, encode_cursor

_NEWEST_FIRST: Final = -1


class SyncStore:
    """The `syncs` collection: one document a finished sync, with the fence it ran under."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._syncs = database.collection("syncs")

    async def insert(self, sync: Sync, fence: int, session: Session) -> None:
        document = {
            **sync.model_dump(exclude={"id", "project_id"}),
            "_id": ObjectId(sync.id),
            "project_id": ObjectId(sync.project_id),
            "fence": fence,
        }
        await self._syncs.insert_one(document, session=session)

    async def by_fence(self, project_id: str, fence: int) -> Sync | None:
        """The sync which ran under this lease, once it has finished."""
        document = await self._syncs.find_one({"project_id": ObjectId(project_id), "fence": fence})
        return None if document is None else _sync(document)

    async def page(self, project_id: str, request: PageRequest) -> Page[Sync]:
        """A project's history, newest first."""
        match: Document = {"project_id": ObjectId(project_id)}
        fields = ("started_at", "_id")
        total = await self._syncs.count_documents(match)
        cursor = self._syncs.find(behind(match, request.cursor, fields, _NEWEST_FIRST, datetime))
        rows = await cursor.sort([("started_at", -1), ("_id", -1)]).limit(request.limit + 1).to_list()
        more = encode_cursor(rows[request.limit - 1], fields) if len(rows) > request.limit else None
        return Page(tuple(_sync(row) for row in rows[: request.limit]), total, more)

    async def purge(self, before: datetime) -> int:
        """Delete the syncs which finished earlier; returns how many."""
        result = await self._syncs.delete_many({"finished_at": {"$lt": before}})
        return result.deleted_count


def _sync(document: dict[str, Any]) -> Sync:
    values = {name: document[name] for name in Sync.model_fields if name not in {"id", "project_id"}}
    return Sync(id=str(document["_id"]), project_id=str(document["project_id"]), **values)
