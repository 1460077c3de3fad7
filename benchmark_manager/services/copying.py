"""Copying contents: from GitHub into the blob store, looked at once on their way."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.domain.classification import Candidate, skip_reason_of_content, type_by_content
from benchmark_manager.domain.tree_changes import UpstreamFile
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.contents import MemoryBudget, fetch_blobs
from benchmark_manager.models.original_file import FileFormat, FileType, SkipReason
from benchmark_manager.models.problem import Verdict
from benchmark_manager.services.progress import Progress
from benchmark_manager.services.validation import ValidationService
from benchmark_manager.stores.blobs import BlobStore

#: Contents held at once before they are written, bytes and number.
_BATCH_BYTES: Final = 1_000_000
_BATCH_FILES: Final = 600
#: Batches on their way into the store at once, beside the one that is being filled.
_FLUSHES: Final = 2
_READ_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True)
class WantedFile:
    """A file whose content has to be looked at before it can be an original."""

    path: str
    sha: str
    size: int
    candidate: Candidate
    format: FileFormat


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What a content turned out to be: an original with its verdict, or skipped."""

    file: UpstreamFile | None
    verdict: Verdict | None
    skip_reason: SkipReason | None


class Copier:
    """Begins to bring contents into the blob store."""

    def __init__(
        self, blobs: BlobStore, budget: MemoryBudget, validation: ValidationService, clock: Callable[[], datetime]
    ) -> None:
        self._blobs = blobs
        self._budget = budget
        self._validation = validation
        self._clock = clock
        # Apart from what is being fetched: that waits for this, so one budget for both could come to a standstill.
        self._flushed = MemoryBudget()

    def of_sync(self, client: RepositoryClient, progress: Progress) -> "Copying":
        return Copying(self._blobs, self._budget, self._flushed, self._validation, self._clock, client, progress)


class Copying:
    """The contents of one sync on their way into the store, batch by batch, so that memory stays bounded.

    When GitHub fails in between, what has arrived stays stored, so that the next sync goes on from there.
    """

    def __init__(
        self,
        blobs: BlobStore,
        budget: MemoryBudget,
        flushed: MemoryBudget,
        validation: ValidationService,
        clock: Callable[[], datetime],
        client: RepositoryClient,
        progress: Progress,
    ) -> None:
        """`budget` bounds what is being fetched, `flushed` what is on its way into the store; by all syncs together."""
        self._blobs = blobs
        self._budget = budget
        self._flushed = flushed
        self._validation = validation
        self._clock = clock
        self._client = client
        self._progress = progress
        self._looked: dict[tuple[str, str], LookedAt] = {}
        self._batch = _Batch()
        self._looking = asyncio.Lock()
        self._flushing: deque[asyncio.Task[None]] = deque()

    def looked_at(self, file: WantedFile) -> LookedAt | None:
        """What this file turned out to be; None as long as it was not looked at with this very content."""
        return self._looked.get((file.path, file.sha))

    def left(self, wanted: Iterable[WantedFile]) -> list[WantedFile]:
        """Those which were not looked at yet."""
        return [file for file in wanted if (file.path, file.sha) not in self._looked]

    async def known(self, wanted: Iterable[WantedFile]) -> set[str]:
        """The blob ids of those contents which this repository gave before; they need not be fetched again."""
        return await self._blobs.known({file.sha for file in wanted}, self._client.repository.key, self._clock())

    async def copy_known(self, wanted: Iterable[WantedFile]) -> None:
        """Look at those files whose content this repository gave before."""
        by_sha = _by_sha(wanted)
        ids = sorted(await self._blobs.known(by_sha, self._client.repository.key, self._clock()))
        for start in range(0, len(ids), _READ_AT_ONCE):
            contents = await self._blobs.get_many(ids[start : start + _READ_AT_ONCE])
            self._looked |= await asyncio.to_thread(_look_at, contents, by_sha, self._validation)

    async def add(self, files: Iterable[tuple[WantedFile, bytes]]) -> None:
        """Copy contents which have the ids of their files; more may arrive meanwhile. In the end, `finish`."""
        for file, data in files:
            if self._batch.add(file, data):
                self._progress.arrived(1, len(data))
            if self._batch.is_full:
                await self._flush_behind()

    async def finish(self) -> None:
        """Wait until all that was added is stored."""
        await self._flush_behind()
        flushing, self._flushing = self._flushing, deque()
        await asyncio.gather(*flushing)

    async def fetch(self, wanted: Iterable[WantedFile]) -> None:
        """Ask GitHub for the contents of files.

        Raises:
            GitHubError
        """
        by_sha = _by_sha(wanted)
        sizes = [(sha, files[0].size) for sha, files in by_sha.items()]
        try:
            async with aclosing(fetch_blobs(self._client, sizes, self._budget)) as arriving:
                async for contents in arriving:
                    await self.add((file, data) for sha, data in contents.items() for file in by_sha[sha])
        finally:
            await self.finish()

    async def _flush_behind(self) -> None:
        if len(self._flushing) == _FLUSHES:
            await self._flushing.popleft()
        batch, self._batch = self._batch, _Batch()
        if batch.contents:
            held = await self._flushed.take(batch.size)
            flush = asyncio.create_task(self._flush(batch))
            # Also where it is cancelled before it began.
            flush.add_done_callback(lambda _: self._flushed.give_back(held))
            self._flushing.append(flush)

    async def _flush(self, batch: "_Batch") -> None:
        # One is looked at while the one before is written: the first takes our time, the second the database's.
        async with self._looking:
            looked = await asyncio.to_thread(_look_at, batch.contents, batch.by_sha, self._validation)
        good = [
            data for sha, data in batch.contents.items() if looked[batch.by_sha[sha][0].path, sha].skip_reason is None
        ]
        await self._blobs.put(good, self._client.repository.key, self._clock())
        self._looked |= looked


class _Batch:
    """Contents which are held until they are written."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.by_sha: dict[str, list[WantedFile]] = defaultdict(list)
        self.size = 0

    def add(self, file: WantedFile, data: bytes) -> bool:
        """Whether the content was not there yet."""
        self.by_sha[file.sha].append(file)
        if file.sha in self.contents:
            return False
        self.contents[file.sha] = data
        self.size += len(data)
        return True

    @property
    def is_full(self) -> bool:
        return self.size >= _BATCH_BYTES or len(self.contents) >= _BATCH_FILES


def _by_sha(wanted: Iterable[WantedFile]) -> dict[str, list[WantedFile]]:
    by_sha: dict[str, list[WantedFile]] = defaultdict(list)
    for file in wanted:
        by_sha[file.sha].append(file)
    return by_sha


def _look_at(
    contents: Mapping[str, bytes], by_sha: Mapping[str, list[WantedFile]], validation: ValidationService
) -> dict[tuple[str, str], LookedAt]:
    """What each file is, by its path and blob id."""
    looked: dict[tuple[str, str], LookedAt] = {}
    for sha, data in contents.items():
        reason = skip_reason_of_content(data)
        # The same content may stand at thousands of paths: one verdict for all that are read alike.
        verdicts: dict[tuple[FileFormat, Candidate], tuple[FileType, Verdict]] = {}
        for file in by_sha[sha]:
            if reason is not None:
                looked[file.path, sha] = LookedAt(None, None, reason)
                continue
            kind = file.format, file.candidate
            if kind not in verdicts:
                verdicts[kind] = _judged(file, data.decode(), validation)
            file_type, verdict = verdicts[kind]
            upstream = UpstreamFile(file.path, sha, len(data), file_type, file.format)
            looked[file.path, sha] = LookedAt(upstream, verdict, None)
    return looked


def _judged(file: WantedFile, text: str, validation: ValidationService) -> tuple[FileType, Verdict]:
    file_type = type_by_content(text) if file.candidate == "by_content" else file.candidate
    return file_type, validation.validate(text, file.format, file_type, sha=file.sha)
