"""Compare variants with their bases, originals and revisions, and side by side."""

import asyncio
import contextlib
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.documents import (
    KeyChange,
    ValueRow,
    key_changes,
    rows_beside,
    value_rows,
)
from benchmark_manager.domain.variants.table import (
    ChangesSinceBase,
    TableExtent,
    VariantsTable,
    VariedKey,
    joined_rows,
    names_items_alike,
    rows_of_all,
    with_upstream_marks,
)
from benchmark_manager.errors import InvalidInputError, TooComplexError, WorkersBusyError
from benchmark_manager.models.original import FileFormat, OriginalFile
from benchmark_manager.models.variant import Variant, variant_path
from benchmark_manager.services.texts.text_work import compare_texts
from benchmark_manager.services.variants.revisions import RevisionService
from benchmark_manager.services.variants.stores import VariantStores
from benchmark_manager.services.variants.variants import VariantService
from benchmark_manager.workers.pool import WorkerPool

_REVISION: Final = re.compile(r"revision:([1-9][0-9]{0,8})")
#: Comparisons of one variant with its original that are remembered; most have a few rows.
_REMEMBERED: Final = 20_000
_READ_AT_ONCE: Final = 100

_Rows = tuple[ValueRow, ...] | None


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
    """Compares stored texts. It remembers comparisons with originals."""

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
        self._rows: OrderedDict[tuple[str, str, FileFormat], _Rows] = OrderedDict()

    async def diff(
        self, variant_id: str, against: str, *, by_key: bool = True
    ) -> VariantComparison:
        """Compare `base`, `original` or `revision:N` with the variant's present text.

        Args:
            variant_id: the variant's id.
            against: what to compare with.
            by_key: also find the changes by key.

        Raises:
            TooComplexError, WorkersBusyError
            NotFoundError, InvalidInputError: as `texts`.
        """
        found = await self.texts(variant_id, against)
        paths = found.before_path, found.after_path
        unified, changes = await self._workers.run(
            compare_texts, found.before, found.after, paths, found.format, by_key
        )
        return VariantComparison(*paths, found.before, found.after, found.format, changes, unified)

    async def texts(self, variant_id: str, against: str) -> ComparedTexts:
        """Return the two texts of a comparison.

        Raises:
            NotFoundError: there is no such variant or revision.
            InvalidInputError: `invalid_request`, `against` is none of these.
        """
        variant = await self._variants.get(variant_id)
        before_path, sha = await self._before(variant, against)
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

    async def _before(self, variant: Variant, against: str) -> tuple[str, str]:
        """Return the path and the blob id of the text to compare with."""
        if against == "base":
            return variant.original_path, variant.base_sha
        if against == "original":
            original = await self._stores.originals.get(
                variant.project_id, variant.original_file_id
            )
            return original.path, original.sha
        if found := _REVISION.fullmatch(against):
            revision = await self._revisions.get(variant.id, found[1])
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
        shas = [file.content_sha for file in files]
        found = await self._rows_of(original.sha, shas, original.format)
        readable = {
            file.id: rows for file in files if (rows := found[file.content_sha]) is not None
        }
        wanted = slice(None) if extent is None else extent.rows_for(len(files))
        table, total = await self._table(original, files, readable, wanted)
        unreadable = frozenset(file.id for file in files) - readable.keys()
        unmarked: frozenset[str] = frozenset()
        if table:
            behind = [
                file for file in files if file.id in readable and file.base_sha != original.sha
            ]
            table, unmarked = await self._marked(table, original, behind)
        return VariantsTable(tuple(columns), tuple(files), table, total, unreadable, unmarked)

    async def _marked(
        self, rows: tuple[VariedKey, ...], original: OriginalFile, behind: Sequence[Variant]
    ) -> tuple[tuple[VariedKey, ...], frozenset[str]]:
        """Mark what upstream changed; return the ids of variants that could not be marked too."""
        changes: dict[str, ChangesSinceBase] = {}
        # A table without these marks is better than none.
        with contextlib.suppress(WorkersBusyError):
            for base_sha in dict.fromkeys(file.base_sha for file in behind):
                of_base = [file for file in behind if file.base_sha == base_sha]
                changes |= await self._changes_since(base_sha, original, of_base)
        marked = await asyncio.to_thread(with_upstream_marks, rows, changes)
        return marked, frozenset(file.id for file in behind) - changes.keys()

    async def _changes_since(
        self, base_sha: str, original: OriginalFile, files: Sequence[Variant]
    ) -> dict[str, ChangesSinceBase]:
        """Return what changed since this base of these variants, by id."""
        shas = [original.sha, *(file.content_sha for file in files)]
        found = await self._rows_of(base_sha, shas, original.format)
        upstream = found[original.sha]
        if upstream is None:
            return {}
        bases = {row.path: row.values[0] for row in upstream}
        return {
            file.id: ChangesSinceBase(bases, frozenset(row.path for row in mine))
            for file in files
            if (mine := found[file.content_sha]) is not None
        }

    async def varied(self, files: Sequence[Variant]) -> dict[str, tuple[ValueRow, ...] | None]:
        """Return the values in which each variant differs from its base, by its id.

        None where one of the two does not parse. Each row has two values: the base's, and the
        variant's.
        """
        shas: dict[tuple[str, FileFormat], list[str]] = {}
        for file in files:
            shas.setdefault((file.base_sha, file.format), []).append(file.content_sha)
        found = {
            key: await self._rows_of(key[0], contents, key[1]) for key, contents in shas.items()
        }
        return {file.id: found[file.base_sha, file.format][file.content_sha] for file in files}

    async def _rows_of(
        self, original_sha: str, shas: Sequence[str], file_format: FileFormat
    ) -> dict[str, _Rows]:
        """Return in which rows each content differs from the original, by blob id.

        None where one of the two does not parse, or is too large.
        """
        found = {
            sha: self._rows[key]
            for sha in shas
            if (key := (original_sha, sha, file_format)) in self._rows
        }
        left = [sha for sha in dict.fromkeys(shas) if sha not in found]
        original = (await self._stores.blobs.get(original_sha)).decode() if left else ""
        for start in range(0, len(left), _READ_AT_ONCE):
            some = left[start : start + _READ_AT_ONCE]
            contents = await self._stores.blobs.get_many(some)
            texts = [contents[sha].decode() for sha in some]
            rows = await self._rows_beside(original, texts, file_format)
            found |= dict(zip(some, rows, strict=True))
        self._rows |= {(original_sha, sha, file_format): rows for sha, rows in found.items()}
        while len(self._rows) > _REMEMBERED:
            self._rows.popitem(last=False)
        return found

    async def _rows_beside(
        self, original: str, texts: Sequence[str], file_format: FileFormat
    ) -> list[_Rows]:
        """Compare texts with the original, in halves where all together are too much."""
        try:
            return await self._workers.run(rows_beside, original, texts, file_format)
        except TooComplexError:
            if len(texts) == 1:
                return [None]
        half = len(texts) // 2
        first = await self._rows_beside(original, texts[:half], file_format)
        return first + await self._rows_beside(original, texts[half:], file_format)

    async def _value_rows(self, texts: Sequence[str], file_format: FileFormat) -> _Rows:
        try:
            return await self._workers.run(value_rows, texts, file_format)
        except TooComplexError:
            return None

    async def _table(
        self,
        original: OriginalFile,
        files: Sequence[Variant],
        rows: Mapping[str, Sequence[ValueRow]],
        wanted: slice,
    ) -> tuple[tuple[VariedKey, ...] | None, int]:
        """Return the wanted rows and the number of all; None where the original does not parse."""
        text = (await self._stores.blobs.get(original.sha)).decode()
        own = await self._value_rows([text], original.format)
        if own is None:
            return None, 0
        positions = {row.path: position for position, row in enumerate(own)}
        if names_items_alike(positions, rows):
            return await asyncio.to_thread(joined_rows, positions, rows, wanted)
        # Only a comparison of all texts together finds one path for each item.
        readable = [file for file in files if file.id in rows]
        contents = await self._stores.blobs.get_many({file.content_sha for file in readable})
        texts = [text, *(contents[file.content_sha].decode() for file in readable)]
        whole = await self._value_rows(texts, original.format)
        if whole is None:
            return None, 0
        return await asyncio.to_thread(rows_of_all, whole, [file.id for file in readable], wanted)
