"""Runs one sync under its lease: check, wait for a slot, read, apply, record."""

import structlog

from benchmark_manager.domain.sync.record_folding import fold_target, folded
from benchmark_manager.errors import (
    BenchmarkManagerError,
    FaultError,
    GitHubError,
    StorageError,
    TokenUnreadableError,
)
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.ref_checks import CheckTiming
from benchmark_manager.models.project import Project
from benchmark_manager.models.sync import GitHubUsage, Sync
from benchmark_manager.services.projects.credentials import CredentialService
from benchmark_manager.services.sync.applying.applier import SyncApplier, SyncStores
from benchmark_manager.services.sync.outcomes import OutcomeBuilder
from benchmark_manager.services.sync.reading.reader import UpstreamReader
from benchmark_manager.services.sync.reading.snapshot import UpstreamSnapshot
from benchmark_manager.services.sync.runs import Checked, EarlyCheck, ReadSync, SyncRun
from benchmark_manager.services.sync.slots import SyncSlots
from benchmark_manager.services.sync.unchanged import UnchangedRecorder, UnchangedSync
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.database.failures import described
from benchmark_manager.workers.caller import Caller, calling_as

_log = structlog.get_logger(__name__)


class SyncRunner:
    """Compares a project with GitHub, applies what changed, and records the result."""

    def __init__(
        self,
        stores: SyncStores,
        *,
        credentials: CredentialService,
        reader: UpstreamReader,
        slots: SyncSlots,
        applier: SyncApplier,
        outcomes: OutcomeBuilder,
        unchanged: UnchangedRecorder,
    ) -> None:
        self._stores = stores
        self._credentials = credentials
        self._reader = reader
        self._slots = slots
        self._applier = applier
        self._outcomes = outcomes
        self._unchanged = unchanged
        #: Projects whose last sync was interrupted, as the database was away.
        self._interrupted: set[str] = set()

    def check_early(self, project: Project, wanted_at: float) -> EarlyCheck:
        """Start the check for a person who waits, while the project is still being claimed.

        `wanted_at` is the monotonic clock's time of the request, seconds.
        """

        async def connect() -> RepositoryClient:
            return await self._credentials.client(project, urgent=True)

        async def check(client: RepositoryClient) -> Checked:
            return await self._reader.check(project, client, CheckTiming(wanted_at))

        return EarlyCheck(project, connect, check)

    async def run(self, run: SyncRun) -> Sync:
        """Sync.

        A failure of GitHub or of the database, or a fault of the service, becomes a record with
        `status: failed`.

        Raises:
            LeaseLostError, SourceChangedError, StorageError: nothing was recorded.
        """
        with calling_as(Caller(f"project:{run.project.id}", background=True)):
            sync = await self._run(run)
        self._interrupted.discard(run.project.id)
        return sync

    async def _run(self, run: SyncRun) -> Sync:
        client: RepositoryClient | None = None
        early = run.early_check
        try:
            if early is not None and early.serves(run.project):
                client, found = await early.task
            else:
                if early is not None:
                    early.task.cancel()
                client = await self._credentials.client(run.project, urgent=run.trigger == "manual")
                found = await self._reader.check(run.project, client, run.timing)
            if isinstance(found, UpstreamSnapshot):
                return await self._record_unchanged(ReadSync(run, found, client.usage))
            run.progress.enter("waiting")
            async with self._slots.taken(run.trigger, client.requests.credential.fingerprint):
                await self._applier.finish_published(run.project.id)
                snapshot = await self._reader.read(run.project, client, found, run.progress)
                run.progress.enter("applying")
                return await self._applier.apply(ReadSync(run, snapshot, client.usage))
        except (GitHubError, TokenUnreadableError) as error:
            return await self._fail(run, error, _usage(client, early))
        except StorageError as error:
            return await self._fail_in_store(run, error, _usage(client, early))
        except BenchmarkManagerError:
            raise
        # A fault of the service must neither stop other projects nor be repeated at once.
        except Exception:  # noqa: BLE001
            _log.exception("sync failed unexpectedly", project_id=run.project.id)
            return await self._fail(run, FaultError("sync"), _usage(client, early))

    async def _record_unchanged(self, read: ReadSync) -> Sync:
        """Record, together with other syncs, that nothing can have changed."""
        skipped = await self._outcomes.first_skipped(read.project)
        sync = self._outcomes.record(read, skipped)
        previous = read.project.state.last_sync
        target = fold_target(previous, sync)
        shown = sync if target is None or previous is None else folded(previous, sync)
        jitter = self._outcomes.jitter()
        recorded = await self._unchanged.record(
            lambda now: UnchangedSync(
                self._outcomes.finished(read, shown, now, jitter), shown, target
            )
        )
        # Where a person changed the project meanwhile, a transaction of its own reports that.
        return shown if recorded else await self._applier.apply(read)

    async def _fail_in_store(self, run: SyncRun, error: StorageError, usage: GitHubUsage) -> Sync:
        """Record that the database failed, so that the project's polling slows down.

        A database that is away for once is no failure of the sync: the project stays due, and the
        next sync continues.
        """
        project_id = run.project.id
        if error.code == "database_unavailable" and project_id not in self._interrupted:
            self._interrupted.add(project_id)
            raise error
        _log.error(
            "a sync failed in the database",
            project_id=project_id,
            code=error.code,
            error=described(error),
        )
        return await self._fail(run, error, usage)

    async def _fail(self, run: SyncRun, error: BenchmarkManagerError, usage: GitHubUsage) -> Sync:
        """Record a failure."""
        stores = self._stores
        sync, finished = self._outcomes.failure(run, error, usage, await stores.database.now())

        async def record(session: Session) -> None:
            await stores.leases.finish(finished, session)
            await stores.syncs.insert(sync, run.lease.fence, session)

        await stores.database.transaction(record, small=True)
        return sync


def _usage(client: RepositoryClient | None, early: EarlyCheck | None) -> GitHubUsage:
    client = client or (None if early is None else early.client)
    return GitHubUsage() if client is None else client.usage
