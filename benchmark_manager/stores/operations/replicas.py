"""The `replicas` collection: who shares this database, and what is given up for one which is dead.

A replica counts up its `beats`. One whose count stands still for long has died or hangs; what it
held is free then, long before its leases run out. Safety never rests on this: a sync commits
nothing once the fence of its project has risen.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import structlog
from pymongo.errors import OperationFailure

from benchmark_manager.stores.database.database import Database, Document
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.operations.process_identity import ProcessIdentity
from benchmark_manager.stores.sync.leases import LeaseStore

_log = structlog.get_logger(__name__)

_SECONDS: Final = 5.0
#: Sessions of a replica that are remembered; its driver uses the same few again and again.
_SESSIONS_AT_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Replica:
    """Another process that shares the database."""

    owner: str
    """What its leases say."""
    beats: int
    process: ProcessIdentity | None
    """None where its system does not say."""


class BeatStore(Store):
    """The beats of every replica, for a process that is none itself."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.replicas = database.collection("replicas")

    async def all(self) -> dict[str, int]:
        """Return the number of beats of each replica, by the owner of its leases."""
        counting = {"beats": {"$exists": True}}
        return {
            row["_id"]: row["beats"] async for row in self.replicas.find(counting, {"beats": 1})
        }


class ReplicaStore(Store):
    """This process's own entry, and those of others."""

    def __init__(self, database: Database, owner: str, process: ProcessIdentity | None) -> None:
        super().__init__(database)
        self._replicas = BeatStore(database).replicas
        self._leases = LeaseStore(database)
        self._owner = owner
        self._process = process
        self._sessions: set[bytes] = set()
        database.before_transaction = self._note_session

    async def beat(self) -> list[Replica]:
        """Say that this process lives; returns all others."""
        entry = {"process": None if self._process is None else asdict(self._process)}
        with self._database.time_limit(_SECONDS):
            result = await self._replicas.update_one(
                {"_id": self._owner}, {"$inc": {"beats": 1}, "$set": entry}, upsert=True
            )
            if result.upserted_id is not None:
                # It is the first, or another replica took this one for dead.
                self._sessions.clear()
            # One that never counted, as a process without ticks, is not judged.
            others = {"_id": {"$ne": self._owner}, "beats": {"$exists": True}}
            rows = await self._replicas.find(others, {"sessions": 0}).to_list()
        return [_replica(row) for row in rows]

    async def leave(self) -> None:
        """Remove the own entry: this process stops, and holds nothing any more."""
        with self._database.time_limit(_SECONDS):
            await self._replicas.delete_one({"_id": self._owner})

    async def give_up(self, replica: Replica) -> int:
        """Free what a dead replica held; returns how many projects its leases were for.

        A transaction that it left open would delay other writes of the same documents for a minute:
        it ends with its session.
        """
        with self._database.time_limit(_SECONDS):
            entry = await self._replicas.find_one({"_id": replica.owner})
            if entry is None:
                return 0
            await self._end_sessions(entry.get("sessions", []))
            freed = await self._leases.free(replica.owner)
            # Not if it has counted on meanwhile.
            await self._replicas.delete_one({"_id": replica.owner, "beats": replica.beats})
        return freed

    async def _end_sessions(self, sessions: list[Document]) -> None:
        try:
            await self._database.end_sessions(sessions)
        except OperationFailure as error:
            _log.warning("a dead replica's sessions could not be ended", code=error.code)

    async def _note_session(self, session_id: Mapping[str, Any]) -> None:
        """Remember a session before its first transaction, so that others can end it."""
        key = bytes(session_id["id"])
        if key not in self._sessions:
            push = {"sessions": {"$each": [session_id], "$slice": -_SESSIONS_AT_MOST}}
            await self._replicas.update_one({"_id": self._owner}, {"$push": push}, upsert=True)
            self._sessions.add(key)


def _replica(row: Document) -> Replica:
    process = row.get("process")
    if process is not None:
        # A newer version may say more of it.
        process = ProcessIdentity(
            **{field.name: process[field.name] for field in fields(ProcessIdentity)}
        )
    return Replica(row["_id"], row["beats"], process)
