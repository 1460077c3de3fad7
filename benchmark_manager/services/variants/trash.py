"""Deleting modified files, one or all of a project, and undoing that."""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bson import ObjectId

from benchmark_manager.domain.variants.naming import check_modified_name
from benchmark_manager.errors import BenchmarkManagerError, ConflictError, NotFoundError
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.variant import TrashedFile, Variant
from benchmark_manager.services.variants.drift import DriftJudge
from benchmark_manager.services.variants.large_resets import LargeResets
from benchmark_manager.services.variants.variants import VariantService, expect_revision
from benchmark_manager.stores.database.database import IN_AT_MOST, Database, Session, milliseconds
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.sync.staged_changes import PublishedReset
from benchmark_manager.stores.variants.revisions import RevisionStore
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore

#: Files which one transaction brings back, or purges, at most.
_AT_ONCE: Final = IN_AT_MOST


@dataclass(frozen=True, slots=True)
class LeftFile:
    """A file which an undone reset leaves in the trash, and why."""

    file: Variant
    reason: BenchmarkManagerError


@dataclass(frozen=True, slots=True)
class UndoneReset:
    """What came back, and what stays in the trash."""

    restored: tuple[Variant, ...]
    left: tuple[LeftFile, ...]


class TrashService:
    """Nothing that a person wrote is lost by one mistake: deleted files are kept for `retention`."""

    def __init__(
        self,
        database: Database,
        files: VariantService,
        projects: ProjectStore,
        originals: OriginalFileStore,
        modified: VariantStore,
        revisions: RevisionStore,
        trash: TrashStore,
        drift: DriftJudge,
        large: LargeResets,
        *,
        retention: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._files = files
        self._projects = projects
        self._originals = originals
        self._modified = modified
        self._revisions = revisions
        self._trash = trash
        self._drift = drift
        self._large = large
        self.retention = retention
        self._clock = clock

    async def delete(
        self, variant_id: str, expected_revisions: Collection[int] | None, actor: str
    ) -> None:
        """Move one variant to the trash; its name is free at once.

        Raises:
            NotFoundError
            StaleError: the file is not at one of `expected_revisions` (None: any will do).
        """
        await self._files.get(variant_id)

        async def work(session: Session) -> None:
            file = await self._modified.get(variant_id, session)
            expect_revision(file, expected_revisions)
            row = TrashedFile(
                file=file, deleted_at=milliseconds(self._clock()), deleted_by=actor, reset_id=None
            )
            await self._modified.delete([file.id], session)
            await self._trash.insert([row], session)

        await self._database.transaction(work)

    async def reset(self, project_id: str, actor: str) -> tuple[int, str | None]:
        """Move all variants of a project to the trash; the originals stay as they are.

        Readers see all or none of it, as one transaction or `LargeResets` does it.
        Returns how many there were, and the id by which the reset can be undone; None where there
        was nothing.
        """
        await self._projects.get(project_id)
        reset_id = str(ObjectId())
        if await self._modified.count(project_id) > self._large.steps.at_once:
            now = milliseconds(self._clock())
            return await self._large.reset(
                PublishedReset(project_id, reset_id, now, actor)
            ), reset_id

        async def work(session: Session) -> int:
            files = await self._modified.of_project(project_id, session)
            if files:
                now = milliseconds(self._clock())
                rows = [
                    TrashedFile(file=file, deleted_at=now, deleted_by=actor, reset_id=reset_id)
                    for file in files
                ]
                await self._modified.delete([file.id for file in files], session)
                await self._trash.insert_reset(reset_id, project_id, rows, now, session)
            return len(files)

        count = await self._database.transaction(work)
        return count, reset_id if count else None

    async def get(self, variant_id: str) -> TrashedFile:
        """One deleted file.

        Raises:
            NotFoundError: it is not in the trash.
        """
        await self._trash.unfold()
        return await self._trash.get(variant_id)

    async def page(self, project_id: str, request: PageRequest) -> Page[TrashedFile]:
        """A project's deleted files, last deleted first."""
        await self._projects.get(project_id)
        await self._trash.unfold()
        return await self._trash.page(project_id, request)

    async def undelete(self, variant_id: str, *, modified_name: str | None, actor: str) -> Variant:
        """Bring one deleted variant back, under another name where one is given.

        Its place, type and drift are those which its original gives it now.

        Raises:
            NotFoundError: it is not in the trash, or its project is gone.
            InvalidInputError: `invalid_name`.
            ConflictError: `name_taken`.
        """
        await self._trash.unfold()
        trashed = await self._trash.get(variant_id)
        if modified_name is not None:
            check_modified_name(modified_name, trashed.file.format)
        try:
            await self._projects.get(trashed.file.project_id)
        except NotFoundError:
            raise NotFoundError("modified file", variant_id) from None

        async def work(session: Session) -> Variant:
            file = (await self._trash.get(variant_id, session)).file
            if modified_name is not None:
                file = file.model_copy(update={"modified_name": modified_name})
            original = await self._originals.hold(file.project_id, file.original_file_id, session)
            restored = await self._restored(_at_place_of(original, file), original, actor)
            await self._trash.delete([file.id], session)
            await self._modified.insert([restored], session, "restored")
            return restored

        return await self._database.transaction(work)

    async def undo_reset(self, project_id: str, reset_id: str, actor: str) -> UndoneReset:
        """Bring back what a reset deleted; what cannot come back now stays in the trash. Harmless to repeat.

        Raises:
            NotFoundError: no such project, or the project had no such reset.
            ConflictError: `name_taken` at this very moment; what came back before stays, and the
                rest can be repeated.
        """
        await self._projects.get(project_id)
        await self._trash.unfold()
        ids = await self._trash.ids_of_reset(project_id, reset_id)
        restored: list[Variant] = []
        left: list[LeftFile] = []
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            work = functools.partial(self._undo_some, project_id, some, actor)
            undone = await self._database.transaction(work)
            restored += undone.restored
            left += undone.left
        return UndoneReset(tuple(restored), tuple(left))

    async def _undo_some(
        self, project_id: str, ids: Sequence[str], actor: str, session: Session
    ) -> UndoneReset:
        files = [row.file for row in await self._trash.get_many(ids, session)]
        originals = await self._trash.hold_originals(
            {file.original_file_id for file in files}, session
        )
        fitting, left = await self._fitting(project_id, files, originals, session)
        # All at once, as each by itself would ask the database, and take a turn of a thread.
        await self._drift.prepare(
            (originals[file.original_file_id], file.base_sha, file.content_sha) for file in fitting
        )
        restored = [
            await self._restored(file, originals[file.original_file_id], actor) for file in fitting
        ]
        if restored:
            await self._trash.delete([file.id for file in restored], session)
            await self._modified.insert(restored, session, "restored")
        return UndoneReset(tuple(restored), tuple(left))

    async def _fitting(
        self,
        project_id: str,
        files: Sequence[Variant],
        originals: dict[str, OriginalFile],
        session: Session,
    ) -> tuple[list[Variant], list[LeftFile]]:
        """Those whose originals are known and whose places are free, at their places, and the others."""
        known = [file for file in files if file.original_file_id in originals]
        left = [
            LeftFile(file, NotFoundError("file", file.original_file_id))
            for file in files
            if file.original_file_id not in originals
        ]
        placed = [_at_place_of(originals[file.original_file_id], file) for file in known]
        taken = await self._modified.taken_paths(
            project_id, [file.path for file in placed], session
        )
        fitting = []
        for file in placed:
            if file.path in taken:
                left.append(LeftFile(file, _name_taken(file)))
            else:
                # Renamed originals may bring two of them to one place.
                taken.add(file.path)
                fitting.append(file)
        return fitting, left

    async def _restored(self, file: Variant, original: OriginalFile, actor: str) -> Variant:
        return file.model_copy(
            update={
                # The one between was the deletion.
                "revision": file.revision + 2,
                "drift": await self._drift.drift(original, file.base_sha, file.content_sha),
                "updated_at": milliseconds(self._clock()),
                "updated_by": actor,
            }
        )

    async def purge(self, now: datetime) -> int:
        """Delete for good what was deleted longer ago than `retention`, revisions included; returns how many files."""
        await self._trash.unfold()
        before = now - self.retention
        purged = 0
        while count := await self._database.transaction(
            lambda session: self._purge_some(before, session)
        ):
            purged += count
        await self._trash.forget_resets(before)
        return purged

    async def _purge_some(self, before: datetime, session: Session) -> int:
        files = [row.file for row in await self._trash.older(before, _AT_ONCE, session)]
        ids = [file.id for file in files]
        if ids:
            await self._trash.delete(ids, session)
            await self._revisions.delete(ids, session)
        for project_id in sorted({file.project_id for file in files}):
            await self._originals.drop_unused(project_id, session)
        return len(files)


def _at_place_of(original: OriginalFile, file: Variant) -> Variant:
    """The variant where its original is now, and of that type."""
    return file.model_copy(update={"original_path": original.path, "file_type": original.file_type})


def _name_taken(file: Variant) -> ConflictError:
    return ConflictError(
        "name_taken",
        f"The project has a modified file {file.path!r} already; undelete it with another modified_name.",
    )
