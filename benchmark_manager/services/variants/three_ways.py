"""Compare variants three ways in worker processes, and remember the results."""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchmark_manager.domain.documents import (
    RowsTogether,
    ThreeWayRows,
    compare_three_ways,
    compare_together,
)
from benchmark_manager.errors import TooComplexError
from benchmark_manager.models.original import FileFormat, OriginalFile
from benchmark_manager.models.variant import Variant
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.workers.pool import WorkerPool

#: Comparisons of a variant that are remembered; most have a few rows.
_REMEMBERED: Final = 20_000
_READ_AT_ONCE: Final = 100
#: Characters of all bases that are compared together.
_MOST_OF_BASES: Final = 8_000_000


@dataclass(frozen=True, slots=True)
class ComparedSides:
    """The blob ids of an original and of a variant's base, and their format."""

    original: str
    base: str
    format: FileFormat


class ThreeWayComparisons:
    """Compares contents with their bases and originals."""

    def __init__(self, blobs: BlobStore, workers: WorkerPool) -> None:
        self._blobs = blobs
        self._workers = workers
        self._found: OrderedDict[tuple[ComparedSides, str], ThreeWayRows | None] = OrderedDict()

    async def of(self, files: Sequence[tuple[Variant, str]]) -> dict[str, ThreeWayRows | None]:
        """Compare each variant with its base and the original with this blob id.

        The result is by the variants' ids; None where the variant or the original does not parse,
        or is too large.

        Raises:
            WorkersBusyError
        """
        sides = {file.id: ComparedSides(sha, file.base_sha, file.format) for file, sha in files}
        contents: dict[ComparedSides, list[str]] = {}
        for file, _ in files:
            contents.setdefault(sides[file.id], []).append(file.content_sha)
        found = {key: await self._of_contents(key, shas) for key, shas in contents.items()}
        return {file.id: found[sides[file.id]][file.content_sha] for file, _ in files}

    async def together(
        self, original: OriginalFile, files: Sequence[Variant]
    ) -> RowsTogether | None:
        """Compare the variants of an original by paths that are the same for all of them.

        Bases are left out where it is too much with them. None where it is too much without them.

        Raises:
            WorkersBusyError
        """
        bases = await self._bases(original, files)
        if bases and (found := await self._together(original, files, bases)) is not None:
            return found
        return await self._together(original, files, {})

    async def _of_contents(
        self, sides: ComparedSides, shas: Sequence[str]
    ) -> dict[str, ThreeWayRows | None]:
        """Compare contents, by their blob ids."""
        found = {sha: self._found[key] for sha in shas if (key := (sides, sha)) in self._found}
        left = [sha for sha in dict.fromkeys(shas) if sha not in found]
        texts = await self._texts({sides.original, sides.base}) if left else {}
        for start in range(0, len(left), _READ_AT_ONCE):
            some = left[start : start + _READ_AT_ONCE]
            contents = await self._texts(some)
            base = None if sides.base == sides.original else texts[sides.base]
            rows = await self._compare(
                texts[sides.original], base, [contents[sha] for sha in some], sides.format
            )
            found |= dict(zip(some, rows, strict=True))
        self._found |= {(sides, sha): rows for sha, rows in found.items()}
        while len(self._found) > _REMEMBERED:
            self._found.popitem(last=False)
        return found

    async def _compare(
        self, original: str, base: str | None, texts: Sequence[str], file_format: FileFormat
    ) -> list[ThreeWayRows | None]:
        """Compare texts, in halves where all together are too much."""
        try:
            return await self._workers.run(compare_three_ways, original, base, texts, file_format)
        except TooComplexError:
            if len(texts) == 1:
                return [await self._without_base(original, base, texts[0], file_format)]
        half = len(texts) // 2
        first = await self._compare(original, base, texts[:half], file_format)
        return first + await self._compare(original, base, texts[half:], file_format)

    async def _without_base(
        self, original: str, base: str | None, text: str, file_format: FileFormat
    ) -> ThreeWayRows | None:
        """Compare a text with the original alone, since all three are too much."""
        if base is None:
            return None
        [found] = await self._compare(original, None, [text], file_format)
        return None if found is None else replace(found, has_base=False)

    async def _together(
        self, original: OriginalFile, files: Sequence[Variant], bases: dict[str, str]
    ) -> RowsTogether | None:
        """Compare variants by the same paths, with those bases that are given by their blob ids."""
        texts = await self._texts({original.sha, *(file.content_sha for file in files)})
        variants = [(texts[file.content_sha], bases.get(file.base_sha)) for file in files]
        try:
            found = await self._workers.run(
                compare_together, texts[original.sha], variants, original.format
            )
        except TooComplexError:
            return None
        if found is None:
            return None
        known = {original.sha, *bases}
        rows = (
            each if file.base_sha in known else replace(each, has_base=False)
            for file, each in zip(files, found.variants, strict=True)
        )
        return replace(found, variants=tuple(rows))

    async def _bases(self, original: OriginalFile, files: Sequence[Variant]) -> dict[str, str]:
        """Return the texts of the first bases other than the original, by their blob ids."""
        found: dict[str, str] = {}
        left = _MOST_OF_BASES
        for sha in dict.fromkeys(file.base_sha for file in files if file.base_sha != original.sha):
            text = (await self._blobs.get(sha)).decode()
            left -= len(text)
            if left < 0:
                break
            found[sha] = text
        return found

    async def _texts(self, shas: Collection[str]) -> dict[str, str]:
        contents = await self._blobs.get_many(shas)
        return {sha: content.decode() for sha, content in contents.items()}
