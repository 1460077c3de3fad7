"""Every service, built once."""

from dataclasses import dataclass

from cryptography.fernet import Fernet, MultiFernet

from benchmark_manager.factory import operations
from benchmark_manager.factory.access import AccessParts, access_parts
from benchmark_manager.factory.parts import Parts
from benchmark_manager.factory.projects import (
    file_history_service,
    preview_service,
    project_service,
)
from benchmark_manager.factory.results import result_parts
from benchmark_manager.factory.sweeps import SweepParts, sweep_parts
from benchmark_manager.factory.sync import sync_parts
from benchmark_manager.factory.variants import variant_parts
from benchmark_manager.github.reading.listing import FolderLister
from benchmark_manager.github.sending.requests import Connection
from benchmark_manager.services.access.identities import IdentityService
from benchmark_manager.services.access.recording import RefusalRecorder
from benchmark_manager.services.events.events import EventService
from benchmark_manager.services.operations.housekeeping import Housekeeping
from benchmark_manager.services.operations.limit_sharing import LimitSharing
from benchmark_manager.services.operations.metrics import Metrics
from benchmark_manager.services.operations.replicas import Replicas
from benchmark_manager.services.operations.status import StatusService
from benchmark_manager.services.operations.stopping import StopDeadline
from benchmark_manager.services.originals.file_history import FileHistoryService
from benchmark_manager.services.originals.originals import OriginalFileService
from benchmark_manager.services.projects.credentials import CredentialService
from benchmark_manager.services.projects.previews import PreviewService
from benchmark_manager.services.projects.projects import ProjectService
from benchmark_manager.services.projects.tokens import TokenVault
from benchmark_manager.services.releases.delivery import ReleaseDelivery
from benchmark_manager.services.releases.releases import ReleaseService, ReleaseStores
from benchmark_manager.services.results.of_variants import VariantResultReader
from benchmark_manager.services.results.receipts import ReceiptService
from benchmark_manager.services.results.results import ResultService
from benchmark_manager.services.results.table import ResultTableService
from benchmark_manager.services.search.content_search import ContentSearch
from benchmark_manager.services.sync.applying.large_syncs import LargeSyncs
from benchmark_manager.services.sync.coordinator import SyncCoordinator
from benchmark_manager.services.sync.polling import Polling
from benchmark_manager.services.texts.texts import TextService
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.services.variants.comparing import ComparisonService
from benchmark_manager.services.variants.merging import MergeService
from benchmark_manager.services.variants.reattaching import ReattachService
from benchmark_manager.services.variants.rebase_all import RebaseAllService
from benchmark_manager.services.variants.revisions import RevisionService
from benchmark_manager.services.variants.trash import TrashService
from benchmark_manager.services.variants.variants import VariantService
from benchmark_manager.services.webhooks.webhooks import WebhookService
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.watch import DatabaseWatch
from benchmark_manager.stores.projects.projects import ProjectStore


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that handlers, the scheduler and the command line call."""

    projects: ProjectService
    previews: PreviewService
    originals: OriginalFileService
    variants: VariantService
    revisions: RevisionService
    trash: TrashService
    merging: MergeService
    rebase_all: RebaseAllService
    reattaching: ReattachService
    comparing: ComparisonService
    texts: TextService
    search: ContentSearch
    releases: ReleaseService
    release_delivery: ReleaseDelivery
    results: ResultService
    result_tables: ResultTableService
    variant_results: VariantResultReader
    receipts: ReceiptService
    sweeps: SweepParts
    validation: ValidationService
    file_history: FileHistoryService
    database: Database
    sync: SyncCoordinator
    large_syncs: LargeSyncs
    polling: Polling
    replicas: Replicas | None
    webhooks: WebhookService
    housekeeping: Housekeeping
    limits: LimitSharing
    metrics: Metrics
    status: StatusService
    events: EventService
    database_watch: DatabaseWatch
    deadline: StopDeadline
    project_store: ProjectStore
    vault: TokenVault
    credentials: CredentialService
    connection: Connection
    lister: FolderLister
    access: AccessParts
    identities: IdentityService
    record_refusal: RefusalRecorder


def build_services(parts: Parts) -> Services:
    """Build every service, each once."""
    sync = sync_parts(parts)
    variants = variant_parts(parts, sync.large_resets)
    results = result_parts(parts)
    access = access_parts(parts)
    return Services(
        projects=project_service(parts),
        previews=preview_service(parts),
        originals=_original_service(parts),
        file_history=file_history_service(parts),
        variants=variants.variants,
        revisions=variants.revisions,
        trash=variants.trash,
        merging=variants.merging,
        rebase_all=variants.rebase_all,
        reattaching=variants.reattaching,
        comparing=variants.comparing,
        texts=TextService(parts.workers),
        search=_content_search(parts),
        releases=_release_service(parts),
        release_delivery=_release_delivery(parts),
        results=results.results,
        result_tables=results.tables,
        variant_results=results.of_variants,
        receipts=results.receipts,
        sweeps=sweep_parts(parts),
        validation=parts.validation,
        database=parts.database,
        sync=sync.coordinator,
        large_syncs=sync.large_syncs,
        polling=sync.polling,
        replicas=sync.replicas,
        webhooks=sync.webhooks,
        housekeeping=operations.housekeeping(parts, variants.trash, results.upkeep),
        limits=parts.limits,
        metrics=parts.metrics,
        status=operations.status_service(parts),
        events=_event_service(parts),
        database_watch=parts.database_watch,
        deadline=parts.deadline,
        project_store=parts.stores.projects,
        vault=parts.vault,
        credentials=parts.credentials,
        connection=parts.connection,
        lister=sync.lister,
        access=access,
        identities=access.identities,
        record_refusal=parts.audit.record_refusal,
    )


def _original_service(parts: Parts) -> OriginalFileService:
    stores = parts.stores
    return OriginalFileService(stores.projects, stores.originals, stores.blobs)


def _content_search(parts: Parts) -> ContentSearch:
    stores = parts.stores
    return ContentSearch(
        stores.originals, stores.variants, stores.blobs, stores.syncs, parts.workers
    )


def _release_delivery(parts: Parts) -> ReleaseDelivery:
    return ReleaseDelivery(
        parts.stores.releases,
        parts.stores.blobs,
        parts.workers,
        compared_bytes=parts.externals.limits.compared_bytes,
    )


def _event_service(parts: Parts) -> EventService:
    cipher = MultiFernet([Fernet(key) for key in parts.keys])
    return EventService(parts.stores.changes, parts.externals.limits.events, cipher)


def _release_service(parts: Parts) -> ReleaseService:
    stores = parts.stores
    return ReleaseService(
        ReleaseStores(
            database=parts.database,
            projects=stores.projects,
            originals=stores.originals,
            variants=stores.variants,
            blobs=stores.blobs,
            releases=stores.releases,
        ),
        clock=parts.clock,
        record=parts.audit,
    )
