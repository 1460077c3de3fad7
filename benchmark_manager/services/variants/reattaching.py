"""Attach variants to other originals, for example when their own was removed upstream."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final

from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.text.folding import fold
from benchmark_manager.domain.variants.edits import reattached_to, with_verdict
from benchmark_manager.domain.variants.similar_paths import most_similar
from benchmark_manager.errors import InvalidInputError, TooComplexError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.original import FileEntry, OriginalFile
from benchmark_manager.models.problem import Verdict
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.texts.text_work import TOO_COMPLEX
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.services.variants.editor import VariantEditor
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.services.variants.variants import VariantService
from benchmark_manager.stores.database.database import Session
from benchmark_manager.workers.pool import WorkerPool

_FIELD: Final = "original_id"


class _OutdatedVerdictError(Exception):
    """The variant, or the original's type, changed while the variant was being validated."""


class ReattachService:
    """Attaches variants to other originals. Their contents stay as they are."""

    def __init__(
        self,
        stores: VariantStores,
        editor: VariantEditor,
        variants: VariantService,
        validation: ValidationService,
        workers: WorkerPool,
    ) -> None:
        self._stores = stores
        self._editor = editor
        self._variants = variants
        self._validation = validation
        self._workers = workers

    async def reattach(
        self,
        principal: Principal,
        variant_id: str,
        original_file_id: str,
        *,
        expected_revisions: Collection[int] | None,
    ) -> Variant:
        """Base the variant on the other original's present text, as a new revision.

        The variant moves to the folder of that original and takes its type; its content stays. No
        revision is made where it is attached to that original already.

        Raises:
            NotFoundError: there is no such variant or original, for this principal.
            ForbiddenError
            StaleError: the variant is not at one of `expected_revisions` (None accepts any).
            InvalidInputError: `other_project`, `other_format`, or `original_removed`.
            ConflictError: `name_taken`.
        """
        wanted = original_file_id.lower()
        while True:
            variant = await self._variants.get(principal, variant_id, "editor")
            expect_revision(variant, expected_revisions)
            if wanted == variant.original_file_id:
                return variant
            original = await self._original(principal, variant, wanted)
            verdict = await self._verdict(variant, original)
            try:
                return await self._store(principal, variant, original, verdict, expected_revisions)
            except _OutdatedVerdictError:
                continue

    async def _store(
        self,
        principal: Principal,
        read: Variant,
        original: OriginalFile,
        verdict: Verdict,
        expected_revisions: Collection[int] | None,
    ) -> Variant:
        async def edit(current: Variant, session: Session) -> Variant:
            held = await self._stores.originals.hold(read.project_id, original.id, session)
            validated = current.content_sha, current.original_file_id, held.file_type
            if validated != (read.content_sha, read.original_file_id, original.file_type):
                raise _OutdatedVerdictError
            _expect_fitting(current, held)
            return with_verdict(reattached_to(current, held), verdict)

        edited = await self._editor.edit(
            principal, read.id, edit, expected_revisions=expected_revisions
        )
        return edited.after

    async def _original(
        self, principal: Principal, variant: Variant, original_file_id: str
    ) -> OriginalFile:
        project_id = await self._stores.originals.project_of(original_file_id)
        principal.require("reader", project_id, noun="file", id=original_file_id)
        if project_id != variant.project_id:
            raise InvalidInputError("other_project", field=_FIELD, path=variant.path)
        original = await self._stores.originals.get(project_id, original_file_id)
        _expect_fitting(variant, original)
        return original

    async def _verdict(self, variant: Variant, original: OriginalFile) -> Verdict:
        """Return the verdict on the variant's content as a file of the original's type."""
        if original.file_type == variant.file_type:
            return Verdict(validity=variant.validity, problems=variant.problems)
        text = (await self._stores.blobs.get(variant.content_sha)).decode()
        try:
            return await self._validation.validate(text, variant.format, original.file_type)
        except TooComplexError:
            return TOO_COMPLEX

    async def candidates(
        self, variant: Variant, query: str, count: int
    ) -> tuple[Sequence[FileEntry], int]:
        """Return originals that a variant may be attached to, the most similar paths first.

        Args:
            variant: the variant.
            query: only originals whose paths contain this, as `domain.text.folding` compares.
            count: how many originals to return at most.

        Returns:
            The originals, and how many there are in all.

        Raises:
            TooComplexError, WorkersBusyError
        """
        entries = await self._stores.originals.entries(variant.project_id)
        fitting = await asyncio.to_thread(_fitting, entries, variant, query)
        best = await self._workers.run(most_similar, variant.original_path, list(fitting), count)
        return [fitting[path] for path in best], len(fitting)


def _fitting(entries: Sequence[FileEntry], variant: Variant, query: str) -> dict[str, FileEntry]:
    """Return by path the other originals of the variant's format whose paths contain the query."""
    endings = (".json",) if variant.format == "json" else (".yaml", ".yml")
    wanted = fold(query)
    return {
        entry.path: entry
        for entry in entries
        if entry.id != variant.original_file_id
        and entry.path.lower().endswith(endings)
        and wanted in fold(entry.path)
    }


def _expect_fitting(variant: Variant, original: OriginalFile) -> None:
    if original.removed_at is not None:
        raise InvalidInputError("original_removed", field=_FIELD, path=original.path)
    if original.format != variant.format:
        raise InvalidInputError(
            "other_format",
            field=_FIELD,
            original=original.path,
            original_format=original.format.upper(),
            path=variant.path,
            format=variant.format.upper(),
        )
