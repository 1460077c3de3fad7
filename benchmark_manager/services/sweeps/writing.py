"""The write path of sweeps: a change, its cells, their releases and its record at once."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmark_manager.domain.revisions import expect_revision
from benchmark_manager.domain.sweeps.generations import revised_cells
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.recorded_change import ChangeAction, RecordedChange
from benchmark_manager.models.release import ReleaseDraft
from benchmark_manager.models.sweep import Sweep, SweepCell, SweepVersion
from benchmark_manager.services.access.recording import ChangeRecorder, record_nothing
from benchmark_manager.services.sweeps.making import CellRelease
from benchmark_manager.services.sweeps.removal import SweepRemoval
from benchmark_manager.services.sweeps.stores import SweepStores
from benchmark_manager.stores.database.database import Session


@dataclass(frozen=True, slots=True)
class MadeVersion:
    """A sweep's next revision, and the cells that it has then; none have equal bytes.

    `by` is the name of who makes it; `keys` are the names of what changes, for the record.
    """

    sweep: Sweep
    by: str
    releases: Sequence[CellRelease]
    keys: tuple[str, ...] = ()

    @property
    def version(self) -> SweepVersion:
        """The version that the revision makes."""
        return SweepVersion(
            sweep_id=self.sweep.id,
            number=self.sweep.revision,
            definition=self.sweep.definition,
            bases=self.sweep.bases,
        )


class SweepWriter:
    """Stores sweeps whose cells were made, and whose contents are stored already."""

    def __init__(self, stores: SweepStores, *, record: ChangeRecorder = record_nothing) -> None:
        """`record` is called with every change, in the transaction that makes it."""
        self._stores = stores
        self._removal = SweepRemoval(stores.database, stores.sweeps, stores.releases)
        self._record = record

    async def create(self, principal: Principal, made: MadeVersion) -> Sweep:
        """Store a new sweep.

        Raises:
            NotFoundError: the project was deleted meanwhile.
        """

        async def work(session: Session) -> Sweep:
            await self._stores.projects.get(made.sweep.project_id, session)
            sweep = await self._store_cells(made, (), session)
            await self._stores.sweeps.insert(sweep, made.version, session)
            change = _recorded("sweep.create", principal, sweep, before=None)
            await self._record([change], session)
            return sweep

        return await self._stores.database.transaction(work)

    async def replace(self, principal: Principal, before: Sweep, made: MadeVersion) -> None:
        """Store the next revision of a sweep, as an edit or, in a new generation, as a rebase.

        Raises:
            NotFoundError: the sweep, or its project, was deleted meanwhile.
            StaleError: the sweep was changed since `before` was read.
        """
        is_rebase = made.sweep.generation != before.generation

        async def work(session: Session) -> None:
            current = await self._stores.sweeps.get(before.id, session)
            expect_revision(current, [before.revision])
            await self._stores.projects.get(before.project_id, session)
            existing = await self._existing_cells(made, session)
            sweep = await self._store_cells(made, existing, session)
            await self._stores.sweeps.replace(sweep, made.version, session)
            change = _recorded(
                "sweep.rebase" if is_rebase else "sweep.edit",
                principal,
                sweep,
                before=before.revision,
                keys=made.keys,
            )
            await self._record([change], session)

        await self._stores.database.transaction(work)

    async def _existing_cells(self, made: MadeVersion, session: Session) -> list[SweepCell]:
        """Return the cells that are in use, and the retired ones that may return.

        A sweep may have any number of others.
        """
        stored, sweep = self._stores.cells, made.sweep
        digests = [release.cell.digest for release in made.releases]
        returning = await stored.retired_with(sweep.id, sweep.generation, digests, session)
        return [*await stored.of_sweep(sweep.id, session, retired=False), *returning]

    async def _store_cells(
        self, made: MadeVersion, existing: Sequence[SweepCell], session: Session
    ) -> Sweep:
        """Store the cells of a revision and the releases of new ones; return it with their count.

        What is no longer defined is retired.
        """
        sweep = made.sweep
        cells = await asyncio.to_thread(
            revised_cells,
            existing,
            [release.cell for release in made.releases],
            sweep_id=sweep.id,
            generation=sweep.generation,
            next_index=await self._stores.cells.next_index(sweep.id, session),
        )
        known = cells[: len(existing)]
        changed = [after for before, after in zip(existing, known, strict=True) if before != after]
        new = cells[len(existing) :]
        makings = {release.cell.digest: release.making for release in made.releases}
        await self._stores.cells.change(changed, session)
        await self._stores.cells.insert(new, session)
        draft = ReleaseDraft(
            project_id=sweep.project_id,
            name=sweep.name,
            description="",
            pinned=False,
            created_at=sweep.updated_at,
            created_by=made.by,
        )
        await self._stores.releases.make_cells(
            draft, [makings[cell.digest] for cell in new], session
        )
        count = sum(not cell.retired for cell in cells)
        return sweep.model_copy(update={"cells_count": count})

    async def delete(
        self, principal: Principal, sweep_id: str, expected_revisions: Collection[int] | None
    ) -> None:
        """Delete a sweep with its cells, and the releases that nobody else made or keeps.

        It is not found from the first transaction on; housekeeping does what a crash leaves.

        Raises:
            NotFoundError: the sweep was deleted meanwhile.
            StaleError: the sweep is not at one of `expected_revisions` (None accepts any).
        """

        async def work(session: Session) -> None:
            sweep = await self._stores.sweeps.get(sweep_id, session)
            expect_revision(sweep, expected_revisions)
            await self._stores.sweeps.hide(sweep, session)
            change = _recorded("sweep.delete", principal, sweep, before=sweep.revision, gone=True)
            await self._record([change], session)

        await self._stores.database.transaction(work)
        await self._removal.finish(sweep_id)


def _recorded(
    action: ChangeAction,
    principal: Principal,
    sweep: Sweep,
    *,
    before: int | None,
    keys: tuple[str, ...] = (),
    gone: bool = False,
) -> RecordedChange:
    return RecordedChange(
        action=action,
        principal=principal,
        project_id=sweep.project_id,
        object_id=sweep.id,
        name=sweep.name,
        keys=keys,
        before=before,
        after=None if gone else sweep.revision,
    )
