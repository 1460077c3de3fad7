"""Builds the services that keep the service running."""

from datetime import timedelta

from benchmark_manager.factory.parts import Parts
from benchmark_manager.services.operations.housekeeping import Housekeeping
from benchmark_manager.services.operations.status import StatusService
from benchmark_manager.services.variants.trash import TrashService
from benchmark_manager.stores.database.watch import DatabaseWatch


def housekeeping(parts: Parts, trash: TrashService) -> Housekeeping:
    """Build what removes old records and unused contents."""
    stores, settings = parts.stores, parts.settings
    return Housekeeping(
        stores.projects,
        stores.syncs,
        stores.blobs,
        stores.problems,
        stores.releases,
        stores.file_histories,
        stores.deliveries,
        trash,
        sync_retention=timedelta(days=settings.sync_retention_days),
        sync_retention_count=settings.sync_retention_count,
        clock=parts.clock,
    )


def status_service(parts: Parts, watch: DatabaseWatch) -> StatusService:
    """Build the service behind /status."""
    return StatusService(
        parts.database,
        watch,
        parts.stores.projects,
        parts.connection.governors,
        clock=parts.clock,
    )
