"""The stores that the services of results use."""

from dataclasses import dataclass

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.results.chunks import ResultChunkStore
from benchmark_manager.stores.results.receipts import ReceiptStore
from benchmark_manager.stores.results.results import ResultStore
from benchmark_manager.stores.sweeps.cells import SweepCellStore
from benchmark_manager.stores.sweeps.sweeps import SweepStore


@dataclass(frozen=True, slots=True)
class ResultStores:
    """The database, the stores of results, and those of what was measured."""

    database: Database
    projects: ProjectStore
    releases: ReleaseStore
    sweeps: SweepStore
    cells: SweepCellStore
    results: ResultStore
    chunks: ResultChunkStore
    receipts: ReceiptStore
