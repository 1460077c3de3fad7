"""Make receipts, and find the one that belongs to a result."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from benchmark_manager.domain.results.receipts import Judgement, judge_digest, judge_files
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.recorded_change import RecordedChange
from benchmark_manager.models.release import Release
from benchmark_manager.models.result import Receipt, ReceiptDraft
from benchmark_manager.services.access.recording import ChangeRecorder, record_nothing
from benchmark_manager.services.results.chosen_project import chosen_project
from benchmark_manager.stores.database.database import Database, Session, milliseconds
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.results.receipts import ReceiptStore


@dataclass(frozen=True, slots=True)
class ReceiptStores:
    """The database, the store of receipts, and those of what receipts are about."""

    database: Database
    projects: ProjectStore
    releases: ReleaseStore
    receipts: ReceiptStore


class ReceiptService:
    """Compares what machines say with releases, and keeps the outcome."""

    def __init__(
        self,
        stores: ReceiptStores,
        *,
        clock: Callable[[], datetime],
        record: ChangeRecorder = record_nothing,
    ) -> None:
        """`record` is called with every change, in the transaction that makes it."""
        self._stores = stores
        self._clock = clock
        self._record = record

    async def create(
        self, principal: Principal, digest: str, project_id: str | None, draft: ReceiptDraft
    ) -> Receipt:
        """Compare what a machine says with the release, and keep a receipt.

        `digest` is that of the release, or its beginning. `project_id` may be None where the
        release belongs to one readable project.

        Raises:
            NotFoundError, ForbiddenError
            InvalidInputError: `project_required`, `project_mismatch`, `digest_too_short`.
            ConflictError: `digest_ambiguous`.
        """
        release = await self._stores.releases.find(digest, principal.readable())
        # Before the comparison, which takes longer.
        chosen_project(principal, release, project_id)
        judged = await self._judged(release, draft)

        async def work(session: Session) -> Receipt:
            found = await self._stores.releases.find(release.digest, principal.readable(), session)
            chosen = chosen_project(principal, found, project_id)
            await self._stores.projects.get(chosen, session)
            receipt = self._receipt(principal, chosen, found, draft, judged)
            await self._stores.receipts.insert(receipt, session)
            await self._record([_made(principal, receipt)], session)
            return receipt

        return await self._stores.database.transaction(work)

    async def get(self, principal: Principal, receipt_id: str) -> Receipt:
        """Return a receipt.

        Raises:
            NotFoundError
        """
        receipt = await self._stores.receipts.get(receipt_id)
        principal.require("reader", receipt.project_id, noun="receipt", id=receipt_id)
        return receipt

    async def for_upload(
        self,
        principal: Principal,
        release: str,
        project_id: str,
        receipt_id: str | None,
        session: Session,
    ) -> Receipt | None:
        """Return the receipt of a result that is uploaded now for a release, by its digest.

        That is the one that the upload names; else the last one that the upload's API token made
        for the release in the week before; else None.

        Raises:
            NotFoundError: there is no such receipt.
            InvalidInputError: `receipt_mismatch` where it is of another release or project.
        """
        store = self._stores.receipts
        if receipt_id is None:
            if principal.token_id is None:
                return None
            now = milliseconds(self._clock())
            return await store.newest(project_id, release, principal.token_id, now, session)
        receipt = await store.get(receipt_id, session)
        principal.require("reader", receipt.project_id, noun="receipt", id=receipt_id)
        if (receipt.release, receipt.project_id) != (release, project_id):
            raise InvalidInputError("receipt_mismatch", field="receipt", id=receipt_id)
        return receipt

    async def _judged(self, release: Release, draft: ReceiptDraft) -> Judgement:
        if not draft.files:
            return judge_digest(draft, release.digest)
        files = await self._stores.releases.files(release)
        return await asyncio.to_thread(judge_files, draft, files)

    def _receipt(
        self,
        principal: Principal,
        project_id: str,
        release: Release,
        draft: ReceiptDraft,
        judged: Judgement,
    ) -> Receipt:
        return Receipt(
            id=self._stores.database.new_id(),
            project_id=project_id,
            release=release.digest,
            status=judged.status,
            files=release.files_count,
            differing=judged.differing,
            differing_count=judged.count,
            node=draft.node or None,
            image_id=draft.image_id or None,
            gpus=draft.gpus,
            driver=draft.driver or None,
            at=milliseconds(self._clock()),
            created_by=principal.name,
            token_id=principal.token_id,
        )


def _made(principal: Principal, receipt: Receipt) -> RecordedChange:
    return RecordedChange(
        action="receipt.create",
        principal=principal,
        project_id=receipt.project_id,
        object_id=receipt.id,
        before=None,
        after=1,
    )
