"""Attaching modified files to other originals, as when their own is gone upstream."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Final

from benchmark_manager.domain.text.folding import fold
from benchmark_manager.domain.variants.similar_paths import most_similar
from benchmark_manager.errors import InvalidInputError, TooComplexError
from benchmark_manager.models.original import FileEntry, OriginalFile
from benchmark_manager.models.problem import Verdict
from benchmark_manager.models.variant import Variant
from benchmark_manager.services.texts.text_work import TOO_COMPLEX
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.services.variants.variants import VariantService, expect_revision
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Database, Session, milliseconds
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.variants.variants import VariantStore
from benchmark_manager.workers.pool import WorkerPool

_FIELD: Final = "original_id"


class _ChangedError(Exception):
    """The file was saved, or attached, while it was being judged."""


class ReattachService:
    """Gives modified files another original. Their texts stay as people wrote them."""

    def __init__(
        self,
        database: Database,
        files: VariantService,
        originals: OriginalFileStore,
        modified: VariantStore,
        blobs: BlobStore,
        validation: ValidationService,
        workers: WorkerPool,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._files = files
        self._originals = originals
        self._modified = modified
        self._blobs = blobs
        self._validation = validation
        self._workers = workers
        self._clock = clock

    async def reattach(
        self,
        variant_id: str,
        original_file_id: str,
        *,
        expected_revisions: Collection[int] | None,
        actor: str,
    ) -> Variant:
        """Make the other original's present text the file's base, as a new revision; the file's text stays.

        Its folder and type are those of the other original. No revision is made where that is its
        original already.

        Raises:
            NotFoundError: no such modified file, or no such original.
            StaleError: the file is not at one of `expected_revisions` (None: any will do).
            InvalidInputError: `other_project`, `other_format`, or `original_removed`.
            ConflictError: `name_taken`.
        """
        wanted = original_file_id.lower()
        while True:
            file = await self._files.get(variant_id)
            expect_revision(file, expected_revisions)
            if wanted == file.original_file_id:
                return file
            original = await self._original(file, wanted)
            verdict = await self._verdict(file, original)
            try:
                return await self._store(file, original, verdict, expected_revisions, actor)
            except _ChangedError:
                continue

    async def _store(
        self,
        read: Variant,
        original: OriginalFile,
        verdict: Verdict,
        expected_revisions: Collection[int] | None,
        actor: str,
    ) -> Variant:
        async def work(session: Session) -> Variant:
            current = await self._modified.get(read.id, session)
            expect_revision(current, expected_revisions)
            held = await self._originals.hold(read.project_id, original.id, session)
            judged = current.content_sha, current.original_file_id, held.file_type
            if judged != (read.content_sha, read.original_file_id, original.file_type):
                raise _ChangedError
            _expect_fitting(current, held)
            attached = current.model_copy(
                update={
                    "original_file_id": held.id,
                    "original_path": held.path,
                    "file_type": held.file_type,
                    "base_sha": held.sha,
                    "base_commit_sha": held.commit_sha,
                    "drift": "current",
                    "revision": current.revision + 1,
                    "validity": verdict.validity,
                    "problems": verdict.problems,
                    "problems_id": None,
                    "updated_at": milliseconds(self._clock()),
                    "updated_by": actor,
                }
            )
            await self._modified.replace(current, attached, "reattached", session)
            if current.drift == "upstream_removed":
                await self._originals.drop_unused(read.project_id, session)
            return attached

        return await self._database.transaction(work)

    async def _original(self, file: Variant, original_file_id: str) -> OriginalFile:
        project_id = await self._originals.project_of(original_file_id)
        if project_id != file.project_id:
            raise InvalidInputError("other_project", field=_FIELD, path=file.path)
        original = await self._originals.get(project_id, original_file_id)
        _expect_fitting(file, original)
        return original

    async def _verdict(self, file: Variant, original: OriginalFile) -> Verdict:
        """A manifest is held to other rules than a configuration."""
        if original.file_type == file.file_type:
            return Verdict(validity=file.validity, problems=file.problems)
        text = (await self._blobs.get(file.content_sha)).decode()
        try:
            return await self._validation.validate(text, file.format, original.file_type)
        except TooComplexError:
            return TOO_COMPLEX

    async def candidates(
        self, file: Variant, query: str, count: int
    ) -> tuple[Sequence[FileEntry], int]:
        """The originals that a file may be attached to, those with the most similar paths first.

        Args:
            file: the modified file.
            query: only paths which hold this, as `domain.folding` compares.
            count: how many at most.

        Returns:
            Them, and how many there are in all.

        Raises:
            TooComplexError, WorkersBusyError
        """
        entries = await self._originals.entries(file.project_id)
        fitting = await asyncio.to_thread(_fitting, entries, file, query)
        best = await self._workers.run(most_similar, file.original_path, list(fitting), count)
        return [fitting[path] for path in best], len(fitting)


def _fitting(entries: Sequence[FileEntry], file: Variant, query: str) -> dict[str, FileEntry]:
    """The originals of the file's format, without its own, whose paths hold the query."""
    endings = (".json",) if file.format == "json" else (".yaml", ".yml")
    wanted = fold(query)
    return {
        entry.path: entry
        for entry in entries
        if entry.id != file.original_file_id
        and entry.path.lower().endswith(endings)
        and wanted in fold(entry.path)
    }


def _expect_fitting(file: Variant, original: OriginalFile) -> None:
    if original.removed_at is not None:
        raise InvalidInputError("original_removed", field=_FIELD, path=original.path)
    if original.format != file.format:
        raise InvalidInputError(
            "other_format",
            field=_FIELD,
            original=original.path,
            original_format=original.format.upper(),
            path=file.path,
            format=file.format.upper(),
        )
