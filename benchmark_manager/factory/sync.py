"""Builds the services of syncs, polling and webhooks."""

import os
import random
import secrets
import socket
from dataclasses import dataclass

from benchmark_manager.factory.parts import Parts
from benchmark_manager.github.reading.listing import FolderLister
from benchmark_manager.github.reading.ref_checks import RefChecker
from benchmark_manager.services.operations.replicas import Replicas
from benchmark_manager.services.sync.applying.applier import SyncApplier, SyncStores
from benchmark_manager.services.sync.applying.large_syncs import LargeSyncs
from benchmark_manager.services.sync.applying.renames import RenameFinder
from benchmark_manager.services.sync.applying.variant_updates import VariantUpdates
from benchmark_manager.services.sync.coordinator import CoordinatorStores, SyncCoordinator
from benchmark_manager.services.sync.outcomes import OutcomeBuilder
from benchmark_manager.services.sync.polling import Polling
from benchmark_manager.services.sync.reading.copying import ContentStores, Copier, CopyBudgets
from benchmark_manager.services.sync.reading.reader import UpstreamReader
from benchmark_manager.services.sync.runner import SyncRunner
from benchmark_manager.services.sync.slots import SyncSlots
from benchmark_manager.services.sync.unchanged import UnchangedRecorder
from benchmark_manager.services.variants.large_resets import LargeResets
from benchmark_manager.services.webhooks.webhooks import WebhookService
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.operations.process_identity import own_identity
from benchmark_manager.stores.operations.replicas import ReplicaStore


@dataclass(frozen=True, slots=True)
class SyncParts:
    """The services of syncs, and what those of other features share with them."""

    coordinator: SyncCoordinator
    polling: Polling
    webhooks: WebhookService
    large_syncs: LargeSyncs
    large_resets: LargeResets
    lister: FolderLister
    replicas: Replicas | None


def sync_parts(parts: Parts) -> SyncParts:
    """Build everything that syncs projects."""
    stores, owner, slots = parts.stores, _replica_name(), SyncSlots()
    lister, steps = FolderLister(), parts.externals.limits.steps
    variants = VariantUpdates(stores.variants)
    resets = LargeResets(
        parts.database,
        stores.variants,
        stores.trash,
        stores.staged_changes,
        steps=steps,
        record=parts.audit,
    )
    large = LargeSyncs(
        parts.database,
        files=stores.originals,
        staged=stores.staged_changes,
        variants=variants,
        drift=parts.drift,
        finish_reset=resets.finish,
        steps=steps,
    )
    coordinator = _coordinator(parts, _runner(parts, slots, variants, large, lister), owner)
    polling = Polling(
        parts.database,
        stores.leases,
        coordinator,
        slots,
        batch_threshold=parts.settings.github_batch_threshold,
    )
    return SyncParts(
        coordinator=coordinator,
        polling=polling,
        webhooks=_webhooks(parts, polling),
        large_syncs=large,
        large_resets=resets,
        lister=lister,
        # An embedded database belongs to one process, and its start ends what a former one left.
        replicas=_replicas(parts.database, owner) if parts.database.kind == "mongodb" else None,
    )


def _coordinator(parts: Parts, runner: SyncRunner, owner: str) -> SyncCoordinator:
    stores = CoordinatorStores(
        database=parts.database,
        projects=parts.stores.projects,
        leases=parts.stores.leases,
        syncs=parts.stores.syncs,
        progress=parts.stores.sync_progress,
    )
    return SyncCoordinator(
        stores,
        runner,
        owner=owner,
        clock=parts.clock,
        record=parts.audit,
        metrics=parts.metrics,
        renew_every=parts.externals.limits.lease_renewal,
    )


def _runner(
    parts: Parts,
    slots: SyncSlots,
    variants: VariantUpdates,
    large: LargeSyncs,
    lister: FolderLister,
) -> SyncRunner:
    stores = SyncStores(
        database=parts.database,
        leases=parts.stores.leases,
        syncs=parts.stores.syncs,
        originals=parts.stores.originals,
        skipped_files=parts.stores.skipped_files,
    )
    outcomes = OutcomeBuilder(
        stores.skipped_files, parts.credentials, clock=parts.clock, random=random.random
    )
    applier = SyncApplier(
        stores,
        outcomes=outcomes,
        variants=variants,
        drift=parts.drift,
        large=large,
        renames=RenameFinder(parts.stores.blobs, parts.workers),
        record=parts.audit,
    )
    return SyncRunner(
        stores,
        credentials=parts.credentials,
        reader=_reader(parts, slots, lister),
        slots=slots,
        applier=applier,
        outcomes=outcomes,
        unchanged=UnchangedRecorder(parts.database, stores.leases, stores.syncs),
    )


def _reader(parts: Parts, slots: SyncSlots, lister: FolderLister) -> UpstreamReader:
    stores = parts.stores
    contents = ContentStores(blobs=stores.blobs, problems=stores.problems, clock=parts.clock)
    return UpstreamReader(
        files=stores.originals,
        skipped_files=stores.skipped_files,
        copier=Copier(
            contents,
            workers=parts.workers,
            slots=slots,
            budgets=CopyBudgets(stored=parts.externals.storing),
        ),
        checker=RefChecker(parts.connection),
        lister=lister,
        max_file_size=parts.settings.max_file_size,
        archives=parts.externals.limits.archives,
    )


def _webhooks(parts: Parts, polling: Polling) -> WebhookService:
    secret = parts.settings.webhook_secret
    return WebhookService(
        parts.database,
        parts.stores.projects,
        parts.stores.deliveries,
        secret=None if secret is None else secret.get_secret_value(),
        api_urls=parts.settings.github_api_urls,
        wake=parts.externals.wake or polling.wake,
        workers=parts.workers,
    )


def _replicas(database: Database, owner: str) -> Replicas:
    process = own_identity()
    return Replicas(ReplicaStore(database, owner, process), process)


def _replica_name() -> str:
    return f"{socket.gethostname()[:64]}-{os.getpid()}-{secrets.token_hex(4)}"
