"""Sync history."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from bson import ObjectId
from pymongo import InsertOne, UpdateOne

from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.sync import DriftMoment, Sync, SyncOutcome, SyncTrigger
from benchmark_manager.models.variant import drift_counts
from benchmark_manager.stores.database.database import (
    IN_AT_MOST,
    Database,
    Document,
    Session,
    object_id,
)
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.projects.projects import ProjectStore

_NOUN: Final = "sync"
_NEWEST_FIRST: Final = Order("started_at", datetime, descending=True)
_BY_DRIFT: Final = "modified_files_by_drift"


class SyncStore(Store):
    """The `syncs` collection: one document a finished sync, with the fence it ran under."""

    def __init__(self, database: Database, *, ids_at_once: int = IN_AT_MOST) -> None:
        """`ids_at_once`: ids in one condition of a deletion."""
        super().__init__(database)
        self._ids_at_once = ids_at_once
        self._syncs = database.collection("syncs")
        self._projects = ProjectStore(database)

    async def insert(self, sync: Sync, fence: int, session: Session) -> None:
        await self._syncs.insert_one(_document(sync, fence), session=session)

    async def fold_unchanged(
        self, rows: Sequence[tuple[Sync, int, str | None]], session: Session
    ) -> None:
        """Record polls that found nothing new, many in one write.

        Each row is the sync, the fence it ran under, and the id of the record to fold it into, as
        `fold_target` returns it; None: it gets a record of its own. A record that was purged
        meanwhile is written anew under the same id, as the project's last sync refers to it.
        """
        folds = [(sync, fence, target) for sync, fence, target in rows if target is not None]
        operations: list[InsertOne[Document] | UpdateOne] = [
            InsertOne(_document(sync, fence)) for sync, fence, target in rows if target is None
        ]
        operations += [_fold(sync, fence, target) for sync, fence, target in folds]
        if not operations:
            return
        result = await self._syncs.bulk_write(operations, ordered=False, session=session)
        if result.matched_count == len(folds):
            return
        for sync, fence, target in folds:
            key = ObjectId(target)
            if await self._syncs.find_one({"_id": key}, {"_id": 1}, session=session) is None:
                await self._syncs.insert_one(
                    {**_document(sync, fence), "_id": key}, session=session
                )

    async def has_changed_since(self, project_id: str, fence: int) -> bool:
        """Return whether a sync under a later fence may have changed the project's originals.

        Records are purged after `SYNC_RETENTION_DAYS`: of a longer time this says nothing.
        """
        match = {"project_id": ObjectId(project_id), "fence": {"$gt": fence}, "status": "success"}
        return await self._syncs.find_one(match, {"_id": 1}) is not None

    async def get(self, project_id: str, sync_id: str) -> Sync:
        """Return one finished sync of the project.

        Raises:
            NotFoundError
        """
        match = {"_id": object_id(sync_id, _NOUN), "project_id": ObjectId(project_id)}
        document = await self._syncs.find_one(match)
        if document is None:
            raise NotFoundError(_NOUN, sync_id)
        return _sync(document)

    async def by_fence(self, project_id: str, fence: int) -> Sync | None:
        """Return the sync that ran under this lease, once it has finished."""
        document = await self._syncs.find_one({"project_id": ObjectId(project_id), "fence": fence})
        return None if document is None else _sync(document)

    async def page(
        self,
        project_id: str,
        request: PageRequest,
        *,
        outcomes: Collection[SyncOutcome] = (),
        triggers: Collection[SyncTrigger] = (),
    ) -> Page[Sync]:
        """Return a project's history, newest first.

        Where outcomes or triggers are given, only syncs of these are returned.
        """
        match: Document = {"project_id": ObjectId(project_id)}
        if outcomes:
            match["status"] = {"$in": sorted(set(outcomes))}
        if triggers:
            match["trigger"] = {"$in": sorted(set(triggers))}
        return (await paged(self._syncs, match, _NEWEST_FIRST, request)).page(_sync)

    async def drifts(self, project_id: str, limit: int) -> list[DriftMoment]:
        """Return the drift of the variants after the last syncs that changed something."""
        match = {
            "project_id": ObjectId(project_id),
            "status": "success",
            # Records of an earlier version lack it.
            "modified_files_by_drift": {"$type": "object"},
        }
        fields = {"finished_at": 1, "modified_files_by_drift": 1}
        rows = self._syncs.find(match, fields).sort([("started_at", -1), ("_id", -1)]).limit(limit)
        return [
            DriftMoment(when=row["finished_at"], counts=drift_counts(row[_BY_DRIFT]))
            async for row in rows
        ]

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the records of a deleted project."""
        await self._syncs.delete_many({"project_id": ObjectId(project_id)})

    async def purge(self, before: datetime, keep: int) -> int:
        """Delete the syncs that finished earlier and, of each project, all but the newest `keep`.

        The last sync of each project stays, however old it is. Return how many were deleted.
        """
        return await self._purge_old(before) + await self._purge_beyond(keep)

    async def _purge_old(self, before: datetime) -> int:
        kept = sorted(map(ObjectId, await self._projects.last_syncs_before(before)))
        # Usually one round. Each leaves out a few of those which stay, and ends where the next one
        # begins.
        deleted = 0
        for start in range(0, max(1, len(kept)), self._ids_at_once):
            end = start + self._ids_at_once
            ids: Document = {"$nin": kept[start:end]}
            if start:
                ids["$gte"] = kept[start]
            if end < len(kept):
                ids["$lt"] = kept[end]
            result = await self._syncs.delete_many({"finished_at": {"$lt": before}, "_id": ids})
            deleted += result.deleted_count
        return deleted

    async def _purge_beyond(self, keep: int) -> int:
        pipeline: list[Document] = [
            # Sorted by an index, the counting reads no document.
            {"$sort": {"project_id": 1}},
            {"$group": {"_id": "$project_id", "count": {"$sum": 1}}},
            {"$match": {"count": {"$gt": keep}}},
        ]
        rows = await (await self._syncs.aggregate(pipeline)).to_list()
        return sum([await self._purge_project(row["_id"], keep) for row in rows])

    async def _purge_project(self, project_id: ObjectId, keep: int) -> int:
        newest = [("started_at", -1), ("_id", -1)]
        first = await self._syncs.find_one(
            {"project_id": project_id}, {"started_at": 1}, sort=newest, skip=keep
        )
        if first is None:
            return 0
        last = await self._projects.last_sync(str(project_id))
        match: Document = {
            "project_id": project_id,
            "started_at": {"$lte": first["started_at"]},
            "$or": [{"started_at": {"$lt": first["started_at"]}}, {"_id": {"$lte": first["_id"]}}],
        }
        if last is not None:
            # By a clock which was set back, the last one need not be the newest.
            match["_id"] = {"$ne": ObjectId(last)}
        result = await self._syncs.delete_many(match)
        return result.deleted_count


def _document(sync: Sync, fence: int) -> Document:
    return {
        **sync.model_dump(exclude={"id", "project_id"}),
        "_id": ObjectId(sync.id),
        "project_id": ObjectId(sync.project_id),
        "fence": fence,
    }


def _fold(sync: Sync, fence: int, target: str) -> UpdateOne:
    usage = sync.github
    return UpdateOne(
        {
            "_id": ObjectId(target),
            "project_id": ObjectId(sync.project_id),
            "status": "unchanged",
            "trigger": "poll",
        },
        {
            "$inc": {
                "repeated": 1,
                "github.requests": usage.requests,
                "github.points_used": usage.points_used,
            },
            "$set": {
                "finished_at": sync.finished_at,
                "duration_ms": sync.duration_ms,
                "github.rate_limit_remaining": usage.rate_limit_remaining,
                # A caller that waits for this poll finds it by its fence.
                "fence": fence,
            },
        },
    )


def _sync(document: dict[str, Any]) -> Sync:
    # Fields that a former version did not know have a default.
    names = Sync.model_fields.keys() - {"id", "project_id"}
    values = {name: document[name] for name in names if name in document}
    if values.get(_BY_DRIFT) is not None:
        values[_BY_DRIFT] = drift_counts(values[_BY_DRIFT])
    return Sync(id=str(document["_id"]), project_id=str(document["project_id"]), **values)
