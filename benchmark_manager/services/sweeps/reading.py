"""Read sweeps and their cells."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.sweeps.filters import passes
from benchmark_manager.domain.sweeps.settings import cell_settings, changes_of
from benchmark_manager.domain.sweeps.targets import ValuePath, value_path
from benchmark_manager.domain.sweeps.values import assignments_key
from benchmark_manager.errors import NotFoundError, TooComplexError
from benchmark_manager.models.access.principal import Principal, Role
from benchmark_manager.models.page import Page, PageRequest
from benchmark_manager.models.sweep import (
    CellChange,
    CellProblem,
    Setting,
    Sweep,
    SweepCell,
    SweepVersion,
    SweptBase,
)
from benchmark_manager.services.sweeps.drift import SweepDriftJudge
from benchmark_manager.services.sweeps.editing import format_of_base
from benchmark_manager.services.sweeps.stores import SweepStores
from benchmark_manager.services.sweeps.text_work import patch_of, values_before
from benchmark_manager.workers.pool import WorkerPool

#: What errors call a sweep.
NOUN: Final = "sweep"


@dataclass(frozen=True, slots=True)
class ListedCell:
    """A cell with the problems of its files, and how many results its release has."""

    cell: SweepCell
    problems: tuple[CellProblem, ...]
    results_count: int = 0


@dataclass(frozen=True, slots=True)
class CellDetail:
    """A cell, and how it differs from what it was made from.

    `unified` is the patch from the base's files to the cell's; None where it takes too much time.
    """

    listed: ListedCell
    changes: tuple[CellChange, ...]
    unified: str | None


class BaseValues:
    """Reads the values that bases have where cells set others."""

    def __init__(self, stores: SweepStores, workers: WorkerPool) -> None:
        self._stores = stores
        self._workers = workers

    async def at(
        self, settings: Iterable[Setting], bases: Sequence[SweptBase]
    ) -> dict[ValuePath, JsonValue]:
        """Return the values of the bases where these settings set others.

        Raises:
            TooComplexError, WorkersBusyError
        """
        wanted: dict[str, dict[str, None]] = {base.alias: {} for base in bases}
        for setting in settings:
            alias, path = value_path(setting.target)
            wanted[alias][path] = None
        contents = await self._stores.blobs.get_many(
            base.sha for base in bases if wanted[base.alias]
        )
        found: dict[ValuePath, JsonValue] = {}
        for base in bases:
            if paths := list(wanted[base.alias]):
                text = contents[base.sha].decode()
                values = await self._workers.run(values_before, text, format_of_base(base), paths)
                found |= {
                    (base.alias, path): value for path, value in zip(paths, values, strict=True)
                }
        return found


class SweepReader:
    """Reads sweeps whose projects exist and may be read."""

    def __init__(
        self,
        stores: SweepStores,
        judge: SweepDriftJudge,
        values: BaseValues,
        workers: WorkerPool,
    ) -> None:
        self._stores = stores
        self._judge = judge
        self._values = values
        self._workers = workers

    async def get(self, principal: Principal, sweep_id: str, needed: Role = "reader") -> Sweep:
        """Return a sweep with its drift.

        Raises:
            NotFoundError: also where the principal may not read it.
            ForbiddenError: the principal does not have the role `needed` in its project.
            WorkersBusyError
        """
        sweep = await self.stored(principal, sweep_id, needed)
        [judged] = await self._judge.judged([sweep])
        return judged

    async def stored(self, principal: Principal, sweep_id: str, needed: Role = "reader") -> Sweep:
        """Return a sweep without its drift.

        Raises:
            NotFoundError, ForbiddenError
        """
        sweep = await self._stores.sweeps.get(sweep_id)
        principal.require(needed, sweep.project_id, noun=NOUN, id=sweep_id)
        try:
            await self._stores.projects.get(sweep.project_id)
        except NotFoundError:
            raise NotFoundError(NOUN, sweep_id) from None
        return sweep

    async def page(
        self, principal: Principal, project_id: str, request: PageRequest
    ) -> Page[Sweep]:
        """Return a page of the sweeps of a project with their drift, newest first.

        Raises:
            NotFoundError, InvalidInputError, WorkersBusyError
        """
        principal.require("reader", project_id)
        await self._stores.projects.get(project_id)
        found = await self._stores.sweeps.page(project_id, request)
        judged = await self._judge.judged(found.rows)
        return Page(tuple(judged), found.total, found.next_cursor)

    async def cells(
        self,
        principal: Principal,
        sweep_id: str,
        request: PageRequest,
        *,
        filters: Collection[tuple[str, str]] = (),
        retired: bool = False,
    ) -> Page[ListedCell]:
        """Return a page of a sweep's cells by index: those that are retired, or that are not.

        `filters` are names of axes with keys of values (`domain.sweeps.filters`).

        Raises:
            NotFoundError, InvalidInputError
        """
        sweep = await self.stored(principal, sweep_id)
        if filters:
            every = await self._stores.cells.of_sweep(sweep_id, retired=retired)
            passing = await asyncio.to_thread(_passing, every, filters)
            found = self._stores.cells.page_of(passing, request)
        else:
            found = await self._stores.cells.page(sweep_id, request, retired=retired)
        listed = await self._listed(sweep, found.rows)
        return Page(tuple(listed), found.total, found.next_cursor)

    async def combinations(self, sweep_id: str) -> set[str]:
        """Return the keys of the combinations that a sweep's present cells are for."""
        cells = await self._stores.cells.of_sweep(sweep_id, retired=False)
        return {assignments_key(made) for cell in cells for made in (cell.assignments, *cell.also)}

    async def _listed(self, sweep: Sweep, cells: Sequence[SweepCell]) -> list[ListedCell]:
        """Return cells with the problems of their files, and counts of their results."""
        counts = await self._results_counts(sweep.project_id, cells)
        problems = await self._problems(sweep.id, cells)
        return [
            ListedCell(cell, problems.get(cell.index, ()), counts.get(cell.digest, 0))
            for cell in cells
        ]

    async def _results_counts(self, project_id: str, cells: Sequence[SweepCell]) -> dict[str, int]:
        """Return how many results of the project the releases of cells have, by digest."""
        digests = sorted({cell.digest for cell in cells})
        return await self._stores.results.counts(project_id, digests)

    async def _problems(
        self, sweep_id: str, cells: Sequence[SweepCell]
    ) -> dict[int, tuple[CellProblem, ...]]:
        """Return the problems of cells by index, which most cells have none of."""
        ids = {text.problems_id for cell in cells for text in cell.texts}
        if ids <= {None}:
            return {}
        versions = await self._versions(sweep_id, cells)
        problems = await self._stores.problems.get_many(ids)
        return {
            cell.index: tuple(
                CellProblem(file=base.path, problem=problem)
                for base, text in zip(versions[cell.version].bases, cell.texts, strict=True)
                for problem in problems[text.problems_id]
            )
            for cell in cells
        }

    async def _versions(
        self, sweep_id: str, cells: Iterable[SweepCell]
    ) -> Mapping[int, SweepVersion]:
        numbers = {cell.version for cell in cells}
        return {number: await self._stores.sweeps.version(sweep_id, number) for number in numbers}

    async def cell(self, principal: Principal, sweep_id: str, index: int) -> CellDetail:
        """Return a cell with its changes and its patch.

        Raises:
            NotFoundError, WorkersBusyError
        """
        sweep = await self.stored(principal, sweep_id)
        cell = await self._stores.cells.get(sweep_id, index)
        version = await self._stores.sweeps.version(sweep_id, cell.version)
        settings = cell_settings(version.definition, cell.assignments)
        before = await self._values.at(settings, version.bases)
        [listed] = await self._listed(sweep, [cell])
        return CellDetail(
            listed,
            changes_of(settings, version.bases, before),
            await self._patch(cell, version),
        )

    async def cell_of_release(
        self, principal: Principal, sweep_id: str, digest: str
    ) -> tuple[Sweep, SweepCell] | None:
        """Return the sweep and its cell whose release this is; None where either is gone."""
        try:
            sweep = await self.stored(principal, sweep_id)
        except NotFoundError:
            return None
        cell = await self._stores.cells.with_digest(sweep_id, digest)
        return None if cell is None else (sweep, cell)

    async def has_cell(self, principal: Principal, sweep_id: str, index: int) -> bool:
        """Return whether a sweep has a cell of this index.

        Raises:
            NotFoundError: there is no such sweep.
        """
        await self.stored(principal, sweep_id)
        try:
            await self._stores.cells.get(sweep_id, index)
        except NotFoundError:
            return False
        return True

    async def _patch(self, cell: SweepCell, version: SweepVersion) -> str | None:
        pairs = list(zip(version.bases, cell.texts, strict=True))
        contents = await self._stores.blobs.get_many(
            sha for base, text in pairs if base.sha != text.sha for sha in (base.sha, text.sha)
        )
        files = [
            (base.path, contents[base.sha].decode(), contents[text.sha].decode())
            for base, text in pairs
            if base.sha != text.sha
        ]
        try:
            return await self._workers.run(patch_of, files)
        except TooComplexError:
            return None


def _passing(cells: Sequence[SweepCell], filters: Collection[tuple[str, str]]) -> list[SweepCell]:
    return [cell for cell in cells if passes(cell, filters)]
