"""Store results: their bytes first, then what refers to them."""

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Final

from benchmark_manager.domain.results.edits import is_read_alike, restored, with_receipt
from benchmark_manager.domain.results.fields import check_labels, check_note, file_name_of
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.result import ParsedResult, ResultUpload, StoredResult
from benchmark_manager.services.access.recording import ChangeRecorder
from benchmark_manager.services.results.chosen_project import chosen_project
from benchmark_manager.services.results.parsing import ResultParsing
from benchmark_manager.services.results.receipts import ReceiptService
from benchmark_manager.services.results.recorded import recorded
from benchmark_manager.services.results.stores import ResultStores
from benchmark_manager.stores.database.database import Database, Session, milliseconds

#: Files of more bytes are stored and read a few at once: each is in memory several times.
_LARGE: Final = 1024 * 1024
_LARGE_AT_ONCE: Final = 3


class ResultUploading:
    """Stores files that benchmark tools wrote."""

    def __init__(
        self,
        stores: ResultStores,
        parsing: ResultParsing,
        receipts: ReceiptService,
        *,
        max_size: int,
        clock: Callable[[], datetime],
        record: ChangeRecorder,
    ) -> None:
        """`max_size`: bytes of a result at most."""
        self._stores = stores
        self._parsing = parsing
        self._receipts = receipts
        self._clock = clock
        self._record = record
        self._large = asyncio.Semaphore(_LARGE_AT_ONCE)
        self.max_size = max_size

    async def upload(self, principal: Principal, upload: ResultUpload) -> tuple[StoredResult, bool]:
        """Store a result, unless its bytes are one of the same release and run already.

        That one gets the receipt of this upload where it has none. In the trash, it is restored
        with the tool, name, labels and note of this upload.

        Raises:
            NotFoundError, ForbiddenError, ConflictError
            InvalidInputError: `too_large`, `invalid_labels`, `invalid_note`, `invalid_file_name`,
                `project_required`, `project_mismatch`, `receipt_mismatch`, `digest_too_short`.
        """
        self._check(upload)
        upload = upload.model_copy(update={"file_name": file_name_of(upload.file_name)})
        release = await self._stores.releases.find(upload.release, principal.readable())
        # Before anything is stored; once more in the transaction.
        project_id = chosen_project(principal, release, upload.project_id)
        async with self._large if len(upload.data) > _LARGE else nullcontext():
            return await self._kept(principal, upload, release.digest, project_id)

    async def _kept(
        self, principal: Principal, upload: ResultUpload, digest: str, project_id: str
    ) -> tuple[StoredResult, bool]:
        now = milliseconds(self._clock())
        sha256, (parsed, version) = await asyncio.gather(
            self._stores.chunks.put(upload.data, now),
            self._parsing.first_read(upload.data, upload.file_name, upload.tool),
        )
        draft = StoredResult(
            id=Database.new_id(),
            project_id=project_id,
            release=digest,
            chosen_tool=upload.tool,
            tool=parsed.tool,
            file_name=upload.file_name,
            size=len(upload.data),
            sha256=sha256,
            labels=upload.labels,
            note=upload.note,
            created_at=now,
            created_by=principal.name,
        )

        async def work(session: Session) -> tuple[StoredResult, bool]:
            found = await self._stores.releases.find(digest, principal.readable(), session)
            chosen_project(principal, found, project_id)
            await self._stores.projects.get(project_id, session)
            return await self._store(principal, draft, parsed, version, upload.receipt_id, session)

        return await self._stores.database.transaction(work)

    def _check(self, upload: ResultUpload) -> None:
        if len(upload.data) > self.max_size:
            raise InvalidInputError(
                "too_large", "result", field="file", size=len(upload.data), limit=self.max_size
            )
        if not upload.data:
            raise InvalidInputError("invalid_request", "empty_file", field="file")
        check_labels(upload.labels)
        check_note(upload.note)

    async def _store(
        self,
        principal: Principal,
        draft: StoredResult,
        parsed: ParsedResult,
        version: int,
        receipt_id: str | None,
        session: Session,
    ) -> tuple[StoredResult, bool]:
        receipt = await self._receipts.for_upload(
            principal, draft.release, draft.project_id, receipt_id, session
        )
        draft = draft.model_copy(update={"receipt_id": None if receipt is None else receipt.id})
        same = await self._stores.results.same(draft, session)
        if same is None:
            if await self._stores.results.is_first(draft, session):
                await self._stores.releases.keep(draft.release, draft.project_id, session)
            await self._stores.results.insert(draft, parsed, version, session)
            await self._record([recorded("result.create", principal, None, draft)], session)
            return draft, True
        live = same.deleted_at is None
        after = with_receipt(same, draft.receipt_id) if live else restored(same, draft)
        if after.revision != same.revision:
            await self._stores.results.change(after, session)
            change = recorded("result.edit" if live else "result.undelete", principal, same, after)
            await self._record([change], session)
        if not is_read_alike(same, after):
            await self._stores.results.read_otherwise(after, parsed, version, session)
        return after, False
