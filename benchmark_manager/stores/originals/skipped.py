"""Skipped files: those that belong to a project, but are not copied."""

from collections.abc import Awaitable, Callable, Mapping

from bson import ObjectId
from pymongo import DeleteMany, InsertOne, UpdateOne

from benchmark_manager.models.sync import SkippedFile
from benchmark_manager.stores.database.database import IN_AT_MOST, Database, Document, Session
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.originals.writes import AT_ONCE

#: Skipped files by path, each with the object id that the sync saw.
SkippedFiles = Mapping[str, tuple[str, SkippedFile]]
_Writes = list[DeleteMany | InsertOne[Document] | UpdateOne]


class SkippedFileStore(Store):
    """The collection `skipped_files`; only syncs change it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._files = database.collection("skipped_files")

    async def of_project(self, project_id: str) -> dict[str, tuple[str, SkippedFile]]:
        """Return the skipped files of the last sync by path, each with its object id."""
        cursor = self._files.find({"project_id": ObjectId(project_id)}, batch_size=AT_ONCE)
        return {row["path"]: (row["sha"], _skipped_file(row)) async for row in cursor}

    async def first(self, project_id: str, limit: int) -> tuple[SkippedFile, ...]:
        """Return at most `limit` of the skipped files of the last sync, by path."""
        rows = self._files.find({"project_id": ObjectId(project_id)})
        return tuple([_skipped_file(row) async for row in rows.sort("path", 1).limit(limit)])

    async def replace(
        self,
        project_id: str,
        before: SkippedFiles,
        skipped: SkippedFiles,
        session: Session,
        *,
        at_most: int,
    ) -> bool:
        """Store what is skipped now instead of what was `before`.

        Returns:
            False, and nothing was stored, over `at_most` rows.
        """
        rows, steps = _writes(project_id, before, skipped)
        if rows > at_most:
            return False
        for operations in steps:
            await self._files.bulk_write(operations, session=session)
        return True

    async def replace_many(
        self,
        project_id: str,
        before: SkippedFiles,
        skipped: SkippedFiles,
        confirm: Callable[[Session], Awaitable[None]],
    ) -> None:
        """Do the same for any number in several transactions; `confirm` checks each lease."""
        _, steps = _writes(project_id, before, skipped)
        for operations in steps:

            async def write(session: Session, operations: _Writes = operations) -> None:
                await confirm(session)
                await self._files.bulk_write(operations, session=session)

            await self._database.transaction(write)

    async def delete_of_project(self, project_id: str) -> None:
        """Delete what a deleted project skipped."""
        await self._files.delete_many({"project_id": ObjectId(project_id)})


def _skipped_file(row: Document) -> SkippedFile:
    return SkippedFile(path=row["path"], reason=row["reason"])


def _writes(
    project_id: str, before: SkippedFiles, after: SkippedFiles
) -> tuple[int, list[_Writes]]:
    """Return how many rows have to be written, and the writes, `AT_ONCE` of them together."""
    key = ObjectId(project_id)
    gone = sorted(before.keys() - after.keys())
    new = sorted(path for path, row in after.items() if before.get(path) != row)
    steps: list[_Writes] = []
    for start in range(0, len(gone), AT_ONCE):
        some = gone[start : start + AT_ONCE]
        chunks = [some[first : first + IN_AT_MOST] for first in range(0, len(some), IN_AT_MOST)]
        steps.append([DeleteMany({"project_id": key, "path": {"$in": chunk}}) for chunk in chunks])
    for start in range(0, len(new), AT_ONCE):
        some = new[start : start + AT_ONCE]
        steps.append([_write(key, path, before, after) for path in some])
    return len(gone) + len(new), steps


def _write(
    key: ObjectId, path: str, before: SkippedFiles, after: SkippedFiles
) -> InsertOne[Document] | UpdateOne:
    sha, file = after[path]
    row = {"project_id": key, "path": path}
    found = {"sha": sha, "reason": file.reason}
    return UpdateOne(row, {"$set": found}) if path in before else InsertOne({**row, **found})
