"""Find what a table compares: releases, the cells of a sweep, and the baseline among them."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.releases.digest import PREFIX
from benchmark_manager.domain.results.table import ComparedRelease
from benchmark_manager.domain.sweeps.limits import LARGEST_INDEX
from benchmark_manager.errors import ConflictError, InvalidInputError, NotFoundError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.result_table import TableNotice, TableSelection
from benchmark_manager.models.sweep import SweepCell
from benchmark_manager.services.results.named_releases import named_releases
from benchmark_manager.services.results.table_stores import TableStores

#: Releases of one table.
MOST_RELEASES: Final = 1_000

_INDEX: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Selected:
    """The compared releases by digest; None where a table compares all that have results.

    `cells` are those of the compared sweep.
    """

    releases: Mapping[str, ComparedRelease] | None
    cells: tuple[SweepCell, ...] = ()
    notices: tuple[TableNotice, ...] = ()


class ReleaseSelector:
    """Finds what selections name, in projects that may be read."""

    def __init__(self, stores: TableStores) -> None:
        self._stores = stores

    async def selected(
        self, principal: Principal, project_id: str, selection: TableSelection
    ) -> Selected:
        """Return the releases of a selection.

        Raises:
            NotFoundError: the project has no such sweep or release.
            InvalidInputError: `digest_too_short`, `too_many_results`; `invalid_request` for a sweep
                beside releases.
            ConflictError: `digest_ambiguous`.
        """
        if selection.sweep_id is not None and selection.releases:
            raise InvalidInputError("invalid_request", "sweep_or_releases", field="releases")
        if selection.sweep_id is not None:
            return await self._cells(project_id, selection.sweep_id, selection.retired)
        if selection.releases:
            return Selected(await self._named(principal, project_id, selection.releases))
        return Selected(None)

    async def _cells(self, project_id: str, sweep_id: str, with_retired: bool) -> Selected:
        sweep = await self._stores.sweeps.get(sweep_id)
        if sweep.project_id != project_id:
            raise NotFoundError("sweep", sweep_id)
        cells = await self._stores.cells.of_sweep(sweep_id, retired=False)
        retired = await self._stores.cells.of_sweep(sweep_id, retired=True)
        present = {cell.digest for cell in cells}
        older = {cell.digest: cell for cell in retired if cell.digest not in present}
        notices = []
        if with_retired:
            cells = [*cells, *older.values()]
        elif older:
            counts = await self._stores.results.counts(project_id, sorted(older))
            facts: dict[str, str | int | list[str]] = {"count": sum(counts.values())}
            if counts:
                notices.append(TableNotice(code="retired_left_out", facts=facts))
        compared = {cell.digest: _of_cell(cell) for cell in cells}
        return Selected(compared, tuple(cells), tuple(notices))

    async def _named(
        self, principal: Principal, project_id: str, references: Sequence[str]
    ) -> dict[str, ComparedRelease]:
        if len(set(references)) > MOST_RELEASES:
            raise InvalidInputError("too_many_results", "releases", limit=MOST_RELEASES)
        names = await named_releases(self._stores.releases, principal, project_id, references)
        return {digest: ComparedRelease(digest, name) for digest, name in names.items()}

    async def named(self, project_id: str, digests: Collection[str]) -> dict[str, ComparedRelease]:
        """Return those of the releases that a project made, with their names."""
        names = await self._stores.releases.contents.names(project_id, digests)
        return {digest: ComparedRelease(digest, name) for digest, name in names.items()}


def baseline_of(selection: TableSelection, releases: Mapping[str, ComparedRelease]) -> str | None:
    """Return the digest of the baseline: one of these releases.

    Raises:
        InvalidInputError: `baseline_not_compared`.
        ConflictError: `digest_ambiguous`.
    """
    wanted = selection.baseline
    if wanted is None:
        return None
    if selection.sweep_id is not None and _INDEX.fullmatch(wanted):
        index = min(int(wanted), LARGEST_INDEX)
        found = [one.digest for one in releases.values() if one.cell_index == index]
    else:
        digits = wanted.removeprefix(PREFIX).lower()
        found = [digest for digest in releases if digits and digest.startswith(PREFIX + digits)]
    if not found:
        raise InvalidInputError("baseline_not_compared", field="baseline", id=wanted[:100])
    if len(found) > 1:
        raise ConflictError("digest_ambiguous", digits=wanted[:100])
    return found[0]


def _of_cell(cell: SweepCell) -> ComparedRelease:
    return ComparedRelease(cell.digest, "", cell.index, cell.assignments)
