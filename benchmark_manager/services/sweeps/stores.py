"""The stores that the services of sweeps use."""

from dataclasses import dataclass

from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.contents.problems import ProblemStore
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.results.results import ResultStore
from benchmark_manager.stores.sweeps.cells import SweepCellStore
from benchmark_manager.stores.sweeps.sweeps import SweepStore
from benchmark_manager.stores.variants.variants import VariantStore


@dataclass(frozen=True, slots=True)
class SweepStores:
    """The database, the stores of sweeps, and those of what sweeps are made from."""

    database: Database
    projects: ProjectStore
    originals: OriginalFileStore
    variants: VariantStore
    blobs: BlobStore
    problems: ProblemStore
    releases: ReleaseStore
    sweeps: SweepStore
    cells: SweepCellStore
    results: ResultStore
