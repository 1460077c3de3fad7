"""Searches for a part of a path, regardless of case and of Unicode form.

The database can only compare ASCII like that. So it returns a page of the matching ASCII paths, and
the ids and paths of all others, which are compared here. Most projects have no others, and no
folded copy of a path has to be stored or migrated.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.models.page import PageRequest
from benchmark_manager.stores.database.database import Collection, Document, Part
from benchmark_manager.stores.database.joins import counted
from benchmark_manager.stores.database.paging import Order, position_of

#: How lists of files are sorted.
BY_PATH: Final = Order("path")
_PLAIN: Final = r"^[\x00-\x7f]*$"
_NOT_PLAIN: Final = r"[^\x00-\x7f]"
#: Paths which are compared right here: as many take 5 ms.
_COMPARED_HERE: Final = 1000

Found = dict[str, list[Document]]


@dataclass(frozen=True, slots=True)
class PathSearch:
    """A page of the documents of `collection` which match, and whose path holds `query`."""

    collection: Collection
    match: Mapping[str, Any]
    query: str
    request: PageRequest

    def parts(self) -> dict[str, Part]:
        """Return what to read: `rows` and `total` of plain ASCII, and `others`."""
        folded = fold(self.query)
        beyond = {"$match": {"$and": [self.match, {"path": {"$regex": _NOT_PLAIN}}]}}
        others = Part(self.collection.name, [beyond, {"$project": {"path": 1}}])
        if not folded.isascii():
            return {"others": others}
        pattern = {"path": {"$regex": re.escape(folded), "$options": "i"}}
        match: Document = {"$and": [self.match, pattern, {"path": {"$regex": _PLAIN}}]}
        page: list[Document] = [
            {"$match": BY_PATH.after(match, self.request.cursor)},
            {"$sort": BY_PATH.sort},
            {"$limit": self.request.limit + 1},
        ]
        return {
            "rows": Part(self.collection.name, page),
            "total": Part(self.collection.name, counted(match)),
            "others": others,
        }

    async def complete(self, found: Found, in_at_most: int) -> Found | None:
        """Add the other matches to `rows` and `total`; return None where one has changed since."""
        others = found["others"]
        if len(others) > _COMPARED_HERE:
            matching = await asyncio.to_thread(self._matching, others)
        else:
            matching = self._matching(others)
        start = None if self.request.cursor is None else position_of(self.request.cursor)
        wanted = [key for key in matching if start is None or key > start][: self.request.limit + 1]
        paths = {file_id: path for path, file_id in wanted}
        rows = await self._read(list(paths), in_at_most)
        if any(paths[row["_id"]] != row["path"] for row in rows) or len(rows) != len(paths):
            return None
        merged = sorted([*found.get("rows", ()), *rows], key=lambda row: (row["path"], row["_id"]))
        total = sum(row["n"] for row in found.get("total", ())) + len(matching)
        return {**found, "rows": merged[: self.request.limit + 1], "total": [{"n": total}]}

    def _matching(self, others: Sequence[Document]) -> list[tuple[str, ObjectId]]:
        folded = fold(self.query)
        return sorted((row["path"], row["_id"]) for row in others if folded in fold(row["path"]))

    async def _read(self, ids: Sequence[ObjectId], in_at_most: int) -> list[Document]:
        rows: list[Document] = []
        for start in range(0, len(ids), in_at_most):
            some = list(ids[start : start + in_at_most])
            match: Document = {"$and": [self.match, {"_id": {"$in": some}}]}
            rows += await self.collection.find(match).to_list()
        return rows
