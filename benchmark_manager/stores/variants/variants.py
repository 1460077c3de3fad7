"""The collection of variants, apart from that of the originals."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal

from bson import ObjectId
from pydantic import TypeAdapter
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from benchmark_manager.errors import ConflictError, NotFoundError
from benchmark_manager.models.original import FILE_FORMATS, FILE_TYPES, FileType
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.record import known_word
from benchmark_manager.models.revision import Revision, RevisionKind
from benchmark_manager.models.search import SearchedFile
from benchmark_manager.models.variant import (
    DRIFTS,
    Drift,
    SyncedVariant,
    Variant,
    drift_counts,
)
from benchmark_manager.stores.contents.problems import (
    APART,
    ProblemStore,
    joined_problems_in,
)
from benchmark_manager.stores.database.database import (
    IN_AT_MOST,
    ROWS_AT_ONCE,
    Database,
    Document,
    Part,
    Session,
    object_id,
)
from benchmark_manager.stores.database.joins import (
    content_in,
    counted,
    joined_content,
    joined_problems,
    joined_project,
    without_joined,
)
from benchmark_manager.stores.database.paging import Order, PageOfRows
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import referred
from benchmark_manager.stores.search.name_search import PathSearch
from benchmark_manager.stores.search.searched_files import searched_files
from benchmark_manager.stores.sync.staged_changes import StagedChangeStore
from benchmark_manager.stores.variants.documents import (
    RECORDED,
    missing_revisions,
    modified_document,
    modified_file,
    variant_values,
    with_stored_problems,
)
from benchmark_manager.stores.variants.revisions import RevisionStore

_NOUN: Final = "modified file"
#: No two variants of a project have the same path.
_BY_PATH: Final = Order("path", unique=True)
_FILES: Final = TypeAdapter(tuple[Variant, ...])
_BATCH: Final = 1000
_SYNCED: Final = tuple(field.name for field in fields(SyncedVariant) if field.name != "id")
_DUPLICATE_KEY: Final = 11000


@dataclass(frozen=True, slots=True)
class VariantFilter:
    """Which variants of a project a list has; None means any.

    `query` is searched anywhere in the path, as `domain.text.folding` compares.
    """

    original_file_id: str | None = None
    file_type: FileType | None = None
    drifts: Collection[Drift] | None = None
    query: str | None = None


_ANY_VARIANT: Final = VariantFilter()


class VariantStore(Store):
    """The `modified_files` collection.

    Each change by a person writes its revision in the same transaction.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._files = database.collection("modified_files")
        self._revisions = RevisionStore(database)
        self._problems = ProblemStore(database)
        self._staged = StagedChangeStore(database)

    async def insert(
        self,
        files: Sequence[Variant],
        session: Session,
        what: Literal["created", "restored"] = "created",
    ) -> None:
        """Add variants, new ones or some from the trash.

        Raises:
            ConflictError: `name_taken`.
        """
        files = await with_stored_problems(self._problems, files)
        for start in range(0, len(files), _BATCH):
            batch = files[start : start + _BATCH]
            try:
                await self._files.insert_many(
                    [modified_document(file) for file in batch], session=session
                )
            except BulkWriteError as error:
                [failure] = error.details["writeErrors"]
                if failure["code"] != _DUPLICATE_KEY:
                    raise
                raise _name_taken(batch[failure["index"]]) from None
        await self._revisions.insert(
            [Revision.of(file, what, at=file.updated_at, by=file.updated_by) for file in files],
            session,
        )

    async def get(self, variant_id: str, session: Session | None = None) -> Variant:
        """Return the variant.

        Raises:
            NotFoundError
        """
        document = await self._files.find_one(
            {"_id": object_id(variant_id, _NOUN)}, session=session
        )
        if document is None:
            raise NotFoundError(_NOUN, variant_id)
        return modified_file(document, await self._problems.get_many([document.get("problems_id")]))

    async def get_with_content(self, variant_id: str) -> tuple[Variant, bytes]:
        """Return the variant and its content, by one command.

        Raises:
            NotFoundError: there is no such variant, or its project was deleted.
        """
        match = {"_id": object_id(variant_id, _NOUN)}
        joined = [joined_project(), joined_problems(), joined_content("content_sha")]
        rows = await (await self._files.aggregate([{"$match": match}, *joined])).to_list()
        if not rows or not rows[0]["project"]:
            raise NotFoundError(_NOUN, variant_id)
        [document] = rows
        return modified_file(without_joined(document), joined_problems_in(document)), content_in(
            document
        )

    async def of_project(self, project_id: str, session: Session | None = None) -> list[Variant]:
        """Return all variants of a project, by path, without their stored problems."""
        if session is not None:
            await self._staged.expect_none([project_id], session)
        match = {"project_id": ObjectId(project_id)}
        rows = self._files.find(match, session=session, batch_size=ROWS_AT_ONCE).sort("path", 1)
        return [modified_file(row) async for row in rows]

    async def searchable(self, project_id: str) -> tuple[SearchedFile, ...]:
        """Return all variants of a project for a search, by `SearchedFile.sort_key`."""
        fields = {
            "path": 1,
            "file_type": 1,
            "format": 1,
            "content_sha": 1,
            "size": 1,
            "validity": 1,
            "revision": 1,
        }
        match = {"project_id": object_id(project_id, "project")}

        async def read(session: Session) -> list[Document]:
            await self._staged.expect_none([project_id], session)
            return await self._files.find(
                match, fields, session=session, batch_size=ROWS_AT_ONCE
            ).to_list()

        rows = await self._database.snapshot(read)
        return await asyncio.to_thread(searched_files, rows, "variant", "content_sha")

    async def existing(self, project_id: str, ids: Collection[str]) -> set[str]:
        """Return those of the ids that variants of the project have."""
        wanted = sorted(ids)
        found: set[str] = set()
        for start in range(0, len(wanted), IN_AT_MOST):
            some = [ObjectId(file_id) for file_id in wanted[start : start + IN_AT_MOST]]
            rows = self._files.find(
                {"project_id": ObjectId(project_id), "_id": {"$in": some}}, {"_id": 1}
            )
            found.update([str(row["_id"]) async for row in rows])
        return found

    async def some_of_project(self, project_id: str, limit: int, session: Session) -> list[Variant]:
        """Return at most `limit` variants, without their stored problems, also during a reset."""
        rows = self._files.find(
            {"project_id": ObjectId(project_id)}, session=session, batch_size=ROWS_AT_ONCE
        )
        return [modified_file(row) async for row in rows.limit(limit)]

    async def count(self, project_id: str, session: Session | None = None) -> int:
        """Return how many variants a project has."""
        return await self._files.count_documents(
            {"project_id": ObjectId(project_id)}, session=session
        )

    async def count_of_others(self, project_ids: Sequence[str]) -> int:
        """Return how many variants there are, except for those of these projects."""
        others = {"project_id": {"$nin": [ObjectId(key) for key in project_ids]}}
        return await self._files.count_documents(others if project_ids else {})

    async def count_of_original(self, original_id: str, session: Session | None = None) -> int:
        """Return how many variants an original has."""
        match = {"original_file_id": ObjectId(original_id)}
        return await self._files.count_documents(match, session=session)

    async def counts_by_original(
        self, project_id: str, session: Session | None = None
    ) -> dict[str, int]:
        """Return the number of variants of each original of a project that has any."""
        pipeline = variants_by_original(ObjectId(project_id))
        rows = await (await self._files.aggregate(pipeline, session=session)).to_list()
        return {str(row["_id"]): row["count"] for row in rows}

    async def content_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the contents and bases of variants: those of `among`, or all (None)."""
        contents = await referred(self._files, "content_sha", among)
        return contents | await referred(self._files, "base_sha", among)

    async def problems_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the lists of problems of variants: those of `among`, or all (None)."""
        return await referred(self._files, "problems_id", among)

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the variants of a deleted project."""
        await self._files.delete_many({"project_id": ObjectId(project_id)})

    async def of_original(
        self, original_file_id: str, session: Session | None = None
    ) -> list[Variant]:
        """Return all variants of one original, by path, without their stored problems."""
        match = {"original_file_id": object_id(original_file_id, "file")}
        return [
            modified_file(row)
            async for row in self._files.find(match, session=session).sort("path", 1)
        ]

    async def taken_paths(
        self, project_id: str, paths: Iterable[str], session: Session | None = None
    ) -> set[str]:
        """Return those of the paths that variants of the project have."""
        wanted = sorted(set(paths))
        taken: set[str] = set()
        for start in range(0, len(wanted), IN_AT_MOST):
            query = {
                "project_id": ObjectId(project_id),
                "path": {"$in": wanted[start : start + IN_AT_MOST]},
            }
            rows = self._files.find(query, {"path": 1}, session=session)
            taken.update([row["path"] async for row in rows])
        return taken

    async def replace(
        self, before: Variant, after: Variant, what: RevisionKind, session: Session
    ) -> None:
        """Store `after`, the next revision of `before`, which this transaction has read.

        Raises:
            ConflictError: `name_taken`.
        """
        [stored] = await with_stored_problems(self._problems, [after])
        former, document = modified_document(before), modified_document(stored)
        changes = {name: value for name, value in document.items() if former.get(name) != value}
        update: Document = {"$set": {**changes, **RECORDED}}
        if "problems_id" not in document:
            update["$unset"] = {"problems_id": ""}
        # A document of version 0.1.0 has its problems inside.
        update["$set"]["problems"] = APART
        try:
            await self._files.update_one({"_id": ObjectId(after.id)}, update, session=session)
        except DuplicateKeyError:
            raise _name_taken(after) from None
        made = Revision.of(after, what, at=after.updated_at, by=after.updated_by)
        await self._revisions.insert([*missing_revisions([before]), made], session)

    async def synced(
        self, project_id: str, original_ids: Collection[str], session: Session | None
    ) -> list[SyncedVariant]:
        """Return the variants of these originals of a project, for a sync."""
        if not original_ids:
            return []
        match = {"project_id": ObjectId(project_id)}
        wanted = dict.fromkeys(_SYNCED, 1)
        rows = self._files.find(match, wanted, session=session, batch_size=ROWS_AT_ONCE)
        return [
            _synced_variant(row)
            async for row in rows
            if str(row["original_file_id"]) in original_ids
        ]

    async def drifts(self, project_id: str, session: Session) -> dict[Drift, int]:
        """Return how many variants of a project there are of each drift, zeros included."""
        pipeline: list[Document] = [
            {"$match": {"project_id": ObjectId(project_id)}},
            {"$group": {"_id": "$drift", "count": {"$sum": 1}}},
        ]
        rows = await self._files.aggregate(pipeline, session=session)
        return drift_counts({row["_id"]: row["count"] async for row in rows})

    async def store_synced(self, variants: Sequence[SyncedVariant], session: Session) -> None:
        """Store what a sync changed in variants that this transaction has read.

        Their paths must be free. It makes no revisions.
        """
        for start in range(0, len(variants), _BATCH):
            updates = [_synced_update(variant) for variant in variants[start : start + _BATCH]]
            await self._files.bulk_write(updates, ordered=False, session=session)

    async def delete(self, variant_ids: Sequence[str], session: Session) -> None:
        """Delete variants; their revisions stay, for the trash."""
        # The embedded server answers no other request while it deletes thousands at once, until it
        # is taken for hung.
        for start in range(0, len(variant_ids), IN_AT_MOST):
            ids = [ObjectId(key) for key in variant_ids[start : start + IN_AT_MOST]]
            await self._files.delete_many({"_id": {"$in": ids}}, session=session)

    async def page(
        self,
        project_id: str,
        request: PageRequest,
        wanted: VariantFilter = _ANY_VARIANT,
    ) -> Page[Variant]:
        """Return a page of a project's variants by path.

        Raises:
            NotFoundError: there is no such project.
        """
        key = object_id(project_id, "project")
        match = _matching(key, wanted)
        by_id: list[Document] = [{"$match": {"_id": key}}, {"$project": {"_id": 1}}]
        parts = {"project": Part("projects", by_id), "pending": Part("publications", by_id)}
        search = PathSearch(self._files, match, wanted.query, request) if wanted.query else None
        if search is not None:
            parts |= search.parts()
        else:
            ordered: list[Document] = [
                {"$match": _BY_PATH.after(match, request.cursor)},
                {"$sort": _BY_PATH.sort},
                {"$limit": request.limit + 1},
            ]
            parts |= {
                "rows": Part("modified_files", ordered),
                "total": Part("modified_files", counted(match)),
            }
        while True:
            found = await self._database.read_together(parts)
            if not found["project"]:
                raise NotFoundError("project", project_id)
            if found["pending"]:
                # A large sync moves variants in steps; no list may show some of them only.
                await self._staged.applied(key)
            elif search is None:
                break
            elif (completed := await search.complete(found, self._database.in_at_most)) is not None:
                found = completed
                break
        total = sum(row["n"] for row in found["total"])
        page = PageOfRows.cut(found["rows"], _BY_PATH, total, request.limit)
        problems = await self._problems.get_many(row.get("problems_id") for row in page.rows)
        # One call for all: a call for each takes twice as long.
        files = _FILES.validate_python([variant_values(row, problems) for row in page.rows])
        return Page(files, total, page.more)


def variants_by_original(project_id: ObjectId) -> list[Document]:
    """Count the variants of each original of a project."""
    return [
        {"$match": {"project_id": project_id}},
        {"$group": {"_id": "$original_file_id", "count": {"$sum": 1}}},
    ]


def _synced_variant(row: Document) -> SyncedVariant:
    """Return the variant of a row; words of newer versions are read as the models read them."""
    return SyncedVariant(
        id=str(row["_id"]),
        original_file_id=str(row["original_file_id"]),
        original_path=row["original_path"],
        modified_name=row["modified_name"],
        file_type=known_word(row["file_type"], FILE_TYPES, "config"),
        format=known_word(row["format"], FILE_FORMATS, "yaml"),
        base_sha=row["base_sha"],
        content_sha=row["content_sha"],
        drift=known_word(row["drift"], DRIFTS, "conflict"),
    )


def _synced_update(variant: SyncedVariant) -> UpdateOne:
    changes = {
        "original_path": variant.original_path,
        "path": variant.path,
        "file_type": variant.file_type,
        "drift": variant.drift,
    }
    return UpdateOne({"_id": ObjectId(variant.id)}, {"$set": changes})


def _matching(project: ObjectId, wanted: VariantFilter) -> Document:
    match: Document = {"project_id": project}
    if wanted.original_file_id is not None:
        match["original_file_id"] = object_id(wanted.original_file_id, "file")
    if wanted.file_type is not None:
        match["file_type"] = wanted.file_type
    if wanted.drifts is not None:
        match["drift"] = {"$in": sorted(wanted.drifts)}
    return match


def cursor_after(file: Variant) -> str:
    """Return the cursor of a list by path after this variant, even if it leaves the list."""
    return _BY_PATH.cursor({"path": file.path, "_id": ObjectId(file.id)})


def _name_taken(file: Variant) -> ConflictError:
    return ConflictError("name_taken", path=file.path)
