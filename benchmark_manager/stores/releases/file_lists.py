"""The lists of files of releases: whole lists, and replacements in lists that cells share."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeAlias

from benchmark_manager.domain.releases.derived import with_replacements
from benchmark_manager.models.release import CellMaking, ReleaseFile
from benchmark_manager.stores.database.database import Database, Document, Session
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.releases.base_lists import BaseListStore
from benchmark_manager.stores.releases.blobs import ReleaseBlobStore
from benchmark_manager.stores.releases.chunks import FileChunks, IsUsed
from benchmark_manager.stores.releases.rows import chunks, digits_of, release_files

#: A list by the digits of its digest, and its provenance.
ListKey: TypeAlias = tuple[str, str]

#: Documents that are decoded at once; no other request is served meanwhile.
_LISTED_AT_ONCE: Final = 50
#: Rows that are encoded at once.
_ROWS_AT_ONCE: Final = 5000
_THERE: Final[Document] = {"$exists": True}
#: Documents that were not staged.
_UNSTAGED: Final[Document] = {"touched_at": None}
_OF_CELLS: Final[Document] = {"base": _THERE}
_WHOLE: Final[Document] = {**_UNSTAGED, "base": None}


class FileListStore(Store):
    """The `release_files` collection, and the base lists that cells share.

    A list is a digest and a provenance. A whole list has all files. A cell's list has the
    provenance of its base list in `base`, and the files that replace some of those.

    `release_blobs` counts a staged document once for each of its contents. All unstaged documents
    of a release count once together for each of theirs. A version without sweeps does not count
    a whole list that it adds to a release of which only cells were made (`cells_only`).
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._files = database.collection("release_files")
        self._blobs = ReleaseBlobStore(database)
        self._bases = BaseListStore(database)
        self._chunks = FileChunks(database, self._files, self._blobs)

    async def stage(
        self, digits: str, provenance: str, files: Sequence[ReleaseFile], now: datetime
    ) -> None:
        """Store a whole list that a making is about to refer to."""
        await self._chunks.stage({"digest": digits, "provenance": provenance}, files, now)

    async def stage_base(
        self, provenance: str, files: Sequence[ReleaseFile], now: datetime
    ) -> None:
        """Store a list that cells are about to refer to."""
        await self._bases.stage(provenance, files, now)

    async def add(
        self,
        key: ListKey,
        files: Sequence[ReleaseFile],
        session: Session,
        *,
        is_new: bool,
        cells_only: bool,
    ) -> None:
        """Add a whole list unless it is there, staged or not, and count its contents.

        `is_new`: the release has no list yet. `cells_only`: only cells were made of it.
        """
        digits, provenance = key
        counted = not (is_new or cells_only) and await self._is_whole(digits, session)
        known = {"digest": digits, "provenance": provenance}
        if await self._files.find_one(known, {"_id": 1}, session=session) is None:
            await self._files.insert_many(
                [{**known, **chunk} for chunk in chunks(files)], session=session
            )
        if not counted and await self._is_whole(digits, session):
            of_cells = {} if is_new else await self._of_cells([digits], session)
            ids = {file.sha for file in files}
            await self._blobs.hold(ids - of_cells.get(digits, set()), session)

    async def add_cells(
        self, cells: Sequence[CellMaking], known: Collection[str], session: Session
    ) -> None:
        """Add the lists of cells that are not there. `known`: digits of releases with lists."""
        whole = await self._whole_among(known, session)
        counted = await self._of_cells(known, session)
        there = await self._keys_of_cells(known, session)
        documents: list[Document] = []
        counts: Counter[str] = Counter()
        for cell in cells:
            digits = digits_of(cell.digest)
            if (digits, cell.provenance) in there:
                continue
            documents += _cell_documents(digits, cell)
            if digits not in whole:
                ids = {file.sha for file in cell.replacements}
                counts.update(ids - counted.get(digits, set()))
        for some in _batches(documents):
            await self._files.insert_many(some, session=session)
        await self._blobs.hold_often(counts, session)

    async def drop_cells(
        self, keys: Collection[ListKey], cells_only: Collection[str], session: Session
    ) -> None:
        """Delete lists of cells from releases that stay.

        `cells_only`: digits of those of which only cells were made until now.
        """
        of_digits = {digits for digits, _ in keys}
        before = await self._of_cells(of_digits, session)
        # A provenance names one list, so that its digest is there for the index alone.
        for some in self._database.parts(sorted(keys)):
            match = {
                "digest": {"$in": [digits for digits, _ in some]},
                "provenance": {"$in": [provenance for _, provenance in some]},
            }
            await self._files.delete_many({**match, **_OF_CELLS}, session=session)
        after = await self._of_cells(of_digits, session)
        whole = await self._whole_among(of_digits, session)
        uncounted = whole.intersection(cells_only)
        await self._count(uncounted, before, session)
        gone: Counter[str] = Counter()
        for digits in of_digits - whole:
            gone.update(before.get(digits, set()) - after.get(digits, set()))
        await self._blobs.drop_often(gone, session)

    async def remove(
        self, digits: Collection[str], cells_only: Collection[str], session: Session
    ) -> None:
        """Delete the lists of releases; staged ones are left to `sweep`."""
        counted: Counter[str] = Counter()
        for each, ids in (await self._of_cells(digits, session)).items():
            if each in cells_only:
                counted.update(ids)
        rest = set(digits).difference(cells_only)
        for ids in (await self._shas(rest, _UNSTAGED, session)).values():
            counted.update(ids)
        for match in self._matches(digits):
            await self._files.delete_many({**match, **_UNSTAGED}, session=session)
        await self._blobs.drop_often(counted, session)

    async def read(self, digits: str, provenance: str) -> list[ReleaseFile]:
        """Return the files of a list, in order; none where it is not there."""
        known = {"digest": digits, "provenance": provenance}
        found = await self.replacements(digits, provenance)
        if found is None:
            return await self._chunks.read(known)
        base, files = found
        return with_replacements(await self._bases.read(base), files)

    async def file(self, digits: str, provenance: str, path: str) -> ReleaseFile | None:
        """Return one file of a list; None where the list does not have it."""
        known = {"digest": digits, "provenance": provenance}
        found = await self.replacements(digits, provenance)
        if found is None:
            return await self._chunks.file(known, path)
        base, files = found
        replaced = next((file for file in files if file.path == path), None)
        return replaced or await self._bases.file(base, path)

    async def replacements(
        self, digits: str, provenance: str
    ) -> tuple[str, list[ReleaseFile]] | None:
        """Return the base list of a cell and the files that replace some; None of a whole list."""
        match = {"digest": digits, "provenance": provenance, **_OF_CELLS}
        rows = await self._files.find(match).sort("number", 1).to_list()
        if not rows:
            return None
        return rows[0]["base"], [file for chunk in rows for file in release_files(chunk)]

    async def base(self, provenance: str) -> list[ReleaseFile]:
        """Return the files of a base list, in order; none where it is not there."""
        return await self._bases.read(provenance)

    async def with_variant(self, digits: Collection[str], variant_id: str, sha: str) -> set[str]:
        """Return those of the releases that contain a variant with this content."""
        found: set[str] = set()
        wanted = {"files.modified_file_id": variant_id, "files.sha": sha}
        cells: list[tuple[str, str, set[str]]] = []
        for match in self._matches(digits):
            rows = self._files.find({**match, **wanted}, {"digest": 1})
            found |= {row["digest"] async for row in rows}
            fields = {"digest": 1, "base": 1, "files.path": 1}
            async for row in self._files.find({**match, **_OF_CELLS}, fields):
                replaced = {file["path"] for file in row["files"]}
                cells.append((row["digest"], row["base"], replaced))
        paths = await self._bases.paths_of({base for _, base, _ in cells}, variant_id, sha)
        return found.union(
            each for each, base, replaced in cells if paths.get(base, None) not in {None, *replaced}
        )

    async def documents(
        self, provenances: Mapping[str, str], fields: Document, at_once: int
    ) -> AsyncIterator[Document]:
        """Yield these fields of the documents of many lists, by the digits of their digests."""
        for match in self._matches(provenances):
            match["provenance"] = {
                "$in": [provenances[digits] for digits in match["digest"]["$in"]]
            }
            async for chunk in self._files.find(match, fields, batch_size=at_once):
                if chunk["provenance"] == provenances[chunk["digest"]]:
                    yield chunk

    async def sweep(self, now: datetime, is_made: IsUsed) -> int:
        """Delete staged lists that nothing refers to for a day; return how many documents.

        `is_made` returns whether a making refers to a whole list.
        """

        async def has_cells(provenance: str, session: Session) -> bool:
            found = await self._files.find_one({"base": provenance}, {"_id": 1}, session=session)
            return found is not None

        return await self._chunks.sweep(now, is_made) + await self._bases.sweep(now, has_cells)

    async def _is_whole(self, digits: str, session: Session) -> bool:
        return bool(await self._whole_among([digits], session))

    async def _whole_among(self, digits: Iterable[str], session: Session) -> set[str]:
        """Return those that have an unstaged whole list."""
        found = set()
        for match in self._matches(digits):
            first = {**match, **_WHOLE, "number": 0}
            rows = self._files.find(first, {"digest": 1}, session=session)
            found |= {row["digest"] async for row in rows}
        return found

    async def _of_cells(self, digits: Iterable[str], session: Session) -> dict[str, set[str]]:
        """Return the contents of the cells' own files, by digits."""
        return await self._shas(digits, _OF_CELLS, session)

    async def _shas(
        self, digits: Iterable[str], which: Document, session: Session
    ) -> dict[str, set[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        fields = {"digest": 1, "files.sha": 1}
        for match in self._matches(digits):
            rows = self._files.find(
                {**match, **which}, fields, session=session, batch_size=_LISTED_AT_ONCE
            )
            async for row in rows:
                found[row["digest"]].update(file["sha"] for file in row["files"])
        return found

    async def _keys_of_cells(self, digits: Iterable[str], session: Session) -> set[ListKey]:
        found = set()
        fields = {"digest": 1, "provenance": 1}
        for match in self._matches(digits):
            rows = self._files.find({**match, **_OF_CELLS}, fields, session=session)
            found |= {(row["digest"], row["provenance"]) async for row in rows}
        return found

    async def _count(
        self, digits: Collection[str], counted: Mapping[str, set[str]], session: Session
    ) -> None:
        """Count whole lists that another version added; `counted` are contents of their cells."""
        counts: Counter[str] = Counter()
        for each, ids in (await self._shas(digits, _WHOLE, session)).items():
            counts.update(ids - counted.get(each, set()))
        await self._blobs.hold_often(counts, session)

    def _matches(self, digits: Iterable[str]) -> Iterator[Document]:
        for some in self._database.parts(sorted(set(digits))):
            yield {"digest": {"$in": some}}


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Yield the documents in parts of about `_ROWS_AT_ONCE` rows."""
    batch: list[Document] = []
    rows = 0
    for document in documents:
        batch.append(document)
        rows += len(document["files"])
        if rows >= _ROWS_AT_ONCE:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _cell_documents(digits: str, cell: CellMaking) -> Iterator[Document]:
    known = {"digest": digits, "provenance": cell.provenance, "base": cell.base_provenance}
    return ({**known, **chunk} for chunk in chunks(cell.replacements))
