"""Histories of files, as read from GitHub: the history up to a commit never changes."""

import hashlib
import json
from datetime import datetime
from typing import Final

from bson import ObjectId

from benchmark_manager.models.file_history import FileCommit, HistoryKey, HistoryPage
from benchmark_manager.stores.database.database import Database, Document
from benchmark_manager.stores.database.store import Store

#: A page with longer messages is not kept, UTF-8 bytes: a document must keep below MongoDB's 16
#: MiB.
LARGEST: Final = 4 * 1024 * 1024


class FileHistoryStore(Store):
    """The `file_histories` collection: a cache, to be emptied at any time. One document a page."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._histories = database.collection("file_histories")

    async def find(self, key: HistoryKey) -> HistoryPage | None:
        """Return the page, if it is kept."""
        document = await self._histories.find_one({"_id": _id(key)})
        if document is None:
            return None
        return HistoryPage(
            commits=tuple(FileCommit(**row) for row in document["commits"]), more=document["more"]
        )

    async def keep(self, key: HistoryKey, page: HistoryPage, now: datetime) -> None:
        """Keep the page, unless it is larger than `LARGEST`, until `purge` or the project's end."""
        if sum(len(commit.message.encode()) for commit in page.commits) > LARGEST:
            return
        document: Document = {
            "project_id": ObjectId(key.project_id),
            "kept_at": now,
            **page.model_dump(),
        }
        await self._histories.update_one({"_id": _id(key)}, {"$set": document}, upsert=True)

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the histories of a deleted project's files."""
        await self._histories.delete_many({"project_id": ObjectId(project_id)})

    async def purge(self, before: datetime) -> int:
        """Delete the pages which were kept earlier; returns how many."""
        result = await self._histories.delete_many({"kept_at": {"$lt": before}})
        return result.deleted_count


def _id(key: HistoryKey) -> str:
    # A path of GitHub's may be too long for an index on some servers; its hash never is.
    values = [key.project_id, key.repository_key, key.path, key.head_sha, key.page]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
