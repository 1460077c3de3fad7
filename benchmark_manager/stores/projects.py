"""Projects, their leases and their counts."""

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, get_args

from bson import ObjectId
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from benchmark_manager.errors import ConflictError, LeaseLostError, NotFoundError, SourceChangedError, StaleError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.project import Lease, Project, RepositoryAddress, Source, SyncState, SyncStatus, Totals
from benchmark_manager.models.sync import ErrorInfo, SyncSummary, SyncTrigger, SyncWarning
from benchmark_manager.stores.database import Database, Document, Session, object_id
from benchmark_manager.stores.paging import behind, encode_cursor

#: A lease lasts this long unless it is renewed, seconds.
LEASE_SECONDS: Final = 60.0
#: A deleted project's id is remembered this long: no transaction that began before the deletion lives longer.
_TOMBSTONE: Final = timedelta(minutes=2)
_NOUN: Final = "project"
_NEVER: Final = datetime(9000, 1, 1, tzinfo=UTC)
_CHILDREN: Final = ("files", "skipped_files", "modified_files", "syncs")


class ProjectStore:
    """The `projects` collection, and `deleted_projects`, whose rows await sweeping."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._projects = database.collection("projects")
        self._deleted = database.collection("deleted_projects")

    async def insert(self, project: Project) -> None:
        """Add a project.

        Raises:
            ConflictError: `project_name_taken`.
        """
        await self._database.ensure_room()
        try:
            await self._projects.insert_one(_document(project))
        except DuplicateKeyError:
            raise _name_taken(project.name) from None

    async def now(self) -> datetime:
        """The clock by which projects fall due and leases run: the database's."""
        return await self._database.now()

    async def get(self, project_id: str, session: Session | None = None) -> Project:
        document = await self._projects.find_one({"_id": object_id(project_id, _NOUN)}, session=session)
        if document is None:
            raise NotFoundError(_NOUN, project_id)
        return _project(document)

    async def page(self, request: PageRequest, query: str | None) -> Page[Project]:
        """Projects by name, regardless of case; `query` is looked for anywhere in the name."""
        match: Document = {"name_key": {"$regex": re.escape(query.casefold())}} if query else {}
        fields = ("name_key", "_id")

        async def read(session: Session) -> tuple[int, list[Document]]:
            total = await self._projects.count_documents(match, session=session)
            cursor = self._projects.find(behind(match, request.cursor, fields), session=session)
            rows = await cursor.sort([("name_key", 1), ("_id", 1)]).limit(request.limit + 1).to_list()
            return total, rows

        total, rows = await self._database.snapshot(read)
        more = encode_cursor(rows[request.limit - 1], fields) if len(rows) > request.limit else None
        return Page(tuple(_project(row) for row in rows[: request.limit]), total, more)

    async def replace(self, project: Project, before: Project, *, reschedule: bool, forget_upstream: bool) -> None:
        """Store a person's change of the settings, and with `reschedule` also when the project is due.

        `forget_upstream`: another place is read now, so that what was seen of the old one says nothing.

        Raises:
            StaleError: the settings are not those of `before` any more: somebody changed them, a sync learnt the
                repository's new name, or the token was encrypted anew.
            ConflictError: `project_name_taken`.
            NotFoundError
        """
        await self._database.ensure_room()
        key = object_id(project.id, _NOUN)
        document = _document(project)
        changes = {name: document[name] for name in _SETTINGS}
        if reschedule:
            changes["next_poll_at"] = project.next_poll_at
        if forget_upstream:
            changes |= {"state.head_sha": None, "state.root_tree_sha": None, "state.resolved_branch": None}
        try:
            result = await self._projects.update_one(
                {
                    "_id": key,
                    "revision": before.revision,
                    "repository_key": before.source.repository.key,
                    "source.encrypted_token": before.source.encrypted_token,
                },
                {"$set": changes},
            )
        except DuplicateKeyError:
            raise _name_taken(project.name) from None
        if result.matched_count == 0:
            raise StaleError((await self.get(project.id)).revision)

    async def delete(self, project_id: str, expected_revisions: Collection[int] | None, now: datetime) -> None:
        """Take the project away from every reader; `sweep_deleted` removes what belonged to it."""
        key = object_id(project_id, _NOUN)

        async def work(session: Session) -> None:
            document = await self._projects.find_one({"_id": key}, {"revision": 1}, session=session)
            if document is None:
                raise NotFoundError(_NOUN, project_id)
            if expected_revisions is not None and document["revision"] not in expected_revisions:
                raise StaleError(document["revision"])
            await self._deleted.insert_one({"_id": key, "deleted_at": now}, session=session)
            await self._projects.delete_one({"_id": key}, session=session)

        await self._database.transaction(work)

    async def sweep_deleted(self, now: datetime) -> int:
        """Remove what belonged to deleted projects; returns how many projects were swept for good."""
        swept = 0
        async for tombstone in self._deleted.find({}):
            for name in _CHILDREN:
                await self._database.collection(name).delete_many({"project_id": tombstone["_id"]})
            if tombstone["deleted_at"] < now - _TOMBSTONE:
                await self._deleted.delete_one({"_id": tombstone["_id"]})
                swept += 1
        return swept

    async def with_tokens(self) -> list[tuple[str, str]]:
        """The id and encrypted token of every project that has one."""
        rows = self._projects.find({"source.encrypted_token": {"$ne": None}}, {"source.encrypted_token": 1})
        return [(str(row["_id"]), row["source"]["encrypted_token"]) async for row in rows]

    async def replace_token(self, project_id: str, old: str, new: str) -> bool:
        """Store the same token under another key; False when somebody changed it meanwhile."""
        result = await self._projects.update_one(
            {"_id": ObjectId(project_id), "source.encrypted_token": old}, {"$set": {"source.encrypted_token": new}}
        )
        return result.modified_count == 1

    async def make_all_due(self, trigger: SyncTrigger) -> list[str]:
        """Make every project due at once, also those which are being synced; returns their ids by name."""
        await self._database.ensure_room()
        ids = [row["_id"] async for row in self._projects.find({}, {"_id": 1}).sort("name_key", 1)]
        due = {"next_poll_at": await self._database.now(), "due_trigger": trigger}
        await self._projects.update_many({}, {"$set": due, "$inc": {"wishes": 1}})
        return [str(row) for row in ids]

    # Leases: times are the database's own, fetched just before.

    async def claim_due(self, owner: str) -> tuple[Project, Lease] | None:
        """Take the longest due project which nobody works on, or None."""
        async with self._database.claim_lock:
            now = await self._database.now()
            return await self._claim({"next_poll_at": {"$lte": now}}, owner, now)

    async def claim(self, project_id: str, owner: str) -> tuple[Project, Lease] | None:
        """Take this project, due or not; None while somebody works on it, or when it is gone."""
        async with self._database.claim_lock:
            now = await self._database.now()
            return await self._claim({"_id": object_id(project_id, _NOUN)}, owner, now)

    async def _claim(self, match: Document, owner: str, now: datetime) -> tuple[Project, Lease] | None:
        document = await self._projects.find_one_and_update(
            {**match, "$or": [{"lease_until": None}, {"lease_until": {"$lte": now}}]},
            {
                "$set": {"lease_owner": owner, "lease_until": now + timedelta(seconds=LEASE_SECONDS)},
                "$inc": {"fence": 1},
            },
            sort=[("next_poll_at", 1)],
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            return None
        project = _project(document)
        return project, Lease(project_id=project.id, owner=owner, fence=project.fence)

    async def renew(self, lease: Lease) -> None:
        """Prolong a lease.

        Raises:
            LeaseLostError
        """
        until = await self._database.now() + timedelta(seconds=LEASE_SECONDS)
        result = await self._projects.update_one(_held(lease), {"$set": {"lease_until": until}})
        if result.matched_count == 0:
            raise LeaseLostError

    async def release(self, lease: Lease) -> None:
        """Give a lease back without a result; the project stays as due as it was."""
        await self._projects.update_one(_held(lease), {"$set": _NO_LEASE})

    async def break_leases(self) -> None:
        """End all leases; for the one process which a database belongs to, as it starts.

        What a former process left behind need not run out: nobody else can hold one.
        """
        await self._projects.update_many({"lease_until": {"$ne": None}}, {"$set": _NO_LEASE, "$inc": {"fence": 1}})

    async def finish(
        self,
        lease: Lease,
        project: Project,
        state: SyncState,
        *,
        next_poll_at: datetime | None,
        renamed_to: RepositoryAddress | None,
        session: Session,
    ) -> None:
        """Record a sync's outcome and give the lease back, as part of its transaction.

        `project` is what the sync began with. Where a sync was queued since, the project stays as due as that made it.

        Raises:
            LeaseLostError: the fence has risen, or the project is gone: nothing may be committed.
            SourceChangedError: a person changed what the sync was reading.
        """
        stored = await self._projects.find_one(_held(lease), {"source.version": 1, "wishes": 1}, session=session)
        if stored is None:
            raise LeaseLostError
        if stored["source"]["version"] != project.source.version:
            raise SourceChangedError
        changes: Document = {"state": state.model_dump(), **_NO_LEASE}
        if stored["wishes"] == project.wishes:
            changes |= {"next_poll_at": next_poll_at, "due_trigger": "poll"}
        if renamed_to is not None:
            changes |= {"source.repository": renamed_to.model_dump(), "repository_key": renamed_to.key}
        # The condition again, as the write is what makes others who change the document wait or repeat.
        result = await self._projects.update_one(_held(lease), {"$set": changes}, session=session)
        if result.matched_count == 0:
            raise LeaseLostError

    async def totals(self, now: datetime) -> Totals:
        """Counts over all projects, by aggregation."""
        running = {"$gt": ["$lease_until", now]}
        group: Document = {
            "_id": {"$cond": [running, "running", "$state.status"]},
            "count": {"$sum": 1},
            "due": {"$sum": {"$cond": [_is_due(now), 1, 0]}},
            # A number, as $min over times and nulls differs between servers.
            "next": {"$min": {"$ifNull": ["$next_poll_at", _NEVER]}},
        }
        rows = await (await self._projects.aggregate([{"$group": group}])).to_list()
        planned = [row["next"] for row in rows if row["next"] < _NEVER]
        buried = [row["_id"] async for row in self._deleted.find({}, {"_id": 1})]
        alive: Document = {"project_id": {"$nin": buried}} if buried else {}
        files = self._database.collection("files")
        return Totals(
            projects=sum(row["count"] for row in rows),
            original_files=await files.count_documents({**alive, "removed_at": None}),
            modified_files=await self._database.collection("modified_files").count_documents(alive),
            projects_by_sync_status=dict.fromkeys(get_args(SyncStatus), 0) | {row["_id"]: row["count"] for row in rows},
            next_poll_at=min(planned, default=None),
            projects_due=sum(row["due"] for row in rows),
        )


_SETTINGS: Final = ("name", "name_key", "source", "repository_key", "polling_interval", "updated_at", "revision")
_NO_LEASE: Final[Mapping[str, Any]] = {"lease_owner": None, "lease_until": None}


def _is_due(now: datetime) -> Document:
    return {"$and": [{"$gt": ["$next_poll_at", None]}, {"$lte": ["$next_poll_at", now]}]}


def _held(lease: Lease) -> Document:
    return {"_id": ObjectId(lease.project_id), "lease_owner": lease.owner, "fence": lease.fence}


def _name_taken(name: str) -> ConflictError:
    return ConflictError("project_name_taken", f"There is a project named {name!r} already; choose another name.")


def _document(project: Project) -> Document:
    return {
        "_id": ObjectId(project.id),
        "name_key": project.name.casefold(),
        "repository_key": project.source.repository.key,
        **project.model_dump(exclude={"id"}),
    }


def _project(document: Document) -> Project:
    state = document["state"]
    summary, error = state["last_sync"], state["error"]
    return Project(
        id=str(document["_id"]),
        name=document["name"],
        source=Source(**document["source"]),
        polling_interval=document["polling_interval"],
        created_at=document["created_at"],
        updated_at=document["updated_at"],
        revision=document["revision"],
        state=SyncState(
            **{
                **state,
                "last_sync": None if summary is None else SyncSummary(**summary),
                "warnings": tuple(SyncWarning(**warning) for warning in state["warnings"]),
                "error": None if error is None else ErrorInfo(**error),
            }
        ),
        next_poll_at=document["next_poll_at"],
        due_trigger=document["due_trigger"],
        wishes=document["wishes"],
        fence=document["fence"],
        lease_owner=document["lease_owner"],
        lease_until=document["lease_until"],
    )
