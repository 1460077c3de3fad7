"""Every store, built once."""

from dataclasses import dataclass
from typing import Self

from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.contents.problems import ProblemStore
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.events.changes import ChangeStore
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.stores.sync.progress import SyncProgressStore
from benchmark_manager.stores.sync.staged_changes import StagedChangeStore
from benchmark_manager.stores.sync.syncs import SyncStore
from benchmark_manager.stores.variants.revisions import RevisionStore
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore
from benchmark_manager.stores.webhooks.deliveries import WebhookDeliveryStore


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of one database."""

    projects: ProjectStore
    originals: OriginalFileStore
    file_histories: FileHistoryStore
    variants: VariantStore
    revisions: RevisionStore
    trash: TrashStore
    blobs: BlobStore
    problems: ProblemStore
    syncs: SyncStore
    leases: LeaseStore
    staged_changes: StagedChangeStore
    sync_progress: SyncProgressStore
    releases: ReleaseStore
    deliveries: WebhookDeliveryStore
    changes: ChangeStore

    @classmethod
    def over(cls, database: Database) -> Self:
        """Build every store over this database."""
        return cls(
            projects=ProjectStore(database),
            originals=OriginalFileStore(database),
            file_histories=FileHistoryStore(database),
            variants=VariantStore(database),
            revisions=RevisionStore(database),
            trash=TrashStore(database),
            blobs=BlobStore(database),
            problems=ProblemStore(database),
            syncs=SyncStore(database),
            leases=LeaseStore(database),
            staged_changes=StagedChangeStore(database),
            sync_progress=SyncProgressStore(database),
            releases=ReleaseStore(database),
            deliveries=WebhookDeliveryStore(database),
            changes=ChangeStore(database),
        )
