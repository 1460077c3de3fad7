"""Find out how the texts of a sweep's cells differ, without reading each of them."""

from collections.abc import Sequence
from typing import Final

from benchmark_manager.domain.edits import Assignment
from benchmark_manager.domain.results.differing import DifferingFile
from benchmark_manager.domain.results.varied import VariedFile
from benchmark_manager.domain.sweeps.settings import cell_settings
from benchmark_manager.domain.sync.classification import format_of
from benchmark_manager.errors import NotFoundError, TooComplexError
from benchmark_manager.models.sweep import SweepCell, SweepVersion
from benchmark_manager.services.results.table_stores import TableStores
from benchmark_manager.services.results.varied_work import swept_texts
from benchmark_manager.workers.caller import calling_as, each_task_alone
from benchmark_manager.workers.pool import WorkerPool

#: Different texts from which it is worth to read what cells set instead.
MANY_TEXTS: Final = 40


class SweptReader:
    """Compares files of cells that were made from one version of a sweep."""

    def __init__(
        self, stores: TableStores, workers: WorkerPool, *, many_texts: int = MANY_TEXTS
    ) -> None:
        """`many_texts`: a file with fewer different texts is left to those that read them."""
        self._stores = stores
        self._workers = workers
        self._many_texts = many_texts

    async def found(self, file: DifferingFile, cells: Sequence[SweepCell]) -> VariedFile | None:
        """Return how a file of the compared cells differs; None where its texts must be read.

        Raises:
            WorkersBusyError
        """
        numbers = {(cell.sweep_id, cell.version) for cell in cells}
        file_format = format_of(file.path)
        if len(file.contents) < self._many_texts or len(numbers) != 1 or file_format is None:
            return None
        [(sweep_id, number)] = numbers
        try:
            version = await self._stores.sweeps.version(sweep_id, number)
        except NotFoundError:
            return None
        wanted = _wanted(file, cells, version)
        if wanted is None:
            return None
        sha, assignments = wanted
        base = await self._stores.blobs.get(sha)
        try:
            with calling_as(each_task_alone()):
                return await self._workers.run(swept_texts, base, file_format, assignments)
        except TooComplexError:
            return None


def _wanted(
    file: DifferingFile, cells: Sequence[SweepCell], version: SweepVersion
) -> tuple[str, list[list[Assignment]]] | None:
    """Return the base of a file, and what its contents set; None where not all are cells' texts."""
    for position, base in enumerate(version.bases):
        if base.path != file.path:
            continue
        of_contents = {cell.texts[position].sha: cell for cell in cells}
        if any(content.sha not in of_contents for content in file.contents):
            return None
        makers = (of_contents[content.sha] for content in file.contents)
        return base.sha, [_assignments(cell, version, base.alias) for cell in makers]
    return None


def _assignments(cell: SweepCell, version: SweepVersion, alias: str) -> list[Assignment]:
    """Return what a cell sets in one file."""
    return [
        Assignment(setting.target.path, setting.value)
        for setting in cell_settings(version.definition, cell.assignments)
        if setting.target.alias == alias
    ]
