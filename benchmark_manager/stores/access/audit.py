"""The record of who changed what, who signed in, and what was refused."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.models.access.audit import AuditFilter, AuditRecord
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.stores.database.database import (
    ROWS_AT_ONCE,
    Database,
    Document,
    Session,
)
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store

_NEWEST_FIRST: Final = Order("at", datetime, descending=True)
#: The embedded server deletes by a range of times four times as fast as by ids.
_DELETED_AT_ONCE: Final = timedelta(days=1)


class AuditStore(Store):
    """The `audit` collection. Records are added, and deleted when they are old; none is changed.

    They outlive the projects and accounts that they are about.
    """

    def __init__(self, database: Database, *, rows_at_once: int = ROWS_AT_ONCE) -> None:
        """`rows_at_once`: records that `every` reads in one command."""
        super().__init__(database)
        self._audit = database.collection("audit")
        self._rows_at_once = rows_at_once

    async def insert(
        self,
        records: Sequence[AuditRecord],
        session: Session | None = None,
        *,
        stored: Callable[[], None] = lambda: None,
    ) -> None:
        """Add records, in the transaction of the changes that they are about.

        `stored` is called as soon as they are stored for good.
        """
        if records:
            await self._audit.insert_many(list(map(_document, records)), session=session)
        if session is None:
            stored()
        else:
            self._database.after_commit(session, stored)

    async def insert_once(
        self, record: AuditRecord, *, stored: Callable[[AuditRecord], None]
    ) -> None:
        """Add a record, unless there is one of its id; `stored` is called where it was added."""
        with contextlib.suppress(DuplicateKeyError):
            await self._audit.insert_one(_document(record))
            stored(record)

    async def page(self, wanted: AuditFilter, request: PageRequest) -> Page[AuditRecord]:
        """Return a page of the records that a filter leaves, newest first."""
        return (await paged(self._audit, _match(wanted), _NEWEST_FIRST, request)).page(_record)

    async def every(self, wanted: AuditFilter) -> AsyncGenerator[AuditRecord]:
        """Yield all records that a filter leaves, newest first; the reader may take its time."""
        match, cursor = _match(wanted), None
        while True:
            # The database closes a cursor that a slow reader leaves open for ten minutes.
            found = self._audit.find(_NEWEST_FIRST.after(match, cursor))
            rows = await found.sort(_NEWEST_FIRST.sort).limit(self._rows_at_once).to_list()
            for row in rows:
                yield _record(row)
            if len(rows) < self._rows_at_once:
                return
            cursor = _NEWEST_FIRST.cursor(rows[-1])

    async def purge(self, before: datetime) -> int:
        """Delete older records, those of a day at a time; return how many."""
        deleted = 0
        while (begin := await self._oldest(before)) is not None:
            day = {"$gte": begin, "$lt": min(before, begin + _DELETED_AT_ONCE)}
            deleted += (await self._audit.delete_many({"at": day})).deleted_count
        return deleted

    async def _oldest(self, before: datetime) -> datetime | None:
        """Return the time of the oldest record, if it is older than that."""
        row = await self._audit.find_one({"at": {"$lt": before}}, {"at": 1}, sort=[("at", 1)])
        return None if row is None else row["at"]


def _document(record: AuditRecord) -> Document:
    return {
        **record.model_dump(exclude={"id"}),
        "_id": ObjectId(record.id),
        "actor_keys": _keys(record.actor.id, record.actor.name),
        "object_keys": [] if record.object is None else _keys(record.object.id, record.object.name),
    }


def _keys(*texts: str) -> list[str]:
    """Return what filters find a record by: an id or a name, regardless of case."""
    return sorted({fold(text) for text in texts if text})


def _match(wanted: AuditFilter) -> Document:
    match: Document = wanted.model_dump(include={"action", "outcome"}, exclude_none=True)
    if wanted.actor is not None:
        match["actor_keys"] = fold(wanted.actor)
    if wanted.object is not None:
        match["object_keys"] = fold(wanted.object)
    if wanted.of_projects:
        match["project_id"] = {"$ne": None}
    if wanted.project_ids is not None:
        match["project_id"] = {"$in": sorted(wanted.project_ids)}
    between = {"$gte": wanted.since, "$lt": wanted.until}
    if times := {name: when for name, when in between.items() if when is not None}:
        match["at"] = times
    return match


def _record(row: dict[str, Any]) -> AuditRecord:
    values = {name: row[name] for name in AuditRecord.model_fields.keys() - {"id"} if name in row}
    return AuditRecord(id=str(row["_id"]), **values)
