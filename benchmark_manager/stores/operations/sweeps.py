"""Deletes contents and lists of problems that nothing refers to any more."""

from collections.abc import Sequence
from datetime import datetime

from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.contents.problems import ProblemStore
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.releases.blobs import ReleaseBlobStore
from benchmark_manager.stores.sweeps.cells import SweepCellStore
from benchmark_manager.stores.sweeps.sweeps import SweepStore
from benchmark_manager.stores.variants.revisions import RevisionStore
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore


class ContentSweeps:
    """Ask every store that refers to contents, or to lists of problems, which ones it uses."""

    def __init__(self, database: Database) -> None:
        self._blobs = BlobStore(database)
        self._problems = ProblemStore(database)
        self._originals = OriginalFileStore(database)
        self._variants = VariantStore(database)
        self._revisions = RevisionStore(database)
        self._trash = TrashStore(database)
        self._releases = ReleaseBlobStore(database)
        self._sweeps = SweepStore(database)
        self._cells = SweepCellStore(database)

    async def sweep_blobs(self, now: datetime) -> int:
        """Delete contents that nothing has referred to for a day; return how many."""
        return await self._blobs.sweep(self._content_ids, now)

    async def sweep_problems(self, now: datetime) -> int:
        """Delete lists of problems that nothing has referred to for a day; return how many."""
        return await self._problems.sweep(self._problems_ids, now)

    async def _content_ids(self, among: Sequence[str] | None) -> set[str]:
        # A document that moves between two collections meanwhile may be missed once. What is missed
        # once is only marked.
        found: set[str] = set()
        stores = (self._originals, self._releases, self._variants, self._revisions, self._trash)
        for store in (*stores, self._sweeps):
            found |= await store.content_ids(among)
        return found

    async def _problems_ids(self, among: Sequence[str] | None) -> set[str]:
        found: set[str] = set()
        for store in (self._originals, self._variants, self._trash, self._cells):
            found |= await store.problems_ids(among)
        return found
