"""Copying contents: from GitHub into the blob store, looked at once on their way."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.domain.classification import Candidate, skip_reason_of_content, type_by_content
from benchmark_manager.domain.tree_changes import UpstreamFile
from benchmark_manager.domain.validation import validate
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.contents import fetch_blobs
from benchmark_manager.models.original_file import FileFormat, FileType, SkipReason
from benchmark_manager.models.problem import Verdict
from benchmark_manager.stores.blobs import BlobStore

#: Contents held at once before they are written, bytes and number.
_BATCH_BYTES: Final = 5_000_000
_BATCH_FILES: Final = 500
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

    def __init__(self, blobs: BlobStore, clock: Callable[[], datetime]) -> None:
        self._blobs = blobs
        self._clock = clock

    async def copy(self, client: RepositoryClient, wanted: Iterable[WantedFile]) -> dict[str, LookedAt]:
        """Store what is wanted and tell, by path, what each is.

        Contents which this repository gave before are not fetched again. When GitHub fails in
        between, what has arrived stays stored, so that the next sync goes on from there.

        Raises:
            GitHubError
        """
        by_sha: dict[str, list[WantedFile]] = defaultdict(list)
        for file in wanted:
            by_sha[file.sha].append(file)
        key = client.repository.key
        known = await self._blobs.known(by_sha, key, self._clock())
        looked = await self._look_at_known(sorted(known), by_sha)
        sizes = [(sha, files[0].size) for sha, files in by_sha.items() if sha not in known]
        looked |= await self._fetch(client, sizes, by_sha)
        return looked

    async def _look_at_known(self, known: list[str], by_sha: Mapping[str, list[WantedFile]]) -> dict[str, LookedAt]:
        looked: dict[str, LookedAt] = {}
        for start in range(0, len(known), _READ_AT_ONCE):
            contents = await self._blobs.get_many(known[start : start + _READ_AT_ONCE])
            looked |= await asyncio.to_thread(_look_at, contents, by_sha)
        return looked

    async def _fetch(
        self, client: RepositoryClient, sizes: list[tuple[str, int]], by_sha: Mapping[str, list[WantedFile]]
    ) -> dict[str, LookedAt]:
        looked: dict[str, LookedAt] = {}
        batch: dict[str, bytes] = {}
        held = 0

        async def flush() -> None:
            looked.update(await asyncio.to_thread(_look_at, batch, by_sha))
            good = [data for data in batch.values() if skip_reason_of_content(data) is None]
            await self._blobs.put(good, client.repository.key, self._clock())

        try:
            async with aclosing(fetch_blobs(client, sizes)) as arriving:
                async for sha, data in arriving:
                    batch[sha] = data
                    held += len(data)
                    if held >= _BATCH_BYTES or len(batch) >= _BATCH_FILES:
                        await flush()
                        batch, held = {}, 0
        finally:
            await flush()
        return looked


def _look_at(contents: Mapping[str, bytes], by_sha: Mapping[str, list[WantedFile]]) -> dict[str, LookedAt]:
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
                verdicts[kind] = _judged(file, data.decode())
            file_type, verdict = verdicts[kind]
            upstream = UpstreamFile(file.path, sha, len(data), file_type, file.format)
            looked[file.path] = LookedAt(upstream, verdict, None)
    return looked


def _judged(file: WantedFile, text: str) -> tuple[FileType, Verdict]:
    file_type = type_by_content(text) if file.candidate == "by_content" else file.candidate
    return file_type, validate(text, file.format, file_type)
