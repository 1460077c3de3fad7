"""The collections of deleted variants.

They are apart from the others, so that no query of those can forget a condition.
"""

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import bson
from bson import ObjectId

from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.revision import Revision
from benchmark_manager.models.variant import TrashedVariant
from benchmark_manager.stores.contents.problems import Problems, ProblemStore
from benchmark_manager.stores.database.database import (
    Collection,
    Database,
    Document,
    Session,
    object_id,
)
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import referred
from benchmark_manager.stores.variants.documents import (
    missing_revisions,
    modified_document,
    modified_file,
    with_stored_problems,
)
from benchmark_manager.stores.variants.revisions import RevisionStore

_NOUN: Final = "modified file"
_RESET: Final = "reset"
_NEWEST_FIRST: Final = Order("deleted_at", datetime, descending=True)
_BUNDLE_FILES: Final = 200
_BUNDLE_BYTES: Final = 1_000_000
_UNREAD: Final[Mapping[str | None, Problems]] = {}


class TrashStore(Store):
    """The collections `trash`, `resets` and `trash_bundles`. A row has the id of its variant.

    A reset deletes any number of variants in one transaction. A database cannot write a row, a
    revision and all their index entries for each of them: with a cache of 256 MB it fails below
    10,000 variants. So that transaction writes only bundles of deleted variants. Before the trash
    is read, `unfold` makes rows and revisions of them, bundle by bundle. A process that dies
    meanwhile loses nothing.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._trash = database.collection("trash")
        self._resets = database.collection("resets")
        self._bundles = database.collection("trash_bundles")
        self._revisions = RevisionStore(database)
        self._problems = ProblemStore(database)

    async def insert(self, rows: Sequence[TrashedVariant], session: Session) -> None:
        """Add deleted variants, with the revisions that their deletions are."""
        rows = await self._stored(rows)
        await self._trash.insert_many([_document(row) for row in rows], session=session)
        made = [
            Revision.of(
                row.file.model_copy(update={"revision": row.file.revision + 1}),
                "deleted",
                at=row.deleted_at,
                by=row.deleted_by,
            )
            for row in rows
        ]
        await self._revisions.insert(
            [*missing_revisions([row.file for row in rows]), *made], session
        )

    async def insert_reset(
        self,
        reset_id: str,
        project_id: str,
        rows: Sequence[TrashedVariant],
        now: datetime,
        session: Session,
    ) -> None:
        """Add a reset and the variants that it deleted at `now`, as bundles."""
        await self.begin_reset(reset_id, project_id, now, session)
        await self.insert_bundles(project_id, rows, session)

    async def begin_reset(
        self, reset_id: str, project_id: str, now: datetime, session: Session
    ) -> None:
        """Add a reset, before its variants or in the same transaction."""
        row = {"_id": ObjectId(reset_id), "project_id": ObjectId(project_id), "deleted_at": now}
        await self._resets.insert_one(row, session=session)

    async def insert_bundles(
        self, project_id: str, rows: Sequence[TrashedVariant], session: Session
    ) -> None:
        """Add variants that a reset deleted, as bundles."""
        key = {"project_id": ObjectId(project_id)}
        for bundle in _bundles(await self._stored(rows)):
            document = {
                **key,
                "original_file_ids": sorted({file["original_file_id"] for file in bundle}),
                "shas": sorted(
                    {file[name] for file in bundle for name in ("content_sha", "base_sha")}
                ),
                "problems_ids": sorted(
                    {file["problems_id"] for file in bundle if "problems_id" in file}
                ),
                "files": bundle,
            }
            await self._bundles.insert_one(document, session=session)

    async def _stored(self, rows: Sequence[TrashedVariant]) -> list[TrashedVariant]:
        """Store the problems of the rows, which version 0.1.0 did not do, and return the rows."""
        files = await with_stored_problems(self._problems, [row.file for row in rows])
        return [
            row.model_copy(update={"file": file}) for row, file in zip(rows, files, strict=True)
        ]

    async def unfold(self) -> None:
        """Make rows and revisions of all bundles; usually there are no bundles."""
        for key in [row["_id"] async for row in self._bundles.find({}, {"_id": 1})]:
            await self._database.transaction(functools.partial(self._unfold_one, key))

    async def _unfold_one(self, key: ObjectId, session: Session) -> None:
        bundle = await self._bundles.find_one_and_delete({"_id": key}, session=session)
        if bundle is not None:
            await self.insert([_trashed(document) for document in bundle["files"]], session)

    async def get(self, variant_id: str, session: Session | None = None) -> TrashedVariant:
        """Return the deleted variant.

        Raises:
            NotFoundError: it never existed, is not deleted, or was deleted too long ago.
        """
        document = await self._trash.find_one(
            {"_id": object_id(variant_id, _NOUN)}, session=session
        )
        if document is None:
            raise NotFoundError(_NOUN, variant_id)
        return _trashed(document, await self._problems.get_many([document.get("problems_id")]))

    async def page(self, project_id: str, request: PageRequest) -> Page[TrashedVariant]:
        """Return a page of a project's deleted variants, last deleted first."""
        match: Document = {"project_id": ObjectId(project_id)}
        found = await self._database.snapshot(
            functools.partial(paged, self._trash, match, _NEWEST_FIRST, request)
        )
        problems = await self._problems.get_many(row.get("problems_id") for row in found.rows)
        return found.page(lambda row: _trashed(row, problems))

    async def delete(self, variant_ids: Sequence[str], session: Session) -> None:
        """Remove at most `IN_AT_MOST` variants from the trash."""
        ids = [ObjectId(key) for key in variant_ids]
        await self._trash.delete_many({"_id": {"$in": ids}}, session=session)

    async def ids_of_reset(self, project_id: str, reset_id: str) -> list[str]:
        """Return the ids of the variants in the trash that this reset deleted, by path.

        Raises:
            NotFoundError: the project had no such reset, or had it too long ago.
        """
        known = {"_id": object_id(reset_id, _RESET), "project_id": ObjectId(project_id)}
        reset = await self._resets.find_one(known)
        if reset is None:
            raise NotFoundError(_RESET, reset_id)
        # With the time, the database can use an index.
        match = {
            "project_id": known["project_id"],
            "deleted_at": reset["deleted_at"],
            "reset_id": reset["_id"],
        }
        return [
            str(row["_id"]) async for row in self._trash.find(match, {"path": 1}).sort("path", 1)
        ]

    async def get_many(self, variant_ids: Sequence[str], session: Session) -> list[TrashedVariant]:
        """Return those of at most `IN_AT_MOST` variants that are in the trash, by path."""
        match = {"_id": {"$in": [ObjectId(key) for key in variant_ids]}}
        rows = await self._trash.find(match, session=session).sort("path", 1).to_list()
        problems = await self._problems.get_many(row.get("problems_id") for row in rows)
        return [_trashed(row, problems) for row in rows]

    async def original_ids(self, project_id: str, session: Session) -> set[str]:
        """Return the originals that deleted variants of a project refer to."""
        match = {"project_id": ObjectId(project_id)}
        group: list[Document] = [{"$match": match}, {"$group": {"_id": "$original_file_id"}}]
        rows = await (await self._trash.aggregate(group, session=session)).to_list()
        fields = {"original_file_ids": 1}
        bundles = await self._bundles.find(match, fields, session=session).to_list()
        bundled = itertools.chain.from_iterable(row["original_file_ids"] for row in bundles)
        return {str(key) for key in (*(row["_id"] for row in rows), *bundled)}

    async def content_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the contents of bundles: those of `among` and some others, or all (None).

        The contents of rows are those of their revisions.
        """
        return await _of_bundles(self._bundles, "shas", among)

    async def problems_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the lists of problems in the trash: those of `among` and others, or all (None)."""
        found = await referred(self._trash, "problems_id", among)
        return found | await _of_bundles(self._bundles, "problems_ids", among)

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the trash of a deleted project."""
        for collection in (self._trash, self._bundles, self._resets):
            await collection.delete_many({"project_id": ObjectId(project_id)})

    async def older(self, before: datetime, limit: int, session: Session) -> list[TrashedVariant]:
        """Return at most `limit` variants deleted before that time, without stored problems."""
        rows = self._trash.find({"deleted_at": {"$lt": before}}, session=session)
        return [
            _trashed(row) async for row in rows.sort([("deleted_at", 1), ("_id", 1)]).limit(limit)
        ]

    async def forget_resets(self, before: datetime) -> None:
        """Delete resets from before that time; they cannot be undone any more."""
        await self._resets.delete_many({"deleted_at": {"$lt": before}})


async def _of_bundles(bundles: Collection, field: str, among: Sequence[str] | None) -> set[str]:
    some = {"$exists": True} if among is None else {"$in": list(among)}
    rows = bundles.find({field: some}, {field: 1})
    return {key async for row in rows for key in row[field]}


def _bundles(rows: Sequence[TrashedVariant]) -> Iterator[list[Document]]:
    """Yield the documents of deleted variants in bundles, each far below 16 MB."""
    bundle: list[Document] = []
    size = 0
    for row in rows:
        document = {**_document(row), "recorded": row.file.recorded}
        size += len(bson.encode(document))
        bundle.append(document)
        if len(bundle) == _BUNDLE_FILES or size > _BUNDLE_BYTES:
            yield bundle
            bundle, size = [], 0
    if bundle:
        yield bundle


def _document(trashed: TrashedVariant) -> Document:
    return {
        **modified_document(trashed.file),
        "deleted_at": trashed.deleted_at,
        "deleted_by": trashed.deleted_by,
        "reset_id": None if trashed.reset_id is None else ObjectId(trashed.reset_id),
    }


def _trashed(
    document: Document, problems: Mapping[str | None, Problems] = _UNREAD
) -> TrashedVariant:
    reset_id = document["reset_id"]
    return TrashedVariant(
        file=modified_file(document, problems),
        deleted_at=document["deleted_at"],
        deleted_by=document["deleted_by"],
        reset_id=None if reset_id is None else str(reset_id),
    )
