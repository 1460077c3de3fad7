"""Starts syncs: poll, webhook, button and command line all end here.

This module claims leases, runs `SyncRunner` under them and lets callers join a running sync.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog

from benchmark_manager.errors import LeaseLostError, SourceChangedError, StoppingError, StorageError
from benchmark_manager.github.reading.ref_checks import CheckTiming
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.project import Claim, Lease, Project
from benchmark_manager.models.sync import Sync, SyncProgress, SyncTrigger
from benchmark_manager.services.access.recording import ChangeRecorder
from benchmark_manager.services.operations.metrics import Metrics
from benchmark_manager.services.sync.applying.applier import sync_change
from benchmark_manager.services.sync.lease_keeping import LeaseKeeper
from benchmark_manager.services.sync.progress import Progress
from benchmark_manager.services.sync.runner import SyncRunner
from benchmark_manager.services.sync.runs import EarlyCheck, SyncRun
from benchmark_manager.stores.database.database import Database, Session, milliseconds
from benchmark_manager.stores.database.failures import described
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.stores.sync.progress import SyncProgressStore
from benchmark_manager.stores.sync.syncs import SyncStore

_log = structlog.get_logger(__name__)

#: A lease is renewed this often, seconds.
LEASE_RENEWAL: Final = 20.0
#: How often another replica's sync is asked for its result, seconds.
_JOIN_PAUSE: Final = 0.25
#: Giving a lease back must not delay the end of the service, seconds; else it runs out.
_GIVE_BACK_SECONDS: Final = 1.0
#: How long a cancelled sync may take to end, seconds.
_AFTER_CANCELLING: Final = _GIVE_BACK_SECONDS + 0.25
#: Projects that one claim adds at most because a check of a due project serves them too.
_COMPANIONS: Final = 100
#: A check may wait for others to share a query with: for this part of the polling interval, and at
#: most this long, seconds.
_LINGER_SHARE: Final = 0.05
_LINGER_MOST: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Started:
    run: SyncRun
    task: asyncio.Task[Sync]


@dataclass(frozen=True, slots=True)
class StartedSync:
    """A sync of a due project, and the hint of the credential it uses."""

    credential: str
    task: asyncio.Task[Sync]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinatorStores:
    """The stores that coordinate syncs among replicas."""

    database: Database
    projects: ProjectStore
    leases: LeaseStore
    syncs: SyncStore
    progress: SyncProgressStore


@dataclass(frozen=True, slots=True)
class _StartTerms:
    """Why and how claimed syncs start."""

    #: None: each project is synced for the reason that made it due.
    trigger: SyncTrigger | None
    #: Hints of credentials whose checks share queries.
    batched: Collection[str] = ()
    #: When the claim of the due projects began whose checks serve these too (monotonic).
    companions_of: float | None = None
    early_check: EarlyCheck | None = None


class SyncCoordinator:
    """Syncs projects, each under a lease; requests for a sync that is running join it."""

    def __init__(
        self,
        stores: CoordinatorStores,
        runner: SyncRunner,
        *,
        owner: str,
        clock: Callable[[], datetime],
        record: ChangeRecorder,
        metrics: Metrics,
        renew_every: float = LEASE_RENEWAL,
    ) -> None:
        """Prepare syncing.

        `owner` names this process among the replicas; leases are renewed every `renew_every`
        seconds. `record` is called with each sync that a person asks for, before it starts.
        """
        self._stores = stores
        self._runner = runner
        self._owner = owner
        self._clock = clock
        self._record = record
        self._metrics = metrics
        self._keeper = LeaseKeeper(stores.leases, stores.progress, renew_every=renew_every)
        self._stopping = False
        self._running: dict[str, tuple[asyncio.Task[Sync], SyncRun]] = {}
        #: Every task under way: those of `_running`, claims, and syncs whose lease was lost to a
        #: newer one.
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def running(self) -> Mapping[str, asyncio.Task[Sync]]:
        """The syncs that run here, by project."""
        return {key: task for key, (task, _) in self._running.items()}

    @property
    def owner(self) -> str:
        """The name of this process in its leases."""
        return self._owner

    async def settled(self) -> None:
        """Wait until no claim and no sync is under way here."""
        while self._tasks:
            await asyncio.wait(self._tasks)
            # What follows a task is done in callbacks.
            await asyncio.sleep(0)

    async def sync(self, principal: Principal, project_id: str, trigger: SyncTrigger) -> Sync:
        """Sync now, or join the sync that runs here or in another replica.

        The result may be `failed`.

        Raises:
            NotFoundError: there is no such project, or not any more.
            ForbiddenError
            StoppingError: the service stops; nothing of the sync was written.
        """
        principal.require("editor", project_id)
        project = await self._record_request(principal, project_id, trigger)
        while True:
            task = await self._started(project, trigger)
            if task is None:
                result = await self._result_of_another_replica(project_id)
                if result is not None:
                    return result
            else:
                # Changed settings, or a lost lease: what was asked for has not been done yet.
                with contextlib.suppress(SourceChangedError, LeaseLostError):
                    result = await self._joined(task)
                    if trigger != "manual" or not _refused_a_poll(result):
                        return result
            project = await self._stores.projects.get(project_id)

    async def start(
        self, principal: Principal, project_id: str, trigger: SyncTrigger
    ) -> SyncProgress:
        """Start a sync, or join the running one, without waiting for its end.

        Raises:
            NotFoundError: there is no such project.
            ForbiddenError
            StoppingError: the service stops.
        """
        principal.require("editor", project_id)
        project = await self._record_request(principal, project_id, trigger)
        await self._started(project, trigger)
        if (running := self._running.get(project_id)) is not None:
            return await self.progress_of(running[1].project)
        return await self.progress(project_id)

    async def _record_request(
        self, principal: Principal, project_id: str, trigger: SyncTrigger
    ) -> Project:
        """Record what a person asks for; polls and webhooks only where they change something.

        Returns:
            The project.
        """
        if trigger != "manual":
            return await self._stores.projects.get(project_id)

        async def work(session: Session) -> Project:
            project = await self._stores.projects.get(project_id, session)
            await self._record([sync_change(principal, project)], session)
            return project

        return await self._stores.database.transaction(work, small=True)

    async def progress(self, project_id: str) -> SyncProgress:
        """Return the progress of the project's sync, here or in another replica.

        Raises:
            NotFoundError: there is no such project.
        """
        return await self.progress_of(await self._stores.projects.get(project_id))

    async def progress_of(self, project: Project) -> SyncProgress:
        """Return the progress of the sync of a project that was just read."""
        if (running := self._running.get(project.id)) is not None:
            return (
                running[1]
                .progress.snapshot()
                .model_copy(update={"last_sync": project.state.last_sync})
            )
        if project.lease_until is None or project.lease_until <= await self._stores.database.now():
            return SyncProgress(status="idle", last_sync=project.state.last_sync)
        stored = await self._stores.progress.get(project.id, project.fence)
        progress = stored or SyncProgress(status="running")
        return progress.model_copy(update={"last_sync": project.state.last_sync})

    async def _started(self, project: Project, trigger: SyncTrigger) -> asyncio.Task[Sync] | None:
        """Return the task of the sync that runs here, and start it if need be.

        None while another replica holds the lease.
        """
        if (running := self._running.get(project.id)) is not None:
            return running[0]
        early = self._runner.check_early(project, time.monotonic())
        self._kept(early.task)

        async def claim() -> list[Claim]:
            claimed = await self._stores.leases.claim(project.id, self._owner)
            return [] if claimed is None else [claimed]

        started = await self._claim(claim, _StartTerms(trigger, early_check=early))
        if started:
            return started[0].task
        # It may have been started here while this one waited for the database.
        return running[0] if (running := self._running.get(project.id)) is not None else None

    async def start_due(
        self,
        limit: int,
        busy: Collection[str],
        batched: Collection[str],
        *,
        only_read: bool = False,
    ) -> list[StartedSync]:
        """Claim up to `limit` due projects and start their syncs.

        Args:
            limit: due projects; those which their checks serve too are added.
            busy: hints of credentials whose projects are left out.
            batched: hints of credentials whose checks wait for each other, to share queries.
            only_read: leave out first syncs.
        """
        began = time.monotonic()
        due = partial(self._stores.leases.claim_due, self._owner, limit, busy, only_read=only_read)
        started = await self._claim(due, _StartTerms(None, batched))
        polls = [
            one.run.project
            for one in started
            if one.run.trigger == "poll" and one.run.project.polling_interval
        ]
        companions = partial(self._stores.leases.claim_companions, self._owner, polls, _COMPANIONS)
        started += await self._claim(companions, _StartTerms(None, batched, companions_of=began))
        return [StartedSync(one.run.project.source.credential_hint, one.task) for one in started]

    async def _joined(self, task: asyncio.Task[Sync]) -> Sync:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if task.cancelled() and caller is not None and not caller.cancelling():
                raise StoppingError from None
            raise

    async def _claim(
        self, claim: Callable[[], Awaitable[list[Claim]]], terms: _StartTerms
    ) -> list[_Started]:
        """Claim and start as one step: a caller that is cancelled in between leaves no lease.

        Raises:
            StoppingError: the service stops.
        """
        if self._stopping:
            _cancel(terms.early_check)
            raise StoppingError
        claiming = asyncio.create_task(self._claim_and_start(claim, terms))
        return await asyncio.shield(self._kept(claiming))

    async def _claim_and_start(
        self, claim: Callable[[], Awaitable[list[Claim]]], terms: _StartTerms
    ) -> list[_Started]:
        claims: list[Claim] = []
        try:
            claims = await claim()
        finally:
            if not claims or self._stopping:
                _cancel(terms.early_check)
        if claims and self._stopping:
            for one in claims:
                await self._give_back(one.lease)
            raise StoppingError
        return [self._start(one, terms) for one in claims]

    def _kept(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """Remember the task until it is done.

        An exception that no caller waits for was logged where it was raised.
        """
        self._tasks.add(task)

        def forget(done: asyncio.Task[Any]) -> None:
            self._tasks.discard(done)
            if not done.cancelled():
                done.exception()

        task.add_done_callback(forget)
        return task

    async def stop(self, seconds: float) -> None:
        """Let running syncs finish for `seconds`, then abandon the rest and end their leases."""
        self._stopping = True
        if self._running:
            _log.info("waiting for running syncs", count=len(self._running))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        late = set(self._tasks)
        for task in late:
            task.cancel()
        if late:
            # The last requests of a cancelled sync to the database may hang too.
            await asyncio.wait(late, timeout=_AFTER_CANCELLING)

    async def _result_of_another_replica(self, project_id: str) -> Sync | None:
        """Wait for the result of the lease that is held now; None when it ends without a result."""
        held = await self._stores.projects.get(project_id)
        while True:
            result = await self._stores.syncs.by_fence(project_id, held.fence)
            if result is not None:
                return result
            current = await self._stores.projects.get(project_id)
            now = await self._stores.database.now()
            if (
                current.fence != held.fence
                or current.lease_until is None
                or current.lease_until <= now
            ):
                return await self._stores.syncs.by_fence(project_id, held.fence)
            await asyncio.sleep(_JOIN_PAUSE)

    def _start(self, claim: Claim, terms: _StartTerms) -> _Started:
        run = self._run_of(claim, terms)
        project = claim.project
        task = asyncio.create_task(self._run(run), name=f"sync {project.id}")
        self._running[project.id] = task, run

        def forget(done: asyncio.Task[Sync]) -> None:
            # A lease that ran out may have been claimed anew by this very process.
            running = self._running.get(project.id)
            if running is not None and running[0] is done:
                del self._running[project.id]

        task.add_done_callback(forget)
        return _Started(run, self._kept(task))

    def _run_of(self, claim: Claim, terms: _StartTerms) -> SyncRun:
        project, asked_for = claim.project, terms.trigger is not None
        self._metrics.claimed(claim, asked_for=asked_for)
        started_at = milliseconds(self._clock())
        sync_id, trigger = Database.new_id(), terms.trigger or project.due_trigger
        return SyncRun(
            id=sync_id,
            project=project,
            lease=claim.lease,
            trigger=trigger,
            started_at=started_at,
            started=time.perf_counter(),
            timing=_timing(claim, terms),
            progress=Progress(sync_id, trigger, started_at, self._clock),
            companion=terms.companions_of is not None,
            early_check=terms.early_check,
        )

    async def _run(self, run: SyncRun) -> Sync:
        """Run the whole sync under its lease; every way out but a crash gives the lease back."""
        log = _log.bind(project_id=run.project.id, project=run.project.name, trigger=run.trigger)
        try:
            sync = await self._keeper.under_lease(run, self._runner.run(run))
        except BaseException as error:
            _log_abandoned(log, error)
            await self._give_back(run.lease)
            raise
        self._metrics.finished(sync)
        # Nearly all polls find nothing new.
        write = log.debug if sync.status == "unchanged" and run.trigger == "poll" else log.info
        write(
            "sync finished", status=sync.status, message=sync.message, duration_ms=sync.duration_ms
        )
        return sync

    async def _give_back(self, lease: Lease) -> None:
        try:
            with self._stores.database.time_limit(_GIVE_BACK_SECONDS):
                await self._stores.leases.release(lease)
        except StorageError:
            _log.warning(
                "a lease could not be given back and will run out", project_id=lease.project_id
            )

    async def give_back_forgotten(self) -> None:
        """Give back leases that this process holds without knowing.

        A claim whose answer did not arrive in time may still have been written, and giving a lease
        back may have failed: those projects would not be synced until their leases run out.
        """
        for lease in await self._stores.leases.held(self._owner):
            running = self._running.get(lease.project_id)
            if running is None or running[1].lease.fence != lease.fence:
                await self._stores.leases.release(lease)


def _cancel(early_check: EarlyCheck | None) -> None:
    if early_check is not None:
        early_check.task.cancel()


def _refused_a_poll(sync: Sync) -> bool:
    """Return whether a sync failed for a limit whose reserve a person may use."""
    return (
        sync.trigger != "manual"
        and sync.error is not None
        and sync.error.code == "github_rate_limited"
    )


def _timing(claim: Claim, terms: _StartTerms) -> CheckTiming:
    """Return which checks are recent enough.

    A check that began before the project was due, or before a person asked, is too old.
    """
    asked_for = terms.trigger is not None
    late = 0.0 if asked_for or claim.lateness is None else max(0.0, claim.lateness)
    linger = None
    if not asked_for and claim.project.source.credential_hint in terms.batched:
        linger = min(_LINGER_MOST, claim.project.polling_interval * _LINGER_SHARE)
    began = terms.companions_of
    return CheckTiming(time.monotonic() - late if began is None else began, linger)


def _log_abandoned(log: structlog.stdlib.BoundLogger, error: BaseException) -> None:
    """Say why a sync ended without a record."""
    match error:
        case LeaseLostError() | SourceChangedError():
            log.info("sync abandoned", reason=error.code)
        case asyncio.CancelledError():
            log.info("sync abandoned: the service stops")
        case StorageError():
            log.error("sync abandoned", reason=error.code, error=described(error))
        case _:
            log.error("sync abandoned unexpectedly", exc_info=error)
