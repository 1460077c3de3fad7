"""Builds every service once, for the app, the command line and the tests."""

import asyncio
import contextlib
import os
import random
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx2 as httpx
import structlog
from cryptography.fernet import Fernet

from benchmark_manager.config import Settings, split_keys
from benchmark_manager.errors import StartError
from benchmark_manager.github.client import GitHubClient
from benchmark_manager.github.limits import LimitRegistry
from benchmark_manager.services.copying import Copier
from benchmark_manager.services.housekeeping import Housekeeping
from benchmark_manager.services.modified_files import ModifiedFileService
from benchmark_manager.services.original_files import OriginalFileService
from benchmark_manager.services.original_sync import OriginalSync
from benchmark_manager.services.polling import Polling
from benchmark_manager.services.projects import ProjectDefaults, ProjectService
from benchmark_manager.services.status import StatusService
from benchmark_manager.services.sync_work import SyncWork
from benchmark_manager.services.tokens import TokenVault
from benchmark_manager.services.upstream import UpstreamReader
from benchmark_manager.stores.blobs import BlobStore
from benchmark_manager.stores.database import Database
from benchmark_manager.stores.embedded import EmbeddedDatabase
from benchmark_manager.stores.modified_files import ModifiedFileStore
from benchmark_manager.stores.original_files import OriginalFileStore
from benchmark_manager.stores.projects import ProjectStore
from benchmark_manager.stores.syncs import SyncStore

_log = structlog.get_logger(__name__)

_KEY_FILE: Final = "secret.key"


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Outside:
    """What tests replace: time (`sleep` is the pause between tries) and the network."""

    transport: httpx.AsyncBaseTransport | None = None
    clock: Callable[[], datetime] = utc_now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that handlers, the scheduler and the command line call."""

    projects: ProjectService
    original_files: OriginalFileService
    modified_files: ModifiedFileService
    sync: OriginalSync
    polling: Polling
    housekeeping: Housekeeping
    status: StatusService
    project_store: ProjectStore
    vault: TokenVault


@asynccontextmanager
async def open_services(settings: Settings, outside: Outside | None = None) -> AsyncIterator[Services]:
    """Everything built and connected; closed in the reverse order.

    Raises:
        StartError: one readable line.
    """
    outside = outside or Outside()
    async with open_database(settings) as database:
        github = GitHubClient(
            LimitRegistry(outside.clock), transport=outside.transport, clock=outside.clock, sleep=outside.sleep
        )
        try:
            yield build_services(settings, database, github, outside.clock)
        finally:
            await github.close()


def build_services(
    settings: Settings, database: Database, github: GitHubClient, clock: Callable[[], datetime]
) -> Services:
    project_store, files, modified = ProjectStore(database), OriginalFileStore(database), ModifiedFileStore(database)
    blobs, syncs = BlobStore(database), SyncStore(database)
    vault = token_vault(settings)
    housekeeping = Housekeeping(
        project_store, syncs, blobs, sync_retention=timedelta(days=settings.sync_retention_days), clock=clock
    )
    reader = UpstreamReader(files, Copier(blobs, clock), settings.max_file_size)
    work = SyncWork(database, project_store, files, syncs, reader, github, vault, clock=clock, random=random.random)
    sync = OriginalSync(database, project_store, syncs, work, owner=_replica_name(), clock=clock)
    return Services(
        projects=ProjectService(
            project_store,
            files,
            syncs,
            vault,
            api_urls=settings.github_api_urls,
            defaults=ProjectDefaults(
                settings.default_config_folder, settings.default_job_folder, settings.default_polling_interval
            ),
            clock=clock,
        ),
        original_files=OriginalFileService(project_store, files, blobs),
        modified_files=ModifiedFileService(
            database, project_store, files, modified, blobs, max_file_size=settings.max_file_size, clock=clock
        ),
        sync=sync,
        polling=Polling(sync),
        housekeeping=housekeeping,
        status=StatusService(database, project_store, github.limits, clock=clock),
        project_store=project_store,
        vault=vault,
    )


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database of MONGO_URL, or the embedded one, started, checked and with its indexes.

    Raises:
        StartError
    """
    _make_data_dir(settings.data_dir)
    if settings.mongo_url is not None:
        database = Database(settings.mongo_url.get_secret_value(), settings.db_name, "mongodb")
        async with _started(database):
            yield database
        return
    embedded = EmbeddedDatabase(settings.data_dir)
    url = await embedded.start()
    supervision = asyncio.create_task(embedded.supervise())
    try:
        database = Database(url, settings.db_name, "embedded", ensure_room=embedded.ensure_room)
        async with _started(database):
            await ProjectStore(database).break_leases()
            yield database
    finally:
        supervision.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await supervision
        await embedded.stop()


@asynccontextmanager
async def _started(database: Database) -> AsyncIterator[None]:
    try:
        await database.start()
        yield
    finally:
        await database.close()


def _make_data_dir(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartError(f"DATA_DIR {folder} cannot be made: {error.strerror}.") from None


def token_vault(settings: Settings) -> TokenVault:
    """The vault for stored tokens.

    Raises:
        StartError: the generated key cannot be read or written.
    """
    text = settings.secret_key.get_secret_value() if settings.secret_key else _generated_key(settings)
    token = settings.github_token
    return TokenVault(
        split_keys(text), None if token is None else token.get_secret_value(), settings.github_api_urls[0]
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
        raise StartError(f"The key {path} cannot be read or made: {error.strerror}.") from None
    except ValueError:
        raise StartError(f"{path} holds no Fernet key; restore it from a backup, or set SECRET_KEY.") from None
    if settings.mongo_url is not None:
        _log.warning("SECRET_KEY is not set: other replicas cannot read the tokens that this one stores")
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


def _replica_name() -> str:
    return f"{socket.gethostname()[:64]}-{os.getpid()}-{secrets.token_hex(4)}"
