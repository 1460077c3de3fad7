"""Reads lists of originals, each with its total as of one moment."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from bson import ObjectId

from benchmark_manager.models.original import FileType
from benchmark_manager.stores.database.database import Database, Document, Part
from benchmark_manager.stores.database.joins import counted
from benchmark_manager.stores.search.name_search import Found, PathSearch
from benchmark_manager.stores.sync.staged_changes import StagedChangeStore


class ListReader:
    """Read parts of a list together; wait while a large sync of the project is applied.

    One of the parts is `project`, with the field `state.originals`.
    """

    def __init__(self, database: Database, staged: StagedChangeStore) -> None:
        self._database = database
        self._staged = staged

    async def search(self, key: ObjectId, search: PathSearch, parts: Mapping[str, Part]) -> Found:
        """Read the parts and those of a search, until no file changed in between."""
        while True:
            found = await self.read(key, search.match, {**parts, **search.parts()})
            if not found["project"]:
                return found
            completed = await search.complete(found, self._database.in_at_most)
            if completed is not None:
                return completed

    async def read(
        self, key: ObjectId, match: Mapping[str, Any], parts: Mapping[str, Part]
    ) -> Found:
        """Read the parts; also `total` where the project does not record its originals.

        It records none while a large sync is applied, which this waits for.
        """
        found = await self._database.read_together(parts)
        if not found["project"] or _originals(found) is not None:
            return found
        pending = Part("publications", [{"$match": {"_id": key}}, {"$project": {"_id": 1}}])
        parts = {"total": Part("files", counted(match)), **parts, "pending": pending}
        while True:
            found = await self._database.read_together(parts)
            if not found["pending"] or not found["project"]:
                return found
            await self._staged.applied(key)


def total_of(found: Mapping[str, Sequence[Document]], file_type: FileType | None) -> int:
    """Return how many originals the list has: those counted, or those that the project records."""
    originals = _originals(found)
    if "total" in found or originals is None:
        return sum(int(row["n"]) for row in found["total"])
    return sum(originals.values()) if file_type is None else originals.get(file_type, 0)


def affordable(rows: Sequence[Document], budget: int | None) -> int:
    """Return how many rows, at least one, have contents of at most `budget` bytes together."""
    if budget is None:
        return len(rows)
    totals = itertools.accumulate(int(row["size"]) for row in rows)
    return max(1, sum(total <= budget for total in totals))


def _originals(found: Mapping[str, Sequence[Document]]) -> dict[str, int] | None:
    """Return the numbers of originals by type after the project's last sync, where it is known."""
    originals: dict[str, int] | None = found["project"][0].get("state", {}).get("originals")
    return originals
