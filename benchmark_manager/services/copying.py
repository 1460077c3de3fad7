"""Copying contents: from GitHub into the blob store, looked at once on their way."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.domain.classification import Candidate, skip_reason_of_content, type_by_content
from benchmark_manager.domain.tree_changes import UpstreamFile
from benchmark_manager.github.archive import Archive, ArchiveTooLargeError
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.contents import MemoryBudget, fetch_blobs
from benchmark_manager.github.protocol import GarbledAnswerError
from benchmark_manager.models.original_file import FileFormat, FileType, SkipReason
from benchmark_manager.models.problem import Verdict
from benchmark_manager.services.progress import Progress
from benchmark_manager.services.validation import ValidationService
from benchmark_manager.stores.blobs import BlobStore

#: Contents held at once before they are written, bytes and number.
_BATCH_BYTES: Final = 2_000_000
_BATCH_FILES: Final = 250
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
    """Brings wanted contents into the blob store, batch by batch, so that memory stays bounded."""

    def __init__(
        self, blobs: BlobStore, budget: MemoryBudget, validation: ValidationService, clock: Callable[[], datetime]
    ) -> None:
        self._blobs = blobs
        self._budget = budget
        self._validation = validation
        self._clock = clock

    async def known(self, client: RepositoryClient, wanted: Iterable[WantedFile]) -> set[str]:
        """The blob ids of those contents which this repository gave before; they need not be fetched again."""
        return await self._blobs.known({file.sha for file in wanted}, client.repository.key, self._clock())

    async def copy(
        self,
        client: RepositoryClient,
        wanted: Iterable[WantedFile],
        known: set[str],
        archive: Archive | None,
        progress: Progress,
    ) -> dict[str, LookedAt]:
        """Store what is wanted and tell, by path, what each is.

        What is not `known` comes from the archive, if there is one, as far as that holds it exactly. When GitHub
        fails in between, what has arrived stays stored, so that the next sync goes on from there.

        Raises:
            GitHubError
        """
        by_sha: dict[str, list[WantedFile]] = defaultdict(list)
        for file in wanted:
            by_sha[file.sha].append(file)
        copying = _Copying(self._blobs, self._validation, client.repository.key, by_sha, progress, self._clock)
        await copying.look_at_known(sorted(known))
        missing = {sha: files[0].size for sha, files in by_sha.items() if sha not in known}
        if archive is not None:
            paths = {file.path: (sha, size) for sha, size in missing.items() for file in by_sha[sha]}
            # A damaged archive is no loss: what it lacks is fetched by itself.
            with contextlib.suppress(ArchiveTooLargeError, GarbledAnswerError):
                await copying.take(archive.contents(paths))
            missing = {sha: size for sha, size in missing.items() if sha not in copying.arrived}
        await copying.take(fetch_blobs(client, missing.items(), self._budget))
        return copying.looked


class _Copying:
    """The contents of one sync on their way into the store."""

    def __init__(
        self,
        blobs: BlobStore,
        validation: ValidationService,
        repository_key: str,
        by_sha: Mapping[str, list[WantedFile]],
        progress: Progress,
        clock: Callable[[], datetime],
    ) -> None:
        self.looked: dict[str, LookedAt] = {}
        self.arrived: set[str] = set()
        self._blobs = blobs
        self._validation = validation
        self._repository_key = repository_key
        self._by_sha = by_sha
        self._progress = progress
        self._clock = clock
        self._flushing: asyncio.Task[None] | None = None

    async def look_at_known(self, known: list[str]) -> None:
        for start in range(0, len(known), _READ_AT_ONCE):
            contents = await self._blobs.get_many(known[start : start + _READ_AT_ONCE])
            self.looked |= await asyncio.to_thread(_look_at, contents, self._by_sha, self._validation)

    async def take(self, source: AsyncGenerator[dict[str, bytes]]) -> None:
        """Store everything that the source gives, a bounded number of bytes at once; more arrives meanwhile."""
        batch: dict[str, bytes] = {}
        held = 0
        try:
            async with aclosing(source) as arriving:
                async for contents in arriving:
                    batch |= contents
                    size = sum(map(len, contents.values()))
                    held += size
                    self._progress.arrived(len(contents), size)
                    if held >= _BATCH_BYTES or len(batch) >= _BATCH_FILES:
                        await self._flush_behind(batch)
                        batch, held = {}, 0
        finally:
            await self._flush_behind(batch)
            await self._flushed()

    async def _flush_behind(self, batch: Mapping[str, bytes]) -> None:
        await self._flushed()
        self._flushing = asyncio.create_task(self._flush(batch))

    async def _flushed(self) -> None:
        flushing, self._flushing = self._flushing, None
        if flushing is not None:
            await flushing

    async def _flush(self, batch: Mapping[str, bytes]) -> None:
        self.looked |= await asyncio.to_thread(_look_at, batch, self._by_sha, self._validation)
        good = [data for data in batch.values() if skip_reason_of_content(data) is None]
        await self._blobs.put(good, self._repository_key, self._clock())
        self.arrived.update(batch)


def _look_at(
    contents: Mapping[str, bytes], by_sha: Mapping[str, list[WantedFile]], validation: ValidationService
) -> dict[str, LookedAt]:
    looked: dict[str, LookedAt] = {}
    for sha, data in contents.items():
        reason = skip_reason_of_content(data)
        # The same content may stand at thousands of paths: one verdict for all that are read alike.
        verdicts: dict[tuple[FileFormat, Candidate], tuple[FileType, Verdict]] = {}
        for file in by_sha[sha]:
            if reason is not None:
                looked[file.path] = LookedAt(None, None, reason)
                continue
            kind = file.format, file.candidate
            if kind not in verdicts:
                verdicts[kind] = _judged(file, data.decode(), validation)
            file_type, verdict = verdicts[kind]
            upstream = UpstreamFile(file.path, sha, len(data), file_type, file.format)
            looked[file.path] = LookedAt(upstream, verdict, None)
    return looked


def _judged(file: WantedFile, text: str, validation: ValidationService) -> tuple[FileType, Verdict]:
    file_type = type_by_content(text) if file.candidate == "by_content" else file.candidate
    return file_type, validation.validate(text, file.format, file_type, sha=file.sha)
