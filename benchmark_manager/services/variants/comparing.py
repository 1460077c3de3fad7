"""What variants vary: against their base, their original, their own past, and side by side."""

import asyncio
import contextlib
import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pydantic import JsonValue

from benchmark_manager.domain.documents import (
    KeyChange,
    ValueRow,
    key_changes,
    rows_beside,
    value_rows,
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
#: Comparisons of one variant with its original which are remembered; most have a few rows.
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
class Comparison(ComparedTexts):
    """From an earlier text to a variant's; `changes` is None where a side does not parse, or is too large."""

    changes: tuple[KeyChange, ...] | None
    #: A patch which `git apply` and `patch -p1` take; empty where nothing differs.
    unified: str


@dataclass(frozen=True, slots=True)
class VariedKey:
    """A path at which any variant differs from the original: one-tuples of values, None where there is nothing."""

    path: str
    original: tuple[JsonValue] | None
    values: Mapping[str, tuple[JsonValue] | None]
    #: The ids of those which differ.
    differing: frozenset[str]
    #: Those of them which have here what their base has: upstream changed it since, and not they.
    upstream: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TableExtent:
    """How much of a table is wanted: variants, bytes of their texts, rows from `start` on, and values in all."""

    variants: int
    bytes: int
    start: int
    rows: int
    values: int

    def rows_for(self, variants: int) -> slice:
        """The rows which are wanted of so many variants, at least one."""
        rows = min(self.rows, self.values // max(1, variants))
        return slice(self.start, self.start + max(1, rows))


@dataclass(frozen=True, slots=True)
class VariantsTable:
    """The variants of an original side by side; `unreadable` are the ids of those which do not parse.

    `compared` are those of the columns whose values the rows have. `unmarked` are those behind
    their original of which it is not known what upstream changed. `rows` is None where the original
    itself does not parse, or is too large; `rows_total` counts also those which were not asked for.
    """

    columns: tuple[Variant, ...]
    compared: tuple[Variant, ...]
    rows: tuple[VariedKey, ...] | None
    rows_total: int
    unreadable: frozenset[str]
    unmarked: frozenset[str] = frozenset()


class ComparisonService:
    """Compares texts that are stored; a comparison with an original is made once and remembered."""

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

    async def diff(self, variant_id: str, against: str, *, by_key: bool = True) -> Comparison:
        """From `base`, `original` or `revision:N` to the variant as it is; changes by key only if they are wanted.

        Raises:
            TooComplexError, WorkersBusyError
            NotFoundError, InvalidInputError: as `texts`.
        """
        found = await self.texts(variant_id, against)
        paths = found.before_path, found.after_path
        unified, changes = await self._workers.run(
            compare_texts, found.before, found.after, paths, found.format, by_key
        )
        return Comparison(*paths, found.before, found.after, found.format, changes, unified)

    async def texts(self, variant_id: str, against: str) -> ComparedTexts:
        """The two texts that a comparison is of.

        Raises:
            NotFoundError: no such modified file, or revision.
            InvalidInputError: `invalid_request`, `against` is none of these.
        """
        file = await self._variants.get(variant_id)
        before_path, sha = await self._before(file, against)
        contents = await self._stores.blobs.get_many([sha, file.content_sha])
        before, after = (contents[key].decode() for key in (sha, file.content_sha))
        return ComparedTexts(before_path, file.path, before, after, file.format)

    async def changes(self, texts: ComparedTexts) -> tuple[KeyChange, ...] | None:
        """What differs by key; None where a side does not parse, is a template, or is too large.

        Raises:
            TooComplexError, WorkersBusyError
        """
        return await self._workers.run(key_changes, texts.before, texts.after, texts.format)

    async def _before(self, file: Variant, against: str) -> tuple[str, str]:
        """The path and the blob id of the text to compare with."""
        if against == "base":
            return file.original_path, file.base_sha
        if against == "original":
            original = await self._stores.originals.get(file.project_id, file.original_file_id)
            return original.path, original.sha
        if found := _REVISION.fullmatch(against):
            revision = await self._revisions.get(file.id, found[1])
            return variant_path(file.original_path, revision.modified_name), revision.content_sha
        raise InvalidInputError(
            "invalid_request",
            "against must be base, original, or revision:N with a number.",
            field="against",
        )

    async def variants(
        self, project_id: str, file_id: str, extent: TableExtent | None = None
    ) -> VariantsTable:
        """Variants of an original side by side, by the keys in which any of them differs from it.

        Without an extent: all variants, and all rows.

        Raises:
            NotFoundError, TooComplexError, WorkersBusyError
        """
        await self._stores.projects.get(project_id)
        original = await self._stores.originals.get(project_id, file_id)
        columns = await self._stores.variants.of_original(file_id)
        files = columns if extent is None else list(_within(columns, extent))
        found = await self._beside(
            original.sha, [file.content_sha for file in files], original.format
        )
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
        """The rows with what upstream changed, and the ids of those of which that could not be found out."""
        changes: dict[str, _Changes] = {}
        # A table without these marks is better than none.
        with contextlib.suppress(WorkersBusyError):
            for base_sha in dict.fromkeys(file.base_sha for file in behind):
                of_base = [file for file in behind if file.base_sha == base_sha]
                shas = [original.sha, *(file.content_sha for file in of_base)]
                found = await self._beside(base_sha, shas, original.format)
                moved = found[original.sha]
                bases = {row.path: row.values[0] for row in moved or ()}
                for file in of_base:
                    mine = found[file.content_sha]
                    if moved is not None and mine is not None:
                        changes[file.id] = _Changes(bases, frozenset(row.path for row in mine))
        marked = await asyncio.to_thread(_with_marks, rows, changes)
        return marked, frozenset(file.id for file in behind) - changes.keys()

    async def varied(self, files: Sequence[Variant]) -> dict[str, tuple[ValueRow, ...] | None]:
        """In which values each variant differs from the original that it is based on, by its id.

        None where one of the two does not parse. Each row has two values: the base's, and the
        variant's.
        """
        shas: dict[tuple[str, FileFormat], list[str]] = {}
        for file in files:
            shas.setdefault((file.base_sha, file.format), []).append(file.content_sha)
        found = {
            key: await self._beside(key[0], contents, key[1]) for key, contents in shas.items()
        }
        return {file.id: found[file.base_sha, file.format][file.content_sha] for file in files}

    async def _beside(
        self, original_sha: str, shas: Sequence[str], file_format: FileFormat
    ) -> dict[str, _Rows]:
        """In which rows each content differs from the original, by blob id; None where one of the two has no tree."""
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
            found |= dict(
                zip(some, await self._rows_beside(original, texts, file_format), strict=True)
            )
        self._rows |= {(original_sha, sha, file_format): rows for sha, rows in found.items()}
        while len(self._rows) > _REMEMBERED:
            self._rows.popitem(last=False)
        return found

    async def _rows_beside(
        self, original: str, texts: Sequence[str], file_format: FileFormat
    ) -> list[_Rows]:
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
        """The rows which are wanted, and how many there are."""
        text = (await self._stores.blobs.get(original.sha)).decode()
        own = await self._value_rows([text], original.format)
        if own is None:
            return None, 0
        places = {row.path: place for place, row in enumerate(own)}
        if any(
            row.values[0] is not None and row.path not in places
            for found in rows.values()
            for row in found
        ):
            # Some pair had to name the items of a list differently: only all texts together tell
            # one path for each.
            readable = [file for file in files if file.id in rows]
            contents = await self._stores.blobs.get_many({file.content_sha for file in readable})
            texts = [text, *(contents[file.content_sha].decode() for file in readable)]
            whole = await self._value_rows(texts, original.format)
            if whole is None:
                return None, 0
            return await asyncio.to_thread(
                _all_together, whole, [file.id for file in readable], wanted
            )
        return await asyncio.to_thread(_joined, places, rows, wanted)


@dataclass(frozen=True, slots=True)
class _Changes:
    """What changed since a variant's base: the base's values that upstream changed, and the paths it changed itself."""

    bases: Mapping[str, tuple[JsonValue] | None]
    mine: frozenset[str]

    def are_upstreams(self, path: str, value: tuple[JsonValue] | None) -> bool:
        # The value as well: where items of a list have names in one text only, one path leads to
        # two of them.
        return path in self.bases and path not in self.mine and self.bases[path] == value


def _with_marks(
    rows: Sequence[VariedKey], changes: Mapping[str, _Changes]
) -> tuple[VariedKey, ...]:
    return tuple(
        replace(
            row,
            upstream=frozenset(
                file_id
                for file_id in row.differing & changes.keys()
                if changes[file_id].are_upstreams(row.path, row.values[file_id])
            ),
        )
        for row in rows
    )


def _within(files: Sequence[Variant], extent: TableExtent) -> Iterator[Variant]:
    """The first variants which are small enough together."""
    left = extent.bytes
    for file in files[: extent.variants]:
        left -= file.size
        if left < 0:
            return
        yield file


def _joined(
    places: Mapping[str, int], rows: Mapping[str, Sequence[ValueRow]], wanted: slice
) -> tuple[tuple[VariedKey, ...], int]:
    """In the order of the original; what only variants have comes behind."""
    originals: dict[str, tuple[JsonValue] | None] = {}
    values: dict[str, dict[str, tuple[JsonValue] | None]] = {}
    for file_id, found in rows.items():
        for row in found:
            originals[row.path] = row.values[0]
            values.setdefault(row.path, {})[file_id] = row.values[1]
    ordered = sorted(originals, key=lambda path: places.get(path, len(places)))
    return tuple(
        _varied(path, originals[path], values[path], rows) for path in ordered[wanted]
    ), len(ordered)


def _varied(
    path: str,
    original: tuple[JsonValue] | None,
    changed: Mapping[str, tuple[JsonValue] | None],
    ids: Iterable[str],
) -> VariedKey:
    return VariedKey(
        path,
        original,
        {file_id: changed.get(file_id, original) for file_id in ids},
        frozenset(changed),
    )


def _all_together(
    rows: Sequence[ValueRow], ids: Sequence[str], wanted: slice
) -> tuple[tuple[VariedKey, ...], int]:
    varied = [row for row in rows if any(row.differs)]
    found = tuple(
        VariedKey(
            row.path,
            row.values[0],
            dict(zip(ids, row.values[1:], strict=True)),
            frozenset(
                file_id for file_id, differs in zip(ids, row.differs[1:], strict=True) if differs
            ),
        )
        for row in varied[wanted]
    )
    return found, len(varied)
