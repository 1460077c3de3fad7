"""Compare results: what was varied beside what came out."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from benchmark_manager.domain.results.selections import check_selection
from benchmark_manager.domain.results.table import (
    ComparedRelease,
    check_baseline,
    result_table,
    shown_results,
)
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.measured_result import MeasuredResult
from benchmark_manager.models.result_table import ResultTable, TableSelection
from benchmark_manager.services.results.selecting import (
    MOST_RELEASES,
    ReleaseSelector,
    baseline_of,
)
from benchmark_manager.services.results.table_stores import TableStores
from benchmark_manager.services.results.varied import VariedReader
from benchmark_manager.workers.pool import WorkerPool

#: Results of one table.
MOST_RESULTS: Final = 20_000


class ResultTableService:
    """Makes tables of the results of one project."""

    def __init__(
        self,
        stores: TableStores,
        workers: WorkerPool,
        *,
        most_results: int = MOST_RESULTS,
        most_releases: int = MOST_RELEASES,
    ) -> None:
        self._stores = stores
        self._selector = ReleaseSelector(stores)
        self._varied = VariedReader(stores, workers)
        self._most_results = most_results
        self._most_releases = most_releases

    async def table(
        self, principal: Principal, project_id: str, selection: TableSelection
    ) -> ResultTable:
        """Return the table of the selected results.

        Raises:
            NotFoundError: there is no such project or sweep, or no such release of the project.
            InvalidInputError: `invalid_request`, `baseline_not_compared`, `too_many_results`.
            ConflictError: `digest_ambiguous`.
            WorkersBusyError
        """
        principal.require("reader", project_id)
        await self._stores.projects.get(project_id)
        check_selection(selection)
        selected = await self._selector.selected(principal, project_id, selection)
        results = await self._results(project_id, selected.releases)
        shown = await asyncio.to_thread(shown_results, results, selection.point)
        digests = list(dict.fromkeys(result.release for result in shown))
        if len(digests) > self._most_releases:
            limit = self._most_releases
            raise InvalidInputError("too_many_results", "releases", limit=limit)
        releases = await self._releases(project_id, selected.releases, results)
        baseline = baseline_of(selection, releases)
        compared = set(digests)
        cells = [cell for cell in selected.cells if cell.digest in compared]
        varied = await self._varied.varied(digests, cells)
        table = await asyncio.to_thread(
            result_table, selection, results, releases, varied, baseline
        )
        return table.model_copy(update={"notices": (*table.notices, *selected.notices)})

    async def selected(
        self, principal: Principal, project_id: str, selection: TableSelection
    ) -> tuple[str, ...]:
        """Return the releases whose results a table of this selection shows; none stands for all.

        Raises:
            NotFoundError, InvalidInputError, ConflictError: as `table`.
        """
        principal.require("reader", project_id)
        await self._stores.projects.get(project_id)
        check_selection(selection)
        selected = await self._selector.selected(principal, project_id, selection)
        results = await self._results(project_id, selected.releases)
        releases = await self._releases(project_id, selected.releases, results)
        check_baseline(results, baseline_of(selection, releases))
        return () if selected.releases is None else tuple(selected.releases)

    async def _results(
        self, project_id: str, releases: Mapping[str, ComparedRelease] | None
    ) -> Sequence[MeasuredResult]:
        limit = self._most_results
        found = await self._stores.results.measured(project_id, releases, limit + 1)
        if len(found) > limit:
            raise InvalidInputError("too_many_results", "results", limit=limit)
        return found

    async def _releases(
        self,
        project_id: str,
        selected: Mapping[str, ComparedRelease] | None,
        results: Sequence[MeasuredResult],
    ) -> Mapping[str, ComparedRelease]:
        """Return the releases of a table: those that were selected, else all with results."""
        if selected is not None:
            return selected
        digests = list(dict.fromkeys(result.release for result in results))
        named = await self._selector.named(project_id, digests)
        return {digest: named.get(digest, ComparedRelease(digest)) for digest in digests}
