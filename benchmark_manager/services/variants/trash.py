"""Delete variants, one or all of a project, and undo that."""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from benchmark_manager.domain.variants.edits import at_original, renamed, with_drift
from benchmark_manager.domain.variants.naming import check_modified_name
from benchmark_manager.errors import BenchmarkManagerError, ConflictError, NotFoundError
from benchmark_manager.models.access.principal import Principal, Role, service_principal
from benchmark_manager.models.original import OriginalFile
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.variant import TrashedVariant, Variant
from benchmark_manager.services.access.recording import ChangeRecorder, record_nothing
from benchmark_manager.services.variants.drift import DriftJudge
from benchmark_manager.services.variants.editor import NOUN, VariantEditor, recorded, require
from benchmark_manager.services.variants.large_resets import LargeResets
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.services.variants.variants import VariantService
from benchmark_manager.stores.database.database import IN_AT_MOST, Database, Session, milliseconds
from benchmark_manager.stores.sync.staged_changes import PublishedReset

#: Variants that one transaction undeletes, or purges, at most.
_AT_ONCE: Final = IN_AT_MOST


@dataclass(frozen=True, slots=True)
class LeftVariant:
    """A variant that stays in the trash when a reset is undone, and the reason."""

    file: Variant
    reason: BenchmarkManagerError


@dataclass(frozen=True, slots=True)
class UndoneReset:
    """The variants that an undone reset restored, and those that stay in the trash."""

    restored: tuple[Variant, ...]
    left: tuple[LeftVariant, ...]


class TrashService:
    """Deletes and undeletes variants. Deleted ones are kept for `retention`."""

    def __init__(
        self,
        stores: VariantStores,
        editor: VariantEditor,
        variants: VariantService,
        drift: DriftJudge,
        large: LargeResets,
        *,
        retention: timedelta,
        clock: Callable[[], datetime],
        record: ChangeRecorder = record_nothing,
    ) -> None:
        """`record` is called with every variant that is purged, in the same transaction."""
        self._stores = stores
        self._editor = editor
        self._variants = variants
        self._drift = drift
        self._large = large
        self.retention = retention
        self._clock = clock
        self._record = record

    async def delete(
        self, principal: Principal, variant_id: str, expected_revisions: Collection[int] | None
    ) -> None:
        """Move one variant to the trash; its name is free at once.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the variant is not at one of `expected_revisions` (None accepts any).
        """
        await self._variants.get(principal, variant_id, "editor")
        await self._editor.delete(principal, variant_id, expected_revisions=expected_revisions)

    async def reset(self, principal: Principal, project_id: str) -> tuple[int, str | None]:
        """Move all variants of a project to the trash; the originals stay as they are.

        Readers see all of it or nothing, whether it takes one transaction or `LargeResets`.

        Returns:
            How many variants there were, and the id by which the reset can be undone; None where
            there were none.

        Raises:
            NotFoundError, ForbiddenError
        """
        principal.require("maintainer", project_id)
        project = await self._stores.projects.get(project_id)
        reset_id = Database.new_id()
        if await self._stores.variants.count(project_id) > self._large.steps.at_once:
            now = milliseconds(self._clock())
            reset = PublishedReset(project_id, reset_id, now, principal.name)
            return await self._large.reset(principal, project, reset), reset_id
        count = await self._editor.reset(principal, project_id, reset_id)
        return count, reset_id if count else None

    async def get(
        self, principal: Principal, variant_id: str, needed: Role = "reader"
    ) -> TrashedVariant:
        """Return one deleted variant.

        Raises:
            NotFoundError: it is not in the trash, or the principal may not read it.
            ForbiddenError: the principal does not have the role `needed` in its project.
        """
        await self._stores.trash.unfold()
        trashed = await self._stores.trash.get(variant_id)
        require(principal, needed, trashed.file, variant_id)
        return trashed

    async def page(self, project_id: str, request: PageRequest) -> Page[TrashedVariant]:
        """Return a page of a project's deleted variants, last deleted first."""
        await self._stores.projects.get(project_id)
        await self._stores.trash.unfold()
        return await self._stores.trash.page(project_id, request)

    async def undelete(
        self, principal: Principal, variant_id: str, *, modified_name: str | None
    ) -> Variant:
        """Restore one deleted variant, under another name where one is given.

        Its folder, type and drift follow from its original as it is now.

        Raises:
            NotFoundError: it is not in the trash, its project was deleted, or the principal may
                not read it.
            ForbiddenError
            InvalidInputError: `invalid_name`.
            ConflictError: `name_taken`.
        """
        trashed = await self.get(principal, variant_id, "editor")
        if modified_name is not None:
            check_modified_name(modified_name, trashed.file.format)
        try:
            await self._stores.projects.get(trashed.file.project_id)
        except NotFoundError:
            raise NotFoundError(NOUN, variant_id) from None

        async def work(session: Session) -> Variant:
            variant = (await self._stores.trash.get(variant_id, session)).file
            if modified_name is not None:
                variant = renamed(variant, modified_name)
            original = await self._stores.originals.hold(
                variant.project_id, variant.original_file_id, session
            )
            variant = await self._judged(at_original(variant, original), original)
            [restored] = await self._editor.undelete(principal, [variant], session)
            return restored

        return await self._stores.database.transaction(work)

    async def undo_reset(self, principal: Principal, project_id: str, reset_id: str) -> UndoneReset:
        """Restore the variants that a reset deleted; it may be repeated.

        A variant that cannot be restored now stays in the trash.

        Raises:
            NotFoundError: there is no such project, or the project had no such reset.
            ForbiddenError
            ConflictError: `name_taken`, by a variant created at the same moment; those restored
                before stay restored, and the rest can be repeated.
        """
        principal.require("maintainer", project_id)
        await self._stores.projects.get(project_id)
        await self._stores.trash.unfold()
        ids = await self._stores.trash.ids_of_reset(project_id, reset_id)
        restored: list[Variant] = []
        left: list[LeftVariant] = []
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            work = functools.partial(self._undo_some, principal, project_id, some)
            undone = await self._stores.database.transaction(work)
            restored += undone.restored
            left += undone.left
        return UndoneReset(tuple(restored), tuple(left))

    async def _undo_some(
        self, principal: Principal, project_id: str, ids: Sequence[str], session: Session
    ) -> UndoneReset:
        files = [row.file for row in await self._stores.trash.get_many(ids, session)]
        originals = await self._stores.originals.hold_many(
            {file.original_file_id for file in files}, session
        )
        fitting, left = await self._fitting(project_id, files, originals, session)
        # All at once: each alone would need a read of the database and a call of a worker.
        await self._drift.prepare(
            (originals[file.original_file_id], file.base_sha, file.content_sha) for file in fitting
        )
        judged = [await self._judged(file, originals[file.original_file_id]) for file in fitting]
        restored = await self._editor.undelete(principal, judged, session) if judged else []
        return UndoneReset(tuple(restored), tuple(left))

    async def _fitting(
        self,
        project_id: str,
        files: Sequence[Variant],
        originals: dict[str, OriginalFile],
        session: Session,
    ) -> tuple[list[Variant], list[LeftVariant]]:
        """Return the variants that can be restored, at their originals' paths, and the others."""
        known = [file for file in files if file.original_file_id in originals]
        left = [
            LeftVariant(file, NotFoundError("file", file.original_file_id))
            for file in files
            if file.original_file_id not in originals
        ]
        moved = [at_original(file, originals[file.original_file_id]) for file in known]
        taken = await self._stores.variants.taken_paths(
            project_id, [file.path for file in moved], session
        )
        fitting = []
        for file in moved:
            if file.path in taken:
                left.append(LeftVariant(file, _name_taken(file)))
            else:
                # Renamed originals may move two variants to one path.
                taken.add(file.path)
                fitting.append(file)
        return fitting, left

    async def _judged(self, variant: Variant, original: OriginalFile) -> Variant:
        drift = await self._drift.drift(original, variant.base_sha, variant.content_sha)
        return with_drift(variant, drift)

    async def purge(self, now: datetime) -> int:
        """Delete for good, with their revisions, variants deleted longer ago than `retention`.

        Returns how many there were.
        """
        await self._stores.trash.unfold()
        before = now - self.retention
        purged = 0
        while count := await self._stores.database.transaction(
            lambda session: self._purge_some(before, session)
        ):
            purged += count
        await self._stores.trash.forget_resets(before)
        return purged

    async def _purge_some(self, before: datetime, session: Session) -> int:
        files = [row.file for row in await self._stores.trash.older(before, _AT_ONCE, session)]
        ids = [file.id for file in files]
        if ids:
            await self._stores.trash.delete(ids, session)
            await self._stores.revisions.delete(ids, session)
            purge = service_principal("housekeeping")
            changes = [
                recorded("variant.purge", purge, file, before=file.revision, after=None)
                for file in files
            ]
            await self._record(changes, session)
        for project_id in sorted({file.project_id for file in files}):
            await self._stores.originals.drop_unused(project_id, session)
        return len(files)


def _name_taken(file: Variant) -> ConflictError:
    return ConflictError("name_taken", "undelete", path=file.path)
