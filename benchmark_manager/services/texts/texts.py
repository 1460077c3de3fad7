"""Texts for people to read, in parts of bounded size."""

from typing import Final

from benchmark_manager.domain.text import (
    ComparedPart,
    Extent,
    LineEnds,
    TextPart,
    compared_part,
    text_part,
)
from benchmark_manager.workers.pool import WorkerPool

#: Characters up to which a text is cut into parts right here: 64 Ki empty lines take 5 ms.
_CUT_HERE: Final = 64 * 1024


class TextService:
    """Cuts and compares texts outside of the event loop, however long they are."""

    def __init__(self, workers: WorkerPool) -> None:
        self._workers = workers

    async def part(self, text: str, number: int, extent: Extent) -> TextPart:
        """Return one part of a text; a number beyond the last part gives the last one.

        Raises:
            TooComplexError, WorkersBusyError
        """
        if len(text) <= _CUT_HERE:
            return text_part(text, number, extent)
        return await self._workers.run(text_part, text, number, extent)

    async def differences(
        self, before: str, after: str, number: int, extent: Extent, line_ends: LineEnds = "any"
    ) -> ComparedPart:
        """Return one part of what differs between two texts, line by line.

        It is without rows where nothing does.

        Raises:
            TooComplexError, WorkersBusyError
        """
        return await self._workers.run(compared_part, before, after, number, extent, line_ends)
