"""What modified files were, and bringing that back."""

import re
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from benchmark_manager.errors import NotFoundError, TooComplexError
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.revision import Revision, unrecorded_revision
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.texts.text_work import TOO_COMPLEX
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.services.variants.drift import DriftJudge
from benchmark_manager.services.variants.variants import VariantService, expect_revision
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Database, Session, milliseconds
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.variants.revisions import RevisionStore
from benchmark_manager.stores.variants.variants import VariantStore

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
#: What a restoration takes from the revision, beside the base.
_STATE: Final = ("modified_name", "description", "content_sha", "content_sha256", "size")


class RevisionService:
    """The verbs of revisions. Those of deleted files are kept, but nobody sees them."""

    def __init__(
        self,
        database: Database,
        files: VariantService,
        originals: OriginalFileStore,
        modified: VariantStore,
        revisions: RevisionStore,
        blobs: BlobStore,
        drift: DriftJudge,
        validation: ValidationService,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._files = files
        self._originals = originals
        self._modified = modified
        self._revisions = revisions
        self._blobs = blobs
        self._drift = drift
        self._validation = validation
        self._clock = clock

    async def page(self, variant_id: str, request: PageRequest) -> Page[Revision]:
        """A file's revisions, newest first.

        Raises:
            NotFoundError, InvalidInputError
        """
        file = await self._files.get(variant_id)
        page = await self._revisions.page(variant_id, request)
        if page.total == 0 and not file.recorded:
            return Page((unrecorded_revision(file),), 1, None)
        return page

    async def get(self, variant_id: str, number: str) -> Revision:
        """One revision of a file; its number as it was written in an address.

        Raises:
            NotFoundError: also for what is no number.
        """
        file = await self._files.get(variant_id)
        if not _NUMBER.fullmatch(number):
            raise NotFoundError("revision", number)
        return await self._revision(file, int(number))

    async def _revision(self, file: Variant, number: int) -> Revision:
        if number == file.revision and not file.recorded:
            return unrecorded_revision(file)
        return await self._revisions.get(file.id, number)

    async def content(self, revision: Revision) -> bytes:
        return await self._blobs.get(revision.content_sha)

    async def restore(
        self,
        variant_id: str,
        number: int,
        *,
        expected_revisions: Collection[int] | None,
        actor: str,
    ) -> Variant:
        """Make the file what it was at a revision, base included; a new revision, unless it is that already.

        A revision from before the file was attached to its present original had another original's
        text as its base. It comes back with the base that the attachment made, as if it had been
        the one to be attached. What was stored once was accepted once: its name and content are not
        asked about again.

        Raises:
            NotFoundError
            StaleError: the file is not at one of `expected_revisions` (None: any will do).
            ConflictError: `name_taken`.
        """
        file = await self._files.get(variant_id)
        expect_revision(file, expected_revisions)
        revision = await self._revision(file, number)
        text = (await self.content(revision)).decode()
        try:
            verdict = await self._validation.validate(text, file.format, file.file_type)
        except TooComplexError:
            verdict = TOO_COMPLEX
        was = {name: getattr(revision, name) for name in _STATE}

        async def work(session: Session) -> Variant:
            current = await self._modified.get(variant_id, session)
            expect_revision(current, expected_revisions)
            attached = await self._revisions.last_reattachment(
                file.id, after=number, session=session
            )
            base = revision if attached is None else attached
            state = was | {"base_sha": base.base_sha, "base_commit_sha": base.base_commit_sha}
            if all(getattr(current, name) == value for name, value in state.items()):
                return current
            original = await self._originals.hold(
                current.project_id, current.original_file_id, session
            )
            restored = current.model_copy(
                update={
                    **state,
                    "revision": current.revision + 1,
                    "drift": await self._drift.drift(original, base.base_sha, revision.content_sha),
                    "validity": verdict.validity,
                    "problems": verdict.problems,
                    "problems_id": None,
                    "updated_at": milliseconds(self._clock()),
                    "updated_by": actor,
                }
            )
            await self._modified.replace(current, restored, "restored", session)
            return restored

        return await self._database.transaction(work)
