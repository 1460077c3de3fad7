"""Searches inside the files of a project.

files in order ── their contents ── batches ── worker processes ── matches, until a page is full
(list, kept while true)  (kept by id)   domain/search/content_search.py
"""

import asyncio
import base64
import binascii
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from benchmark_manager.domain.search.content_search import ContentQuery
from benchmark_manager.errors import InvalidInputError, TooComplexError, WorkersBusyError
from benchmark_manager.models.original import FileType
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.search import (
    ContentMatch,
    FileKind,
    FoundFile,
    SearchedFile,
    SearchIn,
    SearchPage,
    SearchScope,
)
from benchmark_manager.services.search.content_cache import BoundedCache, known_and_missing
from benchmark_manager.services.search.search_work import Searched, SearchedText, search_texts
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ListState
from benchmark_manager.stores.sync.syncs import SyncStore
from benchmark_manager.stores.variants.variants import VariantStore
from benchmark_manager.workers.pool import WorkerPool

#: What is kept of contents and of lists, bytes, and what a file in a list takes.
_CONTENT_BYTES: Final = 48 * 1024 * 1024
_LIST_BYTES: Final = 16 * 1024 * 1024
_ROW_BYTES: Final = 500
#: A list that is older is read anew: records of syncs, which show whether it changed, are not kept
#: for ever.
_LIST_SECONDS: Final = 3600.0
#: A batch: files and bytes. The first is small, as it often fills the page.
_FIRST_FILES: Final = 150
_BATCH_FILES: Final = 1000
_BATCH_BYTES: Final = 512 * 1024
#: Contents that are read together, bytes.
_READ_AHEAD: Final = 8 * 1024 * 1024
#: Batches with workers at once, and the bytes for which it is worth to start a second one.
_AT_ONCE: Final = 2
_WORTH_TWO: Final = 4 * 1024 * 1024
#: Files which are selected right here: as many take 5 ms.
_SELECTED_HERE: Final = 5000
#: A page ends after so many seconds, and its cursor continues it.
_PAGE_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class _SearchStart:
    """Where a search continues: behind a file, or behind a position in it."""

    file: tuple[str, FileKind, str]
    position: int | None


@dataclass(frozen=True, slots=True)
class _KnownList:
    """A project's originals, and the state of the project that they were read in."""

    state: tuple[int, str]
    files: tuple[SearchedFile, ...]
    read_at: float


@dataclass(frozen=True, slots=True)
class _SearchedBatch:
    """What a batch has, and which of its texts take too much time."""

    found: Sequence[Searched]
    missed: Sequence[int] = ()

    def followed_by(self, other: "_SearchedBatch", begin: int) -> "_SearchedBatch":
        """Return this batch and another, whose texts count from `begin` on."""
        return _SearchedBatch(
            [*self.found, *((begin + index, matches) for index, matches in other.found)],
            [*self.missed, *(begin + index for index in other.missed)],
        )


class ContentSearch:
    """Finds text, keys and values in the present originals and variants."""

    def __init__(
        self,
        originals: OriginalFileStore,
        modified: VariantStore,
        blobs: BlobStore,
        syncs: SyncStore,
        workers: WorkerPool,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._originals = originals
        self._modified = modified
        self._blobs = blobs
        self._syncs = syncs
        self._workers = workers
        self._monotonic = monotonic
        self._contents = BoundedCache[bytes](_CONTENT_BYTES)
        self._lists = BoundedCache[_KnownList](_LIST_BYTES)

    async def search(
        self,
        project_id: str,
        text: str,
        where: SearchIn,
        request: PageRequest,
        *,
        file_type: FileType | None = None,
        scope: SearchScope = "originals",
    ) -> SearchPage:
        """Find a text; a page holds `request.limit` matches at most, by path and position.

        It ends early where the search takes long, even without any match; its cursor continues it.

        Raises:
            NotFoundError, InvalidInputError, WorkersBusyError
        """
        deadline = self._monotonic() + _PAGE_SECONDS
        state = await self._originals.list_state(project_id)
        query = ContentQuery.of(text, where)
        start = None if request.cursor is None else _decoded(request.cursor)
        originals = () if scope == "variants" else await self._list_of_originals(project_id, state)
        variants = () if scope == "originals" else await self._modified.searchable(project_id)
        if len(originals) + len(variants) > _SELECTED_HERE:
            files = await asyncio.to_thread(_selected, originals, variants, file_type, start)
        else:
            files = _selected(originals, variants, file_type, start)
        return await self._page(files, query, start, request.limit, deadline)

    async def _list_of_originals(
        self, project_id: str, state: ListState
    ) -> tuple[SearchedFile, ...]:
        known = None if state is None else self._lists.get(project_id)
        if (
            known is not None
            and state is not None
            and await self._is_true(project_id, known, state)
        ):
            return known.files
        read_at = self._monotonic()
        state, files = await self._originals.searchable(project_id)
        if state is not None:
            self._lists.put(project_id, _KnownList(state, files, read_at), _ROW_BYTES * len(files))
        return files

    async def _is_true(self, project_id: str, known: "_KnownList", state: tuple[int, str]) -> bool:
        """Return whether a list is still current: polls without changes leave it so."""
        if known.state == state:
            return True
        if self._monotonic() - known.read_at > _LIST_SECONDS:
            return False
        return not await self._syncs.has_changed_since(project_id, known.state[0])

    async def _page(
        self,
        files: Sequence[SearchedFile],
        query: ContentQuery,
        start: _SearchStart | None,
        limit: int,
        deadline: float,
    ) -> SearchPage:
        rows: list[FoundFile] = []
        left = limit
        batches = iter(_Batches(files))
        missed = 0
        running: deque[tuple[Sequence[SearchedFile], asyncio.Task[_SearchedBatch]]] = deque()
        ahead = _ReadAhead(files, self._read)
        last: SearchedFile | None = None
        at_once = _AT_ONCE if sum(file.size for file in files) > _WORTH_TWO else 1
        try:
            while True:
                late = self._monotonic() > deadline and last is not None
                while len(running) < at_once and not late and (batch := next(batches, None)):
                    contents = await ahead.contents(batch)
                    texts = [_text(file, contents, start) for file in batch]
                    task = asyncio.create_task(self._searched(texts, query, left + 1))
                    running.append((batch, task))
                if not running:
                    break
                batch, task = running.popleft()
                searched = await task
                for index, matches in searched.found:
                    kept = matches[:left]
                    left -= len(kept)
                    if kept:
                        rows.append(FoundFile(batch[index], tuple(kept)))
                    if len(kept) < len(matches):
                        missed += sum(each < index for each in searched.missed)
                        return SearchPage(tuple(rows), None, _after(rows), missed)
                missed += len(searched.missed)
                last = batch[-1]
        except WorkersBusyError:
            # What was found is worth more than a refusal, and the cursor continues it.
            if last is None:
                raise
        finally:
            # A worker which is left alone with its task would be replaced.
            await asyncio.gather(*(task for _, task in running), return_exceptions=True)
        total = len(rows) if start is None else None
        more = None
        if last is not None and last is not files[-1]:
            total, more = None, _encoded(_SearchStart(last.sort_key, None))
        return SearchPage(tuple(rows), total, more, missed)

    async def _read(self, files: Sequence[SearchedFile]) -> Mapping[str, bytes]:
        known, missing = known_and_missing(self._contents, (file.sha for file in files))
        if not missing:
            return known
        read = await self._blobs.get_bulk(missing)
        for sha, content in read.items():
            self._contents.put(sha, content, len(content))
        return {**known, **read}

    async def _searched(
        self, texts: Sequence[SearchedText], query: ContentQuery, limit: int
    ) -> "_SearchedBatch":
        """Search a batch; where it is too complex, search its files one by one."""
        try:
            return _SearchedBatch(await self._workers.run(search_texts, texts, query, limit))
        except TooComplexError:
            if len(texts) > 1:
                half = len(texts) // 2
                first = await self._searched(texts[:half], query, limit)
                return first.followed_by(await self._searched(texts[half:], query, limit), half)
        if query.where != "text":
            return _SearchedBatch([], [0])
        [(content, file_format, _, after)] = texts
        try:
            texts = [(content, file_format, False, after)]
            return _SearchedBatch(await self._workers.run(search_texts, texts, query, limit))
        except TooComplexError:
            return _SearchedBatch([], [0])


class _Batches:
    """Files in batches of bounded size, in their order."""

    def __init__(self, files: Sequence[SearchedFile]) -> None:
        self._files = files

    def __iter__(self) -> Iterator[Sequence[SearchedFile]]:
        begin, size, most = 0, 0, _FIRST_FILES
        for index, file in enumerate(self._files):
            if index > begin and (index - begin >= most or size + file.size > _BATCH_BYTES):
                yield self._files[begin:index]
                begin, size, most = index, 0, _BATCH_FILES
            size += file.size
        if begin < len(self._files):
            yield self._files[begin:]


class _ReadAhead:
    """Reads contents for the first batch alone, then for as many files at once as memory allows."""

    def __init__(
        self,
        files: Sequence[SearchedFile],
        read: Callable[[Sequence[SearchedFile]], Awaitable[Mapping[str, bytes]]],
    ) -> None:
        self._files = files
        self._read = read
        self._position = 0
        self._held: Mapping[str, bytes] = {}

    async def contents(self, batch: Sequence[SearchedFile]) -> Mapping[str, bytes]:
        """Return the contents of the next batch, and maybe of others."""
        begin = self._position
        self._position += len(batch)
        if any(file.sha not in self._held for file in batch):
            self._held = await self._read(
                batch if begin == 0 else self._following(begin, len(batch))
            )
        return self._held

    def _following(self, begin: int, least: int) -> Sequence[SearchedFile]:
        end, size = begin, 0
        while end < len(self._files) and (
            end < begin + least or size + self._files[end].size <= _READ_AHEAD
        ):
            size += self._files[end].size
            end += 1
        return self._files[begin:end]


def _selected(
    originals: Sequence[SearchedFile],
    variants: Sequence[SearchedFile],
    file_type: FileType | None,
    start: _SearchStart | None,
) -> list[SearchedFile]:
    """Return the files of a type from the start on, in their order."""
    both = [*originals, *variants]
    if originals and variants:
        both.sort(key=lambda file: file.sort_key)
    return [file for file in both if file_type in {None, file.file_type} and _is_ahead(file, start)]


def _text(
    file: SearchedFile, contents: Mapping[str, bytes], start: _SearchStart | None
) -> SearchedText:
    after = -1
    if start is not None and start.position is not None and file.sort_key == start.file:
        after = start.position
    return contents[file.sha], file.format, file.parses, after


def _is_ahead(file: SearchedFile, start: _SearchStart | None) -> bool:
    if start is None:
        return True
    return file.sort_key > start.file or (
        start.position is not None and file.sort_key == start.file
    )


def _after(rows: Sequence[FoundFile]) -> str:
    last = rows[-1]
    match: ContentMatch = last.matches[-1]
    return _encoded(_SearchStart(last.file.sort_key, match.position))


def _encoded(start: _SearchStart) -> str:
    values = [*start.file, start.position]
    return (
        base64.urlsafe_b64encode(json.dumps(values, ensure_ascii=False).encode())
        .decode()
        .rstrip("=")
    )


def _decoded(cursor: str) -> _SearchStart:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        # Halves of surrogate pairs are no text.
        json.dumps(values, ensure_ascii=False).encode()
    except (ValueError, binascii.Error, RecursionError):
        raise _no_cursor() from None
    match values:
        case [
            str() as path,
            "original" | "variant" as kind,
            str() as file_id,
            None | int() as position,
        ] if type(position) is not bool:
            return _SearchStart((path, kind, file_id), position)
    raise _no_cursor()


def _no_cursor() -> InvalidInputError:
    return InvalidInputError("invalid_cursor", field="cursor")
