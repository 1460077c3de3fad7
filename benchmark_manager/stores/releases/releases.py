"""The collections of releases, of their makings, and of their files in bounded documents."""

import bisect
from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.domain.releases.digest import PREFIX, digest_digits
from benchmark_manager.errors import ConflictError, NotFoundError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.release import (
    MAKINGS_LISTED,
    Making,
    Release,
    ReleaseDraft,
    ReleaseFile,
)
from benchmark_manager.stores.database.database import (
    IN_AT_MOST,
    Database,
    Document,
    Session,
    milliseconds,
)
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import SWEEP_AGE
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.blobs import ReleaseBlobStore

_NOUN: Final = "release"
_NEWEST_FIRST: Final = Order("created_at", datetime, descending=True)
#: Files in one document, and bytes of their paths: MongoDB limits a document to 16 MiB.
_CHUNK_FILES: Final = 500
_CHUNK_PATHS: Final = 1_000_000
#: Documents that are decoded at once; no other request is served meanwhile.
_CHUNKS_AT_ONCE: Final = 2
#: A release of more files does not fit into one transaction: its files are written before it.
FILES_AT_ONCE = 5000


class ReleaseStore(Store):
    """The collections `releases`, `release_makings` and `release_files`.

    Readers see a release while it is pinned, or one of the projects that made it exists.

    The files of a large release are staged, document by document, each with its part of
    `release_blobs`. Staged files that no making refers to are swept a day later.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._releases = database.collection("releases")
        self._makings = database.collection("release_makings")
        self._files = database.collection("release_files")
        self._projects = ProjectStore(database)
        self._blobs = ReleaseBlobStore(database)

    async def stage(
        self, digest: str, provenance: str, files: Sequence[ReleaseFile], now: datetime
    ) -> None:
        """Store the files of a large release, so that `make` only refers to them."""
        if len(files) <= FILES_AT_ONCE:
            return
        known = {"digest": _digits(digest), "provenance": provenance}
        for chunk in _chunks(files):

            async def work(session: Session, chunk: Document = chunk) -> None:
                match = {**known, "number": chunk["number"]}
                row = await self._files.find_one(match, {"touched_at": 1}, session=session)
                if row is None:
                    await self._files.insert_one(
                        {**known, **chunk, "touched_at": now}, session=session
                    )
                    await self._blobs.hold((file["sha"] for file in chunk["files"]), session)
                elif "touched_at" in row:
                    await self._files.update_one(
                        match, {"$set": {"touched_at": now}}, session=session
                    )

            await self._database.transaction(work)

    async def make(
        self,
        draft: ReleaseDraft,
        digest: str,
        provenance: str,
        files: Sequence[ReleaseFile],
        session: Session,
    ) -> tuple[Release, bool]:
        """Add a making, and the release if it is the first one.

        A later making does not change the release, except that it may pin it.

        Returns:
            The release, and whether it is new.
        """
        row = await self._releases.find_one({"digest": _digits(digest)}, session=session)
        if row is not None and not await self._is_visible(row, session):
            # It is to be swept: its name and description are those of a deleted project.
            await self._remove(row["digest"], session)
            row = None
        first = row is None
        if row is None:
            row = _new_document(draft, digest, provenance, files)
            update: Document = {"$setOnInsert": row}
        else:
            again = _made_again(row, draft)
            update = {"$set": again}
            row = {**row, **again}
        await self._releases.update_one(
            {"digest": row["digest"]}, update, upsert=True, session=session
        )
        await self._makings.insert_one(_making_document(draft, row, provenance), session=session)
        known = {"digest": row["digest"], "provenance": provenance}
        # The files of a large release are staged, unless `stage` found those of a release that was
        # removed since.
        if await self._files.find_one(known, {"_id": 1}, session=session) is None:
            await self._files.insert_many(
                [{**known, **chunk} for chunk in _chunks(files)], session=session
            )
            if first:
                await self._blobs.hold((file.sha for file in files), session)
        return _release(row), first

    async def find(self, reference: str, session: Session | None = None) -> Release:
        """Return the release whose digest is, or begins with, `reference`.

        Raises:
            NotFoundError
            InvalidInputError: `digest_too_short`.
            ConflictError: `digest_ambiguous`.
        """
        digits = digest_digits(reference)
        # All hexadecimal digits sort before "g".
        match = {"digest": {"$gte": digits, "$lt": f"{digits}g"}}
        rows = await self._releases.find(match, session=session).limit(IN_AT_MOST).to_list()
        visible = [row for row in rows if await self._is_visible(row, session)]
        if not visible:
            raise NotFoundError(_NOUN, reference)
        if len(visible) > 1:
            raise ConflictError("digest_ambiguous", digits=digits)
        return _release(visible[0])

    async def _is_visible(self, row: Mapping[str, Any], session: Session | None) -> bool:
        if row["pinned"]:
            return True
        return await self._projects.exists_any([str(key) for key in row["project_ids"]], session)

    async def page(self, project_id: str, request: PageRequest) -> Page[Release]:
        """Return a page of the releases that a project made, newest first making first."""
        match: Document = {"project_ids": ObjectId(project_id)}
        found = await self._database.snapshot(
            partial(paged, self._releases, match, _NEWEST_FIRST, request)
        )
        return found.page(_release)

    async def changed(self, key: object) -> tuple[str, list[str]] | None:
        """Return the digest and the projects of the release that a change stream names."""
        row = await self._releases.find_one({"_id": key}, {"project_ids": 1, "digest": 1})
        if row is None:
            return None
        return PREFIX + row["digest"], [str(each) for each in row["project_ids"]]

    async def makings(self, release: Release) -> list[Making]:
        """Return the first makings of the release, at most `MAKINGS_LISTED`."""
        rows = (
            self._makings.find({"digest": _digits(release.digest)})
            .sort("number", 1)
            .limit(MAKINGS_LISTED)
        )
        return [_making(row) async for row in rows]

    async def making(self, release: Release, number: int) -> Making:
        """Return one making.

        Raises:
            NotFoundError
        """
        row = await self._makings.find_one({"digest": _digits(release.digest), "number": number})
        if row is None:
            raise NotFoundError("making", str(number))
        return _making(row)

    async def files(self, release: Release, provenance: str | None = None) -> list[ReleaseFile]:
        """Return all files by the bytes of their paths.

        They have the origins of the first making, or those of this `provenance`.

        Raises:
            NotFoundError: the release was deleted since it was found.
        """
        match = {"digest": _digits(release.digest), "provenance": provenance or release.provenance}
        chunks = self._files.find(match, batch_size=_CHUNKS_AT_ONCE).sort("number", 1)
        files = [ReleaseFile(**row) async for chunk in chunks for row in chunk["files"]]
        if len(files) != release.files_count:
            raise NotFoundError(_NOUN, release.digest)
        return files

    async def file(self, release: Release, path: str) -> ReleaseFile:
        """Return one file.

        Raises:
            NotFoundError
        """
        match = {"digest": _digits(release.digest), "provenance": release.provenance}
        firsts = await self._files.find(match, {"first": 1}).sort("number", 1).to_list()
        index = bisect.bisect_right([row["first"].encode() for row in firsts], path.encode()) - 1
        chunk = await self._files.find_one({"_id": firsts[index]["_id"]}) if index >= 0 else None
        for row in () if chunk is None else chunk["files"]:
            if row["path"] == path:
                return ReleaseFile(**row)
        raise NotFoundError("release file", path)

    async def every(self) -> AsyncIterator[Release]:
        """Yield all releases, also those that are to be swept."""
        async for row in self._releases.find({}):
            yield _release(row)

    async def provenances(self, release: Release) -> list[str]:
        """Return the ids of all origins that the release was made with.

        Files of another making may be staged, but not all of them yet.
        """
        found: list[str] = await self._makings.distinct(
            "provenance", {"digest": _digits(release.digest)}
        )
        return found

    async def change(self, release: Release, session: Session) -> None:
        """Store the release's name, description, whether it is pinned, and its revision.

        A release that is not pinned any more, and that no project has, is deleted.
        """
        match = {"digest": _digits(release.digest)}
        changes = release.model_dump(include={"name", "description", "pinned", "revision"})
        await self._releases.update_one(match, {"$set": changes}, session=session)
        row = await self._releases.find_one(match, session=session)
        if row is not None and not await self._is_visible(row, session):
            await self._remove(row["digest"], session)

    async def sweep(self, project_id: str) -> None:
        """Delete the unpinned releases of a deleted project that no other project made."""
        rows = await self._releases.find(
            {"project_ids": ObjectId(project_id), "pinned": False}, {"digest": 1}
        ).to_list()
        for found in rows:
            digest = found["digest"]

            async def work(session: Session, digest: str = digest) -> None:
                row = await self._releases.find_one({"digest": digest}, session=session)
                if row is not None and not await self._is_visible(row, session):
                    await self._remove(digest, session)

            await self._database.transaction(work)

    async def _remove(self, digits: str, session: Session) -> None:
        """Delete the release; the staged files of a large one are left to `sweep_files`."""
        match = {"digest": digits, "touched_at": None}
        chunks = self._files.find(match, {"files.sha": 1}, session=session)
        await self._blobs.drop(
            [row["sha"] async for chunk in chunks for row in chunk["files"]], session
        )
        await self._files.delete_many(match, session=session)
        for collection in (self._releases, self._makings):
            await collection.delete_many({"digest": digits}, session=session)

    async def sweep_files(self, now: datetime) -> int:
        """Delete staged files that no making refers to for a day; return how many documents."""
        old = {"touched_at": {"$lt": milliseconds(now) - SWEEP_AGE}}
        swept = 0
        rows = [row async for row in self._files.find(old, {"digest": 1, "provenance": 1})]
        for row in rows:

            async def work(session: Session, row: Document = row) -> bool:
                made = {"digest": row["digest"], "provenance": row["provenance"]}
                if await self._makings.find_one(made, {"_id": 1}, session=session) is not None:
                    return False
                # With the condition again: making a release touches its staged files first.
                chunk = await self._files.find_one_and_delete(
                    {"_id": row["_id"], **old}, session=session
                )
                if chunk is not None:
                    await self._blobs.drop((file["sha"] for file in chunk["files"]), session)
                return chunk is not None

            swept += await self._database.transaction(work)
        return swept


def _digits(digest: str) -> str:
    return digest.removeprefix(PREFIX)


def _chunks(files: Sequence[ReleaseFile]) -> Iterator[Document]:
    rows: list[Document] = []
    size = number = 0
    for file in files:
        length = len(file.path.encode())
        if rows and (len(rows) >= _CHUNK_FILES or size + length > _CHUNK_PATHS):
            yield {"number": number, "first": rows[0]["path"], "files": rows}
            rows, size, number = [], 0, number + 1
        rows.append(dict(file))
        size += length
    yield {"number": number, "first": rows[0]["path"], "files": rows}


def _new_document(
    draft: ReleaseDraft, digest: str, provenance: str, files: Collection[ReleaseFile]
) -> Document:
    return {
        **draft.model_dump(exclude={"project_id"}),
        "_id": ObjectId(),
        "digest": _digits(digest),
        "project_id": ObjectId(draft.project_id),
        "project_ids": [ObjectId(draft.project_id)],
        "revision": 1,
        "files_count": len(files),
        "size": sum(file.size for file in files),
        "makings_count": 1,
        "provenance": provenance,
    }


def _made_again(row: Mapping[str, Any], draft: ReleaseDraft) -> Document:
    project_id = ObjectId(draft.project_id)
    pins = draft.pinned and not row["pinned"]
    return {
        "project_ids": [
            *row["project_ids"],
            *([] if project_id in row["project_ids"] else [project_id]),
        ],
        "pinned": row["pinned"] or draft.pinned,
        "revision": row["revision"] + pins,
        "makings_count": row["makings_count"] + 1,
    }


def _making_document(draft: ReleaseDraft, row: Mapping[str, Any], provenance: str) -> Document:
    return {
        **draft.model_dump(exclude={"pinned"}),
        "project_id": ObjectId(draft.project_id),
        "digest": row["digest"],
        "number": row["makings_count"],
        "provenance": provenance,
    }


def _release(row: Mapping[str, Any]) -> Release:
    values = {name: row[name] for name in Release.model_fields}
    return Release(
        **{**values, "digest": PREFIX + row["digest"], "project_id": str(row["project_id"])}
    )


def _making(row: Mapping[str, Any]) -> Making:
    values = {name: row[name] for name in Making.model_fields}
    return Making(**{**values, "project_id": str(row["project_id"])})
