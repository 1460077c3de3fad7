"""The collection of projects, and counts over them."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, get_args

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.text.folding import fold
from benchmark_manager.domain.webhooks.push_events import due_after_push
from benchmark_manager.errors import ConflictError, NotFoundError, StaleError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.project import (
    SYNC_STATUSES,
    Project,
    RepositoryAddress,
    Standing,
    SyncStatus,
    Totals,
)
from benchmark_manager.models.record import known_word
from benchmark_manager.models.sync import SyncTrigger
from benchmark_manager.stores.database.database import (
    IN_AT_MOST,
    Database,
    Document,
    Session,
    object_id,
)
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.projects.documents import dotted, due_by, project_document, project_of

#: How long a deleted project's id is kept: longer than any transaction that began before the
#: deletion can take.
_TOMBSTONE: Final = timedelta(minutes=2)
_NOUN: Final = "project"
_BY_NAME: Final = Order("name_key")
_NOT_PLAIN: Final = r"[^\x00-\x7f]"
_NEVER: Final = datetime(9000, 1, 1, tzinfo=UTC)
#: What a change by a person writes, beside the name and the source.
_SETTINGS: Final = (
    "repository_key",
    "credential",
    "polling_interval",
    "paused",
    "updated_at",
    "revision",
)
#: What is forgotten of the files that a project read before.
_FORGOTTEN: Final[Mapping[str, None]] = {
    "state.head_sha": None,
    "state.root_tree_sha": None,
    "state.folder_trees": None,
    "state.resolved_branch": None,
    "pushed_sha": None,
}

#: Two equal ones stand for equal originals.
ListState = tuple[int, str] | None


class ProjectStore(Store):
    """The collections `projects`, and `deleted_projects`, whose rows are to be swept."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        #: For `LeaseStore`, which writes the leases in the same documents.
        self.collection = database.collection("projects")
        self._projects = self.collection
        self._deleted = database.collection("deleted_projects")

    async def insert(self, project: Project, session: Session | None = None) -> None:
        """Add a project.

        Raises:
            ConflictError: `project_name_taken`.
        """
        try:
            await self._projects.insert_one(project_document(project), session=session)
        except DuplicateKeyError:
            raise await self._name_taken(project.name) from None

    async def _name_taken(self, name: str) -> ConflictError:
        """Return the refusal of a name; it names the project that has it."""
        other = await self._projects.find_one({"name_key": fold(name)}, {"name": 1})
        taken = name if other is None else other["name"]
        reason = "same" if taken == name else "equivalent"
        return ConflictError("project_name_taken", reason, taken=taken, name=name)

    async def now(self) -> datetime:
        """Return the database's time, by which projects are due and leases expire."""
        return await self._database.now()

    async def get(self, project_id: str, session: Session | None = None) -> Project:
        document = await self._projects.find_one(
            {"_id": object_id(project_id, _NOUN)}, session=session
        )
        if document is None:
            raise NotFoundError(_NOUN, project_id)
        return project_of(document)

    async def exists_any(self, project_ids: Sequence[str], session: Session | None) -> bool:
        """Return whether one of these projects exists."""
        for start in range(0, len(project_ids), IN_AT_MOST):
            some = [ObjectId(key) for key in project_ids[start : start + IN_AT_MOST]]
            match = {"_id": {"$in": some}}
            if await self._projects.find_one(match, {"_id": 1}, session=session) is not None:
                return True
        return False

    async def list_state(self, project_id: str, session: Session | None = None) -> ListState:
        """Return what changes with each change of the originals; None while a sync changes them.

        The fence rises before a sync begins, and `last_sync` is new in the transaction in which its
        changes count.

        Raises:
            NotFoundError: there is no such project.
        """
        fields = {"fence": 1, "state.originals": 1, "state.last_sync.id": 1}
        match = {"_id": object_id(project_id, _NOUN)}
        project = await self._projects.find_one(match, fields, session=session)
        if project is None:
            raise NotFoundError(_NOUN, project_id)
        state = project["state"]
        if state.get("originals") is None:
            return None
        return project["fence"], (state.get("last_sync") or {}).get("id", "")

    async def begin_publication(self, project_id: str, now: datetime, session: Session) -> None:
        """Forget what the last sync counted, and make the project due at `now`."""
        changes = {"state.originals": None, "state.max_file_size": None, "next_poll_at": now}
        match = {"_id": ObjectId(project_id)}
        await self._projects.update_one(match, {"$set": changes}, session=session)

    async def last_syncs_before(self, before: datetime) -> list[str]:
        """Return the id of each project's last sync that finished earlier."""
        match = {"state.last_sync.finished_at": {"$lt": before}}
        rows = self._projects.find(match, {"state.last_sync.id": 1})
        return [row["state"]["last_sync"]["id"] async for row in rows]

    async def last_sync(self, project_id: str) -> str | None:
        """Return the id of the project's last sync."""
        match = {"_id": ObjectId(project_id)}
        project = await self._projects.find_one(match, {"state.last_sync.id": 1})
        last = None if project is None else project["state"].get("last_sync")
        return None if last is None else str(last["id"])

    async def page(
        self,
        request: PageRequest,
        query: str | None,
        standing: Standing | None,
        among: Collection[str] | None = None,
    ) -> Page[Project]:
        """Return a page of projects by name, of all or `among` these ids.

        `query` is searched anywhere in the name, as `domain.text.folding` compares.
        """
        match = _among(among)
        if query:
            match |= {"name_key": {"$regex": re.escape(fold(query))}}
        if standing is not None:
            match |= {"paused": True} if standing == "paused" else {"state.status": standing}
        found = await self._database.snapshot(
            partial(paged, self._projects, match, _BY_NAME, request)
        )
        return found.page(project_of)

    async def fold_names(self) -> int:
        """Fold the keys of names that earlier versions folded by case alone; return how many.

        Where the names of two projects differ only in their Unicode form, both stay: the key of the
        second ends with its id, so that a search finds it too. This runs at every start, since such
        a version may still write during a rolling update.
        """
        changed = 0
        async for row in self._projects.find(
            {"name_key": {"$regex": _NOT_PLAIN}}, {"name": 1, "name_key": 1}
        ):
            key = fold(row["name"])
            unique = f"{key}\0{row['_id']}"
            if row["name_key"] in {key, unique}:
                continue
            match = {"_id": row["_id"], "name": row["name"]}
            try:
                result = await self._projects.update_one(match, {"$set": {"name_key": key}})
            except DuplicateKeyError:
                result = await self._projects.update_one(match, {"$set": {"name_key": unique}})
            changed += result.modified_count
        return changed

    async def standings(self, among: Collection[str] | None = None) -> dict[Standing, int]:
        """Return how many projects each filter of the list finds, of all or `among` these ids."""
        paused = {"$eq": ["$paused", True]}
        group: Document = {
            "_id": "$state.status",
            "count": {"$sum": 1},
            "paused": {"$sum": {"$cond": [paused, 1, 0]}},
        }
        pipeline = [{"$match": _among(among)}, {"$group": group}]
        rows = await (await self._projects.aggregate(pipeline)).to_list()
        counts: dict[Standing, int] = dict.fromkeys(get_args(Standing), 0)
        for row in rows:
            status = known_word(row["_id"], SYNC_STATUSES, "unavailable")
            if status != "running":
                counts[status] += row["count"]
        return counts | {"paused": sum(row["paused"] for row in rows)}

    async def replace(
        self,
        project: Project,
        before: Project,
        session: Session,
        *,
        reschedule: bool,
        forget_upstream: bool,
    ) -> None:
        """Store a person's change of the settings.

        Args:
            project: the project as it is from now on.
            before: the project as it was read.
            session: the transaction.
            reschedule: also store when the project is due.
            forget_upstream: the project reads other files now, so that what was seen of the former
                ones is forgotten.

        Raises:
            StaleError: the settings are not those of `before` any more, because a person changed
                them, a sync found the repository's new name, or the token was encrypted anew; with
                `reschedule` also because a sync was queued.
            ConflictError: `project_name_taken`.
            NotFoundError
        """
        match: Document = {
            "_id": object_id(project.id, _NOUN),
            "revision": before.revision,
            "repository_key": before.source.repository.key,
            "source.encrypted_token": before.source.encrypted_token,
        }
        changes = _changed_settings(project, before)
        if reschedule:
            changes |= {"next_poll_at": project.next_poll_at, **due_by(project.due_trigger)}
            # A sync that was queued in between must not be forgotten.
            match["wishes"] = before.wishes
        if forget_upstream:
            changes |= _FORGOTTEN
        try:
            result = await self._projects.update_one(match, {"$set": changes}, session=session)
        except DuplicateKeyError:
            raise await self._name_taken(project.name) from None
        if result.matched_count == 0:
            raise StaleError((await self.get(project.id)).revision)

    async def delete(
        self,
        project_id: str,
        expected_revisions: Collection[int] | None,
        now: datetime,
        session: Session,
    ) -> Project:
        """Hide the project from every reader; return it as it was.

        `Housekeeping` removes what belonged to it.

        Raises:
            NotFoundError, StaleError
        """
        key = object_id(project_id, _NOUN)
        project = await self.get(project_id, session)
        expect_revision(project, expected_revisions)
        await self._deleted.insert_one({"_id": key, "deleted_at": now}, session=session)
        await self._projects.delete_one({"_id": key}, session=session)
        return project

    async def deleted(self) -> list[str]:
        """Return the ids of deleted projects that are to be swept."""
        return [str(row["_id"]) async for row in self._deleted.find({}, {"_id": 1})]

    async def forget_deleted(self, project_id: str, now: datetime) -> None:
        """Forget a swept project, unless it was deleted a moment ago."""
        match = {"_id": ObjectId(project_id), "deleted_at": {"$lt": now - _TOMBSTONE}}
        await self._deleted.delete_one(match)

    async def with_tokens(self) -> list[tuple[str, str]]:
        """Return the id and the encrypted token of every project that has a token."""
        rows = self._projects.find(
            {"source.encrypted_token": {"$ne": None}}, {"source.encrypted_token": 1}
        )
        return [(str(row["_id"]), row["source"]["encrypted_token"]) async for row in rows]

    async def with_unbound_tokens(self, bound: str) -> list[tuple[str, RepositoryAddress, str]]:
        """Return id, repository and token of every project whose token lacks the prefix `bound`."""
        rows = self._projects.find(
            {"source.encrypted_token": {"$type": "string", "$not": {"$regex": f"^{bound}"}}},
            {"source.encrypted_token": 1, "source.repository": 1},
        )
        return [
            (
                str(row["_id"]),
                RepositoryAddress.model_validate(row["source"]["repository"]),
                row["source"]["encrypted_token"],
            )
            async for row in rows
        ]

    async def replace_token(
        self, project_id: str, old: str, new: str, repository: RepositoryAddress | None = None
    ) -> bool:
        """Store the same token, encrypted again; return False if it was changed meanwhile.

        With a `repository`, also if the project reads another one now.
        """
        match = {"_id": ObjectId(project_id), "source.encrypted_token": old}
        if repository is not None:
            match["repository_key"] = repository.key
        result = await self._projects.update_one(match, {"$set": {"source.encrypted_token": new}})
        return result.modified_count == 1

    async def make_all_due(
        self, trigger: SyncTrigger, among: Collection[str] | None = None
    ) -> list[str]:
        """Make projects due at once, running ones too: all, or those `among` these ids.

        Return their ids, by name.
        """
        await self._database.ensure_room()
        match = _among(among)
        rows = self._projects.find(match, {"_id": 1}).sort("name_key", 1)
        ids = [row["_id"] async for row in rows]
        due = {"next_poll_at": await self._database.now(), **due_by(trigger)}
        await self._projects.update_many(match, {"$set": due, "$inc": {"wishes": 1}})
        return [str(row) for row in ids]

    async def of_repository(self, repository: RepositoryAddress, session: Session) -> list[Project]:
        """Return every project of this repository, by id."""
        rows = self._projects.find({"repository_key": repository.key}, session=session).sort(
            "_id", 1
        )
        return [project_of(row) async for row in rows]

    async def make_due_by_push(
        self, projects: Sequence[Project], pushed_sha: str | None, now: datetime, session: Session
    ) -> None:
        """Make these projects due by a push, as `due_after_push` decides, and count the wish.

        This transaction has read them, so that none was claimed or changed in between. `now` is the
        database's time.
        """
        groups: dict[tuple[datetime | None, SyncTrigger], list[ObjectId]] = {}
        for project in projects:
            when, trigger = due_after_push(project, now)
            # All projects whose due time stays form one group.
            groups.setdefault((None if when == project.next_poll_at else when, trigger), []).append(
                ObjectId(project.id)
            )
        for (moved, trigger), ids in groups.items():
            changes: Document = {"pushed_sha": pushed_sha, "pushed_at": now}
            if moved is not None:
                changes["next_poll_at"] = moved
            if trigger == "webhook":
                changes |= due_by(trigger)
            await self._update_each(ids, {"$set": changes, "$inc": {"wishes": 1}}, session)

    async def note_push(
        self, projects: Sequence[Project], pushed_sha: str, session: Session
    ) -> None:
        """Store a push that changed nothing for these projects, which this transaction has read."""
        await self._update_each(
            [ObjectId(project.id) for project in projects],
            {"$set": {"pushed_sha": pushed_sha, "pushed_at": None}},
            session,
        )

    async def _update_each(
        self, ids: Sequence[ObjectId], update: Document, session: Session
    ) -> None:
        for start in range(0, len(ids), IN_AT_MOST):
            some = list(ids[start : start + IN_AT_MOST])
            await self._projects.update_many({"_id": {"$in": some}}, update, session=session)

    async def existing(self, project_ids: Collection[str]) -> list[str]:
        """Return those of these ids that projects have."""
        return [
            str(row["_id"]) async for row in self._projects.find(_among(project_ids), {"_id": 1})
        ]

    async def token_fingerprints(self, project_ids: Collection[str]) -> set[str]:
        """Return the fingerprints of the own tokens of these projects."""
        match = _among(project_ids) | {"source.token_fingerprint": {"$ne": None}}
        return set(await self._projects.distinct("source.token_fingerprint", match))

    async def totals(
        self,
        now: datetime,
        *,
        originals: int,
        variants: int,
        among: Collection[str] | None = None,
    ) -> Totals:
        """Return counts over all projects or `among` these ids.

        `originals` and `variants` are the numbers of their files.
        """
        running = {"$gt": ["$lease_until", now]}
        group: Document = {
            "_id": {"$cond": [running, "running", "$state.status"]},
            "count": {"$sum": 1},
            "due": {"$sum": {"$cond": [_is_due(now), 1, 0]}},
            "paused": {"$sum": {"$cond": [{"$eq": ["$paused", True]}, 1, 0]}},
            # Without nulls, since servers differ in $min over times and nulls.
            "next": {"$min": {"$ifNull": ["$next_poll_at", _NEVER]}},
        }
        pipeline = [{"$match": _among(among)}, {"$group": group}]
        rows = await (await self._projects.aggregate(pipeline)).to_list()
        planned = [row["next"] for row in rows if row["next"] < _NEVER]
        by_status: dict[SyncStatus, int] = dict.fromkeys(get_args(SyncStatus), 0)
        for row in rows:
            by_status[known_word(row["_id"], SYNC_STATUSES, "unavailable")] += row["count"]
        return Totals(
            projects=sum(row["count"] for row in rows),
            original_files=originals,
            modified_files=variants,
            projects_by_sync_status=dict(by_status),
            projects_paused=sum(row["paused"] for row in rows),
            next_poll_at=min(planned, default=None),
            projects_due=sum(row["due"] for row in rows),
        )


def _among(project_ids: Collection[str] | None) -> Document:
    """Return the condition that a project is one of these; None means any.

    What is not the form of an id is the id of no project.
    """
    if project_ids is None:
        return {}
    return {"_id": {"$in": [ObjectId(key) for key in project_ids if ObjectId.is_valid(key)]}}


def _changed_settings(project: Project, before: Project) -> Document:
    """Return the fields that a change by a person writes."""
    document = project_document(project)
    changes = {name: document[name] for name in _SETTINGS}
    if project.name != before.name:
        # Only then: a project may have a key of its own, see `fold_names`.
        changes |= {"name": project.name, "name_key": document["name_key"]}
    source = document["source"]
    return (
        changes | dotted("source.repository", source.pop("repository")) | dotted("source", source)
    )


def _is_due(now: datetime) -> Document:
    return {"$and": [{"$gt": ["$next_poll_at", None]}, {"$lte": ["$next_poll_at", now]}]}
