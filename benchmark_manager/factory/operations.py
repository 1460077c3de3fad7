"""Builds the services that keep the service running."""

from datetime import timedelta

from benchmark_manager.factory.parts import Parts
from benchmark_manager.services.operations.housekeeping import (
    EndedCredentials,
    Housekeeping,
    Retention,
    SweptStores,
)
from benchmark_manager.services.operations.status import StatusService
from benchmark_manager.services.results.upkeep import ResultUpkeep
from benchmark_manager.services.sweeps.removal import SweepRemoval
from benchmark_manager.services.variants.trash import TrashService
from benchmark_manager.stores.operations.sweeps import ContentSweeps


def housekeeping(parts: Parts, trash: TrashService, results: ResultUpkeep) -> Housekeeping:
    """Build what removes old records and unused contents."""
    stores, settings = parts.stores, parts.settings
    return Housekeeping(
        SweptStores(
            projects=stores.projects,
            of_projects=(
                stores.staged_changes,
                stores.originals,
                stores.skipped_files,
                stores.variants,
                stores.revisions,
                stores.trash,
                stores.syncs,
                stores.file_histories,
                stores.sync_progress,
                stores.grants,
                stores.sweeps,
                stores.results,
                stores.receipts,
            ),
            syncs=stores.syncs,
            releases=stores.releases,
            deleted_sweeps=SweepRemoval(parts.database, stores.sweeps, stores.releases),
            results=results,
            histories=stores.file_histories,
            deliveries=stores.deliveries,
            contents=ContentSweeps(parts.database),
            credentials=EndedCredentials(
                sessions=stores.sessions,
                tokens=stores.api_tokens,
                attempts=stores.sign_in_attempts,
                setup_links=stores.setup_links,
                used_codes=stores.used_codes,
                idle=timedelta(seconds=settings.session_idle_seconds),
            ),
        ),
        trash,
        parts.audit,
        syncs=Retention(
            timedelta(days=settings.sync_retention_days), settings.sync_retention_count
        ),
        clock=parts.clock,
    )


def status_service(parts: Parts) -> StatusService:
    """Build the service behind /status."""
    return StatusService(
        parts.database,
        parts.database_watch,
        parts.connection.governors,
        projects=parts.stores.projects,
        originals=parts.stores.originals,
        variants=parts.stores.variants,
        clock=parts.clock,
    )
