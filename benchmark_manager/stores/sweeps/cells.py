"""The collection of the cells of sweeps."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bson import ObjectId
from pymongo import UpdateOne

from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.sweep import SweepCell
from benchmark_manager.stores.database.database import (
    IN_AT_MOST,
    ROWS_AT_ONCE,
    Database,
    Document,
    Session,
)
from benchmark_manager.stores.database.paging import Order, paged, position_of
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import referred
from benchmark_manager.stores.sweeps.documents import cell_document, cell_of, sort_key

#: `place` is the stored name of a cell's index, as a text.
_BY_INDEX: Final = Order("place", unique=True)
_BATCH: Final = 250


@dataclass(frozen=True, slots=True)
class CellOfRelease:
    """The sweep and the index of a cell that is a release."""

    digest: str
    sweep_id: str
    index: int
    retired: bool


class SweepCellStore(Store):
    """The `sweep_cells` collection.

    Index, digest and generation of a stored cell never change. The contents of cells belong to
    their releases.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._cells = database.collection("sweep_cells")

    async def insert(self, cells: Sequence[SweepCell], session: Session) -> None:
        """Add cells."""
        for start in range(0, len(cells), _BATCH):
            batch = await asyncio.to_thread(_documents, cells[start : start + _BATCH])
            await self._cells.insert_many(batch, session=session)

    async def change(self, cells: Sequence[SweepCell], session: Session) -> None:
        """Store what changed of cells that this transaction has read."""
        for start in range(0, len(cells), _BATCH):
            updates = await asyncio.to_thread(_updates, cells[start : start + _BATCH])
            await self._cells.bulk_write(updates, session=session)

    async def get(self, sweep_id: str, index: int) -> SweepCell:
        """Return one cell.

        Raises:
            NotFoundError
        """
        match = {"sweep_id": ObjectId(sweep_id), "place": sort_key(index)}
        document = await self._cells.find_one(match)
        if document is None:
            raise NotFoundError("cell", str(index))
        return cell_of(document)

    async def with_digest(self, sweep_id: str, digest: str) -> SweepCell | None:
        """Return the last cell of a sweep that has this digest, if there is one."""
        match = {"sweep_id": ObjectId(sweep_id), "digest": digest}
        document = await self._cells.find_one(match, sort=[("place", -1)])
        return None if document is None else cell_of(document)

    async def with_digests(self, digests: Sequence[str]) -> list[CellOfRelease]:
        """Return the cells of any sweep that have one of these digests."""
        fields = {"digest": 1, "sweep_id": 1, "place": 1, "retired": 1}
        found: list[CellOfRelease] = []
        for some in self._database.parts(digests):
            async for row in self._cells.find({"digest": {"$in": list(some)}}, fields):
                key = str(row["sweep_id"])
                found.append(CellOfRelease(row["digest"], key, int(row["place"]), row["retired"]))
        return found

    async def digests(self, sweep_id: str) -> set[str]:
        """Return the digests of all cells of a sweep, retired ones too."""
        rows = self._cells.find({"sweep_id": ObjectId(sweep_id)}, {"digest": 1, "_id": 0})
        return {row["digest"] async for row in rows}

    async def of_sweep(
        self, sweep_id: str, session: Session | None = None, *, retired: bool
    ) -> list[SweepCell]:
        """Return the cells of a sweep that are `retired` or not, by index."""
        return await self._found(_matching(sweep_id, retired), session)

    async def retired_with(
        self, sweep_id: str, generation: int, digests: Sequence[str], session: Session
    ) -> list[SweepCell]:
        """Return the retired cells of a generation that have one of these digests."""
        match = {**_matching(sweep_id, retired=True), "generation": generation}
        found: list[SweepCell] = []
        for some in self._database.parts(digests):
            found += await self._found({**match, "digest": {"$in": some}}, session)
        return found

    async def next_index(self, sweep_id: str, session: Session) -> int:
        """Return the index of the next cell of a sweep, which is how many it ever had."""
        match = {"sweep_id": ObjectId(sweep_id)}
        last = await self._cells.find_one(match, sort=[("place", -1)], session=session)
        return 0 if last is None else cell_of(last).index + 1

    async def _found(self, match: Document, session: Session | None) -> list[SweepCell]:
        rows = self._cells.find(match, session=session, batch_size=ROWS_AT_ONCE).sort("place", 1)
        return [cell_of(row) async for row in rows]

    async def page(self, sweep_id: str, request: PageRequest, *, retired: bool) -> Page[SweepCell]:
        """Return a page of the cells of a sweep that are `retired` or not, by index."""
        match = _matching(sweep_id, retired)
        found = await self._database.snapshot(
            partial(paged, self._cells, match, _BY_INDEX, request)
        )
        return found.page(cell_of)

    def page_of(self, cells: Sequence[SweepCell], request: PageRequest) -> Page[SweepCell]:
        """Return a page of these cells of a sweep, which are by index.

        Raises:
            InvalidInputError: `invalid_cursor`.
        """
        after = "" if request.cursor is None else position_of(request.cursor)[0]
        left = [cell for cell in cells if sort_key(cell.index) > after]
        rows = left[: request.limit]
        more = len(left) > len(rows)
        cursor = _BY_INDEX.cursor(_position(rows[-1])) if more else None
        return Page(tuple(rows), len(cells), cursor)

    async def problems_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the lists of problems of cells: those of `among`, or all (None)."""
        return await referred(self._cells, "texts.problems_id", among)

    async def delete(self, sweep_id: str) -> None:
        """Delete all cells of a sweep that is not found any more."""
        match = {"sweep_id": ObjectId(sweep_id)}
        ids = [row["_id"] async for row in self._cells.find(match, {"_id": 1})]
        # The embedded server answers no other request while it deletes thousands at once.
        for start in range(0, len(ids), IN_AT_MOST):
            some = {"_id": {"$in": ids[start : start + IN_AT_MOST]}}
            await self._cells.delete_many(some)


def _documents(cells: Sequence[SweepCell]) -> list[Document]:
    return [cell_document(cell) for cell in cells]


def _updates(cells: Sequence[SweepCell]) -> list[UpdateOne]:
    updates = []
    for document in _documents(cells):
        match = {name: document.pop(name) for name in ("sweep_id", "place")}
        updates.append(UpdateOne(match, {"$set": document}))
    return updates


def _position(cell: SweepCell) -> Document:
    # No two cells have the same index, so that the id does not count.
    return {"place": sort_key(cell.index), "_id": ObjectId(cell.sweep_id)}


def _matching(sweep_id: str, retired: bool) -> Document:
    return {"sweep_id": ObjectId(sweep_id), "retired": retired}
