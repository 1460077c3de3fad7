"""Read result files in worker processes, when they arrive and again by a newer parser."""

import asyncio
from collections.abc import Sequence
from typing import Final

from benchmark_manager.domain.results.parsing.parse import PARSER_VERSION
from benchmark_manager.errors import TooComplexError, WorkersBusyError
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.result import ParsedResult, StoredResult, ToolName
from benchmark_manager.services.results.text_work import read_result
from benchmark_manager.stores.results.chunks import ResultChunkStore
from benchmark_manager.stores.results.parsed import UNREAD
from benchmark_manager.stores.results.results import ResultStore
from benchmark_manager.workers.pool import WorkerPool

#: Results that one request reads again at most; housekeeping reads the others.
_READ_AGAIN: Final = 20
_AT_ONCE: Final = 2
_NOT_YET: Final = Problem(
    severity="warning",
    code="not_read_yet",
    message="The service was too busy to read this file. It tries again when the result is asked "
    "for.",
)
_TOO_COMPLEX: Final = Problem(
    severity="error",
    code="too_complex",
    message="Reading this file takes too much time or memory, so its metrics are not known.",
)


class ResultParsing:
    """Returns what the parser reads from results, and keeps it."""

    def __init__(
        self,
        results: ResultStore,
        chunks: ResultChunkStore,
        workers: WorkerPool,
        *,
        version: int = PARSER_VERSION,
    ) -> None:
        """`version` is the parser's own."""
        self._results = results
        self._chunks = chunks
        self._workers = workers
        self.version: Final = version
        self._reading = asyncio.Semaphore(_AT_ONCE)

    async def first_read(
        self, data: bytes, file_name: str, tool: ToolName | None
    ) -> tuple[ParsedResult, int]:
        """Return what a new file says, and the version of the parser that read it.

        Where no worker process is free in time, the file is read later: it may be what is left of
        a night on many GPUs, and is kept.
        """
        try:
            return await self.parsed(data, file_name, tool), self.version
        except WorkersBusyError:
            return self.read_later(tool)

    def read_later(self, tool: ToolName | None) -> tuple[ParsedResult, int]:
        """Return what stands for a file until somebody asks for its result."""
        return ParsedResult(tool=tool or "unknown", problems=(_NOT_YET,)), UNREAD

    async def read_as(
        self, result: StoredResult, tool: ToolName | None
    ) -> tuple[ParsedResult, int]:
        """Return what a stored result says as a file of this tool, as `first_read` does."""
        async with self._reading:
            return await self.first_read(await self._bytes(result), result.file_name, tool)

    async def parsed(self, data: bytes, file_name: str, tool: ToolName | None) -> ParsedResult:
        """Return what a file says; one that takes too long says nothing.

        Raises:
            WorkersBusyError
        """
        try:
            return await self._workers.run(read_result, data, file_name, tool)
        except TooComplexError:
            return ParsedResult(tool=tool or "unknown", problems=(_TOO_COMPLEX,))

    async def of_many(self, results: Sequence[StoredResult]) -> dict[str, ParsedResult]:
        """Return what results say, by their ids.

        Some of those that only an earlier version of the parser read are read again.
        """
        stored = await self._results.parsed.get_many([result.id for result in results])
        found = {key: parsed for key, (parsed, _) in stored.items()}
        old = [
            result
            for result in results
            if result.id not in stored or stored[result.id][1] < self.version
        ]
        return found | await self.read_again(old[:_READ_AGAIN])

    async def read_again(self, results: Sequence[StoredResult]) -> dict[str, ParsedResult]:
        """Read stored results, and keep what they say; leave out those that had to wait too long.

        Files may be large, so few are in memory at once.
        """
        found: dict[str, ParsedResult] = {}
        try:
            for result in results:
                async with self._reading:
                    found[result.id] = await self._read(result)
        except WorkersBusyError:
            # The next reader tries again.
            pass
        return found

    async def _read(self, result: StoredResult) -> ParsedResult:
        data = await self._bytes(result)
        parsed = await self.parsed(data, result.file_name, result.chosen_tool)
        await self._results.keep_parsed(result, parsed, self.version)
        return parsed

    async def _bytes(self, result: StoredResult) -> bytes:
        parts = [part async for part in self._chunks.read(result.sha256, result.size)]
        return b"".join(parts)

    async def read_old(self, limit: int) -> int:
        """Read some results that only earlier versions of the parser have read; return how many."""
        old = await self._results.read_before(self.version, limit)
        return len(await self.read_again(old))
