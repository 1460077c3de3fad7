"""Leases: the right to sync a project, given to one replica at a time by the database's clock.

A lease is claimed by one conditional update, which raises the project's fence. All writes of a sync
depend on that fence, so that a worker that lost its lease commits nothing.
"""

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from bson import ObjectId
from pymongo import UpdateOne
from pymongo.errors import PyMongoError

from benchmark_manager.errors import LeaseLostError, SourceChangedError
from benchmark_manager.models.project import (
    Claim,
    Lease,
    Project,
    Ref,
    RepositoryAddress,
    SyncState,
)
from benchmark_manager.models.sync import SyncTrigger
from benchmark_manager.stores.database.database import (
    IN_AT_MOST,
    Database,
    Document,
    Session,
    object_id,
)
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.projects.documents import dotted, due_by, project_of
from benchmark_manager.stores.projects.projects import ProjectStore

_log = structlog.get_logger(__name__)

#: A lease lasts this long unless it is renewed, seconds.
LEASE_SECONDS: Final = 60.0
#: How long claims may take, all at once and each, seconds; longer ones wait for an open
#: transaction.
_CLAIMS_SECONDS: Final = 2.0
_CLAIM_SECONDS: Final = 0.5
#: How long a project is not claimed again after its claim has waited so, seconds.
_BLOCKED_SECONDS: Final = 10.0
#: A renewal that takes longer is tried again, seconds.
_RENEWAL_SECONDS: Final = 10.0
_NO_LEASE: Final[Mapping[str, Any]] = {"lease_owner": None, "lease_until": None}
_RUN_OUT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NOUN: Final = "project"

#: What one check answers for: repository, ref and credential.
_CheckKey = tuple[str, Ref | None, str]


@dataclass(frozen=True, slots=True)
class FinishedSync:
    """A sync's outcome for its project; `project` is as it was when the sync began.

    `due_trigger` is why it is due at `next_poll_at`: what was queued and failed is still queued.
    Where the repository was `renamed_to` another address, `encrypted_token` is the project's token
    for that address (None: it has none).
    """

    lease: Lease
    project: Project
    state: SyncState
    next_poll_at: datetime | None
    renamed_to: RepositoryAddress | None = None
    encrypted_token: str | None = None
    due_trigger: SyncTrigger = "poll"


class LeaseStore(Store):
    """The leases in the `projects` collection. Times are the database's own."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._projects = ProjectStore(database).collection
        #: Projects that another process's open transaction kept from being claimed, and until when
        #: not to claim them (monotonic).
        self._blocked: dict[ObjectId, float] = {}

    async def claim(self, project_id: str, owner: str) -> Claim | None:
        """Claim this project, due or not; None while it is leased, or when it was deleted."""
        async with self._database.claim_lock:
            now = await self._database.now()
            match = {"_id": object_id(project_id, _NOUN), **_free(now)}
            with self._database.time_limit(_CLAIMS_SECONDS):
                before = await self._projects.find_one_and_update(match, _taking(owner, now))
            if before is None:
                return None
            taken = {"lease_owner": owner, "lease_until": _end(now), "fence": before["fence"] + 1}
            return _claim({**before, **taken}, owner, before, now)

    async def claim_due(
        self, owner: str, limit: int, busy: Collection[str] = (), *, only_read: bool = False
    ) -> list[Claim]:
        """Claim up to `limit` due projects that are not leased.

        Projects whose credential's hint is `busy` are left out. Those that people wait for come
        first, then those of webhooks, then polls, the longest due first. `only_read`: leave out
        projects that were never read, as everything would have to be read.
        """
        async with self._database.claim_lock:
            now = await self._database.now()
            match: Document = {
                "due_rank": {"$in": [0, 1, 2]},
                "next_poll_at": {"$lte": now},
                **_free(now),
            }
            match |= self._unblocked()
            if only_read:
                match["state.head_sha"] = {"$ne": None}
            if busy:
                match["credential"] = {"$nin": sorted(busy)}
            order = [("due_rank", 1), ("next_poll_at", 1)]
            rows = await self._projects.find(match).sort(order).limit(limit).to_list()
            return await self._take(rows, owner, now)

    async def claim_companions(
        self, owner: str, leaders: Sequence[Project], at_most: int
    ) -> list[Claim]:
        """Claim projects that are not due yet but are served by the check of a leader's poll.

        They share its repository, branch and credential, and would be polled before its next poll.
        """
        by_key = {_check_key(leader): leader for leader in leaders}
        if not by_key:
            return []
        async with self._database.claim_lock:
            now = await self._database.now()
            found: list[Document] = []
            keys = sorted({leader.source.repository.key for leader in leaders})
            for start in range(0, len(keys), IN_AT_MOST):
                # The index of the key finds them, so the other conditions need no bounds.
                match = {
                    "repository_key": {"$in": keys[start : start + IN_AT_MOST]},
                    "next_poll_at": {"$gt": now, "$lt": now + timedelta(seconds=_longest(leaders))},
                    "due_trigger": "poll",
                    "state.head_sha": {"$ne": None},
                    **_free(now),
                    **self._unblocked(),
                }
                found += await self._projects.find(match).limit(at_most).to_list()
            rows = [row for row in found if _goes_with(project_of(row), by_key, now)]
            return await self._take(rows, owner, now)

    async def _take(self, rows: Sequence[Document], owner: str, now: datetime) -> list[Claim]:
        if not rows:
            return []
        await self._write_claims({row["_id"]: _claiming(row, owner, now) for row in rows}, owner)
        fences = {row["_id"]: row["fence"] for row in rows}
        held = await self._held_by(owner, list(fences))
        before = {row["_id"]: row for row in rows}
        return [
            _claim(row, owner, before[row["_id"]], now)
            for row in held
            if row["fence"] == fences[row["_id"]] + 1
        ]

    async def _write_claims(self, claims: Mapping[ObjectId, UpdateOne], owner: str) -> None:
        """Write all claims at once, or one by one where one waits for an open transaction.

        A process that was killed inside a transaction leaves it open for a minute or more, and
        MongoDB lets all writes to its documents wait; other projects must not wait with them.

        Raises:
            PyMongoError: the database does not take any of them.
        """
        try:
            with self._database.time_limit(_CLAIMS_SECONDS):
                await self._projects.bulk_write(list(claims.values()), ordered=False)
        except PyMongoError as error:
            if not error.timeout:
                raise
            held = {row["_id"] for row in await self._held_by(owner, list(claims))}
            left = [key for key in claims if key not in held]
            written = await asyncio.gather(*(self._write_claim(claims[key]) for key in left))
            if left and not held and not any(written):
                raise
            blocked = [key for key, done in zip(left, written, strict=True) if not done]
            until = time.monotonic() + _BLOCKED_SECONDS
            self._blocked |= dict.fromkeys(blocked, until)
            _log.warning(
                "projects wait for a transaction that another process left open", count=len(blocked)
            )

    async def _write_claim(self, claim: UpdateOne) -> bool:
        try:
            with self._database.time_limit(_CLAIM_SECONDS):
                await self._projects.bulk_write([claim])
        except PyMongoError as error:
            if not error.timeout:
                raise
            return False
        return True

    def _unblocked(self) -> Document:
        """Return a condition that leaves out projects whose claims have just waited."""
        now = time.monotonic()
        self._blocked = {key: until for key, until in self._blocked.items() if until > now}
        return {"_id": {"$nin": list(self._blocked)}} if self._blocked else {}

    async def _held_by(self, owner: str, ids: Sequence[ObjectId]) -> list[Document]:
        rows: list[Document] = []
        for start in range(0, len(ids), IN_AT_MOST):
            match = {"_id": {"$in": list(ids[start : start + IN_AT_MOST])}, "lease_owner": owner}
            rows += await self._projects.find(match).to_list()
        order = {key: position for position, key in enumerate(ids)}
        return sorted(rows, key=lambda row: order[row["_id"]])

    async def renew(self, leases: Sequence[Lease]) -> set[str]:
        """Prolong leases; return the ids of the projects whose lease is lost."""
        until = _end(await self._database.now())
        renewals = [UpdateOne(_held(lease), {"$set": {"lease_until": until}}) for lease in leases]
        if not renewals:
            return set()
        with self._database.time_limit(_RENEWAL_SECONDS):
            result = await self._projects.bulk_write(renewals, ordered=False)
        if result.matched_count == len(renewals):
            return set()
        fences = {lease.project_id: lease.fence for lease in leases}
        held = await self._held_by(leases[0].owner, [ObjectId(project_id) for project_id in fences])
        kept = {str(row["_id"]) for row in held if row["fence"] == fences[str(row["_id"])]}
        return set(fences) - kept

    async def held(self, owner: str) -> list[Lease]:
        """Return every lease of this owner in the database, run out or not.

        No claim of this process runs at the same time.
        """
        async with self._database.claim_lock:
            rows = self._projects.find({"lease_owner": owner}, {"fence": 1})
            return [
                Lease(project_id=str(row["_id"]), owner=owner, fence=row["fence"])
                async for row in rows
            ]

    async def release(self, lease: Lease) -> None:
        """Give a lease back without a result; the project stays as due as it was."""
        await self._projects.update_one(_held(lease), {"$set": _NO_LEASE})

    async def break_all(self) -> None:
        """End all leases, when the only process of an embedded database starts.

        The leases of a former process need not run out: no other process can hold one.
        """
        await self._projects.update_many(
            {"lease_until": {"$ne": None}}, {"$set": _NO_LEASE, "$inc": {"fence": 1}}
        )

    async def free(self, owner: str) -> int:
        """Take all leases away from a dead owner; return how many projects that freed.

        They appear to have run out: the next claim knows that it takes the project over.
        """
        run_out = {"lease_owner": None, "lease_until": _RUN_OUT}
        freed = await self._projects.update_many(
            {"lease_owner": owner}, {"$set": run_out, "$inc": {"fence": 1}}
        )
        return freed.modified_count

    async def confirm(self, lease: Lease, project: Project, session: Session) -> None:
        """Check in a transaction that the lease is held and the project's source is unchanged.

        Raises:
            LeaseLostError, SourceChangedError: nothing may be committed.
        """
        match = {**_held(lease), "source.version": project.source.version}
        # A write, so that other transactions that change the document wait or are repeated.
        prolonged = {"$set": {"lease_until": _end(await self._database.now())}}
        if (await self._projects.update_one(match, prolonged, session=session)).matched_count == 1:
            return
        if await self._projects.find_one(_held(lease), {"_id": 1}, session=session) is None:
            raise LeaseLostError
        raise SourceChangedError

    async def finish(self, finished: FinishedSync, session: Session) -> None:
        """Record a sync's outcome and give the lease back, as part of its transaction.

        Where a sync was queued meanwhile, the project stays due for it, unless that was one push of
        the very commit that the project has now.

        Raises:
            LeaseLostError: the fence has risen, or the project is gone: nothing may be committed.
            SourceChangedError: a person changed what the sync was reading.
        """
        lease, project = finished.lease, finished.project
        # Nearly always nothing happened meanwhile.
        alone = await self._projects.update_one(
            _as_read(finished), {"$set": _outcome(finished)}, session=session
        )
        if alone.matched_count == 1:
            return
        fields = {
            "source.version": 1,
            "source.encrypted_token": 1,
            "wishes": 1,
            "pushed_sha": 1,
            "due_trigger": 1,
        }
        stored = await self._projects.find_one(_held(lease), fields, session=session)
        if stored is None:
            raise LeaseLostError
        if stored["source"]["version"] != project.source.version:
            raise SourceChangedError
        if any(stored["source"][name] != value for name, value in _token_seen(finished).items()):
            # A rotation of keys has replaced the token; the outcome would undo that.
            raise SourceChangedError
        changes = _outcome(finished)
        wishes = stored["wishes"] - project.wishes
        # Deliveries overtake each other: the last of several need not be the last push.
        granted = (
            wishes == 1
            and stored["due_trigger"] == "webhook"
            and stored.get("pushed_sha") == finished.state.head_sha
        )
        if wishes and not granted:
            for name in ("next_poll_at", *due_by("poll")):
                del changes[name]
        # The condition again, as this write makes other transactions that change the document
        # wait or repeat.
        result = await self._projects.update_one(_held(lease), {"$set": changes}, session=session)
        if result.matched_count == 0:
            raise LeaseLostError

    async def finish_many(self, finished: Sequence[FinishedSync], session: Session) -> set[str]:
        """Record the outcomes of syncs that found nothing new, all in one write.

        Returns:
            The ids of the projects that were written. For the others, `finish` raises the reason.
        """
        updates = [UpdateOne(_as_read(one), {"$set": _outcome(one)}) for one in finished]
        everything = {one.lease.project_id for one in finished}
        result = await self._projects.bulk_write(updates, ordered=False, session=session)
        if result.matched_count == len(updates):
            return everything
        ids = [ObjectId(one.lease.project_id) for one in finished]
        still: set[str] = set()
        for start in range(0, len(ids), IN_AT_MOST):
            match = {"_id": {"$in": ids[start : start + IN_AT_MOST]}}
            rows = self._projects.find(match, {"fence": 1, "lease_owner": 1}, session=session)
            fences = {one.lease.project_id: one.lease.fence for one in finished}
            still |= {
                str(row["_id"])
                async for row in rows
                if row["lease_owner"] is None and row["fence"] == fences[str(row["_id"])]
            }
        return still

    async def due_by_credential(self, until: datetime) -> dict[str, int]:
        """Return how many projects fall due before then, by their credential's hint."""
        pipeline: list[Document] = [
            {"$match": {"next_poll_at": {"$lte": until}}},
            {"$group": {"_id": "$credential", "count": {"$sum": 1}}},
        ]
        rows = await (await self._projects.aggregate(pipeline)).to_list()
        return {row["_id"]: row["count"] for row in rows}


def _as_read(finished: FinishedSync) -> Document:
    """Return a condition that is true until somebody changes or queues what the sync read."""
    project, token = finished.project, _token_seen(finished)
    return {
        **_held(finished.lease),
        "source.version": project.source.version,
        "wishes": project.wishes,
        **{f"source.{name}": value for name, value in token.items()},
    }


def _outcome(finished: FinishedSync) -> Document:
    changes: Document = {
        **_state_changes(finished.project.state, finished.state),
        **_NO_LEASE,
        "next_poll_at": finished.next_poll_at,
        **due_by(finished.due_trigger),
    }
    if finished.renamed_to is not None:
        changes |= dotted("source.repository", finished.renamed_to.model_dump())
        changes["repository_key"] = finished.renamed_to.key
    if finished.encrypted_token is not None:
        changes["source.encrypted_token"] = finished.encrypted_token
    return changes


def _token_seen(finished: FinishedSync) -> dict[str, str | None]:
    """Return what the source's token must still be, where it is replaced."""
    return (
        {}
        if finished.encrypted_token is None
        else {"encrypted_token": finished.project.source.encrypted_token}
    )


def _state_changes(before: SyncState, after: SyncState) -> Document:
    """Return the fields of a project's state, each by its own name."""
    # A sync that failed may have published its changes: what `publish` made unknown stays unknown.
    left_out = (
        {"last_sync"} if after.status == "ok" else {"last_sync", "originals", "max_file_size"}
    )
    changes = dotted("state", after.model_dump(exclude=left_out))
    if (
        after.last_sync is None
        or before.last_sync is None
        or after.last_sync.id != before.last_sync.id
    ):
        return {
            **changes,
            "state.last_sync": None if after.last_sync is None else after.last_sync.model_dump(),
        }
    # The same record, into which an unchanged poll was folded.
    return {**changes, **dotted("state.last_sync", after.last_sync.model_dump())}


def _end(now: datetime) -> datetime:
    return now + timedelta(seconds=LEASE_SECONDS)


def _taking(owner: str, now: datetime) -> Document:
    return {"$set": {"lease_owner": owner, "lease_until": _end(now)}, "$inc": {"fence": 1}}


def _claiming(row: Document, owner: str, now: datetime) -> UpdateOne:
    """Return the update that claims a project by the fence that was read.

    So only one replica gets the lease. A project that was paused or postponed meanwhile is not due
    any more.
    """
    seen = {"_id": row["_id"], "fence": row["fence"], "next_poll_at": row["next_poll_at"]}
    return UpdateOne({**seen, **_free(now)}, _taking(owner, now))


def _free(now: datetime) -> Document:
    return {"$or": [{"lease_until": None}, {"lease_until": {"$lte": now}}]}


def _held(lease: Lease) -> Document:
    return {"_id": ObjectId(lease.project_id), "lease_owner": lease.owner, "fence": lease.fence}


def _claim(row: Document, owner: str, before: Document, now: datetime) -> Claim:
    project = project_of(row)
    planned = project.next_poll_at
    return Claim(
        project=project,
        lease=Lease(project_id=project.id, owner=owner, fence=project.fence),
        lateness=None if planned is None else (now - planned).total_seconds(),
        taken_over=before["lease_until"] is not None,
    )


def _check_key(project: Project) -> _CheckKey:
    return project.source.repository.key, project.source.ref, project.source.credential_hint


def _goes_with(project: Project, leaders: Mapping[_CheckKey, Project], now: datetime) -> bool:
    leader = leaders.get(_check_key(project))
    return (
        leader is not None
        and project.next_poll_at is not None
        and project.next_poll_at < now + timedelta(seconds=leader.polling_interval)
    )


def _longest(leaders: Sequence[Project]) -> float:
    return max(leader.polling_interval for leader in leaders)
