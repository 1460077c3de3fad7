"""Copies contents from GitHub into the blob store, and validates each of them once on the way."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from benchmark_manager.domain.sync.tree_changes import UpstreamFile
from benchmark_manager.errors import TooComplexError
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.contents import MemoryBudget, fetch_blobs
from benchmark_manager.models.original import SkipReason
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.services.sync.progress import Progress
from benchmark_manager.services.sync.slots import SyncSlots
from benchmark_manager.services.texts.text_work import JudgedFile, WantedFile, judge_files
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.contents.problems import ProblemStore
from benchmark_manager.workers.pool import WorkerPool

#: Contents held at once before they are written, bytes and number.
_BATCH_BYTES: Final = 1_000_000
_BATCH_FILES: Final = 600
#: Batches that are being stored at once, beside the one that is being filled.
_FLUSHES: Final = 2
_READ_AT_ONCE: Final = 50
#: Files of one sync that may prove too complex before the rest is copied without a verdict.
_TOO_COMPLEX_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A copied file: an original with its verdict, or a skipped file; its problems are stored."""

    file: UpstreamFile | None
    verdict: StoredVerdict | None
    skip_reason: SkipReason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentStores:
    """Where contents and the problems found in them are stored."""

    blobs: BlobStore
    problems: ProblemStore
    clock: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyBudgets:
    """The memory that all syncs of a process together may use for contents."""

    #: For what is being fetched.
    fetched: MemoryBudget = field(default_factory=MemoryBudget)
    #: For what is being stored. Fetching waits for this, so one budget for both could deadlock.
    stored: MemoryBudget = field(default_factory=MemoryBudget)


class Copier:
    """Starts the copying of contents for syncs."""

    def __init__(
        self,
        stores: ContentStores,
        *,
        workers: WorkerPool,
        slots: SyncSlots,
        budgets: CopyBudgets | None = None,
    ) -> None:
        self._stores = stores
        self._workers = workers
        self._slots = slots
        self._budgets = budgets or CopyBudgets()

    def of_sync(self, client: RepositoryClient, progress: Progress) -> "Copying":
        validation = BatchValidation(self._workers, self._slots)
        return Copying(
            self._stores,
            self._budgets,
            validation=validation,
            client=client,
            progress=progress,
        )


class Copying:
    """Copies the contents of one sync batch by batch, so that its memory stays bounded.

    When GitHub fails in between, what has arrived stays stored, and the next sync continues from
    there.
    """

    def __init__(
        self,
        stores: ContentStores,
        budgets: CopyBudgets,
        *,
        validation: "BatchValidation",
        client: RepositoryClient,
        progress: Progress,
    ) -> None:
        self._stores = stores
        self._budgets = budgets
        self._validation = validation
        self._client = client
        self._progress = progress
        self._copied: dict[tuple[str, str], CopiedFile] = {}
        self._batch = _ContentBatch()
        self._validating = asyncio.Lock()
        self._flushing: deque[asyncio.Task[None]] = deque()

    def copied(self, file: WantedFile) -> CopiedFile | None:
        """Return what the file proved to be; None until its current content was copied."""
        return self._copied.get((file.path, file.sha))

    def not_copied(self, wanted: Iterable[WantedFile]) -> list[WantedFile]:
        """Return the files that are not copied yet."""
        return [file for file in wanted if (file.path, file.sha) not in self._copied]

    async def known(self, wanted: Iterable[WantedFile]) -> set[str]:
        """Return the blob ids of contents that need not be fetched again.

        They came from this repository before.
        """
        return await self._known({file.sha for file in wanted})

    async def _known(self, shas: Collection[str]) -> set[str]:
        stores = self._stores
        return await stores.blobs.known(shas, self._client.repository.key, stores.clock())

    async def copy_known(self, wanted: Iterable[WantedFile]) -> None:
        """Validate the files whose content came from this repository before."""
        by_sha = _by_sha(wanted)
        ids = sorted(await self._known(by_sha))
        for start in range(0, len(ids), _READ_AT_ONCE):
            contents = await self._stores.blobs.get_many(ids[start : start + _READ_AT_ONCE])
            self._copied |= await self._with_stored_problems(
                await self._validation.validate(contents, by_sha)
            )

    async def add(self, files: Iterable[tuple[WantedFile, bytes]]) -> None:
        """Copy contents that have the ids of their files.

        More can be added while they are being stored. Call `finish` in the end.
        """
        for file, data in files:
            if self._batch.add(file, data):
                self._progress.arrived(1, len(data))
            if self._batch.is_full:
                await self._flush_behind()

    async def finish(self) -> None:
        """Wait until everything that was added is stored."""
        await self._flush_behind()
        flushing, self._flushing = self._flushing, deque()
        await asyncio.gather(*flushing)

    async def fetch(self, wanted: Iterable[WantedFile]) -> None:
        """Request the contents of files from GitHub and copy them.

        Raises:
            GitHubError
        """
        by_sha = _by_sha(wanted)
        sizes = [(sha, files[0].size) for sha, files in by_sha.items()]
        try:
            async with aclosing(
                fetch_blobs(self._client, sizes, self._budgets.fetched)
            ) as arriving:
                async for contents in arriving:
                    await self.add(
                        (file, data) for sha, data in contents.items() for file in by_sha[sha]
                    )
        finally:
            await self.finish()

    async def _flush_behind(self) -> None:
        if len(self._flushing) == _FLUSHES:
            await self._flushing.popleft()
        batch, self._batch = self._batch, _ContentBatch()
        if batch.contents:
            budget = self._budgets.stored
            held = await budget.take(batch.size)
            flush = asyncio.create_task(self._flush(batch))
            # Also where the task is cancelled before it starts.
            flush.add_done_callback(lambda _: budget.give_back(held))
            self._flushing.append(flush)

    async def _flush(self, batch: "_ContentBatch") -> None:
        # One batch is validated while the one before is written: the first takes the time of a
        # worker, the second that of the database.
        async with self._validating:
            # In here too: thousands of problems are in memory until they are stored.
            copied = await self._with_stored_problems(
                await self._validation.validate(batch.contents, batch.by_sha)
            )
        good = [
            data
            for sha, data in batch.contents.items()
            if copied[batch.by_sha[sha][0].path, sha].skip_reason is None
        ]
        await self._stores.blobs.put(good, self._client.repository.key, self._stores.clock())
        self._copied |= copied

    async def _with_stored_problems(
        self, validated: Mapping[tuple[str, str], JudgedFile]
    ) -> dict[tuple[str, str], CopiedFile]:
        """Store the problems, and return the files with references to them."""
        verdicts = {
            id(one.verdict): one.verdict for one in validated.values() if one.verdict is not None
        }
        stores = self._stores
        stored = await stores.problems.put(list(verdicts.values()), stores.clock())
        by_identity = dict(zip(verdicts, stored, strict=True))
        return {
            key: CopiedFile(
                one.file,
                None if one.verdict is None else by_identity[id(one.verdict)],
                one.skip_reason,
            )
            for key, one in validated.items()
        }


class BatchValidation:
    """Validates the contents of one sync in worker processes.

    A text that is too complex is accepted without a verdict, and the others are not affected.
    """

    def __init__(self, workers: WorkerPool, slots: SyncSlots) -> None:
        self._workers = workers
        self._slots = slots
        self._too_complex = 0

    async def validate(
        self, contents: Mapping[str, bytes], by_sha: Mapping[str, list[WantedFile]]
    ) -> dict[tuple[str, str], JudgedFile]:
        """Return what each file is, by its path and blob id."""
        by_sha = {sha: by_sha[sha] for sha in contents}
        if self._too_complex >= _TOO_COMPLEX_AT_MOST:
            return _not_validated(contents, by_sha)
        try:
            return await self._workers.run(judge_files, contents, by_sha)
        except TooComplexError:
            # This may take long, and other syncs can use the slot meanwhile.
            async with self._slots.lent():
                return await self._one_by_one(contents, by_sha)

    async def _one_by_one(
        self, contents: Mapping[str, bytes], by_sha: Mapping[str, list[WantedFile]]
    ) -> dict[tuple[str, str], JudgedFile]:
        found: dict[tuple[str, str], JudgedFile] = {}
        for sha, data in contents.items():
            one = {sha: data}, {sha: by_sha[sha]}
            try:
                if self._too_complex < _TOO_COMPLEX_AT_MOST:
                    found |= await self._workers.run(judge_files, *one)
                else:
                    found |= _not_validated(*one)
            except TooComplexError:
                self._too_complex += 1
                found |= _not_validated(*one)
        return found


def _not_validated(
    contents: Mapping[str, bytes], by_sha: Mapping[str, list[WantedFile]]
) -> dict[tuple[str, str], JudgedFile]:
    return judge_files(contents, by_sha, judged=False)


class _ContentBatch:
    """Contents that are held until they are written."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}
        self.by_sha: dict[str, list[WantedFile]] = defaultdict(list)
        self.size = 0

    def add(self, file: WantedFile, data: bytes) -> bool:
        """Return whether the content was not there yet."""
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
