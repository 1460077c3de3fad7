"""Builds every service once, for the app, the command line and the tests."""

import asyncio
import contextlib
import os
import random
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx2 as httpx
import pymongo
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from benchmark_manager.config import Settings, split_keys
from benchmark_manager.errors import StartError, reason_of
from benchmark_manager.github.reading.contents import MemoryBudget
from benchmark_manager.github.reading.heads import HeadChecker
from benchmark_manager.github.reading.listing import FolderLister
from benchmark_manager.github.sending.app import GitHubApp
from benchmark_manager.github.sending.governor import Governors
from benchmark_manager.github.sending.requests import Connection
from benchmark_manager.services.events.events import EventService
from benchmark_manager.services.operations.housekeeping import Housekeeping
from benchmark_manager.services.operations.limit_sharing import LimitSharing
from benchmark_manager.services.operations.metrics import Metrics
from benchmark_manager.services.operations.replicas import Replicas
from benchmark_manager.services.operations.stall_watch import StallWatch
from benchmark_manager.services.operations.status import StatusService
from benchmark_manager.services.operations.stopping import (
    EMBEDDED_END,
    LAST_WORDS_END,
    StopDeadline,
)
from benchmark_manager.services.originals.file_history import FileHistoryService
from benchmark_manager.services.originals.originals import OriginalFileService
from benchmark_manager.services.projects.credentials import CredentialService
from benchmark_manager.services.projects.previews import PreviewService
from benchmark_manager.services.projects.projects import ProjectDefaults, ProjectService
from benchmark_manager.services.projects.tokens import TokenVault, bind_tokens
from benchmark_manager.services.releases.delivery import ReleaseDelivery
from benchmark_manager.services.releases.releases import ReleaseService
from benchmark_manager.services.search.content_search import ContentSearch
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
from benchmark_manager.services.texts.text_work import warm_up
from benchmark_manager.services.texts.texts import TextService
from benchmark_manager.services.validation.kubernetes_schemas import SchemaSource
from benchmark_manager.services.validation.validation import ValidationService
from benchmark_manager.services.variants.comparing import ComparisonService
from benchmark_manager.services.variants.drift import DriftJudge
from benchmark_manager.services.variants.large_resets import LargeResets
from benchmark_manager.services.variants.merging import MergeService
from benchmark_manager.services.variants.reattaching import ReattachService
from benchmark_manager.services.variants.rebase_all import RebaseAllService
from benchmark_manager.services.variants.revisions import RevisionService
from benchmark_manager.services.variants.trash import TrashService
from benchmark_manager.services.variants.variants import VariantService
from benchmark_manager.services.webhooks.webhooks import WebhookService
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.contents.problems import ProblemStore
from benchmark_manager.stores.database.database import START_SECONDS, Database, Purpose
from benchmark_manager.stores.database.migrations import migrate
from benchmark_manager.stores.database.watch import DatabaseWatch
from benchmark_manager.stores.embedded.address import AddressFile
from benchmark_manager.stores.embedded.embedded import NAME as EMBEDDED_NAME
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.stores.events.changes import ChangeStore
from benchmark_manager.stores.operations.governors import GovernorStore
from benchmark_manager.stores.operations.process_identity import own_identity
from benchmark_manager.stores.operations.replicas import ReplicaStore
from benchmark_manager.stores.originals.file_histories import FileHistoryStore
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.stores.sync.progress import SyncProgressStore
from benchmark_manager.stores.sync.staged_changes import StagedChangeStore
from benchmark_manager.stores.sync.syncs import SyncStore
from benchmark_manager.stores.variants.followers import FollowerStore
from benchmark_manager.stores.variants.revisions import RevisionStore
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore
from benchmark_manager.stores.webhooks.deliveries import WebhookDeliveryStore
from benchmark_manager.workers.pool import WorkerPool

_log = structlog.get_logger(__name__)

_KEY_FILE: Final = "secret.key"
#: What is known of GitHub's limits is stored once more at the end, unless that takes longer,
#: seconds.
_LAST_WORDS_SECONDS: Final = 0.5
#: More processes would take memory, and leave the database and the service itself no core.
_MOST_WORKERS: Final = 4
#: A busy machine may make the embedded database slow while its indexes are made.
_EMBEDDED_START_SECONDS: Final = 300.0


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Outside:
    """What tests replace: time (`sleep` is the pause between tries) and the network."""

    transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: Worker processes which several services share; None: the service has its own.
    workers: WorkerPool | None = None


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that handlers, the scheduler and the command line call."""

    projects: ProjectService
    previews: PreviewService
    original_files: OriginalFileService
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
    validation: ValidationService
    file_history: FileHistoryService
    database: Database
    sync: OriginalSync
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


@asynccontextmanager
async def open_services(
    settings: Settings, outside: Outside | None = None, deadline: StopDeadline | None = None
) -> AsyncIterator[Services]:
    """Everything built and connected; closed in the reverse order, each part by its time of the `deadline`.

    Raises:
        StartError: one readable line.
    """
    outside = outside or Outside()
    deadline = deadline or StopDeadline()
    metrics = Metrics()
    async with (
        open_workers(outside.workers) as workers,
        open_database(settings, deadline) as database,
    ):
        connection = Connection(
            Governors(outside.clock),
            transport=outside.transport,
            clock=outside.clock,
            sleep=outside.sleep,
            observe=metrics.requested,
        )
        limits = LimitSharing(connection.governors, GovernorStore(database), outside.clock)
        # What a former process, or another replica, was told by GitHub holds for this one too.
        await limits.run()
        try:
            metrics.watch(workers)
            services = build_services(
                settings, database, connection, limits, metrics, workers, outside.clock, deadline
            )
            await bind_tokens(services.project_store, services.vault)
            await services.project_store.fold_names()
            watching = [
                asyncio.create_task(watch.run())
                for watch in (StallWatch(metrics.stalled), services.database_watch)
            ]
            try:
                yield services
            finally:
                await _last_words(services, limits, watching)
        finally:
            await connection.close()


async def _last_words(
    services: Services, limits: LimitSharing, watching: Sequence["asyncio.Task[None]"]
) -> None:
    """Everything that asks the database at the end, at once, since it may be silent; what fails stays undone."""
    for task in watching:
        task.cancel()
    with pymongo.timeout(_LAST_WORDS_SECONDS):
        words: list[Awaitable[None]] = [
            limits.run(),
            services.events.stop(),
            services.status.stop(),
            *watching,
        ]
        if services.replicas is not None:
            words.append(services.replicas.leave())
        with contextlib.suppress(TimeoutError):
            # Closing a change stream asks without a limit.
            await asyncio.wait_for(
                asyncio.gather(*words, return_exceptions=True),
                services.deadline.until(LAST_WORDS_END, at_least=_LAST_WORDS_SECONDS),
            )


@asynccontextmanager
async def open_workers(shared: WorkerPool | None = None) -> AsyncIterator[WorkerPool]:
    """The pool for everything that reads texts from outside: `shared`, or one of this service's own."""
    if shared is not None:
        yield shared
        return
    pool = WorkerPool(
        min(_MOST_WORKERS, os.cpu_count() or 1), warm_up=f"{warm_up.__module__}:{warm_up.__name__}"
    )
    # Beside the rest of the start; the first task waits for it only where it comes that early.
    starting = asyncio.create_task(pool.start())
    try:
        yield pool
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await pool.close()


def build_services(
    settings: Settings,
    database: Database,
    connection: Connection,
    limits: LimitSharing,
    metrics: Metrics,
    workers: WorkerPool,
    clock: Callable[[], datetime],
    deadline: StopDeadline | None = None,
) -> Services:
    projects, files, modified = (
        ProjectStore(database),
        OriginalFileStore(database),
        VariantStore(database),
    )
    revisions, trash_rows = RevisionStore(database), TrashStore(database)
    blobs, syncs, leases = BlobStore(database), SyncStore(database), LeaseStore(database)
    histories, deliveries = FileHistoryStore(database), WebhookDeliveryStore(database)
    releases, problems = ReleaseStore(database), ProblemStore(database)
    validation = ValidationService(
        workers, SchemaSource(), projects, files, blobs, max_file_size=settings.max_file_size
    )
    vault = token_vault(settings)
    credentials = CredentialService(
        connection, vault, _github_app(settings, connection, clock), settings.github_api_urls
    )
    places, drift = SyncPlaces(), DriftJudge(blobs, workers)
    following = Following(FollowerStore(database), modified)
    staged = StagedChangeStore(database)
    resets = LargeResets(database, modified, trash_rows, staged)
    large = LargeSyncs(database, files, staged, following, drift, resets.finish)
    work = SyncWork(
        database,
        leases,
        files,
        following,
        drift,
        syncs,
        UpstreamReader(
            files,
            Copier(blobs, problems, MemoryBudget(), workers, places, clock),
            HeadChecker(connection),
            FolderLister(),
            settings.max_file_size,
        ),
        credentials,
        places,
        UnchangedRecorder(database, leases, syncs),
        large,
        RenameFinder(blobs, workers),
        clock=clock,
        random=random.random,
    )
    owner = _replica_name()
    sync = OriginalSync(
        database,
        projects,
        leases,
        syncs,
        SyncProgressStore(database),
        work,
        owner=owner,
        clock=clock,
        metrics=metrics,
    )
    # An embedded database belongs to one process, and its start ends what a former one left.
    replicas = _replicas(database, owner) if database.kind == "mongodb" else None
    polling = Polling(
        database, leases, sync, places, batch_threshold=settings.github_batch_threshold
    )
    variants = VariantService(
        database,
        projects,
        files,
        modified,
        blobs,
        drift,
        validation,
        max_file_size=settings.max_file_size,
        clock=clock,
    )
    merging = MergeService(database, variants, files, modified, blobs, workers, clock=clock)
    revision_service = RevisionService(
        database, variants, files, modified, revisions, blobs, drift, validation, clock=clock
    )
    trash = TrashService(
        database,
        variants,
        projects,
        files,
        modified,
        revisions,
        trash_rows,
        drift,
        resets,
        retention=timedelta(days=settings.trash_retention_days),
        clock=clock,
    )
    watch = DatabaseWatch(database)
    defaults = ProjectDefaults(
        settings.default_config_folder,
        settings.default_job_folder,
        settings.default_polling_interval,
    )
    return Services(
        projects=ProjectService(
            projects,
            files,
            syncs,
            vault,
            credentials,
            api_urls=settings.github_api_urls,
            defaults=defaults,
            clock=clock,
        ),
        previews=PreviewService(
            credentials,
            api_urls=settings.github_api_urls,
            defaults=defaults,
            max_file_size=settings.max_file_size,
        ),
        original_files=OriginalFileService(projects, files, blobs),
        variants=variants,
        revisions=revision_service,
        trash=trash,
        merging=merging,
        rebase_all=RebaseAllService(
            database, projects, variants, merging, files, modified, workers
        ),
        reattaching=ReattachService(
            database, variants, files, modified, blobs, validation, workers, clock=clock
        ),
        comparing=ComparisonService(
            variants, revision_service, projects, files, modified, blobs, workers
        ),
        texts=TextService(workers),
        search=ContentSearch(files, modified, blobs, syncs, workers),
        releases=ReleaseService(database, projects, files, modified, blobs, releases, clock=clock),
        release_delivery=ReleaseDelivery(releases, blobs, workers),
        validation=validation,
        file_history=FileHistoryService(projects, files, histories, credentials, clock=clock),
        database=database,
        sync=sync,
        large_syncs=large,
        polling=polling,
        replicas=replicas,
        webhooks=WebhookService(
            database,
            projects,
            deliveries,
            secret=None
            if settings.webhook_secret is None
            else settings.webhook_secret.get_secret_value(),
            api_urls=settings.github_api_urls,
            wake=polling.wake,
            workers=workers,
        ),
        housekeeping=Housekeeping(
            projects,
            syncs,
            blobs,
            problems,
            releases,
            histories,
            deliveries,
            trash,
            sync_retention=timedelta(days=settings.sync_retention_days),
            sync_retention_count=settings.sync_retention_count,
            clock=clock,
        ),
        limits=limits,
        metrics=metrics,
        status=StatusService(database, watch, projects, connection.governors, clock=clock),
        events=EventService(ChangeStore(database)),
        database_watch=watch,
        deadline=deadline or StopDeadline(),
        project_store=projects,
        vault=vault,
        credentials=credentials,
    )


def _github_app(
    settings: Settings, connection: Connection, clock: Callable[[], datetime]
) -> GitHubApp | None:
    """The App of the settings, at the first API base.

    Raises:
        StartError: its key cannot be read, or is none.
    """
    if settings.github_app_id is None:
        return None
    if settings.github_app_private_key is None:
        raise StartError(
            "GITHUB_APP_ID is set, but neither GITHUB_APP_PRIVATE_KEY nor GITHUB_APP_PRIVATE_KEY_FILE."
        )
    text = settings.github_app_private_key.get_secret_value()
    # Where a line break is hard to write, as in .env, keys are often given with these.
    text = text.replace("\\n", "\n").strip() + "\n"
    try:
        load_pem_private_key(text.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise StartError(
            "GITHUB_APP_PRIVATE_KEY is no private key in PEM; download one from the App's page."
        ) from None
    return GitHubApp(connection, settings.github_api_urls[0], settings.github_app_id, text, clock)


@asynccontextmanager
async def open_database(
    settings: Settings, deadline: StopDeadline | None = None, *, purpose: Purpose = "serve"
) -> AsyncIterator[Database]:
    """The database of MONGO_URL, or the embedded one, started, checked and with its indexes.

    It is closed by its time of the `deadline`. To back it up, an embedded one is reached beside the
    service which runs it; nothing is written.

    Raises:
        StartError
    """
    if settings.mongo_url is not None:
        _make_data_dir(settings.data_dir)
        database = Database(settings.mongo_url.get_secret_value(), settings.db_name, "mongodb")
        async with _started(database, purpose):
            yield database
        return
    if purpose == "backup":
        running = _running_database(settings.data_dir)
        if running is not None:
            database = Database(running, settings.db_name, "embedded")
            async with _started(database, purpose):
                yield database
            return
    _make_data_dir(settings.data_dir)
    embedded = EmbeddedDatabase(settings.data_dir)
    url = await embedded.start()
    supervision = asyncio.create_task(embedded.supervise())
    try:
        database = Database(
            url,
            settings.db_name,
            "embedded",
            ensure_room=embedded.ensure_room,
            sample=embedded.sample,
        )
        # It has answered already, and is replaced where it hangs.
        async with _started(database, purpose, seconds=_EMBEDDED_START_SECONDS):
            if purpose == "serve":
                await LeaseStore(database).break_all()
            yield database
    finally:
        supervision.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervision
        await embedded.stop(None if deadline is None else deadline.until(EMBEDDED_END))


def _running_database(data_dir: Path) -> str | None:
    """The URL of the embedded database that a service runs on the folder; None where none runs.

    Raises:
        StartError: the folder has no database, or another user's.
    """
    try:
        if not (data_dir / EMBEDDED_NAME).is_dir():
            raise StartError(
                f"DATA_DIR {data_dir} holds no database; name its folder, or set MONGO_URL."
            )
        return AddressFile(data_dir).read()
    except OSError as error:
        raise StartError(
            f"DATA_DIR {data_dir} cannot be read: {error.strerror}; run the command as the user of the service."
        ) from None


@asynccontextmanager
async def _started(
    database: Database, purpose: Purpose, *, seconds: float = START_SECONDS
) -> AsyncIterator[None]:
    try:
        await database.start(patience=seconds, purpose=purpose)
        if purpose == "serve":
            await migrate(database)
        yield
    finally:
        await database.close()


def _make_data_dir(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"DATA_DIR {folder} cannot be made: {reason_of(error)}.") from None


def token_vault(settings: Settings) -> TokenVault:
    """The vault for stored tokens.

    Raises:
        StartError: the generated key cannot be read or written.
    """
    text = (
        settings.secret_key.get_secret_value() if settings.secret_key else _generated_key(settings)
    )
    token = settings.github_token
    return TokenVault(
        split_keys(text),
        None if token is None else token.get_secret_value(),
        settings.github_api_urls[0],
        settings.github_owners,
    )


def _generated_key(settings: Settings) -> str:
    """The key in DATA_DIR, made when it is not there; never replaced, as it may be the only way to the tokens."""
    path = settings.data_dir / _KEY_FILE
    _make_data_dir(settings.data_dir)
    try:
        if not path.exists():
            _write_once(path, Fernet.generate_key())
            _log.info("a key for stored tokens was made; keep it with your backups", path=str(path))
        text = path.read_text().strip()
        Fernet(text)
    except OSError as error:
        raise StartError(f"The key {path} cannot be read or made: {reason_of(error)}.") from None
    except ValueError:
        raise StartError(
            f"{path} holds no Fernet key; restore it from a backup, or set SECRET_KEY."
        ) from None
    if settings.mongo_url is not None:
        _log.warning(
            "SECRET_KEY is not set: other replicas cannot read the tokens that this one stores"
        )
    return text


def _write_once(path: Path, key: bytes) -> None:
    """Appear whole or not at all, and never over another process's key."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key + b"\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()


def _replicas(database: Database, owner: str) -> Replicas:
    process = own_identity()
    return Replicas(ReplicaStore(database, owner, process), process)


def _replica_name() -> str:
    return f"{socket.gethostname()[:64]}-{os.getpid()}-{secrets.token_hex(4)}"
