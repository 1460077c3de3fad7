"""Compare variants with their bases, originals and revisions, and side by side."""

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.documents import (
    KeyChange,
    ThreeWayRows,
    key_changes,
    values_at,
)
from benchmark_manager.domain.variants.table import (
    JoinedRows,
    TableExtent,
    VariantsTable,
    joined_rows,
    names_items_alike,
)
from benchmark_manager.errors import InvalidInputError, TooComplexError
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.original import FileFormat, OriginalFile
from benchmark_manager.models.variant import Variant, variant_path
from benchmark_manager.services.texts.text_work import compare_texts
from benchmark_manager.services.variants.revisions import RevisionService
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.services.variants.three_ways import ThreeWayComparisons
from benchmark_manager.services.variants.variants import VariantService
from benchmark_manager.workers.pool import WorkerPool

_REVISION: Final = re.compile(r"revision:([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class ComparedTexts:
    """An earlier text, and a variant's."""

    before_path: str
    after_path: str
    before: str
    after: str
    format: FileFormat


@dataclass(frozen=True, slots=True)
class VariantComparison(ComparedTexts):
    """The differences between an earlier text and a variant's.

    `changes` is None where a side does not parse, or is too large. `unified` is a patch for `git
    apply` and `patch -p1`, empty where nothing differs.
    """

    changes: tuple[KeyChange, ...] | None
    unified: str


class ComparisonService:
    """Compares stored texts."""

    def __init__(
        self,
        stores: VariantStores,
        variants: VariantService,
        revisions: RevisionService,
        workers: WorkerPool,
    ) -> None:
        self._stores = stores
        self._variants = variants
        self._revisions = revisions
        self._workers = workers
        self._three_ways = ThreeWayComparisons(stores.blobs, workers)

    async def diff(
        self, principal: Principal, variant_id: str, against: str, *, by_key: bool = True
    ) -> VariantComparison:
        """Compare `base`, `original` or `revision:N` with the variant's present text.

        Args:
            principal: who compares.
            variant_id: the variant's id.
            against: what to compare with.
            by_key: also find the changes by key.

        Raises:
            TooComplexError, WorkersBusyError
            NotFoundError, InvalidInputError: as `texts`.
        """
        found = await self.texts(principal, variant_id, against)
        paths = found.before_path, found.after_path
        unified, changes = await self._workers.run(
            compare_texts, found.before, found.after, paths, found.format, by_key
        )
        return VariantComparison(*paths, found.before, found.after, found.format, changes, unified)

    async def texts(self, principal: Principal, variant_id: str, against: str) -> ComparedTexts:
        """Return the two texts of a comparison.

        Raises:
            NotFoundError: there is no such variant or revision, for this principal.
            InvalidInputError: `invalid_request`, `against` is none of these.
        """
        variant = await self._variants.get(principal, variant_id)
        before_path, sha = await self._before(principal, variant, against)
        contents = await self._stores.blobs.get_many([sha, variant.content_sha])
        before, after = (contents[key].decode() for key in (sha, variant.content_sha))
        return ComparedTexts(before_path, variant.path, before, after, variant.format)

    async def changes(self, texts: ComparedTexts) -> tuple[KeyChange, ...] | None:
        """Return the changes by key.

        None where a side does not parse, is a template, or is too large.

        Raises:
            TooComplexError, WorkersBusyError
        """
        return await self._workers.run(key_changes, texts.before, texts.after, texts.format)

    async def _before(
        self, principal: Principal, variant: Variant, against: str
    ) -> tuple[str, str]:
        """Return the path and the blob id of the text to compare with."""
        if against == "base":
            return variant.original_path, variant.base_sha
        if against == "original":
            original = await self._stores.originals.get(
                variant.project_id, variant.original_file_id
            )
            return original.path, original.sha
        if found := _REVISION.fullmatch(against):
            revision = await self._revisions.get(principal, variant.id, found[1])
            path = variant_path(variant.original_path, revision.modified_name)
            return path, revision.content_sha
        raise InvalidInputError("invalid_request", "against", field="against")

    async def variants(
        self, project_id: str, file_id: str, extent: TableExtent | None = None
    ) -> VariantsTable:
        """Return the variants of an original side by side; without an extent all variants and rows.

        Raises:
            NotFoundError, TooComplexError, WorkersBusyError
        """
        await self._stores.projects.get(project_id)
        original = await self._stores.originals.get(project_id, file_id)
        columns = await self._stores.variants.of_original(file_id)
        files = columns if extent is None else list(extent.first_of(columns))
        found = await self._three_ways.of([(file, original.sha) for file in files])
        readable = {key: rows for key, rows in found.items() if rows is not None}
        wanted = slice(None) if extent is None else extent.rows_for(len(files))
        joined = await self._joined(original, files, readable, wanted)
        unreadable = frozenset(found.keys() - readable.keys())
        return VariantsTable(tuple(columns), tuple(files), joined, unreadable)

    async def _joined(
        self,
        original: OriginalFile,
        files: Sequence[Variant],
        compared: Mapping[str, ThreeWayRows],
        wanted: slice,
    ) -> JoinedRows | None:
        """Return the wanted rows of a table; None where the original does not parse."""
        own = await self._own_paths(original)
        if own is None:
            return None
        positions = {path: position for position, path in enumerate(own)}
        if not await asyncio.to_thread(names_items_alike, positions, compared):
            # Only a comparison of all texts together finds one path for each item.
            readable = [file for file in files if file.id in compared]
            together = await self._three_ways.together(original, readable)
            if together is None:
                return None
            positions = {path: position for position, path in enumerate(together.paths)}
            compared = dict(zip((file.id for file in readable), together.variants, strict=True))
        return await asyncio.to_thread(joined_rows, positions, compared, wanted)

    async def _own_paths(self, original: OriginalFile) -> Iterable[str] | None:
        """Return the original's paths in order; None if it does not parse, or is too large."""
        text = (await self._stores.blobs.get(original.sha)).decode()
        try:
            return await self._workers.run(values_at, text, original.format)
        except TooComplexError:
            return None

    async def varied(self, files: Sequence[Variant]) -> dict[str, ThreeWayRows | None]:
        """Compare each variant with its base and its original, by the variants' ids.

        None where the variant does not parse. Where the original does not, the base stands for it.

        Raises:
            WorkersBusyError
        """
        shas = await self._stores.originals.shas_of(file.original_file_id for file in files)
        found = await self._three_ways.of(
            [(file, shas.get(file.original_file_id, file.base_sha)) for file in files]
        )
        left = [(file, file.base_sha) for file in files if found[file.id] is None]
        return found | await self._three_ways.of(left)
