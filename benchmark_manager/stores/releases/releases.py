"""The collections of releases and of their makings."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeAlias

from bson import ObjectId

from benchmark_manager.domain.releases.digest import PREFIX, digest_digits
from benchmark_manager.errors import ConflictError, NotFoundError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.release import (
    MAKINGS_LISTED,
    CellMaking,
    Making,
    Release,
    ReleaseDraft,
    ReleaseFile,
)
from benchmark_manager.stores.database.database import IN_AT_MOST, Database, Document, Session
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.cells import (
    DROPPED_AT_ONCE,
    CellReleases,
    Cited,
    ReleaseDocuments,
)
from benchmark_manager.stores.releases.contents import ReleaseContentsReader
from benchmark_manager.stores.releases.documents import (
    OF_FIRST_MAKING,
    made_again,
    making_document,
    making_of,
    new_document,
    release_of,
)
from benchmark_manager.stores.releases.file_lists import FileListStore
from benchmark_manager.stores.releases.rows import digits_of

#: The ids of the projects that somebody may read; None means all.
Readable: TypeAlias = frozenset[str] | None

_NOUN: Final = "release"
_NEWEST_FIRST: Final = Order("created_at", datetime, descending=True)
#: A release of more files does not fit into one transaction: its files are written before it.
FILES_AT_ONCE: Final = 5000
#: Releases that are deleted in one transaction.
_SWEPT_AT_ONCE: Final = 20


async def _none_cited(
    _digests: Sequence[str], _project_id: str | None, _session: Session
) -> set[str]:
    return set()


class ReleaseStore(Store):
    """The collections `releases` and `release_makings`; their files are in `FileListStore`.

    Readers see a release while it is pinned, or one of the projects that made it exists. `readable`
    are the ids of the projects that somebody may read; None means all. What others made is neither
    found nor counted.

    The files of a large release are staged, document by document, and so are the lists that cells
    of sweeps share. Staged files that nothing refers to are swept a day later.
    """

    def __init__(
        self,
        database: Database,
        *,
        files_at_once: int = FILES_AT_ONCE,
        dropped_at_once: int = DROPPED_AT_ONCE,
        is_cited: Cited = _none_cited,
    ) -> None:
        """Open the collections.

        Args:
            database: The database.
            files_at_once: Of a release with more, files are staged.
            dropped_at_once: So many makings of a deleted sweep are dropped in one transaction.
            is_cited: Returns which of some digests must stay although their sweep is deleted.
        """
        super().__init__(database)
        self._files_at_once = files_at_once
        self._is_cited = is_cited
        self._releases = database.collection("releases")
        self._makings = database.collection("release_makings")
        self._files = FileListStore(database)
        self._projects = ProjectStore(database)
        self._documents = ReleaseDocuments(database, self._releases, self._makings, self._files)
        self._cells = CellReleases(self._documents, dropped_at_once)
        self.contents: Final = ReleaseContentsReader(self._documents)

    async def stage(
        self, digest: str, provenance: str, files: Sequence[ReleaseFile], now: datetime
    ) -> None:
        """Store the files of a large release, so that `make` only refers to them."""
        if len(files) > self._files_at_once:
            await self._files.stage(digits_of(digest), provenance, files, now)

    async def stage_base(
        self, base_provenance: str, files: Sequence[ReleaseFile], now: datetime
    ) -> None:
        """Store a list of files, or touch it, so that `make_cells` only refers to it."""
        await self._files.stage_base(base_provenance, files, now)

    async def make(
        self,
        draft: ReleaseDraft,
        digest: str,
        provenance: str,
        files: Sequence[ReleaseFile],
        readable: Readable,
        session: Session,
    ) -> tuple[Release, bool]:
        """Add a making, and the release if it is the first one.

        A later making does not change the release, except that it may pin it.

        Returns:
            The release, and whether it is new to somebody who may read these projects.
        """
        row = (await self._known([digits_of(digest)], session)).get(digits_of(digest))
        is_new = row is None
        cells_only = row is not None and bool(row.get("cells_only"))
        known_before = row is not None and bool(_projects_of(row, readable))
        if row is None:
            row = new_document(draft, digest, provenance, files)
            update: Document = {"$setOnInsert": row}
        else:
            again = made_again(row, draft)
            update = {"$set": again}
            row = {**row, **again}
        await self._releases.update_one(
            {"digest": row["digest"]}, update, upsert=True, session=session
        )
        number = 1 if is_new else await self._next_number(row["digest"], session)
        await self._makings.insert_one(
            making_document(draft, row["digest"], number, provenance), session=session
        )
        # The files of a large release are staged, unless `stage` found those of a release that was
        # removed since.
        await self._files.add(
            (row["digest"], provenance), files, session, is_new=is_new, cells_only=cells_only
        )
        [release] = await self._as_read([row], readable, session)
        return release, not known_before

    async def make_cells(
        self, draft: ReleaseDraft, cells: Sequence[CellMaking], session: Session
    ) -> None:
        """Add a making of each cell by its sweep, and the releases that are new.

        No two of the cells have one digest. `stage_base` stored their base lists within this hour.
        """
        if cells:
            known = await self._known([digits_of(cell.digest) for cell in cells], session)
            await self._cells.make(draft, cells, known, session)

    async def drop_cells(self, sweep_id: str, session: Session) -> bool:
        """Delete some makings of a deleted sweep, and the releases that nobody else made.

        A release that is pinned or cited stays, as if a person had made it.

        Returns:
            Whether there were any; call it again until there are none.
        """
        digits = await self._cells.some_of(sweep_id, session)
        shared = await self._cells.drop(sweep_id, digits, self._is_cited, session)
        # The others may be deleted projects, whose releases stayed for this sweep.
        await self._known(sorted(shared), session)
        return bool(digits)

    async def keep(self, digest: str, project_id: str, session: Session) -> None:
        """Let the project keep a release to which this transaction begins to refer.

        Transactions that drop a sweep do not see what this one writes elsewhere. A write that they
        would make too ends one of both, which is then tried again.
        """
        match = {
            "digest": digits_of(digest),
            "project_id": ObjectId(project_id),
            "sweep_id": {"$exists": True},
        }
        await self._makings.update_many(match, {"$inc": {"cited": 1}}, session=session)

    async def _known(self, digits: Sequence[str], session: Session) -> dict[str, Document]:
        """Return the releases that are there, by digest; delete those that are to be swept.

        Their names and descriptions are those of deleted projects.
        """
        found = await self._documents.find(digits, session)
        visible = await self._visible(found.values(), session)
        known = {row["digest"]: row for row in visible}
        unseen = [row for digest, row in found.items() if digest not in known]
        if unseen:
            await self._documents.remove(unseen, session)
        return known

    async def _next_number(self, digits: str, session: Session) -> int:
        """Return the number of the next making; those of deleted sweeps are missing before it."""
        rows = self._makings.find({"digest": digits}, {"number": 1}, session=session)
        [last] = await rows.sort("number", -1).limit(1).to_list() or [{"number": 0}]
        return int(last["number"]) + 1

    async def find(
        self, reference: str, readable: Readable, session: Session | None = None
    ) -> Release:
        """Return the release whose digest is, or begins with, `reference`.

        Raises:
            NotFoundError: also where none of the projects that made it may be read.
            InvalidInputError: `digest_too_short`.
            ConflictError: `digest_ambiguous`.
        """
        digits = digest_digits(reference)
        # All hexadecimal digits sort before "g".
        match = {"digest": {"$gte": digits, "$lt": f"{digits}g"}}
        rows = await self._releases.find(match, session=session).limit(IN_AT_MOST).to_list()
        visible = await self._visible(rows, session, readable)
        if not visible:
            raise NotFoundError(_NOUN, reference)
        if len(visible) > 1:
            raise ConflictError("digest_ambiguous", digits=digits)
        [release] = await self._as_read(visible, readable, session)
        return release

    async def _visible(
        self,
        rows: Iterable[Document],
        session: Session | None,
        readable: Readable = None,
    ) -> list[Document]:
        """Return those that are pinned, or have a project that exists, and may be read."""
        # Cells have the same projects, hundreds of them in a row.
        exist: dict[tuple[ObjectId, ...], bool] = {(): False}
        visible = []
        for row in rows:
            projects = tuple(_projects_of(row, readable))
            if projects not in exist and not row["pinned"]:
                exist[projects] = await self._projects.exists_any(
                    [str(key) for key in projects], session
                )
            if projects and (row["pinned"] or exist[projects]):
                visible.append(row)
        return visible

    async def _as_read(
        self, rows: Sequence[Document], readable: Readable, session: Session | None
    ) -> list[Release]:
        """Return releases as somebody may read them who may read a project of each."""
        narrowed = [row for row in rows if _projects_of(row, readable) != row["project_ids"]]
        if not narrowed:
            return [release_of(row) for row in rows]
        projects = {key for row in narrowed for key in _projects_of(row, readable)}
        match = {
            "digest": {"$in": [row["digest"] for row in narrowed]},
            "project_id": {"$in": sorted(projects)},
        }
        firsts = {name: {"$first": f"${name}"} for name in OF_FIRST_MAKING}
        pipeline: list[Document] = [
            {"$match": match},
            {"$sort": {"digest": 1, "number": 1}},
            {"$group": {"_id": "$digest", "makings_count": {"$sum": 1}, **firsts}},
        ]
        found = await (await self._makings.aggregate(pipeline, session=session)).to_list()
        known = {made.pop("_id"): made for made in found}
        return [
            release_of(
                {**row, "project_ids": _projects_of(row, readable), **known.get(row["digest"], {})}
            )
            for row in rows
        ]

    async def page(
        self, project_id: str, request: PageRequest, readable: Readable, *, cells: bool = False
    ) -> Page[Release]:
        """Return a page of the releases that a project made, newest first making first.

        Those that only sweeps of the project made are left out unless `cells` is true.
        """
        key = ObjectId(project_id)
        match: Document = {"project_ids": key}
        if not cells:
            match |= {"cells_only": None, "cells_in": {"$ne": key}}
        found = await self._database.snapshot(
            partial(paged, self._releases, match, _NEWEST_FIRST, request)
        )
        releases = await self._as_read(found.rows, readable, None)
        return Page(tuple(releases), found.total, found.more)

    async def changed(self, key: object) -> tuple[str, list[str]] | None:
        """Return the digest and the projects of the release that a change stream names."""
        row = await self._releases.find_one({"_id": key}, {"project_ids": 1, "digest": 1})
        if row is None:
            return None
        return PREFIX + row["digest"], [str(each) for each in row["project_ids"]]

    async def makings(self, release: Release) -> list[Making]:
        """Return the first makings of the release, at most `MAKINGS_LISTED`.

        Those of projects that may not be read are left out, and not numbered.
        """
        rows = self._makings.find(_makings_of(release)).sort("number", 1).limit(MAKINGS_LISTED)
        return [making_of(row, number) for number, row in enumerate(await rows.to_list(), 1)]

    async def making(self, release: Release, number: int) -> Making:
        """Return one making.

        Raises:
            NotFoundError
        """
        rows = self._makings.find(_makings_of(release)).sort("number", 1).skip(number - 1)
        async for row in rows.limit(1):
            return making_of(row, number)
        raise NotFoundError("making", str(number))

    async def files(self, release: Release, provenance: str | None = None) -> list[ReleaseFile]:
        """Return all files by the bytes of their paths.

        They have the origins of the first making, or those of this `provenance`.

        Raises:
            NotFoundError: the release was deleted since it was found.
        """
        files = await self._files.read(digits_of(release.digest), provenance or release.provenance)
        if len(files) != release.files_count:
            raise NotFoundError(_NOUN, release.digest)
        return files

    async def file(self, release: Release, path: str) -> ReleaseFile:
        """Return one file.

        Raises:
            NotFoundError
        """
        file = await self._files.file(digits_of(release.digest), release.provenance, path)
        if file is None:
            raise NotFoundError("release file", path)
        return file

    async def replacements(
        self, release: Release, provenance: str
    ) -> tuple[str, list[ReleaseFile]] | None:
        """Return the base list of a cell and the files that replace some; None of a whole list."""
        return await self._files.replacements(digits_of(release.digest), provenance)

    async def base_files(self, base_provenance: str) -> list[ReleaseFile]:
        """Return the files of a base list, in order; none where it is not there."""
        return await self._files.base(base_provenance)

    async def with_variant(self, digests: Sequence[str], variant_id: str, sha: str) -> list[str]:
        """Return those of the releases that contain a variant with this content, in order."""
        digits = [digits_of(digest) for digest in digests]
        found = await self._files.with_variant(digits, variant_id, sha)
        return [digest for digest in digests if digits_of(digest) in found]

    async def every(self) -> AsyncIterator[Release]:
        """Yield all releases, also those that are to be swept."""
        async for row in self._releases.find({}):
            yield release_of(row)

    async def provenances(self, release: Release) -> list[str]:
        """Return the ids of all origins that the release was made with.

        Files of another making may be staged, but not all of them yet.
        """
        found: list[str] = await self._makings.distinct(
            "provenance", {"digest": digits_of(release.digest)}
        )
        return found

    async def change(self, release: Release, session: Session) -> None:
        """Store the release's name, description, whether it is pinned, and its revision.

        A release that is not pinned any more, and that no project has, is deleted.
        """
        match = {"digest": digits_of(release.digest)}
        changes = release.model_dump(include={"name", "description", "pinned", "revision"})
        await self._releases.update_one(match, {"$set": changes}, session=session)
        await self._known([match["digest"]], session)

    async def sweep(self, project_id: str) -> None:
        """Delete the unpinned releases of a deleted project that no other project made."""
        match = {"project_ids": ObjectId(project_id), "pinned": False}
        rows = await self._releases.find(match, {"digest": 1}).to_list()
        found = [row["digest"] for row in rows]
        for start in range(0, len(found), _SWEPT_AT_ONCE):
            some = found[start : start + _SWEPT_AT_ONCE]
            await self._database.transaction(partial(self._known, some))

    async def sweep_files(self, now: datetime) -> int:
        """Delete staged files that nothing refers to for a day; return how many documents."""

        async def is_made(row: Document, session: Session) -> bool:
            made = {"digest": row["digest"], "provenance": row["provenance"]}
            return await self._makings.find_one(made, {"_id": 1}, session=session) is not None

        return await self._files.sweep(now, is_made)


def _projects_of(row: Mapping[str, Any], readable: Readable) -> list[ObjectId]:
    """Return the projects that made a release, of those that may be read."""
    return [key for key in row["project_ids"] if readable is None or str(key) in readable]


def _makings_of(release: Release) -> Document:
    projects = [ObjectId(key) for key in release.project_ids]
    return {"digest": digits_of(release.digest), "project_id": {"$in": projects}}
