"""Read the names and files of many releases at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bson import ObjectId

from benchmark_manager.domain.releases.digest import PREFIX
from benchmark_manager.models.release_contents import FileContent, ReleaseContents
from benchmark_manager.stores.database.database import ROWS_AT_ONCE, Document
from benchmark_manager.stores.releases.cells import ReleaseDocuments
from benchmark_manager.stores.releases.rows import digits_of

_NAMED: Final[Document] = dict.fromkeys(
    ("digest", "name", "provenance", "files_count", "cells_only"), 1
)
_LISTED: Final[Document] = dict.fromkeys(
    ("digest", "provenance", "base", "files.path", "files.sha", "files.sha256", "files.size"), 1
)
#: Documents that are decoded at once: those of cells have a few files, others hundreds.
_CELLS_AT_ONCE: Final = 100
_CHUNKS_AT_ONCE: Final = 2


@dataclass(slots=True)
class _List:
    """A list of files as it is read, document by document."""

    base: str | None
    files: dict[str, FileContent]


class ReleaseContentsReader:
    """Reads releases that exist; who asks may read the project that they belong to."""

    def __init__(self, documents: ReleaseDocuments) -> None:
        self._documents = documents

    async def names(self, project_id: str, digests: Iterable[str]) -> dict[str, str]:
        """Return the names of those releases that a project made, by their digests."""
        of_project: Document = {"project_ids": ObjectId(project_id)}
        rows = await self._rows(digests, of_project)
        return {PREFIX + digits: row["name"] for digits, row in rows.items()}

    async def contents(self, digests: Sequence[str], most_files: int) -> dict[str, ReleaseContents]:
        """Return what releases hold, by their digests.

        Whole lists are read until there are `most_files` together; releases beyond are left out.
        """
        rows = await self._rows(digests, {})
        wanted = [rows[digits] for digits in map(digits_of, digests) if digits in rows]
        cells = [row for row in wanted if row.get("cells_only")]
        others: list[Document] = []
        for row in wanted:
            if not row.get("cells_only"):
                most_files -= row["files_count"]
                if most_files < 0:
                    break
                others.append(row)
        lists = await self._lists(cells, _CELLS_AT_ONCE)
        lists |= await self._lists(others, _CHUNKS_AT_ONCE)
        return {
            (digest := PREFIX + row["digest"]): ReleaseContents(
                digest, row["name"], found.base, found.files
            )
            for row in wanted
            if (found := lists.get(row["digest"])) is not None
        }

    async def base(self, base: str) -> dict[str, FileContent]:
        """Return the files of a list that cells share, by path."""
        files = await self._documents.files.base(base)
        return {file.path: FileContent(file.sha, file.sha256, file.size) for file in files}

    async def _rows(self, digests: Iterable[str], also: Document) -> dict[str, Document]:
        found: dict[str, Document] = {}
        for match in self._documents.matches(map(digits_of, digests)):
            rows = self._documents.releases.find({**match, **also}, _NAMED, batch_size=ROWS_AT_ONCE)
            found |= {row["digest"]: row async for row in rows}
        return found

    async def _lists(self, rows: Sequence[Mapping[str, Any]], at_once: int) -> dict[str, _List]:
        """Return the list of each release, by its digits, with the origins of its first making."""
        provenances = {row["digest"]: row["provenance"] for row in rows}
        found: dict[str, _List] = {}
        async for chunk in self._documents.files.documents(provenances, _LISTED, at_once):
            known = found.setdefault(chunk["digest"], _List(chunk.get("base"), {}))
            known.files.update(
                (file["path"], FileContent(file["sha"], file["sha256"], file["size"]))
                for file in chunk["files"]
            )
        return found
