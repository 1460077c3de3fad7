"""Every store, built once."""

from dataclasses import dataclass
from typing import Self

from benchmark_manager.stores.access.accounts import AccountStore
from benchmark_manager.stores.access.api_tokens import ApiTokenStore
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.access.federation_rules import FederationRuleStore
from benchmark_manager.stores.access.grants import GrantStore
from benchmark_manager.stores.access.sessions import SessionStore
from benchmark_manager.stores.access.setup_links import SetupLinkStore
from benchmark_manager.stores.access.sign_in_attempts import SignInAttemptStore
from benchmark_manager.stores.access.used_codes import UsedCodeStore
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.contents.problems import ProblemStore
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.events.changes import ChangeStore
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.originals.skipped import SkippedFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import FILES_AT_ONCE, ReleaseStore
from benchmark_manager.stores.results.chunks import ResultChunkStore
from benchmark_manager.stores.results.receipts import ReceiptStore
from benchmark_manager.stores.results.results import ResultStore
from benchmark_manager.stores.sweeps.cells import SweepCellStore
from benchmark_manager.stores.sweeps.sweeps import SweepStore
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
    skipped_files: SkippedFileStore
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
    sweeps: SweepStore
    sweep_cells: SweepCellStore
    releases: ReleaseStore
    results: ResultStore
    result_chunks: ResultChunkStore
    receipts: ReceiptStore
    deliveries: WebhookDeliveryStore
    changes: ChangeStore
    accounts: AccountStore
    grants: GrantStore
    sessions: SessionStore
    api_tokens: ApiTokenStore
    federation_rules: FederationRuleStore
    audit: AuditStore
    sign_in_attempts: SignInAttemptStore
    setup_links: SetupLinkStore
    used_codes: UsedCodeStore

    @classmethod
    def over(cls, database: Database, *, release_files: int = FILES_AT_ONCE) -> Self:
        """Build every store over this database."""
        return cls(
            projects=ProjectStore(database),
            originals=OriginalFileStore(database),
            skipped_files=SkippedFileStore(database),
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
            sweeps=SweepStore(database),
            sweep_cells=SweepCellStore(database),
            releases=ReleaseStore(
                database, files_at_once=release_files, is_cited=ResultStore(database).cited
            ),
            results=ResultStore(database),
            result_chunks=ResultChunkStore(database),
            receipts=ReceiptStore(database),
            deliveries=WebhookDeliveryStore(database),
            changes=ChangeStore(database),
            accounts=AccountStore(database),
            grants=GrantStore(database),
            sessions=SessionStore(database),
            api_tokens=ApiTokenStore(database),
            federation_rules=FederationRuleStore(database),
            audit=AuditStore(database),
            sign_in_attempts=SignInAttemptStore(database),
            setup_links=SetupLinkStore(database),
            used_codes=UsedCodeStore(database),
        )
