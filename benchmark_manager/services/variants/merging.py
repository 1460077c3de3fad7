"""Preview merges of variants with their originals, and carry them out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmark_manager.domain.merge import merge, resolve
from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.variants.edits import CheckedContent, rebased_on
from benchmark_manager.errors import ConflictError, MergeConflictError
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.merge import Merge, Resolution
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.variants.contents import VariantContents
from benchmark_manager.services.variants.editor import EditedVariant, VariantEditor
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.services.variants.variants import VariantService
from benchmark_manager.stores.database.database import Session
from benchmark_manager.workers.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class MergeTexts:
    """The three texts of a merge, and the original and the variant that they were read from."""

    base: str
    theirs: str
    mine: str
    original: OriginalFile
    file: Variant

    def are_of(self, original: OriginalFile, variant: Variant) -> bool:
        """Return whether a merge of these texts is one of this original and this variant."""
        return (
            original.removed_at is None
            and original.id == self.file.original_file_id == variant.original_file_id
            and original.sha == self.original.sha
            and variant.base_sha == self.file.base_sha
            and variant.content_sha == self.file.content_sha
        )


@dataclass(frozen=True, slots=True)
class MergePreview(MergeTexts):
    """A merge and the three texts it is of."""

    merge: Merge


class _OutdatedMergeError(Exception):
    """The original or the variant changed while they were being merged."""


class MergeService:
    """Previews and carries out merges. It never writes an original."""

    def __init__(
        self,
        stores: VariantStores,
        editor: VariantEditor,
        variants: VariantService,
        contents: VariantContents,
        workers: WorkerPool,
    ) -> None:
        self._stores = stores
        self._editor = editor
        self._variants = variants
        self._contents = contents
        self._workers = workers

    async def preview(
        self, principal: Principal, variant_id: str, needed: Role = "reader"
    ) -> MergePreview:
        """Return what a rebase would do now.

        Raises:
            NotFoundError, ForbiddenError, ConflictError: as `texts`.
            TooComplexError, WorkersBusyError
        """
        return await self._merged(await self.texts(principal, variant_id, needed))

    async def _merged(self, texts: MergeTexts) -> MergePreview:
        merged = await self._workers.run(
            merge, texts.base, texts.theirs, texts.mine, texts.file.format
        )
        return MergePreview(
            texts.base, texts.theirs, texts.mine, texts.original, texts.file, merged
        )

    async def resolved(self, preview: MergePreview, resolutions: Sequence[Resolution]) -> str:
        """Return the text that the merge makes with these resolutions.

        Raises:
            MergeConflictError: there are conflicts, and no resolutions.
            InvalidInputError: the resolutions do not fit, are incomplete, or cannot be written.
            TooComplexError, WorkersBusyError
        """
        if resolutions:
            texts = preview.base, preview.theirs, preview.mine
            return await self._workers.run(resolve, *texts, preview.file.format, resolutions)
        if preview.merge.content is None:
            raise MergeConflictError(preview.merge.conflicts)
        return preview.merge.content

    async def texts(
        self, principal: Principal, variant_id: str, needed: Role = "reader"
    ) -> MergeTexts:
        """Return the texts that a rebase would merge, whether or not they merge cleanly.

        Raises:
            NotFoundError: also where the principal may not read the variant.
            ForbiddenError: the principal does not have the role `needed` in its project.
            ConflictError: `upstream_removed`, there is nothing to merge with.
        """
        variant = await self._variants.get(principal, variant_id, needed)
        original = await self._stores.originals.get(variant.project_id, variant.original_file_id)
        if original.removed_at is not None:
            raise ConflictError("upstream_removed", path=variant.original_path)
        shas = variant.base_sha, original.sha, variant.content_sha
        contents = await self._stores.blobs.get_many(shas)
        base, theirs, mine = (contents[sha].decode() for sha in shas)
        return MergeTexts(base, theirs, mine, original, variant)

    async def rebase(
        self,
        principal: Principal,
        variant_id: str,
        *,
        resolutions: Sequence[Resolution] = (),
        content: str | None = None,
        expected_original: str | None,
        allow_invalid: bool = False,
        expected_revisions: Collection[int] | None,
    ) -> EditedVariant:
        """Base the variant on its original's present text, with the merged text as its content.

        Args:
            principal: who rebases.
            variant_id: the variant's id.
            resolutions: a person's decisions on the conflicts.
            content: the merged text; without it the service merges.
            expected_original: the blob id of the original that `resolutions` and `content` are
                about; None accepts any.
            allow_invalid: accept a merged text that is not valid.
            expected_revisions: the revisions that the variant may be at; None accepts any.

        Returns:
            The variant before and after. No revision is made where the variant has that base and
            that content already.

        Raises:
            NotFoundError, ForbiddenError, InvalidInputError, InvalidContentError
            StaleError: the variant is not at one of `expected_revisions`.
            MergeConflictError: a person must decide.
            ConflictError: `upstream_removed`, or `upstream_moved` where the original is not at
                `expected_original`.
        """
        while True:
            texts = await self.texts(principal, variant_id, "editor")
            expect_revision(texts.file, expected_revisions)
            expect_original(texts.original, expected_original)
            merged = (
                content
                if content is not None
                else await self.resolved(await self._merged(texts), resolutions)
            )
            stored = await self._contents.store(
                texts.file, merged.encode(), allow_invalid=allow_invalid
            )
            try:
                return await self._store(principal, texts, stored, expected_revisions)
            except _OutdatedMergeError:
                continue

    async def _store(
        self,
        principal: Principal,
        texts: MergeTexts,
        content: CheckedContent,
        expected_revisions: Collection[int] | None,
    ) -> EditedVariant:
        read = texts.file

        async def edit(current: Variant, session: Session) -> Variant:
            original = await self._stores.originals.hold(
                read.project_id, read.original_file_id, session
            )
            if not texts.are_of(original, current):
                raise _OutdatedMergeError
            return rebased_on(current, original, content)

        return await self._editor.edit(
            principal, read.id, edit, expected_revisions=expected_revisions
        )


def expect_original(original: OriginalFile, expected_sha: str | None) -> None:
    """Accept an original at the blob id `expected_sha`; None accepts any.

    Raises:
        ConflictError: `upstream_moved`.
    """
    if expected_sha is not None and original.sha != expected_sha:
        raise ConflictError("upstream_moved", path=original.path)
