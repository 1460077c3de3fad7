"""Upload, read, change and delete results."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from datetime import datetime

from benchmark_manager.domain.results.edits import (
    ResultChanges,
    deleted,
    edited,
    is_read_alike,
    undeleted,
)
from benchmark_manager.domain.results.fields import check_labels, check_note
from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.unset import Unset
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.recorded_change import ChangeAction
from benchmark_manager.models.result import (
    ParsedResult,
    Result,
    ResultFilters,
    ResultUpload,
    StoredResult,
)
from benchmark_manager.services.access.recording import ChangeRecorder
from benchmark_manager.services.results.parsing import ResultParsing
from benchmark_manager.services.results.reading import ResultReader
from benchmark_manager.services.results.recorded import recorded
from benchmark_manager.services.results.stores import ResultStores
from benchmark_manager.services.results.uploading import ResultUploading
from benchmark_manager.stores.database.database import Session, milliseconds


class ResultService:
    """What people and programs do with results."""

    def __init__(
        self,
        stores: ResultStores,
        reader: ResultReader,
        parsing: ResultParsing,
        uploading: ResultUploading,
        *,
        clock: Callable[[], datetime],
        record: ChangeRecorder,
    ) -> None:
        """`record` is called with every change, in the transaction that makes it."""
        self._stores = stores
        self._reader = reader
        self._parsing = parsing
        self._uploading = uploading
        self._clock = clock
        self._record = record

    @property
    def max_size(self) -> int:
        """Bytes of a result at most."""
        return self._uploading.max_size

    async def upload(self, principal: Principal, upload: ResultUpload) -> tuple[Result, bool]:
        """Store a result, and return it and whether it is new.

        The same bytes for the same release and run are one result, which only gets the receipt of
        this upload where it has none. In the trash, it is restored with the tool, name, labels and
        note of this upload.

        Raises:
            NotFoundError, ForbiddenError, ConflictError
            InvalidInputError: `too_large`, `invalid_labels`, `invalid_note`, `invalid_file_name`,
                `project_required`, `project_mismatch`, `receipt_mismatch`, `digest_too_short`.
        """
        stored, new = await self._uploading.upload(principal, upload)
        return await self._whole(stored), new

    async def get(self, principal: Principal, result_id: str, needed: Role = "reader") -> Result:
        """Return a result that is not in the trash.

        Raises:
            NotFoundError: also where the principal may not read it.
            ForbiddenError: the principal does not have the role `needed` in its project.
        """
        return await self._whole(await self._reader.stored(principal, result_id, needed))

    async def raw(
        self, principal: Principal, result_id: str
    ) -> tuple[Result, AsyncIterator[bytes]]:
        """Return a result, and its exact bytes part by part.

        Raises:
            NotFoundError
        """
        stored = await self._reader.stored(principal, result_id, "reader")
        return await self._whole(stored), self._reader.content(stored)

    async def page(
        self,
        principal: Principal,
        project_id: str,
        filters: ResultFilters,
        request: PageRequest,
    ) -> Page[StoredResult]:
        """Return a page of what is stored of a project's results, newest first.

        Raises:
            NotFoundError: there is no such project, or it has no such release, sweep or cell.
            InvalidInputError: `invalid_cursor`, `digest_too_short`; `invalid_request` for a cell
                without its sweep.
            ConflictError: `digest_ambiguous`.
        """
        return await self._reader.page(principal, project_id, filters, request)

    async def listed(
        self,
        principal: Principal,
        project_id: str,
        filters: ResultFilters,
        request: PageRequest,
    ) -> Page[Result]:
        """Return a page of a project's results, newest first, without points and problems.

        Raises:
            NotFoundError, InvalidInputError: as `page`.
        """
        return await self._reader.listed(principal, project_id, filters, request)

    def in_pieces(self, rows: Sequence[StoredResult]) -> AsyncIterator[list[Result]]:
        """Yield the results of a page whole; those of large files are in memory one by one."""
        return self._reader.in_pieces(rows)

    async def count(self, project_id: str, most: int) -> int:
        """Return how many results a project has; of more than `most`, that number."""
        return await self._stores.results.count(project_id, most)

    async def edit(
        self,
        principal: Principal,
        result_id: str,
        changes: ResultChanges,
        expected: Collection[int] | None,
    ) -> Result:
        """Change what is given; the file is read again where that is another tool.

        Raises:
            NotFoundError, ForbiddenError
            InvalidInputError: `invalid_labels`, `invalid_note`.
            StaleError: the result is not at one of `expected` revisions (None accepts any).
        """
        check_labels(changes.labels or {})
        check_note(changes.note or "")
        parsed, version = await self._read(principal, result_id, changes)

        async def work(session: Session) -> StoredResult:
            before = await self._reader.stored(principal, result_id, "editor", session)
            expect_revision(before, expected)
            after = edited(before, changes)
            if after != before:
                await self._change("result.edit", principal, before, after, session)
            if not is_read_alike(before, after):
                await self._stores.results.read_otherwise(after, parsed, version, session)
            return after

        return await self._whole(await self._stores.database.transaction(work))

    async def _read(
        self, principal: Principal, result_id: str, changes: ResultChanges
    ) -> tuple[ParsedResult, int]:
        """Return what a result says with these changes, for a transaction, which cannot wait."""
        before = await self._reader.stored(principal, result_id, "editor")
        tool = before.chosen_tool if isinstance(changes.tool, Unset) else changes.tool
        if tool == before.chosen_tool:
            # Needed only where somebody else chooses a tool just now.
            return self._parsing.read_later(tool)
        return await self._parsing.read_as(before, tool)

    async def delete(
        self, principal: Principal, result_id: str, expected: Collection[int] | None
    ) -> None:
        """Move a result to the trash.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the result is not at one of `expected` revisions (None accepts any).
        """

        async def work(session: Session) -> None:
            before = await self._reader.stored(principal, result_id, "editor", session)
            expect_revision(before, expected)
            after = deleted(before, at=milliseconds(self._clock()), by=principal.name)
            await self._change("result.delete", principal, before, after, session)

        await self._stores.database.transaction(work)

    async def undelete(self, principal: Principal, result_id: str) -> Result:
        """Take a result out of the trash.

        Raises:
            NotFoundError: it is not in the trash, or was deleted too long ago.
            ForbiddenError
        """

        async def work(session: Session) -> StoredResult:
            before = await self._reader.stored(
                principal, result_id, "editor", session, deleted=True
            )
            after = undeleted(before)
            await self._change("result.undelete", principal, before, after, session)
            return after

        return await self._whole(await self._stores.database.transaction(work))

    async def _change(
        self,
        action: ChangeAction,
        principal: Principal,
        before: StoredResult,
        after: StoredResult,
        session: Session,
    ) -> None:
        await self._stores.results.change(after, session)
        await self._record([recorded(action, principal, before, after)], session)

    async def _whole(self, stored: StoredResult) -> Result:
        [result] = await self._reader.whole([stored])
        return result
