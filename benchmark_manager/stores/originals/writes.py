"""What a sync writes to the collections of originals."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bson import ObjectId
from pymongo import DeleteOne, UpdateOne

from benchmark_manager.domain.sync.tree_changes import StoredFile, TreeChanges, UpstreamFile
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.stores.database.database import Document
from benchmark_manager.stores.originals.documents import content_fields, rewritten

#: Operations in one command.
AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True)
class FileWrites:
    """Makes the writes for one commit."""

    project_id: str
    verdicts: Mapping[str, StoredVerdict]
    """By path."""
    commit_sha: str
    committed_at: datetime
    now: datetime

    def changed(self, changes: TreeChanges, used: Collection[str]) -> list[DeleteOne | UpdateOne]:
        """Return the writes for files that are stored already, in the order to make them.

        Removals come first, and moves before additions, as a path must be free when it is taken.
        A removed file keeps its record while its id is `used`.
        """
        return [
            *(self._removal(old, used) for old in changes.removed),
            *(self._revival(old, new) for old, new in changes.revived),
            *(self._update(old, new) for old, new in changes.updated),
            *(self._move(old, new) for old, new in changes.moved),
        ]

    def added(self, files: Sequence[UpstreamFile]) -> list[Document]:
        """Return the documents of new files."""
        return [{**self._every, **self._content(file)} for file in files]

    @property
    def _seen(self) -> Document:
        return {"commit_sha": self.commit_sha, "last_modified": self.committed_at}

    @property
    def _every(self) -> Document:
        key = ObjectId(self.project_id)
        return {"project_id": key, **self._seen, "synced_at": self.now, "removed_at": None}

    def _content(self, file: UpstreamFile) -> Document:
        return content_fields(file, self.verdicts[file.path])

    def _removal(self, old: StoredFile, used: Collection[str]) -> DeleteOne | UpdateOne:
        match = {"_id": ObjectId(old.id)}
        if old.id in used:
            return UpdateOne(match, {"$set": {"removed_at": self.now}})
        return DeleteOne(match)

    def _revival(self, old: StoredFile, new: UpstreamFile) -> UpdateOne:
        # An upsert: the record may have been deleted since, with its last variant.
        content = {**self._every, **self._content(new)}
        return UpdateOne({"_id": ObjectId(old.id)}, rewritten(content), upsert=True)

    def _update(self, old: StoredFile, new: UpstreamFile) -> UpdateOne:
        content = {**self._content(new), "synced_at": self.now, "removed_at": None}
        return UpdateOne({"_id": ObjectId(old.id)}, rewritten(content | self._seen_of(old, new)))

    def _move(self, old: StoredFile, new: UpstreamFile) -> UpdateOne:
        content = {**self._content(new), "synced_at": self.now}
        return UpdateOne({"_id": ObjectId(old.id)}, rewritten(content | self._seen_of(old, new)))

    def _seen_of(self, old: StoredFile, new: UpstreamFile) -> Document:
        # Equal bytes keep the commit with which they were first seen.
        return {} if old.sha == new.sha else self._seen
