"""Make, preview, change, rebase and delete sweeps."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.sweeps.cells import planned_cells
from benchmark_manager.domain.sweeps.edits import changed_fields, is_same, rebased, redefined
from benchmark_manager.domain.sweeps.settings import changes_of
from benchmark_manager.domain.sweeps.values import assignments_key
from benchmark_manager.errors import InvalidInputError, StaleError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.sweep import (
    CellChange,
    CellPlan,
    PlannedCell,
    Sweep,
    SweepCell,
    SweepDefinition,
    SweepNote,
)
from benchmark_manager.services.sweeps.editing import EditedCell
from benchmark_manager.services.sweeps.making import CellMaker, CellRelease, merged_texts
from benchmark_manager.services.sweeps.moment import MomentReader, SweptFiles
from benchmark_manager.services.sweeps.reading import BaseValues, ListedCell, SweepReader
from benchmark_manager.services.sweeps.refusals import conflict_of, refusal_of
from benchmark_manager.services.sweeps.text_work import plan_of
from benchmark_manager.services.sweeps.writing import MadeVersion, SweepWriter
from benchmark_manager.stores.database.database import Database, milliseconds
from benchmark_manager.workers.pool import WorkerPool

#: Cells of which a preview shows everything.
PREVIEWED: Final = 50
#: How often a change is tried again when another one came between reading and writing.
_TRIES: Final = 10
#: Sweeps of this process whose cells are made at once: their texts are in memory.
_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class PreviewedCell:
    """A cell that a sweep would have, and what it changes."""

    listed: ListedCell
    changes: tuple[CellChange, ...]


@dataclass(frozen=True, slots=True)
class SweepPreview:
    """What a sweep would be.

    `cells_count` counts equal cells once, as far as they were made. For another definition of a
    sweep, `kept` and `gone` count the combinations of its cells that stay, and that do not.
    """

    definition: SweepDefinition
    notes: tuple[SweepNote, ...]
    base_commit_sha: str | None
    cells_count: int
    cells: tuple[PreviewedCell, ...]
    kept: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class CellParts:
    """What the cells of sweeps are made by."""

    moment: MomentReader
    maker: CellMaker
    values: BaseValues
    workers: WorkerPool


class SweepService:
    """Makes and changes sweeps; `SweepReader` reads them."""

    def __init__(
        self,
        reader: SweepReader,
        writer: SweepWriter,
        parts: CellParts,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._moment = parts.moment
        self._maker = parts.maker
        self._values = parts.values
        self._workers = parts.workers
        self._clock = clock
        self._making = asyncio.Semaphore(_AT_ONCE)

    async def create(self, principal: Principal, project_id: str, value: JsonValue) -> Sweep:
        """Make a sweep of a project's files as they are at one moment.

        Raises:
            NotFoundError, ForbiddenError, WorkersBusyError
            InvalidInputError: what is wrong with the definition, or cannot be edited.
        """
        principal.require("editor", project_id)
        definition, plan = await self._workers.run(plan_of, value)
        files = await self._moment.files_now(project_id, definition)
        files.found.complete()
        now = self._now()
        sweep = Sweep(
            id=Database.new_id(),
            project_id=project_id,
            name=definition.name,
            description=definition.description,
            definition=definition,
            generation=1,
            revision=1,
            bases=files.bases,
            base_list_id=files.listed.base_list_id,
            others_id=files.others_id,
            cells_count=0,
            base_commit_sha=files.commit_sha,
            created_at=now,
            created_by=principal.name,
            updated_at=now,
            notes=plan.notes,
        )
        releases = await self._made(sweep, plan, files)
        return await self._writer.create(principal, MadeVersion(sweep, principal.name, releases))

    async def preview(
        self, principal: Principal, project_id: str, value: JsonValue, *, whole: bool = True
    ) -> SweepPreview:
        """Return what `create` would make; nothing is stored.

        Args:
            principal: who asks.
            project_id: the project's id.
            value: the definition.
            whole: make all cells, so that whatever would be refused is; else only the first
                `PREVIEWED`, and the others are counted without a check whether some are equal.

        Raises:
            As `create`.
        """
        principal.require("editor", project_id)
        definition, plan = await self._workers.run(plan_of, value)
        files = await self._moment.files_now(project_id, definition)
        return await self._preview(definition, plan, files, whole=whole)

    async def preview_update(
        self, principal: Principal, sweep_id: str, value: JsonValue, *, whole: bool = True
    ) -> SweepPreview:
        """Return what `update` would make; nothing is stored. `whole` is as for `preview`.

        Raises:
            As `update`, except for `StaleError`.
        """
        sweep = await self._reader.stored(principal, sweep_id, "editor")
        definition, plan = await self._workers.run(plan_of, value)
        _check_contents(sweep, definition)
        files = await self._moment.files_of_generation(sweep, definition)
        preview = await self._preview(definition, plan, files, whole=whole)
        before = await self._reader.combinations(sweep_id)
        after = {assignments_key(cell.assignments) for cell in plan.cells}
        return replace(preview, kept=len(before & after), gone=len(before - after))

    async def _preview(
        self, definition: SweepDefinition, plan: CellPlan, files: SweptFiles, *, whole: bool
    ) -> SweepPreview:
        files.found.complete()
        planned = plan.cells if whole else plan.cells[:PREVIEWED]
        async with self._making:
            merged = await self._merged(planned, files)
            shown = merged[:PREVIEWED]
            made = await self._maker.made(files, shown)
        count = len(merged) + len(plan.cells) - len(planned)
        cells = await self._previewed(shown, made, files)
        return SweepPreview(definition, plan.notes, files.commit_sha, count, cells)

    async def _previewed(
        self, edited: Sequence[EditedCell], made: Sequence[CellRelease], files: SweptFiles
    ) -> tuple[PreviewedCell, ...]:
        settings = [setting for cell in edited for setting in cell.planned.settings]
        before = await self._values.at(settings, files.bases)
        return tuple(
            PreviewedCell(
                ListedCell(_unstored(release, index), release.problems),
                changes_of(cell.planned.settings, files.bases, before),
            )
            for index, (cell, release) in enumerate(zip(edited, made, strict=True))
        )

    async def update(
        self,
        principal: Principal,
        sweep_id: str,
        value: JsonValue,
        *,
        expected_revisions: Collection[int] | None,
    ) -> Sweep:
        """Give a sweep another definition, on the files of its generation.

        Raises:
            NotFoundError, ForbiddenError, WorkersBusyError
            InvalidInputError: as `create`, and another value of `contents`.
            StaleError: the sweep is not at one of `expected_revisions` (None accepts any).
        """
        await self._reader.stored(principal, sweep_id, "editor")
        definition, plan = await self._workers.run(plan_of, value)

        async def change(sweep: Sweep) -> MadeVersion | None:
            if await asyncio.to_thread(is_same, definition, sweep.definition):
                return None
            _check_contents(sweep, definition)
            files = await self._moment.files_of_generation(sweep, definition)
            bases, others = files.found.complete(), files.others_id
            after = redefined(sweep, definition, plan.notes, bases, others, at=self._now())
            keys = await asyncio.to_thread(changed_fields, sweep.definition, definition)
            releases = await self._made(after, plan, files)
            return MadeVersion(after, principal.name, releases, keys)

        return await self._changed(principal, sweep_id, change, expected_revisions)

    async def rebase(
        self, principal: Principal, sweep_id: str, *, expected_revisions: Collection[int] | None
    ) -> Sweep:
        """Make a sweep's cells again, from the files as they are now, as a new generation.

        Where every file is as it was, nothing changes.

        Raises:
            NotFoundError, ForbiddenError, WorkersBusyError
            ConflictError: `sweep_conflict`.
            InvalidInputError: `too_complex`, `cell_too_large`, `sweep_too_large`, `path_clash`.
            StaleError: the sweep is not at one of `expected_revisions` (None accepts any).
        """

        async def change(sweep: Sweep) -> MadeVersion | None:
            files = await self._moment.files_now(sweep.project_id, sweep.definition)
            missing = {file.alias for file in files.found.missing}
            if missing:
                raise conflict_of((base for base in sweep.bases if base.alias in missing), ())
            if files.are_as_in(sweep):
                return None
            plan = await self._workers.run(planned_cells, sweep.definition)
            base_list_id = files.listed.base_list_id
            after = rebased(
                sweep, files.commit_sha, files.bases, base_list_id, files.others_id, at=self._now()
            )
            releases = await self._made(after, plan, files, is_rebase=True)
            return MadeVersion(after, principal.name, releases, ("base",))

        return await self._changed(principal, sweep_id, change, expected_revisions)

    async def _changed(
        self,
        principal: Principal,
        sweep_id: str,
        change: Callable[[Sweep], Awaitable[MadeVersion | None]],
        expected_revisions: Collection[int] | None,
    ) -> Sweep:
        """Store what `change` makes, which is None where nothing changes; return it with drift.

        It is made again while others change the sweep meanwhile, unless that is not expected.
        """
        for attempt in range(_TRIES):
            sweep = await self._reader.stored(principal, sweep_id, "editor")
            expect_revision(sweep, expected_revisions)
            made = await change(sweep)
            if made is None:
                break
            try:
                await self._writer.replace(principal, sweep, made)
                break
            except StaleError:
                if expected_revisions is not None or attempt == _TRIES - 1:
                    raise
        return await self._reader.get(principal, sweep_id)

    async def delete(
        self, principal: Principal, sweep_id: str, *, expected_revisions: Collection[int] | None
    ) -> None:
        """Delete a sweep; cells that are pinned or cited stay readable as releases.

        Raises:
            NotFoundError, ForbiddenError
            StaleError: the sweep is not at one of `expected_revisions` (None accepts any).
        """
        await self._reader.stored(principal, sweep_id, "editor")
        await self._writer.delete(principal, sweep_id, expected_revisions)

    async def _made(
        self, sweep: Sweep, plan: CellPlan, files: SweptFiles, *, is_rebase: bool = False
    ) -> list[CellRelease]:
        """Return the cells of a sweep's revision; store their contents, and the list of files."""
        async with self._making:
            merged = await self._merged(plan.cells, files, is_rebase=is_rebase)
            return await self._maker.stored(sweep, files, merged)

    async def _merged(
        self, cells: Sequence[PlannedCell], files: SweptFiles, *, is_rebase: bool = False
    ) -> list[EditedCell]:
        edited, failed = await self._maker.edited(cells, files.bases)
        if failed:
            raise conflict_of((), failed) if is_rebase else refusal_of(failed[0])
        return await asyncio.to_thread(merged_texts, edited)

    def _now(self) -> datetime:
        return milliseconds(self._clock())


def _check_contents(sweep: Sweep, definition: SweepDefinition) -> None:
    """Accept a definition whose cells hold what those of the sweep's generation do."""
    if definition.contents != sweep.definition.contents:
        raise InvalidInputError("invalid_request", "contents_changed", field="contents")


def _unstored(release: CellRelease, index: int) -> SweepCell:
    return SweepCell(sweep_id="", index=index, generation=1, **dict(release.cell))
