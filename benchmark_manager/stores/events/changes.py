"""Changes of any replica as they are committed: a change stream of the whole database.

MongoDB and the embedded server both have such streams, and resume them after an election or a
restart from a position. Positions are opaque to all other code.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final

import bson
from pymongo.asynchronous.change_stream import AsyncDatabaseChangeStream
from pymongo.errors import OperationFailure

from benchmark_manager.domain.releases.digest import PREFIX
from benchmark_manager.errors import ChangesLostError
from benchmark_manager.models.change import Change, ChangedNoun, ChangeVerb
from benchmark_manager.stores.database.database import START_CHECK, Database, Document
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.results.results import ResultStore
from benchmark_manager.stores.sweeps.sweeps import SweepStore
from benchmark_manager.stores.sync.progress import SyncProgressStore

#: How long the server waits for a change before it answers that there is none, ms.
_WAIT: Final = 1000
#: The same for reading what a client missed.
_SHORT_WAIT: Final = 50
#: A server which is silent for longer is taken for gone, seconds: elections take 10 or so.
_SILENCE_SECONDS: Final = 30.0
_CLOSE_SECONDS: Final = 1.0
_RESUMABLE: Final = "ResumableChangeStreamError"
_THERE: Final[Document] = {"$exists": True}
#: Leases, and polls without changes, are not reported. What a sync does to originals is reported
#: by its record, and what becomes of a variant by its revision: those name their projects, which
#: deletions and updates of files do not.
_REPORTED: Final[Document] = {
    "$or": [
        {"ns.coll": "projects", "operationType": {"$in": ["insert", "delete"]}},
        {
            "ns.coll": "projects",
            "operationType": "update",
            "$or": [
                {"updateDescription.updatedFields.revision": _THERE},
                {"updateDescription.updatedFields.repository_key": _THERE},
            ],
        },
        {"ns.coll": {"$in": ["syncs", "revisions", "resets"]}, "operationType": "insert"},
        {
            "ns.coll": "releases",
            "operationType": {"$in": ["insert", "replace", "delete"]},
            # A sweep makes a thousand releases at once, and is itself what is new.
            "fullDocument.cells_only": {"$ne": True},
        },
        {
            "ns.coll": "releases",
            "operationType": "update",
            "updateDescription.updatedFields.revision": _THERE,
            # Another making is reported below, to its project alone, unless it pins the release.
            "$or": [
                {"updateDescription.updatedFields.makings_count": {"$exists": False}},
                {"updateDescription.updatedFields.pinned": True},
            ],
        },
        {
            "ns.coll": "release_makings",
            "operationType": "insert",
            "fullDocument.number": {"$ne": 1},
            "fullDocument.sweep_id": {"$exists": False},
        },
        {"ns.coll": {"$in": ["results", "sweeps"]}, "operationType": "insert"},
        {
            "ns.coll": "results",
            "operationType": "update",
            "updateDescription.updatedFields.revision": _THERE,
        },
        {
            "ns.coll": "sweeps",
            "operationType": "update",
            "$or": [
                {"updateDescription.updatedFields.revision": _THERE},
                {"updateDescription.updatedFields.deleted_of": _THERE},
            ],
        },
        {"ns.coll": "sync_progress", "operationType": {"$in": ["insert", "replace", "update"]}},
        # Reports nothing: the embedded server's streams stay at the last row that they let through.
        {"ns.coll": START_CHECK, "operationType": "update"},
    ]
}
#: Contents, paths and tokens do not even leave the database.
_FIELDS: Final[Document] = {
    "operationType": 1,
    "ns.coll": 1,
    "documentKey._id": 1,
    "updateDescription.updatedFields.deleted_of": 1,
    "updateDescription.updatedFields.deleted_at": 1,
    "updateDescription.removedFields": 1,
    **{
        f"fullDocument.{name}": 1
        for name in (
            "project_id",
            "project_ids",
            "modified_file_id",
            "sync_id",
            "what",
            "status",
            "digest",
        )
    },
}
_PIPELINE: Final[list[Document]] = [{"$match": _REPORTED}, {"$project": _FIELDS}]
_VERBS: Final[Mapping[str, ChangeVerb]] = {
    "created": "created",
    "restored": "restored",
    "deleted": "deleted",
}


class ChangeStore(Store):
    """What becomes of projects, syncs, originals, variants, releases, results and sweeps."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._releases = ReleaseStore(database)
        self._progress = SyncProgressStore(database)
        self._sweeps = SweepStore(database)
        self._results = ResultStore(database)

    async def follow(
        self, after: str | None, wait: int = _WAIT
    ) -> AsyncGenerator[tuple[list[Change], str], None]:
        """Yield changes with the position after them, from `after` or from now on, without end.

        The first ones are empty: nothing is missed from their position on. So are those after every
        `wait` ms without a change.

        Raises:
            ChangesLostError: the database cannot go on from `after`, or the stream is at its end.
            StorageError, TimeoutError: it may be resumed from the last position.
        """
        try:
            stream = await self._database.watch(_PIPELINE, after=_token(after), wait=wait)
            try:
                if stream.resume_token is not None:
                    yield [], _position(stream)
                while stream.alive:
                    async with asyncio.timeout(_SILENCE_SECONDS):
                        row = await stream.try_next()
                    changes = []
                    if row is not None and row["ns"]["coll"] != START_CHECK:
                        changes = await self._changes(row)
                    yield changes, _position(stream)
            finally:
                with self._database.time_limit(_CLOSE_SECONDS):
                    await stream.close()
        except OperationFailure as error:
            if after is None or error.has_error_label(_RESUMABLE):
                raise
        # Positions of other databases, forged ones, and those which the server has forgotten since.
        raise ChangesLostError

    async def between(self, after: str, until: str, at_most: int) -> list[Change]:
        """Return the changes after one position, up to another.

        Raises:
            ChangesLostError: the database has forgotten them, or they are more than `at_most`.
            StorageError, TimeoutError
        """
        # Streams of a database in which nothing happens stay at its last write; `until` may be a
        # little behind that.
        await self._database.mark()
        missed: list[Change] = []
        async with aclosing(self.follow(after, _SHORT_WAIT)) as feed:
            async for changes, position in feed:
                missed += changes
                if _order(position) >= _order(until):
                    return missed
                if len(missed) > at_most:
                    break
        raise ChangesLostError

    async def _changes(self, row: Document) -> list[Change]:
        kind, key = row["operationType"], row["documentKey"]["_id"]
        seen = row.get("fullDocument") or {}
        project = str(seen.get("project_id"))
        match row["ns"]["coll"]:
            case "projects":
                verb: ChangeVerb = (
                    "created" if kind == "insert" else "deleted" if kind == "delete" else "changed"
                )
                return [Change(noun="project", project_id=str(key), id=str(key), what=verb)]
            case "syncs":
                sync = Change(noun="sync", project_id=project, id=str(key), what="finished")
                files = Change(noun="files", project_id=project, id=None, what="changed")
                return [sync, files] if seen["status"] == "success" else [sync]
            case "sync_progress":
                return await self._progressed(key, seen)
            case "sweeps" | "results":
                return await self._object(kind, key, row)
            case "revisions" | "resets" | "release_makings" as name:
                return [_of_making(seen) if name == "release_makings" else _of_variants(seen)]
            case _:
                return await self._release(kind, key, seen)

    async def _progressed(self, key: object, seen: Document) -> list[Change]:
        # An update reports only the fields which it changed; the document has the project's id.
        sync_id = seen.get("sync_id") or await self._progress.sync_id(str(key))
        if sync_id is None:
            return []
        return [Change(noun="sync", project_id=str(key), id=sync_id, what="progress")]

    async def _object(self, kind: str, key: object, row: Document) -> list[Change]:
        """Return the change of a sweep or a result."""
        noun: ChangedNoun = "sweep" if row["ns"]["coll"] == "sweeps" else "result"
        description = row.get("updateDescription", {})
        fields = description.get("updatedFields", {})
        # An update reports only the fields that it changed; one that precedes the deletion of a
        # sweep says whose the sweep was.
        project = (row.get("fullDocument") or {}).get("project_id") or fields.get("deleted_of")
        if project is None:
            store = self._sweeps if noun == "sweep" else self._results
            project = await store.project_of(key)
        if project is None:
            # Its deletion follows, or preceded.
            return []
        verb = "created" if kind == "insert" else _verb_of(fields, description)
        return [Change(noun=noun, project_id=str(project), id=str(key), what=verb)]

    async def _release(self, kind: str, key: object, seen: Document) -> list[Change]:
        found = None
        if kind == "update":
            # An update reports only the fields that it changed.
            found = await self._releases.changed(key)
        elif seen:
            found = PREFIX + seen["digest"], [str(each) for each in seen["project_ids"]]
        if found is None:
            return [Change(noun="release", project_id=None, id=None, what="deleted")]
        digest, project_ids = found
        verb: ChangeVerb = "created" if kind == "insert" else "changed"
        return [
            Change(noun="release", project_id=project_id, id=digest, what=verb)
            for project_id in project_ids
        ]


def _verb_of(fields: Document, description: Document) -> ChangeVerb:
    """Return what an update made of a sweep or a result."""
    if fields.get("deleted_of") is not None or fields.get("deleted_at") is not None:
        return "deleted"
    return "restored" if "deleted_at" in description.get("removedFields", ()) else "changed"


def _of_making(seen: Document) -> Change:
    """Return the change that another making of a release is to the project that made it."""
    return Change(
        noun="release",
        project_id=str(seen["project_id"]),
        id=PREFIX + seen["digest"],
        what="changed",
    )


def _of_variants(seen: Document) -> Change:
    """Return the change that a revision, or a reset, is of the variants of a project."""
    file = seen.get("modified_file_id")
    return Change(
        noun="modified_file",
        project_id=str(seen["project_id"]),
        id=None if file is None else str(file),
        what="deleted" if file is None else _VERBS.get(seen["what"], "changed"),
    )


def _order(position: str) -> tuple[int, str]:
    """Return what positions are ordered by.

    MongoDB's are texts made for it
    (https://www.mongodb.com/docs/manual/changeStreams/#resume-tokens). Those of the embedded server
    are documents with a number; they begin with their length, which has three zero bytes.
    """
    if position[2:8] == "000000":
        return bson.decode(bytes.fromhex(position))["s"], ""
    return 0, position


def _token(position: str | None) -> Document | None:
    return None if position is None else {"_data": position}


def _position(stream: AsyncDatabaseChangeStream[Document]) -> str:
    token = stream.resume_token
    assert token is not None  # noqa: S101 -- known behind the first answer at the latest
    return str(token["_data"])
