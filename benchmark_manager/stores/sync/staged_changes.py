"""Changes of one sync that are too many for one transaction.

mongod with its smallest cache refuses a transaction of 23,000 files. So a large sync first stages
its changes in chunks, which no one reads. One small write, the publication, makes them count: from
then on they are applied whatever happens to the process, and readers of the project's originals
wait until all are. So readers see the old state or the new one.
"""

import asyncio
import dataclasses
import time
import zlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bson import ObjectId
from pydantic import TypeAdapter

from benchmark_manager.domain.sync.tree_changes import TreeChanges
from benchmark_manager.errors import StorageError
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.stores.database.database import (
    Database,
    Document,
    PendingError,
    Session,
    milliseconds,
)
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.projects.projects import ProjectStore

#: How often a reader checks whether the changes are applied, seconds, and how long at most.
_PAUSE: Final = 0.1
_WAIT_SECONDS: Final = 60.0
_COMPRESSION: Final = 1


@dataclass(frozen=True, slots=True)
class StepSizes:
    """How much one transaction of a sync or a reset writes."""

    #: Files, skipped files or variants of a sync without steps, of each so many. mongod with its
    #: smallest cache refuses 23,000 files, and the embedded server answers no other request
    #: meanwhile.
    at_once: int = 5000
    #: The same for each step of a sync that has more.
    chunk: int = 1000


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of the changes, and the verdicts on their files by path."""

    changes: TreeChanges
    verdicts: dict[str, StoredVerdict]


@dataclass(frozen=True, slots=True)
class Publication:
    """The publication of a project's staged changes: what they have in common.

    `fence` is that of the lease they were staged under. Without `same_history` every file counts as
    first seen with this commit.
    """

    project_id: str
    fence: int
    commit_sha: str
    committed_at: datetime
    same_history: bool
    now: datetime


@dataclass(frozen=True, slots=True)
class PublishedReset:
    """The deletion of all variants of a project; they are moved to the trash in steps."""

    project_id: str
    reset_id: str
    deleted_at: datetime
    deleted_by: str


_JSON: Final = TypeAdapter(Chunk)
_FIELDS: Final = tuple(
    field.name for field in dataclasses.fields(Publication) if field.name != "project_id"
)
_RESET_FIELDS: Final = ("reset_id", "deleted_at", "deleted_by")


class StagedChangeStore(Store):
    """The collections `staged_changes` (a document a chunk) and `publications` (one a project)."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._chunks = database.collection("staged_changes")
        self._publications = database.collection("publications")
        self._projects = ProjectStore(database)

    async def stage(self, project_id: str, fence: int, chunks: Iterable[Chunk]) -> None:
        """Store the chunks in their order; delete those that an earlier sync never published."""
        key = ObjectId(project_id)
        await self._database.ensure_room()
        await self._chunks.delete_many({"project_id": key, "fence": {"$lt": fence}})
        for number, chunk in enumerate(chunks):
            data = await asyncio.to_thread(_encoded, chunk)
            await self._chunks.insert_one(
                {"project_id": key, "fence": fence, "number": number, "data": data}
            )

    async def publish(self, publication: Publication, session: Session) -> None:
        """Make the staged changes count; the lease was confirmed in this very transaction.

        Until the sync is recorded, its project does not say how many originals it has:
        readers of lists notice. Nor does it say what its last success saw: should this process die,
        its files are not those of `head_sha`, and the next sync has to read again, be upstream back
        at that commit. The project is due for that sync, also where nothing polls it.
        """
        document = {name: getattr(publication, name) for name in _FIELDS}
        key = ObjectId(publication.project_id)
        now = await self._no_later(publication.now)
        await self._publications.insert_one(
            {"_id": key, "project_id": key, **document, "moved_at": now}, session=session
        )
        await self._projects.begin_publication(publication.project_id, now, session)

    async def publish_reset(self, reset: PublishedReset, session: Session) -> None:
        """Make a reset count."""
        key = ObjectId(reset.project_id)
        document = {name: getattr(reset, name) for name in _RESET_FIELDS}
        now = await self._no_later(reset.deleted_at)
        await self._publications.insert_one(
            {"_id": key, "project_id": key, **document, "moved_at": now}, session=session
        )

    async def _no_later(self, when: datetime) -> datetime:
        """Return the time, or the database's where this process's clock is ahead.

        With a time in the future, other processes would not take over.
        """
        return min(when, milliseconds(await self._database.now()))

    async def publication(self, project_id: str) -> Publication | PublishedReset | None:
        """Return what is still to be applied to the project."""
        row = await self._publications.find_one({"_id": ObjectId(project_id)})
        if row is None:
            return None
        if "reset_id" in row:
            return PublishedReset(project_id, **{name: row[name] for name in _RESET_FIELDS})
        return Publication(project_id, **{name: row[name] for name in _FIELDS})

    async def forgotten(self, before: datetime) -> list[str]:
        """Return the projects with published changes of which none was applied since then.

        Times are the database's.
        """
        return [
            str(row["_id"])
            async for row in self._publications.find({"moved_at": {"$lt": before}}, {"_id": 1})
        ]

    async def next(self, publication: Publication) -> tuple[str, Chunk] | None:
        """Return the first chunk that is left, with its id; None after the last one."""
        match = {"project_id": ObjectId(publication.project_id), "fence": publication.fence}
        row = await self._chunks.find_one(match, sort=[("number", 1)])
        return (
            None
            if row is None
            else (str(row["_id"]), await asyncio.to_thread(_decoded, row["data"]))
        )

    async def is_left(self, publication: Publication, chunk_id: str, session: Session) -> bool:
        """Return whether a chunk is still to be applied.

        It is not where another process has applied it, or where the project was deleted.
        """
        match = _match(publication)
        if await self._publications.find_one(match, {"_id": 1}, session=session) is None:
            return False
        return (
            await self._chunks.find_one({"_id": ObjectId(chunk_id)}, {"_id": 1}, session=session)
            is not None
        )

    async def moved(self, publication: Publication | PublishedReset, session: Session) -> bool:
        """Note that the work continues; return False where there is nothing left to do.

        The write makes two processes that apply at once wait or repeat.
        """
        step = {"$set": {"moved_at": await self._database.now()}, "$inc": {"steps": 1}}
        return (
            await self._publications.update_one(_match(publication), step, session=session)
        ).matched_count == 1

    async def take(self, chunk_id: str, session: Session) -> None:
        """Remove a chunk in the transaction that applies it."""
        await self._chunks.delete_one({"_id": ObjectId(chunk_id)}, session=session)

    async def close(self, publication: Publication | PublishedReset) -> None:
        """Let readers continue: everything is applied."""
        await self._publications.delete_one(_match(publication))

    async def delete_of_project(self, project_id: str) -> None:
        """Delete what is staged or published for a deleted project."""
        # First: a publication would be applied after its chunks are deleted.
        await self._publications.delete_many({"project_id": ObjectId(project_id)})
        await self._chunks.delete_many({"project_id": ObjectId(project_id)})

    async def expect_none(self, project_ids: Collection[str], session: Session) -> None:
        """Check that nothing is left to apply to these projects, as this transaction sees them.

        Raises:
            PendingError: `Database` waits and repeats the transaction.
        """
        keys = [ObjectId(project_id) for project_id in project_ids]
        size = self._database.in_at_most
        for start in range(0, len(keys), size):
            match: Document = {
                "_id": {"$in": keys[start : start + size]} if len(keys) > 1 else keys[0]
            }
            row = await self._publications.find_one(match, {"_id": 1}, session=session)
            if row is not None:
                raise PendingError(lambda key=row["_id"]: self.applied(key))  # type: ignore[misc]

    async def applied(self, key: ObjectId) -> None:
        """Wait until everything is applied to the project.

        Raises:
            StorageError: `changes_pending`, it takes too long.
        """
        deadline = time.monotonic() + _WAIT_SECONDS
        while await self._publications.find_one({"_id": key}, {"_id": 1}) is not None:
            if time.monotonic() > deadline:
                raise StorageError("changes_pending")
            await asyncio.sleep(_PAUSE)


def _match(publication: Publication | PublishedReset) -> Document:
    own = (
        {"fence": publication.fence}
        if isinstance(publication, Publication)
        else {"reset_id": publication.reset_id}
    )
    return {"_id": ObjectId(publication.project_id), **own}


def _encoded(chunk: Chunk) -> bytes:
    return zlib.compress(_JSON.dump_json(chunk), _COMPRESSION)


def _decoded(data: bytes) -> Chunk:
    return _JSON.validate_json(zlib.decompress(data))
