"""Originals: only syncs change them, by `apply` and `see_anew`."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from bson import ObjectId
from pydantic import TypeAdapter

from benchmark_manager.domain.sync.tree_changes import StoredFile, TreeChanges
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.original import FILE_TYPES, FileEntry, FileType, OriginalFile
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.models.project import ProjectStats
from benchmark_manager.models.record import known_word
from benchmark_manager.models.search import SearchedFile
from benchmark_manager.stores.contents.problems import (
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
    by_project,
    content_in,
    counted,
    counted_by_project,
    counted_variants,
    joined_content,
    joined_problems,
    joined_project,
)
from benchmark_manager.stores.database.paging import PageOfRows
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import referred
from benchmark_manager.stores.originals.documents import (
    file_entries,
    original_file,
    stats_of_counts,
    values_of,
)
from benchmark_manager.stores.originals.lists import ListReader, affordable, total_of
from benchmark_manager.stores.originals.writes import AT_ONCE, FileWrites
from benchmark_manager.stores.projects.projects import ListState, ProjectStore
from benchmark_manager.stores.search.name_search import BY_PATH, PathSearch
from benchmark_manager.stores.search.searched_files import searched_files
from benchmark_manager.stores.sync.staged_changes import StagedChangeStore
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore, variants_by_original

_NOUN: Final = "file"
_FILES: Final = TypeAdapter(tuple[OriginalFile, ...])
#: The first answer holds 101 documents otherwise.
_ENTRIES_A_BATCH: Final = 5000


class OriginalFileStore(Store):
    """The collection `files`.

    Reads of many files, and holding one, wait while a large sync is applied; see
    `stores.sync.staged_changes`.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._files = database.collection("files")
        self._projects = ProjectStore(database)
        self._variants = VariantStore(database)
        self._trash = TrashStore(database)
        self._problems = ProblemStore(database)
        self._staged = StagedChangeStore(database)
        self._lists = ListReader(database, self._staged)

    async def get(
        self, project_id: str, file_id: str, session: Session | None = None
    ) -> OriginalFile:
        document = await self._document(project_id, file_id, session)
        count = await self._variants.count_of_original(file_id, session)
        problems = await self._problems.get_many([document.get("problems_id")])
        return original_file(document, problems, count)

    async def get_alone(self, project_id: str, file_id: str) -> OriginalFile:
        """Return the original without its problems and the number of its variants.

        Raises:
            NotFoundError
        """
        return original_file(await self._document(project_id, file_id, None))

    async def _document(self, project_id: str, file_id: str, session: Session | None) -> Document:
        match = {"_id": object_id(file_id, _NOUN), "project_id": ObjectId(project_id)}
        document = await self._files.find_one(match, session=session)
        if document is None:
            raise NotFoundError(_NOUN, file_id)
        return document

    async def project_of(self, file_id: str) -> str:
        """Return the id of the project that an original belongs to.

        Raises:
            NotFoundError
        """
        document = await self._files.find_one({"_id": object_id(file_id, _NOUN)}, {"project_id": 1})
        if document is None:
            raise NotFoundError(_NOUN, file_id)
        return str(document["project_id"])

    async def shas_of(self, file_ids: Iterable[str]) -> dict[str, str]:
        """Return the contents' blob ids of at most `IN_AT_MOST` originals, by their ids."""
        match = {"_id": {"$in": sorted({ObjectId(file_id) for file_id in file_ids})}}
        return {str(row["_id"]): row["sha"] async for row in self._files.find(match, {"sha": 1})}

    async def get_with_content(self, project_id: str, file_id: str) -> tuple[OriginalFile, bytes]:
        """Return the original and its content, by one command.

        Raises:
            NotFoundError: there is no such file, or its project was deleted.
        """
        match = {"_id": object_id(file_id, _NOUN), "project_id": object_id(project_id, "project")}
        joined = [joined_project(), counted_variants(), joined_problems(), joined_content("sha")]
        rows = await (await self._files.aggregate([{"$match": match}, *joined])).to_list()
        if not rows:
            raise NotFoundError(_NOUN, file_id)
        [document] = rows
        if not document["project"]:
            raise NotFoundError("project", project_id)
        count = sum(row["n"] for row in document["variants"])
        return original_file(document, joined_problems_in(document), count), content_in(document)

    async def hold(self, project_id: str, file_id: str, session: Session) -> OriginalFile:
        """Return the original without its problems, for a transaction that will refer to it.

        The write makes a sync that removes the file at the same moment wait, or repeat.
        """
        match = {"_id": object_id(file_id, _NOUN), "project_id": ObjectId(project_id)}
        await self._staged.expect_none([project_id], session)
        document = await self._files.find_one_and_update(
            match, {"$inc": {"holds": 1}}, session=session
        )
        if document is None:
            raise NotFoundError(_NOUN, file_id)
        return original_file(document)

    async def hold_many(self, file_ids: Iterable[str], session: Session) -> dict[str, OriginalFile]:
        """Hold at most `IN_AT_MOST` originals, as `hold` does one; return them by id."""
        ids = sorted({ObjectId(file_id) for file_id in file_ids})
        match = {"_id": {"$in": ids}}
        await self._files.update_many(match, {"$inc": {"holds": 1}}, session=session)
        files = [original_file(row) async for row in self._files.find(match, session=session)]
        await self._staged.expect_none({file.project_id for file in files}, session)
        return {file.id: file for file in files}

    async def drop_unused(self, project_id: str, session: Session) -> None:
        """Delete the records of removed originals that nothing refers to any more."""
        match = {"project_id": ObjectId(project_id), "removed_at": {"$ne": None}}
        # The write makes two transactions that delete the last references to a file conflict, so
        # that one of them sees that none is left.
        held = await self._files.update_many(match, {"$inc": {"holds": 1}}, session=session)
        if held.matched_count == 0:
            return
        used = await self.used(project_id, session)
        gone = [row["_id"] async for row in self._files.find(match, {"_id": 1}, session=session)]
        unused = [key for key in gone if str(key) not in used]
        for start in range(0, len(unused), IN_AT_MOST):
            await self._files.delete_many(
                {"_id": {"$in": unused[start : start + IN_AT_MOST]}}, session=session
            )

    async def page(
        self,
        project_id: str,
        request: PageRequest,
        *,
        file_type: FileType | None = None,
        query: str | None = None,
        include_removed: bool = False,
        content_budget: int | None = None,
    ) -> Page[OriginalFile]:
        """Return a page of a project's originals by path.

        `query` is searched anywhere in the path, as `domain.text.folding` compares. With a
        `content_budget`, bytes, a page ends before its contents exceed it, but is never empty.

        Raises:
            NotFoundError: there is no such project.
        """
        key = object_id(project_id, "project")
        match: Document = {"project_id": key}
        match |= {} if include_removed else {"removed_at": None}
        match |= {} if file_type is None else {"file_type": file_type}
        parts = {
            "project": Part(
                "projects", [{"$match": {"_id": key}}, {"$project": {"state.originals": 1}}]
            ),
            "variants": Part("modified_files", variants_by_original(key)),
        }
        if query:
            found = await self._lists.search(
                key, PathSearch(self._files, match, query, request), parts
            )
        else:
            ordered: list[Document] = [
                {"$match": BY_PATH.after(match, request.cursor)},
                {"$sort": BY_PATH.sort},
                {"$limit": request.limit + 1},
            ]
            parts["rows"] = Part("files", ordered)
            if include_removed:
                parts["total"] = Part("files", counted(match))
            found = await self._lists.read(key, match, parts)
        if not found["project"]:
            raise NotFoundError("project", project_id)
        length = min(request.limit, affordable(found["rows"], content_budget))
        page = PageOfRows.cut(found["rows"], BY_PATH, total_of(found, file_type), length)
        return await self._page_of(page, found["variants"])

    async def _page_of(self, page: PageOfRows, variants: Sequence[Document]) -> Page[OriginalFile]:
        counts = {row["_id"]: row["count"] for row in variants}
        problems = await self._problems.get_many(row.get("problems_id") for row in page.rows)
        # All in one call: a call for each takes twice as long.
        files = _FILES.validate_python(
            [values_of(row, problems, counts.get(row["_id"], 0)) for row in page.rows]
        )
        return Page(files, page.total, page.more)

    async def entries(self, project_id: str, folder: str = "") -> list[FileEntry]:
        """Return an entry for each present original, of one folder or all, by path."""
        fields = {
            "path": 1,
            "file_type": 1,
            "validity": 1,
            "errors": 1,
            "warnings": 1,
            "problems.severity": 1,
        }

        async def read(session: Session) -> tuple[list[Document], dict[str, int]]:
            await self._staged.expect_none([project_id], session)
            match: Document = {"project_id": ObjectId(project_id), "removed_at": None}
            if folder:
                # "0" comes behind "/".
                match["path"] = {"$gt": f"{folder}/", "$lt": f"{folder}0"}
            cursor = self._files.find(match, fields, session=session, batch_size=_ENTRIES_A_BATCH)
            rows = await cursor.sort([("path", 1), ("_id", 1)]).to_list()
            return rows, await self._variants.counts_by_original(project_id, session)

        rows, counts = await self._database.snapshot(read)
        # In a thread: a hundred thousand rows would block the event loop.
        return await asyncio.to_thread(file_entries, rows, counts)

    async def searchable(self, project_id: str) -> tuple[ListState, tuple[SearchedFile, ...]]:
        """Return the present originals by `SearchedFile.sort_key`, and the state of the list.

        Raises:
            NotFoundError: there is no such project.
        """
        fields = {"path": 1, "file_type": 1, "format": 1, "sha": 1, "size": 1, "validity": 1}
        match = {"project_id": object_id(project_id, "project"), "removed_at": None}

        async def read(session: Session) -> tuple[ListState, list[Document]]:
            await self._staged.expect_none([project_id], session)
            state = await self.list_state(project_id, session)
            return state, await self._files.find(
                match, fields, session=session, batch_size=_ENTRIES_A_BATCH
            ).to_list()

        state, rows = await self._database.snapshot(read)
        return state, await asyncio.to_thread(searched_files, rows, "original", "sha")

    async def list_state(self, project_id: str, session: Session | None = None) -> ListState:
        """Return what changes with each change of a project's originals; see `ProjectStore`.

        Raises:
            NotFoundError: there is no such project.
        """
        return await self._projects.list_state(project_id, session)

    async def ids_by_path(self, project_id: str, paths: Collection[str]) -> dict[str, str]:
        """Return the ids of originals by these paths; a removed one only where no other exists."""
        wanted = sorted(paths)
        found: dict[str, tuple[bool, str]] = {}
        for start in range(0, len(wanted), IN_AT_MOST):
            match = {
                "project_id": ObjectId(project_id),
                "path": {"$in": wanted[start : start + IN_AT_MOST]},
            }
            async for row in self._files.find(match, {"path": 1, "removed_at": 1}):
                candidate = row["removed_at"] is None, str(row["_id"])
                found[row["path"]] = max(candidate, found.get(row["path"], candidate))
        return {path: file_id for path, (_, file_id) in found.items()}

    async def stats(self, project_id: str) -> ProjectStats:
        return (await self.stats_of([project_id]))[project_id]

    async def stats_of(self, project_ids: Sequence[str]) -> dict[str, ProjectStats]:
        """Return the counts of several projects, by their ids, all of one moment."""
        keys = {"$in": [ObjectId(key) for key in project_ids]}
        match = {"$match": {"project_id": keys}}
        kind = {"$cond": [{"$eq": ["$removed_at", None]}, "$file_type", "removed"]}
        parts = {
            "pending": Part("publications", [{"$match": {"_id": keys}}, {"$project": {"_id": 1}}]),
            "kinds": Part("files", [match, counted_by_project(kind)]),
            "drifts": Part("modified_files", [match, counted_by_project("$drift")]),
        }
        while (found := await self._database.read_together(parts))["pending"]:
            await self._staged.applied(found["pending"][0]["_id"])
        by_kind, by_drift = by_project(found["kinds"]), by_project(found["drifts"])
        return {
            key: stats_of_counts(by_kind.get(key, {}), by_drift.get(key, {})) for key in project_ids
        }

    async def present(self, project_id: str, session: Session) -> list[OriginalFile]:
        """Return the present originals of a project, by path, without their problems."""
        await self._staged.expect_none([project_id], session)
        match = {"project_id": ObjectId(project_id), "removed_at": None}
        cursor = self._files.find(match, {"problems": 0}, session=session, batch_size=ROWS_AT_ONCE)
        return [original_file(row) async for row in cursor.sort([("path", 1), ("_id", 1)])]

    async def contents(self, project_id: str, session: Session) -> dict[str, str]:
        """Return the blob ids of the present originals of a project, by path."""
        await self._staged.expect_none([project_id], session)
        match = {"project_id": ObjectId(project_id), "removed_at": None}
        rows = self._files.find(match, {"path": 1, "sha": 1}, session=session, batch_size=AT_ONCE)
        return {row["path"]: row["sha"] async for row in rows}

    # For syncs.

    async def stored(self, project_id: str, session: Session | None = None) -> list[StoredFile]:
        """Return all originals of a project, removed ones too, for a comparison."""
        fields = {"path": 1, "sha": 1, "file_type": 1, "removed_at": 1, "size": 1}
        match = {"project_id": ObjectId(project_id)}
        cursor = self._files.find(match, fields, session=session, batch_size=AT_ONCE)
        return [
            StoredFile(
                str(d["_id"]),
                d["path"],
                d["sha"],
                known_word(d["file_type"], FILE_TYPES, "config"),
                removed=d["removed_at"] is not None,
                size=d["size"],
            )
            async for d in cursor
        ]

    async def used(self, project_id: str, session: Session) -> set[str]:
        """Return the originals that variants refer to, those in the trash included."""
        counts = await self._variants.counts_by_original(project_id, session)
        return counts.keys() | await self._trash.original_ids(project_id, session)

    async def count_of_others(self, project_ids: Sequence[str]) -> int:
        """Return how many originals there are upstream, except for those of these projects."""
        others = {"project_id": {"$nin": [ObjectId(key) for key in project_ids]}}
        match = {**(others if project_ids else {}), "removed_at": None}
        return await self._files.count_documents(match)

    async def content_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the contents of originals: those of `among`, or all (None)."""
        return await referred(self._files, "sha", among)

    async def problems_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the lists of problems of originals: those of `among`, or all (None)."""
        return await referred(self._files, "problems_id", among)

    async def delete_of_project(self, project_id: str) -> None:
        """Delete the originals of a deleted project."""
        await self._files.delete_many({"project_id": ObjectId(project_id)})

    async def apply(
        self,
        project_id: str,
        changes: TreeChanges,
        verdicts: Mapping[str, StoredVerdict],
        *,
        commit_sha: str,
        committed_at: datetime,
        now: datetime,
        session: Session,
    ) -> None:
        """Store what a sync found, as part of its transaction.

        `verdicts` are by path. A removed file keeps its record while a variant refers to it, also
        one in the trash.
        """
        used = await self.used(project_id, session) if changes.removed else set()
        writes = FileWrites(project_id, verdicts, commit_sha, committed_at, now)
        operations = writes.changed(changes, used)
        for start in range(0, len(operations), AT_ONCE):
            await self._files.bulk_write(
                operations[start : start + AT_ONCE], ordered=True, session=session
            )
        for start in range(0, len(changes.added), AT_ONCE):
            documents = writes.added(changes.added[start : start + AT_ONCE])
            await self._files.insert_many(documents, session=session)

    async def see_anew(
        self,
        project_id: str,
        commit_sha: str,
        committed_at: datetime,
        session: Session,
        *,
        at_most: int | None = None,
    ) -> bool:
        """Record this commit, of another repository, as the first one of every present file.

        Returns False where some may be left, because `at_most` were written.
        """
        seen = {"commit_sha": commit_sha, "last_modified": committed_at}
        match = {
            "project_id": ObjectId(project_id),
            "removed_at": None,
            "commit_sha": {"$ne": commit_sha},
        }
        written = 0
        while at_most is None or written < at_most:
            # Some at a time: an embedded server answers nothing else while it writes 100,000.
            rows = (
                await self._files.find(match, {"_id": 1}, session=session)
                .limit(IN_AT_MOST)
                .to_list()
            )
            if not rows:
                return True
            await self._files.update_many(
                {"_id": {"$in": [row["_id"] for row in rows]}}, {"$set": seen}, session=session
            )
            written += len(rows)
        return False
