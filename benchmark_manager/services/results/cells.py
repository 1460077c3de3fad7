"""Find the cells of sweeps whose releases results are of."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from benchmark_manager.errors import NotFoundError
from benchmark_manager.services.results.stores import ResultStores
from benchmark_manager.stores.sweeps.cells import CellOfRelease


class CellFinder:
    """Finds the cell of a release, and the releases of cells."""

    def __init__(self, stores: ResultStores) -> None:
        self._stores = stores

    async def newest(self, project_id: str, digests: Iterable[str]) -> dict[str, CellOfRelease]:
        """Return the cells of a project by their digests: of the newest sweep that has one.

        A retired cell is returned only where there is no other.
        """
        cells = await self._stores.cells.with_digests(sorted(set(digests)))
        sweep_ids = sorted({cell.sweep_id for cell in cells})
        made_at = await self._stores.sweeps.made_at(project_id, sweep_ids) if sweep_ids else {}
        known = [cell for cell in cells if cell.sweep_id in made_at]
        return {cell.digest: cell for cell in sorted(known, key=lambda cell: _rank(cell, made_at))}

    async def digests(self, project_id: str, sweep_id: str, index: int | None) -> set[str]:
        """Return the digests of a sweep's cells, or that of one of them.

        Raises:
            NotFoundError: the project has no such sweep, or the sweep no such cell.
        """
        sweep = await self._stores.sweeps.get(sweep_id)
        if sweep.project_id != project_id:
            raise NotFoundError("sweep", sweep_id)
        if index is None:
            return await self._stores.cells.digests(sweep_id)
        return {(await self._stores.cells.get(sweep_id, index)).digest}


def _rank(cell: CellOfRelease, made_at: Mapping[str, datetime]) -> tuple[bool, datetime, str, int]:
    return not cell.retired, made_at[cell.sweep_id], cell.sweep_id, cell.index
