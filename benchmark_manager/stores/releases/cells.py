"""Make and drop the releases of a sweep's cells, many in one transaction."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pymongo import UpdateOne

from benchmark_manager.models.release import CellMaking, ReleaseDraft
from benchmark_manager.stores.database.database import Collection as Documents
from benchmark_manager.stores.database.database import Database, Document, Session
from benchmark_manager.stores.releases.documents import (
    OF_FIRST_MAKING,
    making_document,
    new_cell,
    swept_again,
    without_makings,
)
from benchmark_manager.stores.releases.file_lists import FileListStore
from benchmark_manager.stores.releases.rows import digits_of

if TYPE_CHECKING:
    from bson import ObjectId

#: Returns which of some digests something of a project refers to; without one, of any project.
Cited: TypeAlias = Callable[[Sequence[str], str | None, Session], Awaitable[set[str]]]

#: Releases that one transaction drops: one of many thousands takes longer than MongoDB waits.
DROPPED_AT_ONCE: Final = 1000
_OF_MAKINGS: Final[Document] = dict.fromkeys((*OF_FIRST_MAKING, "digest", "sweep_id"), 1)


@dataclass(frozen=True, slots=True)
class ReleaseDocuments:
    """The database, and where releases, their makings and their files are."""

    database: Database
    releases: Documents
    makings: Documents
    files: FileListStore

    def matches(self, digits: Iterable[str]) -> Iterator[Document]:
        """Yield filters that together match these digests, of as many values as a query takes."""
        for some in self.database.parts(sorted(set(digits))):
            yield {"digest": {"$in": some}}

    async def find(
        self, digits: Iterable[str], session: Session, fields: Document | None = None
    ) -> dict[str, Document]:
        """Return the releases that are there, by their digests."""
        found: dict[str, Document] = {}
        for match in self.matches(digits):
            async for row in self.releases.find(match, fields, session=session):
                found[row["digest"]] = row
        return found

    async def remove(self, rows: Iterable[Mapping[str, Any]], session: Session) -> None:
        """Delete releases with their makings; staged files are left to a later sweep."""
        listed = list(rows)
        digits = {row["digest"] for row in listed}
        cells_only = {row["digest"] for row in listed if row.get("cells_only")}
        await self.files.remove(digits, cells_only, session)
        for match in self.matches(digits):
            for collection in (self.releases, self.makings):
                await collection.delete_many(match, session=session)


class CellReleases:
    """Makes and drops cells. One command handles as many of them as the database takes."""

    def __init__(self, documents: ReleaseDocuments, dropped_at_once: int) -> None:
        self._documents = documents
        self._dropped_at_once = dropped_at_once
        self._releases = documents.releases
        self._makings = documents.makings
        self._files = documents.files

    async def make(
        self,
        draft: ReleaseDraft,
        cells: Sequence[CellMaking],
        known: Mapping[str, Document],
        session: Session,
    ) -> None:
        """Add a making of each cell, and the release where it is not one of `known`."""
        digits = [digits_of(cell.digest) for cell in cells]
        new = [new_cell(draft, cell) for cell in cells if digits_of(cell.digest) not in known]
        if new:
            await self._releases.insert_many(new, session=session)
        again = [
            UpdateOne({"_id": row["_id"]}, {"$set": swept_again(row, draft.project_id)})
            for row in known.values()
        ]
        if again:
            await self._releases.bulk_write(again, session=session)
        numbers = await self._last_numbers(known, session)
        makings = [
            making_document(draft, each, numbers.get(each, 0) + 1, cell.provenance, cell.sweep_id)
            for each, cell in zip(digits, cells, strict=True)
        ]
        await self._makings.insert_many(makings, session=session)
        await self._files.add_cells(cells, known, session)

    async def _last_numbers(self, digits: Iterable[str], session: Session) -> dict[str, int]:
        found: dict[str, int] = {}
        for match in self._documents.matches(digits):
            last = {"_id": "$digest", "number": {"$max": "$number"}}
            rows = await self._makings.aggregate(
                [{"$match": match}, {"$group": last}], session=session
            )
            found |= {row["_id"]: row["number"] async for row in rows}
        return found

    async def some_of(self, sweep_id: str, session: Session) -> set[str]:
        """Return the digests of some releases that a sweep made; none where it made none."""
        rows = self._makings.find({"sweep_id": sweep_id}, {"digest": 1}, session=session)
        return {row["digest"] async for row in rows.limit(self._dropped_at_once)}

    async def drop(
        self, sweep_id: str, digits: Collection[str], is_cited: Cited, session: Session
    ) -> set[str]:
        """Delete a sweep's makings of these releases, and the releases that nothing keeps then.

        A release that others made too is kept for the sweep's project if it would lose it.

        Returns:
            The digests of the releases that others made too.
        """
        rows: list[Document] = []
        for match in self._documents.matches(digits):
            by_sweep = {**match, "sweep_id": sweep_id}
            rows += await self._makings.find(by_sweep, _OF_MAKINGS, session=session).to_list()
        dropped = {(row["digest"], row["provenance"]) for row in rows}
        releases = await self._documents.find({digits for digits, _ in dropped}, session)
        left = await self._made_by_others(sweep_id, releases, session)
        alone = releases.keys() - left.keys()
        projects = {row["project_id"] for row in rows}
        lost = {
            digits
            for digits, makings in left.items()
            if projects.isdisjoint(making["project_id"] for making in makings)
        }
        kept = {digits for digits in alone | lost if releases[digits]["pinned"]}
        cited = await is_cited(sorted(alone - kept), None, session)
        for project_id in projects:
            cited |= await is_cited(sorted(lost - kept), str(project_id), session)
        kept |= {digits_of(each) for each in cited} & (alone | lost)
        await self._documents.remove((releases[digits] for digits in alone - kept), session)
        await self._keep({digits: releases[digits] for digits in kept}, sweep_id, session)
        others = left.keys() - kept
        shared = {key for key in dropped if key[0] in others}
        cells_only = {digits for digits in others if releases[digits].get("cells_only")}
        for matched in self._documents.matches(others):
            await self._makings.delete_many({**matched, "sweep_id": sweep_id}, session=session)
        await self._files.drop_cells(shared, cells_only, session)
        await self._set({digits: without_makings(left[digits]) for digits in others}, session)
        return set(left)

    async def _made_by_others(
        self, sweep_id: str, digits: Iterable[str], session: Session
    ) -> dict[str, list[Document]]:
        """Return the makings by people and other sweeps, by digest, in order."""
        found: dict[str, list[Document]] = defaultdict(list)
        for match in self._documents.matches(digits):
            by_others = {**match, "sweep_id": {"$ne": sweep_id}}
            rows = self._makings.find(by_others, _OF_MAKINGS, session=session)
            async for row in rows.sort({"digest": 1, "number": 1}):
                found[row["digest"]].append(row)
        return dict(found)

    async def _keep(
        self, releases: Mapping[str, Document], sweep_id: str, session: Session
    ) -> None:
        """Keep releases without their sweep: as if a person of its project had made them."""
        of_people: dict[str, set[ObjectId]] = defaultdict(set)
        for match in self._documents.matches(releases):
            by_sweep = {**match, "sweep_id": sweep_id}
            fields = {"digest": 1, "project_id": 1}
            async for row in self._makings.find(by_sweep, fields, session=session):
                of_people[row["digest"]].add(row["project_id"])
            await self._makings.update_many(by_sweep, {"$unset": {"sweep_id": 1}}, session=session)
        await self._set(
            {
                digits: {
                    "cells_in": [
                        key for key in row.get("cells_in", ()) if key not in of_people[digits]
                    ],
                    "cells_only": None,
                }
                for digits, row in releases.items()
            },
            session,
        )

    async def _set(self, changes: Mapping[str, Document], session: Session) -> None:
        updates = [
            UpdateOne({"digest": digits}, {"$set": fields}) for digits, fields in changes.items()
        ]
        if updates:
            await self._releases.bulk_write(updates, session=session)
