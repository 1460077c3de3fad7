"""What a parser read from results."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from benchmark_manager.models.result import ParsedResult, StoredResult
from benchmark_manager.stores.database.database import (
    ROWS_AT_ONCE,
    Database,
    Document,
    Session,
)
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.results.documents import parsed_document, parsed_of

#: The version of what no parser has read: older than that of any parser.
UNREAD: Final = 0


class ParsedResultStore(Store):
    """The `parsed_results` collection: a document has the id of its result.

    It is derived from the result's bytes, and made anew by a newer version of the parser.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._parsed = database.collection("parsed_results")

    async def insert(
        self, result: StoredResult, parsed: ParsedResult, version: int, session: Session
    ) -> None:
        """Add what was read from a new result."""
        document = await asyncio.to_thread(parsed_document, result, parsed, version)
        await self._parsed.insert_one(document, session=session)

    async def replace(self, result: StoredResult, parsed: ParsedResult, version: int) -> None:
        """Store what a version of the parser read, unless a newer one has read the result."""
        document = await asyncio.to_thread(parsed_document, result, parsed, version)
        older = {"_id": document["_id"], "version": {"$lte": version}}
        try:
            await self._parsed.update_one(older, {"$set": document}, upsert=True)
        except DuplicateKeyError:
            # A newer version stored its own.
            return

    async def put(
        self, result: StoredResult, parsed: ParsedResult, version: int, session: Session
    ) -> None:
        """Store what was read from a result, whatever version has read it before."""
        document = await asyncio.to_thread(parsed_document, result, parsed, version)
        match = {"_id": document["_id"]}
        await self._parsed.replace_one(match, document, upsert=True, session=session)

    async def outdate(self, result_id: str) -> None:
        """Have a result read again, by the version of the parser that has read it, too."""
        match = {"_id": ObjectId(result_id)}
        await self._parsed.update_one(match, {"$set": {"version": UNREAD}})

    async def get_many(self, result_ids: Sequence[str]) -> dict[str, tuple[ParsedResult, int]]:
        """Return what was read from these results, and by which version of the parser."""
        rows: list[Document] = []
        for some in self._database.parts(result_ids):
            match = {"_id": {"$in": [ObjectId(key) for key in some]}}
            rows += await self._parsed.find(match, batch_size=ROWS_AT_ONCE).to_list()
        return await asyncio.to_thread(
            lambda: {str(row["_id"]): (parsed_of(row), row["version"]) for row in rows}
        )

    async def rows(self, match: Document) -> dict[ObjectId, Document]:
        """Return the documents that match a project, and perhaps releases, by their ids."""
        fields = {"tool": 1, "points": 1, "problems.severity": 1}
        found = await self._parsed.find(match, fields, batch_size=ROWS_AT_ONCE).to_list()
        return {row["_id"]: row for row in found}

    async def read_before(self, version: int, limit: int) -> list[ObjectId]:
        """Return the ids of at most `limit` results that only earlier versions have read."""
        rows = self._parsed.find({"version": {"$lt": version}}, {"_id": 1}).limit(limit)
        return [row["_id"] async for row in rows]

    async def delete(self, result_ids: Sequence[str], session: Session | None) -> None:
        """Delete what was read from at most `IN_AT_MOST` results."""
        ids = [ObjectId(key) for key in result_ids]
        await self._parsed.delete_many({"_id": {"$in": ids}}, session=session)
