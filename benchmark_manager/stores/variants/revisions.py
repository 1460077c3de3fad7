"""The collection of revisions. Each is written once, with the change that makes it."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from bson import ObjectId

from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.revision import Revision
from benchmark_manager.stores.database.database import Database, Document, Session
from benchmark_manager.stores.database.paging import Order, paged
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import referred

#: `place` is the stored name of a revision's sort key.
_NEWEST_FIRST: Final = Order("place", descending=True, unique=True)
_BATCH: Final = 1000


class RevisionStore(Store):
    """The `revisions` collection. Variants in the trash keep their revisions."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._revisions = database.collection("revisions")

    async def insert(self, revisions: Sequence[Revision], session: Session) -> None:
        """Add revisions."""
        documents = [_document(revision) for revision in revisions]
        for start in range(0, len(documents), _BATCH):
            await self._revisions.insert_many(documents[start : start + _BATCH], session=session)

    async def get(self, variant_id: str, number: int) -> Revision:
        """Return one revision of a variant.

        Raises:
            NotFoundError
        """
        match = {"modified_file_id": ObjectId(variant_id), "place": _sort_key(number)}
        document = await self._revisions.find_one(match)
        if document is None:
            raise NotFoundError("revision", str(number))
        return _revision(document)

    async def last_reattachment(
        self, variant_id: str, *, after: int, session: Session
    ) -> Revision | None:
        """Return the last revision after `after` that attached the variant to another original."""
        match = {
            "modified_file_id": ObjectId(variant_id),
            "what": "reattached",
            "place": {"$gt": _sort_key(after)},
        }
        document = await self._revisions.find_one(match, sort=[("place", -1)], session=session)
        return None if document is None else _revision(document)

    async def page(self, variant_id: str, request: PageRequest) -> Page[Revision]:
        """Return a page of a variant's revisions, newest first."""
        match: Document = {"modified_file_id": ObjectId(variant_id)}
        found = await self._database.snapshot(
            partial(paged, self._revisions, match, _NEWEST_FIRST, request)
        )
        return found.page(_revision)

    async def content_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the contents and bases of revisions: those of `among`, or all (None)."""
        contents = await referred(self._revisions, "content_sha", among)
        return contents | await referred(self._revisions, "base_sha", among)

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the revisions of a deleted project's variants."""
        await self._revisions.delete_many({"project_id": ObjectId(project_id)})

    async def delete(self, variant_ids: Sequence[str], session: Session) -> None:
        """Delete all revisions of these variants, of which there are at most `IN_AT_MOST`."""
        ids = [ObjectId(key) for key in variant_ids]
        await self._revisions.delete_many({"modified_file_id": {"$in": ids}}, session=session)


def _sort_key(number: int) -> str:
    """Return the number as a text that sorts like it: cursors compare texts."""
    return f"{number:012}"


def _document(revision: Revision) -> Document:
    return {
        **revision.model_dump(),
        "place": _sort_key(revision.number),
        "modified_file_id": ObjectId(revision.modified_file_id),
        "project_id": ObjectId(revision.project_id),
    }


def _revision(document: Document) -> Revision:
    values = {name: document[name] for name in Revision.model_fields}
    values |= {name: str(document[name]) for name in ("modified_file_id", "project_id")}
    return Revision(**values)
