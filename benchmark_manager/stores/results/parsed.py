"""What a parser read from results."""

import asyncio
from collections.abc import Sequence
from typing import Final

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.result import ParsedResult, StoredResult
from benchmark_manager.stores.database.database import (
    ROWS_AT_ONCE,
    Database,
    Document,
    Session,
)
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.results.documents import parsed_document, parsed_of

#: Names and values of the metrics of a table: 20,000 results with 30 metrics have 40 million.
MOST_BYTES: Final = 100_000_000
#: Rows after which their size is compared with the most: one may have 2 million bytes.
_ROWS_BETWEEN: Final = 50
#: The version of what no parser has read: older than that of any parser.
UNREAD: Final = 0


class ParsedResultStore(Store):
    """The `parsed_results` collection: a document has the id of its result.

    It is derived from the result's bytes, and made anew by a newer version of the parser.
    """

    def __init__(self, database: Database, *, most_bytes: int = MOST_BYTES) -> None:
        """`most_bytes`: names and values of metrics that `rows` returns."""
        super().__init__(database)
        self._most_bytes = most_bytes
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
        await self._parsed.update_one(match, {"$set": document}, upsert=True, session=session)

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

    async def tools(self, result_ids: Sequence[str]) -> dict[str, ParsedResult]:
        """Return which tools wrote these results, without points and problems."""
        found: dict[str, ParsedResult] = {}
        for some in self._database.parts(result_ids):
            match = {"_id": {"$in": [ObjectId(key) for key in some]}}
            rows = await self._parsed.find(match, {"tool": 1, "tool_version": 1}).to_list()
            found |= {
                str(row["_id"]): parsed_of({**row, "points": (), "problems": ()}) for row in rows
            }
        return found

    async def rows(self, match: Document) -> dict[ObjectId, Document]:
        """Return the documents that match a project, and perhaps releases, by their ids.

        Raises:
            InvalidInputError: `too_many_results`: they have more bytes of metrics.
        """
        fields = {"tool": 1, "points": 1, "problems.severity": 1}
        found = self._parsed.find(match, fields, batch_size=ROWS_AT_ONCE)
        rows: dict[ObjectId, Document] = {}
        size = 0
        while some := await found.to_list(_ROWS_BETWEEN):
            rows |= {row["_id"]: row for row in some}
            size += sum(
                len(point["metrics"]) + len(point["values"])
                for row in some
                for point in row["points"]
            )
            if size > self._most_bytes:
                await found.close()
                raise InvalidInputError(
                    "too_many_results", "metrics", limit=self._most_bytes // 1_000_000
                )
        return rows

    async def read_before(self, version: int, limit: int) -> list[ObjectId]:
        """Return the ids of at most `limit` results that only earlier versions have read."""
        rows = self._parsed.find({"version": {"$lt": version}}, {"_id": 1}).limit(limit)
        return [row["_id"] async for row in rows]

    async def delete(self, result_ids: Sequence[str], session: Session | None) -> None:
        """Delete what was read from at most `IN_AT_MOST` results."""
        ids = [ObjectId(key) for key in result_ids]
        await self._parsed.delete_many({"_id": {"$in": ids}}, session=session)
