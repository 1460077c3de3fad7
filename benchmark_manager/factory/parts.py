"""What the services of all features are built from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from benchmark_manager.config import Settings
from benchmark_manager.factory.externals import Externals
from benchmark_manager.factory.secrets import github_app, secret_keys, token_vault
from benchmark_manager.factory.stores import Stores
from benchmark_manager.github.sending.requests import Connection
from benchmark_manager.services.access.audit import AuditLog
from benchmark_manager.services.operations.limit_sharing import LimitSharing
from benchmark_manager.services.operations.metrics import Metrics
from benchmark_manager.services.operations.stopping import StopDeadline
from benchmark_manager.services.projects.credentials import CredentialService
from benchmark_manager.services.projects.tokens import TokenVault
from benchmark_manager.services.texts.schema_source import SchemaSource
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.services.variants.drift import DriftJudge
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.watch import DatabaseWatch
from benchmark_manager.workers.pool import WorkerPool


@dataclass(frozen=True, slots=True)
class Parts:
    """The settings, and what is open already."""

    settings: Settings
    database: Database
    database_watch: DatabaseWatch
    stores: Stores
    connection: Connection
    limits: LimitSharing
    metrics: Metrics
    workers: WorkerPool
    externals: Externals
    validation: ValidationService
    vault: TokenVault
    credentials: CredentialService
    drift: DriftJudge
    clock: Callable[[], datetime]
    deadline: StopDeadline
    #: Fernet keys: the first encrypts, all decrypt.
    keys: list[str] = field(repr=False)

    @property
    def audit(self) -> AuditLog:
        """What writes and reads the record of changes; it keeps nothing in memory."""
        days = self.settings.audit_retention_days
        return AuditLog(
            self.stores.audit,
            kept=timedelta(days=days) if days else None,
            clock=self.clock,
        )

    @classmethod
    def of(
        cls,
        settings: Settings,
        database: Database,
        connection: Connection,
        limits: LimitSharing,
        metrics: Metrics,
        workers: WorkerPool,
        externals: Externals,
        deadline: StopDeadline,
    ) -> Self:
        """Add the stores, and the services that those of several features use.

        Raises:
            StartError: a key cannot be read.
        """
        stores = Stores.over(database, release_files=externals.limits.release_files)
        keys, clock = secret_keys(settings), externals.clock
        vault = token_vault(settings, keys)
        return cls(
            settings=settings,
            database=database,
            database_watch=DatabaseWatch(database),
            stores=stores,
            connection=connection,
            limits=limits,
            metrics=metrics,
            workers=workers,
            externals=externals,
            validation=ValidationService(
                workers,
                SchemaSource(),
                stores.projects,
                stores.originals,
                stores.blobs,
                max_file_size=settings.max_file_size,
            ),
            vault=vault,
            credentials=CredentialService(
                connection, vault, github_app(settings, connection, clock), settings.github_api_urls
            ),
            drift=DriftJudge(stores.blobs, workers),
            clock=clock,
            deadline=deadline,
            keys=keys,
        )
