"""The stores that tables of results are made from."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmark_manager.models.measured_result import MeasuredResult
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.sweeps.cells import SweepCellStore
from benchmark_manager.stores.sweeps.sweeps import SweepStore


class MeasuredResults(Protocol):
    """What tables need of the store of results."""

    async def measured(
        self, project_id: str, digests: Collection[str] | None, limit: int
    ) -> Sequence[MeasuredResult]:
        """Return the results of a project that are not in the trash, the oldest first.

        Args:
            project_id: The project.
            digests: The releases whose results are returned; None: all of the project.
            limit: Of so many or more results, `limit` are returned, without what was measured.
        """

    async def counts(self, project_id: str, digests: Sequence[str]) -> Mapping[str, int]:
        """Return how many results of a project these releases have; none is not listed."""


@dataclass(frozen=True, slots=True)
class TableStores:
    """The store of results, and those of what was measured."""

    projects: ProjectStore
    results: MeasuredResults
    releases: ReleaseStore
    sweeps: SweepStore
    cells: SweepCellStore
    blobs: BlobStore
