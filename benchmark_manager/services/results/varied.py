"""Find out in what releases differ, from their bytes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

from benchmark_manager.domain.results.differing import (
    DifferingFile,
    differing_files,
    needed_bases,
)
from benchmark_manager.domain.results.varied import MOST_COLUMNS, VariedFile
from benchmark_manager.domain.results.varied_columns import ComparedFile, Varied, varied_columns
from benchmark_manager.domain.sync.classification import format_of
from benchmark_manager.errors import TooComplexError
from benchmark_manager.models.result_table import TableNotice
from benchmark_manager.models.sweep import SweepCell
from benchmark_manager.services.results.swept import SweptReader
from benchmark_manager.services.results.table_stores import TableStores
from benchmark_manager.services.results.varied_work import varied_texts
from benchmark_manager.workers.caller import calling_as, each_task_alone
from benchmark_manager.workers.pool import WorkerPool

#: Files of all releases that are no cells of sweeps: rows that are read from the database.
MOST_FILES: Final = 200_000
#: Bytes of all contents that are compared by key.
COMPARED_BYTES: Final = 16_000_000
#: Seconds in which files are compared by key; those that are left are not.
MOST_SECONDS: Final = 10.0


class VariedReader:
    """Compares the files of releases, all at once."""

    def __init__(
        self,
        stores: TableStores,
        workers: WorkerPool,
        *,
        compared_bytes: int = COMPARED_BYTES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`compared_bytes`: contents that are compared by key."""
        self._stores = stores
        self._workers = workers
        self._swept = SweptReader(stores, workers)
        self._compared_bytes = compared_bytes
        self._monotonic = monotonic

    async def varied(self, digests: Sequence[str], cells: Sequence[SweepCell] = ()) -> Varied:
        """Return in what releases differ: nothing, for fewer than two.

        `cells`: those of one sweep that the releases are, or none.

        Raises:
            WorkersBusyError
        """
        if len(digests) < 2:  # noqa: PLR2004 -- one alone differs from none
            return Varied()
        reader = self._stores.releases.contents
        found = await reader.contents(digests, MOST_FILES)
        releases = list(found.values())
        bases = {base: await reader.base(base) for base in sorted(needed_bases(releases))}
        files, complete = await asyncio.to_thread(differing_files, releases, bases, MOST_COLUMNS)
        compared = await self._compared(files, cells)
        varied = await asyncio.to_thread(varied_columns, compared, found, complete=complete)
        left_out = len(digests) - len(found)
        if not left_out:
            return varied
        notice = TableNotice(code="releases_not_compared", facts={"count": left_out})
        return Varied(varied.columns, varied.values, (*varied.notices, notice))

    async def _compared(
        self, files: Sequence[DifferingFile], cells: Sequence[SweepCell]
    ) -> list[ComparedFile]:
        left = self._compared_bytes
        until = self._monotonic() + MOST_SECONDS
        compared: list[ComparedFile] = []
        for file in files:
            if (found := await self._swept.found(file, cells)) is not None:
                compared.append(ComparedFile(file, found))
                continue
            size = sum(content.size for content in file.contents)
            is_affordable = size <= left and self._monotonic() < until
            if is_affordable:
                left -= size
            compared.append(ComparedFile(file, await self._found(file) if is_affordable else None))
        return compared

    async def _found(self, file: DifferingFile) -> VariedFile | None:
        """Return how a file's contents differ by key; None where they cannot be compared."""
        if len(file.contents) == 1:
            return VariedFile(())
        file_format = format_of(file.path)
        if file_format is None:
            return None
        contents = await self._stores.blobs.get_bulk(content.sha for content in file.contents)
        texts = [contents[content.sha] for content in file.contents]
        try:
            # A person waits for all files together; other callers have their turns in between.
            with calling_as(each_task_alone()):
                return await self._workers.run(varied_texts, texts, file_format)
        except TooComplexError:
            return None
