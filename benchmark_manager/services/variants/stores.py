"""The stores that the services of variants share."""

from dataclasses import dataclass

from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.variants.revisions import RevisionStore
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore


@dataclass(frozen=True, slots=True)
class VariantStores:
    """The database, and the stores of variants and of what they refer to."""

    database: Database
    projects: ProjectStore
    originals: OriginalFileStore
    variants: VariantStore
    revisions: RevisionStore
    trash: TrashStore
    blobs: BlobStore
