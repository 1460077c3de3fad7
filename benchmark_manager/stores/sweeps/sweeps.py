"""The collections of sweeps, and of the versions of their definitions and files."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from bson import ObjectId

from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.sweep import Sweep, SweepVersion
from benchmark_manager.stores.database.database import Database, Document, Session, object_id
from benchmark_manager.stores.database.paging import Order, PageOfRows
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import referred
from benchmark_manager.stores.sweeps.cells import SweepCellStore
from benchmark_manager.stores.sweeps.documents import (
    sweep_document,
    sweep_of,
    version_document,
    version_of,
)

_NOUN: Final = "sweep"
#: Characters of the definitions of one page, and sweeps that are read at once.
PAGE_BYTES: Final = 4_000_000
_AT_ONCE: Final = 20
_NEWEST_FIRST: Final = Order("created_at", datetime, descending=True)


class SweepStore(Store):
    """The collections `sweeps` and `sweep_versions`.

    A version never changes. It keeps the contents of its bases alive, so that a sweep can be
    changed on the files of its generation, and each cell compared with what it was made from.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._sweeps = database.collection("sweeps")
        self._versions = database.collection("sweep_versions")
        self._cells = SweepCellStore(database)

    async def insert(self, sweep: Sweep, version: SweepVersion, session: Session) -> None:
        """Add a sweep with its first version."""
        document = await asyncio.to_thread(sweep_document, sweep)
        await self._sweeps.insert_one(document, session=session)
        await self._insert_version(version, session)

    async def _insert_version(self, version: SweepVersion, session: Session) -> None:
        document = await asyncio.to_thread(version_document, version)
        await self._versions.insert_one(document, session=session)

    async def get(self, sweep_id: str, session: Session | None = None) -> Sweep:
        """Return the sweep; its drift is not known here.

        Raises:
            NotFoundError
        """
        match = {"_id": object_id(sweep_id, _NOUN), "deleted_of": None}
        document = await self._sweeps.find_one(match, session=session)
        if document is None:
            raise NotFoundError(_NOUN, sweep_id)
        return await asyncio.to_thread(sweep_of, document)

    async def made_at(self, project_id: str, sweep_ids: Sequence[str]) -> dict[str, datetime]:
        """Return when those of these sweeps were made that a project has."""
        found: dict[str, datetime] = {}
        for some in self._database.parts(sweep_ids):
            match = {
                "_id": {"$in": [ObjectId(key) for key in some]},
                "project_id": ObjectId(project_id),
                "deleted_of": None,
            }
            async for row in self._sweeps.find(match, {"created_at": 1}):
                found[str(row["_id"])] = row["created_at"]
        return found

    async def page(self, project_id: str, request: PageRequest) -> Page[Sweep]:
        """Return a page of the sweeps of a project, newest first.

        It ends before its definitions have more than `PAGE_BYTES`, but is never empty.

        Raises:
            InvalidInputError: `invalid_cursor`.
        """
        match: Document = {"project_id": ObjectId(project_id), "deleted_of": None}

        async def read(session: Session) -> PageOfRows:
            total = await self._sweeps.count_documents(match, session=session)
            found = self._sweeps.find(
                _NEWEST_FIRST.after(match, request.cursor), session=session, batch_size=_AT_ONCE
            )
            rows: list[Document] = []
            size = 0
            async for row in found.sort(_NEWEST_FIRST.sort).limit(request.limit + 1):
                rows.append(row)
                size += len(row["definition"])
                if size > PAGE_BYTES and len(rows) > 1:
                    break
            length = max(1, len(rows) - 1) if size > PAGE_BYTES else request.limit
            return PageOfRows.cut(rows, _NEWEST_FIRST, total, min(length, request.limit))

        page = await self._database.snapshot(read)
        return await asyncio.to_thread(page.page, sweep_of)

    async def replace(self, sweep: Sweep, version: SweepVersion, session: Session) -> None:
        """Store the next revision of a sweep that this transaction has read, and its version."""
        changes = await asyncio.to_thread(sweep_document, sweep)
        key = changes.pop("_id")
        await self._sweeps.update_one({"_id": key}, {"$set": changes}, session=session)
        await self._insert_version(version, session)

    async def version(self, sweep_id: str, number: int) -> SweepVersion:
        """Return the version that the sweep's revision `number` made.

        Raises:
            NotFoundError: the sweep was deleted since its cell was read.
        """
        match = {"sweep_id": ObjectId(sweep_id), "number": number}
        document = await self._versions.find_one(match)
        if document is None:
            raise NotFoundError(_NOUN, sweep_id)
        return await asyncio.to_thread(version_of, document)

    async def project_of(self, key: object) -> str | None:
        """Return the project of the sweep that a change stream names; None if it was deleted."""
        row = await self._sweeps.find_one({"_id": key}, {"project_id": 1})
        return None if row is None else str(row["project_id"])

    async def hide(self, sweep: Sweep, session: Session) -> None:
        """Make a sweep one that is not found; `delete` removes it."""
        # Change streams do not report what a deleted document held.
        mark = {"$set": {"deleted_of": ObjectId(sweep.project_id)}}
        await self._sweeps.update_one({"_id": ObjectId(sweep.id)}, mark, session=session)

    async def hidden(self) -> list[str]:
        """Return the ids of the sweeps that are hidden and not removed yet."""
        found = self._sweeps.find({"deleted_of": {"$ne": None}}, {"_id": 1})
        return [str(row["_id"]) async for row in found]

    async def delete(self, sweep_id: str) -> None:
        """Remove a hidden sweep, or one of a deleted project, with its versions and cells."""
        key = ObjectId(sweep_id)
        # A change that began before, and ended later, would leave its cells.
        await self._sweeps.update_one({"_id": key}, {"$set": {"removing": True}})
        await self._cells.delete(sweep_id)
        await self._versions.delete_many({"sweep_id": key})
        await self._sweeps.delete_one({"_id": key})

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the sweeps of a deleted project."""
        match = {"project_id": ObjectId(project_id)}
        for row in await self._sweeps.find(match, {"_id": 1}).to_list():
            await self.delete(str(row["_id"]))

    async def content_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the contents that cells were made from: those of `among`, or all (None)."""
        return await referred(self._versions, "bases.sha", among)
