"""Lists of files that cells of sweeps share."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import TypeAlias

from benchmark_manager.models.release import ReleaseFile
from benchmark_manager.stores.database.database import Database, Document, Session
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.releases.blobs import ReleaseBlobStore
from benchmark_manager.stores.releases.chunks import FileChunks

#: Returns whether a cell has the base list of this id.
HasCells: TypeAlias = Callable[[str, Session], Awaitable[bool]]


class BaseListStore(Store):
    """The `base_lists` collection: lists by their provenance, each once however many cells it has.

    They are staged. A version without sweeps does not know the collection, so it never deletes what
    cells refer to.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._lists = database.collection("base_lists")
        self._chunks = FileChunks(database, self._lists, ReleaseBlobStore(database))

    async def stage(self, provenance: str, files: Sequence[ReleaseFile], now: datetime) -> None:
        """Store a list that cells are about to refer to; small lists too."""
        await self._chunks.stage({"provenance": provenance}, files, now)

    async def read(self, provenance: str) -> list[ReleaseFile]:
        """Return the files of a list, in order; none where it is not there."""
        return await self._chunks.read({"provenance": provenance})

    async def file(self, provenance: str, path: str) -> ReleaseFile | None:
        """Return one file of a list; None where the list does not have it."""
        return await self._chunks.file({"provenance": provenance}, path)

    async def paths_of(
        self, provenances: Collection[str], variant_id: str, sha: str
    ) -> dict[str, str]:
        """Return where the lists have a variant with this content; not those without it."""
        found: dict[str, str] = {}
        wanted = {"files.modified_file_id": variant_id, "files.sha": sha}
        for some in self._database.parts(sorted(provenances)):
            rows = self._lists.find({"provenance": {"$in": list(some)}, **wanted})
            async for row in rows:
                for file in row["files"]:
                    if (file["modified_file_id"], file["sha"]) == (variant_id, sha):
                        found[row["provenance"]] = file["path"]
        return found

    async def sweep(self, now: datetime, has_cells: HasCells) -> int:
        """Delete lists that no cell refers to for a day; return how many documents."""

        async def is_used(row: Document, session: Session) -> bool:
            return await has_cells(row["provenance"], session)

        return await self._chunks.sweep(now, is_used)
