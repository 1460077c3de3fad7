"""Copying contents: from GitHub into the blob store, looked at once on their way."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchmark_manager.domain.sync.tree_changes import UpstreamFile
from benchmark_manager.errors import TooComplexError
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.contents import MemoryBudget, fetch_blobs
from benchmark_manager.models.original import SkipReason
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.services.sync.progress import Progress
from benchmark_manager.services.sync.slots import SyncPlaces
from benchmark_manager.services.texts.text_work import LookedAt, WantedFile, judge_files
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.contents.problems import ProblemStore
from benchmark_manager.workers.pool import WorkerPool

#: Contents held at once before they are written, bytes and number.
_BATCH_BYTES: Final = 1_000_000
_BATCH_FILES: Final = 600
#: Batches on their way into the store at once, beside the one that is being filled.
_FLUSHES: Final = 2
_READ_AT_ONCE: Final = 50
#: Files of one sync which may prove too complex before the others are copied without a verdict.
_TOO_COMPLEX_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """What a content turned out to be, its problems stored: an original with its verdict, or skipped."""

    file: UpstreamFile | None
    verdict: StoredVerdict | None
    skip_reason: SkipReason | None


class Copier:
    """Begins to bring contents into the blob store."""

    def __init__(
        self,
        blobs: BlobStore,
        problems: ProblemStore,
        budget: MemoryBudget,
        workers: WorkerPool,
        places: SyncPlaces,
        clock: Callable[[], datetime],
        *,
        storing: MemoryBudget,
    ) -> None:
        self._blobs = blobs
        self._problems = problems
        self._budget = budget
        self._workers = workers
        self._places = places
        self._clock = clock
        # Apart from what is being fetched: that waits for this, so one budget for both could come
        # to a standstill.
        self._flushed = storing

    def of_sync(self, client: RepositoryClient, progress: Progress) -> "Copying":
        judging, stores = Judging(self._workers, self._places), (self._blobs, self._problems)
        return Copying(*stores, self._budget, self._flushed, judging, self._clock, client, progress)


class Copying:
    """The contents of one sync on their way into the store, batch by batch, so that memory stays bounded.

    When GitHub fails in between, what has arrived stays stored, so that the next sync goes on from
    there.
    """

    def __init__(
        self,
        blobs: BlobStore,
        problems: ProblemStore,
        budget: MemoryBudget,
        flushed: MemoryBudget,
        judging: "Judging",
        clock: Callable[[], datetime],
        client: RepositoryClient,
        progress: Progress,
    ) -> None:
        """`budget` bounds what is being fetched, `flushed` what is on its way into the store; by all syncs together."""
        self._blobs = blobs
        self._problems = problems
        self._budget = budget
        self._flushed = flushed
        self._judging = judging
        self._clock = clock
        self._client = client
        self._progress = progress
        self._looked: dict[tuple[str, str], CopiedFile] = {}
        self._batch = _Batch()
        self._looking = asyncio.Lock()
        self._flushing: deque[asyncio.Task[None]] = deque()

    def looked_at(self, file: WantedFile) -> CopiedFile | None:
        """What this file turned out to be; None as long as it was not looked at with this very content."""
        return self._looked.get((file.path, file.sha))

    def left(self, wanted: Iterable[WantedFile]) -> list[WantedFile]:
        """Those which were not looked at yet."""
        return [file for file in wanted if (file.path, file.sha) not in self._looked]

    async def known(self, wanted: Iterable[WantedFile]) -> set[str]:
        """The blob ids of those contents which this repository gave before; they need not be fetched again."""
        return await self._blobs.known(
            {file.sha for file in wanted}, self._client.repository.key, self._clock()
        )

    async def copy_known(self, wanted: Iterable[WantedFile]) -> None:
        """Look at those files whose content this repository gave before."""
        by_sha = _by_sha(wanted)
        ids = sorted(await self._blobs.known(by_sha, self._client.repository.key, self._clock()))
        for start in range(0, len(ids), _READ_AT_ONCE):
            contents = await self._blobs.get_many(ids[start : start + _READ_AT_ONCE])
            self._looked |= await self._with_stored_problems(
                await self._judging.judge(contents, by_sha)
            )

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
                    await self.add(
                        (file, data) for sha, data in contents.items() for file in by_sha[sha]
                    )
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
        # One is looked at while the one before is written: the first takes our time, the second the
        # database's.
        async with self._looking:
            # Here too: thousands of problems are in memory until they are stored.
            looked = await self._with_stored_problems(
                await self._judging.judge(batch.contents, batch.by_sha)
            )
        good = [
            data
            for sha, data in batch.contents.items()
            if looked[batch.by_sha[sha][0].path, sha].skip_reason is None
        ]
        await self._blobs.put(good, self._client.repository.key, self._clock())
        self._looked |= looked

    async def _with_stored_problems(
        self, judged: Mapping[tuple[str, str], LookedAt]
    ) -> dict[tuple[str, str], CopiedFile]:
        """The same with references to the problems, which are stored when this returns."""
        verdicts = {
            id(one.verdict): one.verdict for one in judged.values() if one.verdict is not None
        }
        stored = await self._problems.put(list(verdicts.values()), self._clock())
        by_identity = dict(zip(verdicts, stored, strict=True))
        return {
            key: CopiedFile(
                one.file,
                None if one.verdict is None else by_identity[id(one.verdict)],
                one.skip_reason,
            )
            for key, one in judged.items()
        }


class Judging:
    """Judges the contents of one sync in worker processes; a text which is too complex costs only itself."""

    def __init__(self, workers: WorkerPool, places: SyncPlaces) -> None:
        self._workers = workers
        self._places = places
        self._too_complex = 0

    async def judge(
        self, contents: Mapping[str, bytes], by_sha: Mapping[str, list[WantedFile]]
    ) -> dict[tuple[str, str], LookedAt]:
        """Return what each file is, by its path and blob id."""
        by_sha = {sha: by_sha[sha] for sha in contents}
        if self._too_complex >= _TOO_COMPLEX_AT_MOST:
            return _unjudged(contents, by_sha)
        try:
            return await self._workers.run(judge_files, contents, by_sha)
        except TooComplexError:
            # This may take long, and other syncs need the right to read meanwhile.
            async with self._places.lent():
                return await self._one_by_one(contents, by_sha)

    async def _one_by_one(
        self, contents: Mapping[str, bytes], by_sha: Mapping[str, list[WantedFile]]
    ) -> dict[tuple[str, str], LookedAt]:
        looked: dict[tuple[str, str], LookedAt] = {}
        for sha, data in contents.items():
            one = {sha: data}, {sha: by_sha[sha]}
            try:
                if self._too_complex < _TOO_COMPLEX_AT_MOST:
                    looked |= await self._workers.run(judge_files, *one)
                else:
                    looked |= _unjudged(*one)
            except TooComplexError:
                self._too_complex += 1
                looked |= _unjudged(*one)
        return looked


def _unjudged(
    contents: Mapping[str, bytes], by_sha: Mapping[str, list[WantedFile]]
) -> dict[tuple[str, str], LookedAt]:
    return judge_files(contents, by_sha, judged=False)


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
