"""Finds files that were renamed and changed in one sync, by comparing contents in workers."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from benchmark_manager.domain.sync.renames import (
    Digest,
    Pair,
    RenameComparison,
    RenameSearch,
    best_matches,
    digest,
    similarities,
)
from benchmark_manager.domain.sync.tree_changes import (
    StoredFile,
    TreeChanges,
    UpstreamFile,
    with_renames,
)
from benchmark_manager.errors import TooComplexError
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.workers.pool import WorkerPool

#: Contents that are read and sent to a worker at once, bytes and number.
_BATCH_BYTES: Final = 1_000_000
_BATCH_FILES: Final = 200
_PAIRS_AT_ONCE: Final = 500


class RenameFinder:
    """Compares the contents of removed and added files, which are all in the blob store."""

    def __init__(self, blobs: BlobStore, workers: WorkerPool) -> None:
        self._blobs = blobs
        self._workers = workers

    async def with_similar(self, changes: TreeChanges) -> TreeChanges:
        """Return the changes, with files that were moved and changed counted as renames."""
        if not changes.removed or not changes.added:
            return changes
        search = await asyncio.to_thread(RenameSearch, changes.removed, changes.added)
        digests: dict[str, Digest] = {}
        await self._compare_same_names(search, digests)
        for comparison in await asyncio.to_thread(search.comparisons):
            await self._compare(search, comparison, digests)
        return with_renames(changes, search.pairs) if search.pairs else changes

    async def _compare_same_names(self, search: RenameSearch, digests: dict[str, Digest]) -> None:
        pairs = await asyncio.to_thread(search.of_one_name)
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            some = pairs[start : start + _PAIRS_AT_ONCE]
            await self._digest((file for pair in some for file in pair), digests)
            known = [pair for pair in some if _is_known(pair, digests)]
            scores = await self._workers.run(
                similarities, [(digests[old.sha], digests[new.sha]) for old, new in known]
            )
            search.take_scores(known, scores)

    async def _compare(
        self, search: RenameSearch, comparison: RenameComparison, digests: dict[str, Digest]
    ) -> None:
        await self._digest((*comparison.removed, *comparison.added), digests)
        comparison = RenameComparison(
            tuple(old for old in comparison.removed if old.sha in digests),
            tuple(new for new in comparison.added if new.sha in digests),
        )
        sources = [digests[old.sha] for old in comparison.removed]
        added: list[UpstreamFile] = []
        matches: list[list[tuple[int, int]]] = []
        for part in await asyncio.to_thread(comparison.slices, digests):
            targets = [digests[new.sha] for new in part]
            try:
                matches += await self._workers.run(
                    best_matches, sources, targets, comparison.same_name(part)
                )
            except TooComplexError:
                # The other parts have the same removed files.
                break
            added += part
        search.take_matches(comparison, added, matches)

    async def _digest(
        self, files: Iterable[StoredFile | UpstreamFile], digests: dict[str, Digest]
    ) -> None:
        """Add the digests of contents that have none yet."""
        sizes = {file.sha: file.size for file in files if file.sha not in digests}
        for ids in _batches(sizes):
            contents = await self._blobs.get_many(ids)
            try:
                digests |= await self._workers.run(_digests, contents)
            except TooComplexError:
                continue


def _digests(contents: dict[str, bytes]) -> dict[str, Digest]:
    return {sha: digest(data) for sha, data in contents.items()}


def _is_known(pair: Pair, digests: dict[str, Digest]) -> bool:
    return pair[0].sha in digests and pair[1].sha in digests


def _batches(sizes: dict[str, int]) -> Iterator[list[str]]:
    batch: list[str] = []
    total = 0
    for sha, size in sizes.items():
        if batch and (total + size > _BATCH_BYTES or len(batch) == _BATCH_FILES):
            yield batch
            batch, total = [], 0
        batch.append(sha)
        total += size
    if batch:
        yield batch
