"""The progress of the running syncs of all replicas."""

from typing import Final

from bson import ObjectId
from pymongo import WriteConcern

from benchmark_manager.models.sync import SyncProgress
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.store import Store

#: Progress is written each second, so one write may be lost.
_CHEAP: Final = WriteConcern(1)


class SyncProgressStore(Store):
    """The `sync_progress` collection: one document a project, with the fence of its sync."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._progress = database.collection("sync_progress").with_options(write_concern=_CHEAP)

    async def put(self, project_id: str, fence: int, progress: SyncProgress) -> None:
        key = ObjectId(project_id)
        document = {**progress.model_dump(), "project_id": key, "fence": fence}
        await self._progress.update_one({"_id": key}, {"$set": document}, upsert=True)

    async def sync_id(self, project_id: str) -> str | None:
        """Return the id of the sync that a project's document is about."""
        found = await self._progress.find_one({"_id": ObjectId(project_id)}, {"sync_id": 1})
        return None if found is None else str(found["sync_id"])

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the progress of a deleted project."""
        await self._progress.delete_many({"project_id": ObjectId(project_id)})

    async def get(self, project_id: str, fence: int) -> SyncProgress | None:
        """Return the last progress of the sync under this fence, if there is any yet."""
        document = await self._progress.find_one({"_id": ObjectId(project_id), "fence": fence})
        if document is None:
            return None
        return SyncProgress(**{name: document[name] for name in SyncProgress.model_fields})
