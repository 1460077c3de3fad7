"""Bringing modified files to the state of their originals."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.domain.merge import merge, resolve
from benchmark_manager.errors import ConflictError, MergeConflictError
from benchmark_manager.models.merge import Merge, Resolution
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.revision import RevisionKind
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.variants.variants import VariantService, expect_revision
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Database, Session, milliseconds
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.variants.variants import VariantStore
from benchmark_manager.workers.pool import WorkerPool

#: What a merge was made of; where one of them is another by now, it says nothing.
_MERGED: Final = ("original_file_id", "base_sha", "content_sha")


@dataclass(frozen=True, slots=True)
class MergeTexts:
    """The three texts of a merge; `original` and `file` are what they were read from."""

    base: str
    theirs: str
    mine: str
    original: OriginalFile
    file: Variant


@dataclass(frozen=True, slots=True)
class MergePreview(MergeTexts):
    """A merge and the three texts it is of."""

    merge: Merge


@dataclass(frozen=True, slots=True)
class Rebased:
    """A variant after a rebase. No revision is made where it is based on its original already and its text stays."""

    file: Variant
    made_revision: bool


class _MovedError(Exception):
    """The original or the variant changed while they were being merged."""


class MergeService:
    """Previews and carries out merges. Nothing here ever writes an original."""

    def __init__(
        self,
        database: Database,
        files: VariantService,
        originals: OriginalFileStore,
        modified: VariantStore,
        blobs: BlobStore,
        workers: WorkerPool,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._files = files
        self._originals = originals
        self._modified = modified
        self._blobs = blobs
        self._workers = workers
        self._clock = clock

    async def preview(self, variant_id: str) -> MergePreview:
        """What a rebase would do now.

        Raises:
            NotFoundError
            ConflictError: `upstream_removed`, there is nothing to merge with.
            TooComplexError, WorkersBusyError
        """
        return await self._merged(await self.texts(variant_id))

    async def _merged(self, texts: MergeTexts) -> MergePreview:
        merged = await self._workers.run(
            merge, texts.base, texts.theirs, texts.mine, texts.file.format
        )
        return MergePreview(
            texts.base, texts.theirs, texts.mine, texts.original, texts.file, merged
        )

    async def resolved(self, preview: MergePreview, resolutions: Sequence[Resolution]) -> str:
        """Return the text which a merge makes with these decisions.

        Raises:
            MergeConflictError: there are conflicts, and no decisions.
            InvalidInputError: the decisions do not fit, are not all, or cannot be written.
            TooComplexError, WorkersBusyError
        """
        if resolutions:
            texts = preview.base, preview.theirs, preview.mine
            return await self._workers.run(resolve, *texts, preview.file.format, resolutions)
        if preview.merge.content is None:
            raise MergeConflictError(preview.merge.conflicts)
        return preview.merge.content

    async def texts(self, variant_id: str) -> MergeTexts:
        """What a rebase would merge; a person can merge it by hand whatever it is.

        Raises:
            NotFoundError
            ConflictError: `upstream_removed`, there is nothing to merge with.
        """
        file = await self._files.get(variant_id)
        original = await self._originals.get(file.project_id, file.original_file_id)
        if original.removed_at is not None:
            raise ConflictError("upstream_removed", path=file.original_path)
        contents = await self._blobs.get_many([file.base_sha, original.sha, file.content_sha])
        base, theirs, mine = (
            contents[sha].decode() for sha in (file.base_sha, original.sha, file.content_sha)
        )
        return MergeTexts(base, theirs, mine, original, file)

    async def rebase(
        self,
        variant_id: str,
        *,
        resolutions: Sequence[Resolution] = (),
        content: str | None = None,
        expected_original: str | None,
        allow_invalid: bool = False,
        expected_revisions: Collection[int] | None,
        actor: str,
    ) -> Rebased:
        """Merge, with a person's decisions where they are needed, or take `content` as the merged text.

        The file is based on the original as it is now afterwards, as a new revision; none is made
        where it was so before and its content stays.

        Raises:
            NotFoundError, InvalidInputError, InvalidContentError
            StaleError: the file is not at one of `expected_revisions` (None: any will do).
            MergeConflictError: a person must decide.
            ConflictError: `upstream_removed`, or `upstream_moved`: the original is not at the blob
                id
                `expected_original` (None: any will do), so that the decisions would hide what came
                since.
        """
        while True:
            texts = await self.texts(variant_id)
            expect_revision(texts.file, expected_revisions)
            expect_original(texts.original, expected_original)
            text = (
                content
                if content is not None
                else await self.resolved(await self._merged(texts), resolutions)
            )
            changes = await self._files.accepted(texts.file, text.encode(), allow_invalid)
            try:
                return await self._store(texts, changes, expected_revisions, actor)
            except _MovedError:
                continue

    async def _store(
        self,
        texts: MergeTexts,
        changes: dict[str, object],
        expected_revisions: Collection[int] | None,
        actor: str,
    ) -> Rebased:
        read = texts.file

        async def work(session: Session) -> Rebased:
            current = await self._modified.get(read.id, session)
            expect_revision(current, expected_revisions)
            original = await self._originals.hold(read.project_id, read.original_file_id, session)
            moved = original.sha != texts.original.sha or original.removed_at is not None
            if moved or any(getattr(current, name) != getattr(read, name) for name in _MERGED):
                raise _MovedError
            rebased = current.model_copy(
                update={**changes, "base_sha": original.sha, "drift": "current"}
            )
            if rebased == current:
                return Rebased(current, made_revision=False)
            rebased = rebased.model_copy(
                update={
                    "base_commit_sha": original.commit_sha,
                    "revision": current.revision + 1,
                    "updated_at": milliseconds(self._clock()),
                    "updated_by": actor,
                }
            )
            await self._modified.replace(current, rebased, _kind(current, rebased), session)
            return Rebased(rebased, made_revision=True)

        return await self._database.transaction(work)


def expect_original(original: OriginalFile, expected_sha: str | None) -> None:
    """Pass when the original is at the blob id `expected_sha` (None: any will do).

    Raises:
        ConflictError: `upstream_moved`.
    """
    if expected_sha is not None and original.sha != expected_sha:
        raise ConflictError("upstream_moved", path=original.path)


def _kind(before: Variant, after: Variant) -> RevisionKind:
    return "edited" if before.base_sha == after.base_sha else "rebased"
