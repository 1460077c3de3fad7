"""Builds the services of syncs, polling and webhooks."""

import os
import random
import secrets
import socket
from dataclasses import dataclass

from benchmark_manager.factory.parts import Parts
from benchmark_manager.github.reading.contents import MemoryBudget
from benchmark_manager.github.reading.heads import HeadChecker
from benchmark_manager.github.reading.listing import FolderLister
from benchmark_manager.services.operations.replicas import Replicas
from benchmark_manager.services.sync.coordinator import OriginalSync
from benchmark_manager.services.sync.copying import Copier
from benchmark_manager.services.sync.following import Following
from benchmark_manager.services.sync.large_syncs import LargeSyncs
from benchmark_manager.services.sync.polling import Polling
from benchmark_manager.services.sync.reader import UpstreamReader
from benchmark_manager.services.sync.renames import RenameFinder
from benchmark_manager.services.sync.runner import SyncWork
from benchmark_manager.services.sync.slots import SyncPlaces
from benchmark_manager.services.sync.unchanged import UnchangedRecorder
from benchmark_manager.services.variants.large_resets import LargeResets
from benchmark_manager.services.webhooks.webhooks import WebhookService
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.operations.process_identity import own_identity
from benchmark_manager.stores.operations.replicas import ReplicaStore


@dataclass(frozen=True, slots=True)
class SyncParts:
    """The services of syncs, and what those of other features share with them."""

    coordinator: OriginalSync
    polling: Polling
    webhooks: WebhookService
    large_syncs: LargeSyncs
    large_resets: LargeResets
    lister: FolderLister
    replicas: Replicas | None


def sync_parts(parts: Parts) -> SyncParts:
    """Build everything that syncs projects."""
    stores, owner, slots = parts.stores, _replica_name(), SyncPlaces()
    lister = FolderLister()
    following = Following(stores.followers, stores.variants)
    resets = LargeResets(
        parts.database,
        stores.variants,
        stores.trash,
        stores.staged_changes,
        steps=parts.externals.limits.steps,
    )
    large = LargeSyncs(
        parts.database,
        stores.originals,
        stores.staged_changes,
        following,
        parts.drift,
        resets.finish,
        steps=parts.externals.limits.steps,
    )
    coordinator = OriginalSync(
        parts.database,
        stores.projects,
        stores.leases,
        stores.syncs,
        stores.sync_progress,
        _runner(parts, slots, following, large, lister),
        owner=owner,
        clock=parts.clock,
        metrics=parts.metrics,
        renew_every=parts.externals.limits.lease_renewal,
    )
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


def _runner(
    parts: Parts,
    slots: SyncPlaces,
    following: Following,
    large: LargeSyncs,
    lister: FolderLister,
) -> SyncWork:
    stores = parts.stores
    return SyncWork(
        parts.database,
        stores.leases,
        stores.originals,
        following,
        parts.drift,
        stores.syncs,
        _reader(parts, slots, lister),
        parts.credentials,
        slots,
        UnchangedRecorder(parts.database, stores.leases, stores.syncs),
        large,
        RenameFinder(stores.blobs, parts.workers),
        clock=parts.clock,
        random=random.random,
    )


def _reader(parts: Parts, slots: SyncPlaces, lister: FolderLister) -> UpstreamReader:
    stores = parts.stores
    copier = Copier(
        stores.blobs,
        stores.problems,
        MemoryBudget(),
        parts.workers,
        slots,
        parts.clock,
        storing=parts.externals.storing,
    )
    return UpstreamReader(
        stores.originals,
        copier,
        HeadChecker(parts.connection),
        lister,
        parts.settings.max_file_size,
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
