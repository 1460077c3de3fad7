"""The collection of results."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from bson import ObjectId
from pymongo import ReturnDocument

from benchmark_manager.domain.releases.digest import PREFIX
from benchmark_manager.domain.results.edits import is_read_alike
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.measured_result import MeasuredResult
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.result import ParsedResult, ResultFilters, StoredResult
from benchmark_manager.stores.database.database import (
    IN_AT_MOST,
    ROWS_AT_ONCE,
    Database,
    Document,
    Session,
    object_id,
)
from benchmark_manager.stores.database.paging import Order, PageOfRows, paged
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.results.chunks import chunk_ids, sha256s_of
from benchmark_manager.stores.results.documents import (
    label_text,
    measured_of,
    result_document,
    result_of,
)
from benchmark_manager.stores.results.parsed import ParsedResultStore

_NOUN: Final = "result"
_NEWEST_FIRST: Final = Order("created_at", datetime, descending=True)
#: 1 for a result that is not in the trash. Where a filter has that beside releases, the embedded
#: server reads all results of a project, also for a single release.
_KEPT: Final[Document] = {"$cond": [{"$ifNull": ["$deleted_at", False]}, 0, 1]}
#: Fields that a change of a result sets; the others never change.
_CHANGED: Final = ("labels", "note", "chosen_tool", "file_name", "receipt_id", "revision")
_DELETION: Final = ("deleted_at", "deleted_by")


class ResultStore(Store):
    """The `results` collection, and `parsed_results` with what a parser read.

    A result that is in the trash has a time of deletion, and still counts: the same bytes for
    the same release and run of a project are one result.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._results = database.collection("results")
        self.parsed: Final = ParsedResultStore(database)

    async def insert(
        self, result: StoredResult, parsed: ParsedResult, version: int, session: Session
    ) -> None:
        """Add a result, and what a version of the parser read from it."""
        await self._results.insert_one(result_document(result), session=session)
        await self.parsed.insert(result, parsed, version, session)

    async def same(self, result: StoredResult, session: Session) -> StoredResult | None:
        """Return the stored result of the same bytes, release and run, deleted or not."""
        match = {
            "project_id": ObjectId(result.project_id),
            **result.model_dump(include={"release", "run_id", "sha256"}),
        }
        document = await self._results.find_one(match, session=session)
        return None if document is None else result_of(document)

    async def get(
        self, result_id: str, session: Session | None = None, *, deleted: bool = False
    ) -> StoredResult:
        """Return a result that is not in the trash, or one that is.

        Raises:
            NotFoundError
        """
        match = {"_id": object_id(result_id, _NOUN), **_in_trash(deleted)}
        document = await self._results.find_one(match, session=session)
        if document is None:
            raise NotFoundError(_NOUN, result_id)
        return result_of(document)

    async def is_first(self, result: StoredResult, session: Session) -> bool:
        """Return whether its project has no other result of its release, except for the trash."""
        match = {
            "project_id": ObjectId(result.project_id),
            "release": result.release,
            **_in_trash(deleted=False),
        }
        return await self._results.find_one(match, {"_id": 1}, session=session) is None

    async def change(self, result: StoredResult, session: Session) -> None:
        """Store what edits change of a result that this transaction has read."""
        document = result_document(result)
        fields = (*_CHANGED, *_DELETION) if result.deleted_at is not None else _CHANGED
        update: Document = {"$set": {name: document[name] for name in fields}}
        if result.deleted_at is None:
            update["$unset"] = dict.fromkeys(_DELETION, 1)
        await self._results.update_one({"_id": document["_id"]}, update, session=session)

    async def keep_parsed(self, result: StoredResult, parsed: ParsedResult, version: int) -> None:
        """Store what a newer version of the parser read from a result, unless that is gone.

        Where the result's tool or name changed meanwhile, it is marked as to be read again.
        """
        await self.parsed.replace(result, parsed, version)
        found = await self._results.find_one_and_update(
            {"_id": ObjectId(result.id)},
            {"$set": {"tool": parsed.tool}},
            return_document=ReturnDocument.AFTER,
        )
        if found is None:
            await self.parsed.delete([result.id], None)
        elif not is_read_alike(result, result_of(found)):
            await self.parsed.outdate(result.id)

    async def read_otherwise(
        self, result: StoredResult, parsed: ParsedResult, version: int, session: Session
    ) -> None:
        """Store what is read from a result whose tool or name this transaction has changed."""
        tool = {"$set": {"tool": parsed.tool}}
        await self._results.update_one({"_id": ObjectId(result.id)}, tool, session=session)
        await self.parsed.put(result, parsed, version, session)

    async def page(
        self,
        project_id: str,
        filters: ResultFilters,
        request: PageRequest,
        *,
        digests: Collection[str] | None = None,
    ) -> Page[StoredResult]:
        """Return a page of a project's results, newest first.

        `digests` are the releases that the filters name; None restricts nothing.
        """
        match = _matching(project_id, filters)
        if digests is not None:
            releases = await self._with_results(project_id, digests)
            if len(releases) > self._database.in_at_most:
                return await self._page_of_many(match, releases, request)
            match["release"] = {"$in": releases}
        found = await self._database.snapshot(
            partial(paged, self._results, match, _NEWEST_FIRST, request)
        )
        return found.page(result_of)

    async def _with_results(self, project_id: str, digests: Collection[str]) -> list[str]:
        """Return those of the releases that have results in a project."""
        if len(digests) <= self._database.in_at_most:
            return sorted(digests)
        measured = await self._results.distinct("release", {"project_id": ObjectId(project_id)})
        return sorted(set(digests).intersection(measured))

    async def _page_of_many(
        self, match: Document, digests: Sequence[str], request: PageRequest
    ) -> Page[StoredResult]:
        """Return a page of the results of more releases than one query takes."""
        wanted = frozenset(digests)
        fields = {"_id": 0, "release": 1}
        every = await self._results.find(match, fields, batch_size=ROWS_AT_ONCE).to_list()
        total = sum(row["release"] in wanted for row in every)
        after = _NEWEST_FIRST.after(match, request.cursor)
        rows: list[Document] = []
        async with self._results.find(after, batch_size=ROWS_AT_ONCE) as found:
            async for row in found.sort(_NEWEST_FIRST.sort):
                if row["release"] in wanted:
                    rows.append(row)
                if len(rows) > request.limit:
                    break
        return PageOfRows.cut(rows, _NEWEST_FIRST, total, request.limit).page(result_of)

    async def measured(
        self, project_id: str, digests: Collection[str] | None, limit: int
    ) -> Sequence[MeasuredResult]:
        """Return the results of a project that are not in the trash, the oldest first.

        Args:
            project_id: The project.
            digests: The releases whose results are returned; None: all of the project.
            limit: Of so many or more results, `limit` are returned, without what was measured.
        """
        parts = list(self._of_releases({"project_id": ObjectId(project_id)}, digests))
        fields = {"release": 1, "labels": 1, "created_at": 1, "deleted_at": 1}
        rows: list[Document] = []
        for part in parts:
            found = self._results.find(part, fields, batch_size=ROWS_AT_ONCE)
            # Not row by row: for thousands of rows that takes as long as reading them.
            while some := await found.to_list(ROWS_AT_ONCE):
                rows += [row for row in some if row.get("deleted_at") is None]
                if len(rows) >= limit:
                    await found.close()
                    return await asyncio.to_thread(_measured, rows[:limit], {})
        parsed: dict[ObjectId, Document] = {}
        for part in parts:
            parsed |= await self.parsed.rows(part)
        rows.sort(key=_age)
        return await asyncio.to_thread(_measured, rows, parsed)

    def _of_releases(self, match: Document, digests: Collection[str] | None) -> Iterator[Document]:
        """Yield filters that together match these releases."""
        if digests is None:
            yield match
            return
        for some in self._database.parts(sorted(digests)):
            yield {**match, "release": {"$in": list(some)}}

    async def counts(self, project_id: str, digests: Sequence[str]) -> dict[str, int]:
        """Return how many results of a project these releases have; none is not listed."""
        found: dict[str, int] = {}
        for some in self._database.parts(digests):
            match = {"project_id": ObjectId(project_id), "release": {"$in": list(some)}}
            group = {"_id": "$release", "count": {"$sum": _KEPT}}
            rows = await self._results.aggregate([{"$match": match}, {"$group": group}])
            found |= {row["_id"]: row["count"] async for row in rows if row["count"]}
        return found

    async def count(self, project_id: str, most: int) -> int:
        """Return how many results a project has; of more than `most`, that number."""
        match = {"project_id": ObjectId(project_id), **_in_trash(deleted=False)}
        return await self._results.count_documents(match, limit=most)

    async def last_measured(self, project_id: str, limit: int) -> list[str]:
        """Return the releases of a project's results, those with the newest results first."""
        match = {"project_id": ObjectId(project_id), **_in_trash(deleted=False)}
        rows = await self._results.aggregate(
            [
                {"$match": match},
                {"$group": {"_id": "$release", "newest": {"$max": "$created_at"}}},
                {"$sort": {"newest": -1, "_id": 1}},
                {"$limit": limit},
            ]
        )
        return [row["_id"] async for row in rows]

    async def cited(
        self, digests: Sequence[str], project_id: str | None, session: Session
    ) -> set[str]:
        """Return the releases that results of a project, or of any, refer to.

        Those in the trash count too. Digests may lack their prefix, as the store of releases has
        them.
        """
        of_project = {} if project_id is None else {"project_id": ObjectId(project_id)}
        found: set[str] = set()
        whole = [PREFIX + digest.removeprefix(PREFIX) for digest in digests]
        for some in self._database.parts(whole):
            match = {**of_project, "release": {"$in": list(some)}}
            found |= set(await self._results.distinct("release", match, session=session))
        return found

    async def project_ids(self) -> set[str]:
        """Return the projects that have results."""
        return {str(key) for key in await self._results.distinct("project_id")}

    async def project_of(self, key: object) -> str | None:
        """Return the project of the result that a change stream names; None if it is gone."""
        row = await self._results.find_one({"_id": key}, {"project_id": 1})
        return None if row is None else str(row["project_id"])

    async def chunk_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the parts of bytes that results refer to: those of `among`, or all (None)."""
        match: Document = {}
        if among is not None:
            match = {"sha256": {"$in": sorted(sha256s_of(among))}}
        found: set[str] = set()
        async for row in self._results.find(match, {"sha256": 1, "size": 1}):
            found.update(chunk_ids(row["sha256"], row["size"]))
        return found

    async def every(self) -> AsyncGenerator[StoredResult]:
        """Yield all results, also those in the trash."""
        async for row in self._results.find({}, batch_size=ROWS_AT_ONCE):
            yield result_of(row)

    async def read_before(self, version: int, limit: int) -> list[StoredResult]:
        """Return at most `limit` results that only earlier versions of the parser have read."""
        ids = await self.parsed.read_before(version, limit)
        rows = self._results.find({"_id": {"$in": ids}})
        return [result_of(row) async for row in rows]

    async def older(self, before: datetime, limit: int, session: Session) -> list[StoredResult]:
        """Return at most `limit` results that were deleted before that time."""
        match = {"deleted_at": {"$lt": before}}
        rows = self._results.find(match, session=session).sort("deleted_at", 1).limit(limit)
        return [result_of(row) async for row in rows]

    async def delete(self, result_ids: Sequence[str], session: Session | None) -> None:
        """Delete at most `IN_AT_MOST` results for good."""
        # Before the results, by which they are found again after a crash.
        await self.parsed.delete(result_ids, session)
        ids = [ObjectId(key) for key in result_ids]
        await self._results.delete_many({"_id": {"$in": ids}}, session=session)

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the results of a deleted project."""
        match = {"project_id": ObjectId(project_id)}
        ids = [str(row["_id"]) async for row in self._results.find(match, {"_id": 1})]
        for start in range(0, len(ids), IN_AT_MOST):
            await self.delete(ids[start : start + IN_AT_MOST], None)


def _in_trash(deleted: bool) -> Document:
    return {"deleted_at": {"$ne": None} if deleted else None}


def _matching(project_id: str, filters: ResultFilters) -> Document:
    """Return what a project's results match, except for the releases that a filter names."""
    match: Document = {"project_id": ObjectId(project_id), **_in_trash(filters.deleted)}
    if filters.tool is not None:
        match["tool"] = filters.tool
    if filters.created_by is not None:
        match["created_by"] = filters.created_by
    if filters.labels:
        match["$and"] = [{"labels": label_text(*pair)} for pair in filters.labels.items()]
    return match


def _age(row: Document) -> tuple[datetime, ObjectId]:
    return row["created_at"], row["_id"]


def _measured(
    rows: Sequence[Document], parsed: Mapping[ObjectId, Document]
) -> list[MeasuredResult]:
    return [measured_of(row, parsed.get(row["_id"])) for row in rows]
