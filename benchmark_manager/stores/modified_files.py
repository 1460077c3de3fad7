"""Modified files: what people write, strictly apart from the originals."""

import re
from typing import Final

from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from benchmark_manager.errors import ConflictError, NotFoundError
from benchmark_manager.models.modified_file import Drift, ModifiedFile
from benchmark_manager.models.original_file import FileType
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.problem import Problem
from benchmark_manager.stores.database import Database, Document, Session, object_id
from benchmark_manager.stores.paging import behind, encode_cursor

_NOUN: Final = "modified file"
_FIELDS: Final = ("path", "_id")


class ModifiedFileStore:
    """The `modified_files` collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._files = database.collection("modified_files")

    async def insert(self, file: ModifiedFile, session: Session) -> None:
        """Add a modified file.

        Raises:
            ConflictError: `name_taken`.
        """
        try:
            await self._files.insert_one(_document(file), session=session)
        except DuplicateKeyError:
            raise _name_taken(file) from None

    async def get(self, modified_file_id: str, session: Session | None = None) -> ModifiedFile:
        document = await self._files.find_one({"_id": object_id(modified_file_id, _NOUN)}, session=session)
        if document is None:
            raise NotFoundError(_NOUN, modified_file_id)
        return _file(document)

    async def replace(self, file: ModifiedFile, session: Session) -> None:
        """Store a changed modified file; the transaction has read what it replaces.

        Raises:
            ConflictError: `name_taken`.
        """
        try:
            await self._files.replace_one({"_id": ObjectId(file.id)}, _document(file), session=session)
        except DuplicateKeyError:
            raise _name_taken(file) from None

    async def delete(self, modified_file_id: str, session: Session) -> None:
        await self._files.delete_one({"_id": ObjectId(modified_file_id)}, session=session)

    async def delete_all(self, project_id: str, session: Session) -> int:
        result = await self._files.delete_many({"project_id": ObjectId(project_id)}, session=session)
        return result.deleted_count

    async def page(
        self,
        project_id: str,
        request: PageRequest,
        *,
        original_file_id: str | None = None,
        file_type: FileType | None = None,
        drift: Drift | None = None,
        query: str | None = None,
    ) -> Page[ModifiedFile]:
        """A project's modified files by path; `query` is looked for anywhere in the path, regardless of case."""
        match: Document = {"project_id": ObjectId(project_id)}
        if original_file_id is not None:
            match["original_file_id"] = object_id(original_file_id, "file")
        if file_type is not None:
            match["file_type"] = file_type
        if drift is not None:
            match["drift"] = drift
        if query:
            match["path"] = {"$regex": re.escape(query), "$options": "i"}

        async def read(session: Session) -> tuple[int, list[Document]]:
            total = await self._files.count_documents(match, session=session)
            cursor = self._files.find(behind(match, request.cursor, _FIELDS), session=session)
            return total, await cursor.sort([("path", 1), ("_id", 1)]).limit(request.limit + 1).to_list()

        total, rows = await self._database.snapshot(read)
        more = encode_cursor(rows[request.limit - 1], _FIELDS) if len(rows) > request.limit else None
        return Page(tuple(_file(row) for row in rows[: request.limit]), total, more)


def _name_taken(file: ModifiedFile) -> ConflictError:
    return ConflictError(
        "name_taken", f"The project has a modified file {file.path!r} already; choose another modified_name."
    )


def _document(file: ModifiedFile) -> Document:
    return {
        **file.model_dump(exclude={"id"}),
        "_id": ObjectId(file.id),
        "project_id": ObjectId(file.project_id),
        "original_file_id": ObjectId(file.original_file_id),
        "path": file.path,
    }


def _file(document: Document) -> ModifiedFile:
    values = {name: document[name] for name in ModifiedFile.model_fields if name != "id"}
    values |= {
        "id": str(document["_id"]),
        "project_id": str(document["project_id"]),
        "original_file_id": str(document["original_file_id"]),
        "problems": tuple(Problem(**problem) for problem in document["problems"]),
    }
    return ModifiedFile(**values)
