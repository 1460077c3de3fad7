"""Read the revisions of variants, and restore them."""

import re
from collections.abc import Collection
from typing import Final

from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.variants.edits import (
    restored,
    with_drift,
    with_verdict,
)
from benchmark_manager.errors import NotFoundError, TooComplexError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.problem import Verdict
from benchmark_manager.models.revision import Revision, unrecorded_revision
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.texts.text_work import TOO_COMPLEX
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.services.variants.drift import DriftJudge
from benchmark_manager.services.variants.editor import VariantEditor
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.services.variants.variants import VariantService
from benchmark_manager.stores.database.database import Session

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


class RevisionService:
    """Reads and restores revisions. Those of deleted variants are kept, but not shown."""

    def __init__(
        self,
        stores: VariantStores,
        editor: VariantEditor,
        variants: VariantService,
        drift: DriftJudge,
        validation: ValidationService,
    ) -> None:
        self._stores = stores
        self._editor = editor
        self._variants = variants
        self._drift = drift
        self._validation = validation

    async def page(
        self, principal: Principal, variant_id: str, request: PageRequest
    ) -> Page[Revision]:
        """Return a page of a variant's revisions, newest first.

        Raises:
            NotFoundError, InvalidInputError
        """
        variant = await self._variants.get(principal, variant_id)
        page = await self._stores.revisions.page(variant_id, request)
        if page.total == 0 and not variant.recorded:
            return Page((unrecorded_revision(variant),), 1, None)
        return page

    async def get(self, principal: Principal, variant_id: str, number: str) -> Revision:
        """Return one revision of a variant; `number` is as an address gives it.

        Raises:
            NotFoundError: also where `number` is not a number.
        """
        variant = await self._variants.get(principal, variant_id)
        if not _NUMBER.fullmatch(number):
            raise NotFoundError("revision", number)
        return await self._revision(variant, int(number))

    async def _revision(self, variant: Variant, number: int) -> Revision:
        if number == variant.revision and not variant.recorded:
            return unrecorded_revision(variant)
        return await self._stores.revisions.get(variant.id, number)

    async def content(self, revision: Revision) -> bytes:
        """Return the revision's content."""
        return await self._stores.blobs.get(revision.content_sha)

    async def restore(
        self,
        principal: Principal,
        variant_id: str,
        number: int,
        *,
        expected_revisions: Collection[int] | None,
    ) -> Variant:
        """Restore the variant's name, description, content and base of a revision, as a new one.

        No revision is made where the variant has all of these already. A revision from before the
        variant was attached to its present original had a text of another original as its base; the
        base of that attachment is taken instead. Name and content are not checked again.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the variant is not at one of `expected_revisions` (None accepts any).
            ConflictError: `name_taken`.
        """
        variant = await self._variants.get(principal, variant_id, "editor")
        expect_revision(variant, expected_revisions)
        revision = await self._revision(variant, number)
        verdict = await self._verdict(variant, revision)

        async def edit(current: Variant, session: Session) -> Variant:
            attached = await self._stores.revisions.last_reattachment(
                variant.id, after=number, session=session
            )
            changed = restored(current, revision, base=attached or revision)
            if changed == current:
                return current
            original = await self._stores.originals.hold(
                current.project_id, current.original_file_id, session
            )
            drift = await self._drift.drift(original, changed.base_sha, changed.content_sha)
            return with_drift(with_verdict(changed, verdict), drift)

        edited = await self._editor.edit(
            principal, variant_id, edit, what="restored", expected_revisions=expected_revisions
        )
        return edited.after

    async def _verdict(self, variant: Variant, revision: Revision) -> Verdict:
        text = (await self.content(revision)).decode()
        try:
            return await self._validation.validate(text, variant.format, variant.file_type)
        except TooComplexError:
            return TOO_COMPLEX
