"""The one way to sync: poll, webhook, button and command line all end here.

This module claims leases, runs `SyncWork` under them and lets callers join; what a sync does is
said there.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

import pymongo
import structlog
from bson import ObjectId
from pymongo.errors import PyMongoError

from benchmark_manager.errors import LeaseLostError, SourceChangedError, StoppingError, StorageError
from benchmark_manager.github.reading.heads import Patience
from benchmark_manager.models.project import Claim, Lease
from benchmark_manager.models.sync import Sync, SyncProgress, SyncTrigger
from benchmark_manager.services.operations.metrics import Metrics
from benchmark_manager.services.sync.progress import Progress
from benchmark_manager.services.sync.records import CheckAhead, SyncRun
from benchmark_manager.services.sync.runner import SyncWork
from benchmark_manager.stores.database.database import Database, milliseconds
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.sync.leases import LeaseStore
from benchmark_manager.stores.sync.progress import SyncProgressStore
from benchmark_manager.stores.sync.syncs import SyncStore

_log = structlog.get_logger(__name__)

#: A lease is renewed this often, seconds.
LEASE_RENEWAL: Final = 20.0
#: How often a sync that reads or writes tells how far it is, seconds.
_PROGRESS: Final = 1.0
#: How often another replica's sync is asked for its result, seconds.
_JOIN_PAUSE: Final = 0.25
#: Giving a lease back must not hold up the end of the service, seconds; what fails runs out.
_GIVE_BACK_SECONDS: Final = 1.0
#: How long a cancelled sync may take to end, seconds.
_AFTER_CANCELLING: Final = _GIVE_BACK_SECONDS + 0.25
#: Projects which one check serves together with others' polls, at once.
_COMPANIONS: Final = 100
#: A check may wait for others to share a query with for this part of the polling interval, and this
#: long, seconds.
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


class OriginalSync:
    """Syncs projects, each under a lease, and joins those who ask for the same sync."""

    def __init__(
        self,
        database: Database,
        projects: ProjectStore,
        leases: LeaseStore,
        syncs: SyncStore,
        progress: SyncProgressStore,
        work: SyncWork,
        *,
        owner: str,
        clock: Callable[[], datetime],
        metrics: Metrics,
        renew_every: float = LEASE_RENEWAL,
    ) -> None:
        """`owner` names this process among the replicas; leases are renewed every so many seconds."""
        self._database = database
        self._projects = projects
        self._leases = leases
        self._syncs = syncs
        self._progress = progress
        self._work = work
        self._owner = owner
        self._clock = clock
        self._metrics = metrics
        self._renew_every = renew_every
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

    async def sync(self, project_id: str, trigger: SyncTrigger) -> Sync:
        """Sync now, or join the sync which is under way here or in another replica; its result may be `failed`.

        Raises:
            NotFoundError: the project is not there, or not any more.
            StoppingError: the service stops, and the sync was abandoned whole.
        """
        while True:
            task = await self._started(project_id, trigger)
            if task is None:
                result = await self._result_of_another_replica(project_id)
                if result is not None:
                    return result
                continue
            # Changed settings, or a lost lease: what was asked for has not been done yet.
            with contextlib.suppress(SourceChangedError, LeaseLostError):
                result = await self._joined(task)
                if trigger != "manual" or not _refused_a_poll(result):
                    return result

    async def start(self, project_id: str, trigger: SyncTrigger) -> SyncProgress:
        """Start a sync, or find the one under way, without waiting for its end.

        Raises:
            NotFoundError: the project is not there.
            StoppingError: the service stops.
        """
        project = await self._projects.get(project_id)
        await self._started(project.id, trigger)
        return await self.progress(project.id)

    async def progress(self, project_id: str) -> SyncProgress:
        """How far the project's sync is, here or in another replica.

        Raises:
            NotFoundError: the project is not there.
        """
        project = await self._projects.get(project_id)
        if (running := self._running.get(project_id)) is not None:
            return (
                running[1]
                .progress.snapshot()
                .model_copy(update={"last_sync": project.state.last_sync})
            )
        if project.lease_until is None or project.lease_until <= await self._database.now():
            return SyncProgress(status="idle", last_sync=project.state.last_sync)
        told = await self._progress.get(project_id, project.fence) or SyncProgress(status="running")
        return told.model_copy(update={"last_sync": project.state.last_sync})

    async def _started(self, project_id: str, trigger: SyncTrigger) -> asyncio.Task[Sync] | None:
        """The task of the sync that runs here, started if need be; None while another replica holds the lease."""
        if (running := self._running.get(project_id)) is not None:
            return running[0]
        asked_at = time.monotonic()
        project = await self._projects.get(project_id)
        ahead = self._work.look_ahead(project, asked_at)
        self._kept(ahead.task)

        async def claim() -> list[Claim]:
            claimed = await self._leases.claim(project_id, self._owner)
            return [] if claimed is None else [claimed]

        started = await self._claim(claim, trigger, ahead=ahead)
        if started:
            return started[0].task
        # It may have been started here while this one asked.
        return running[0] if (running := self._running.get(project_id)) is not None else None

    async def start_due(
        self,
        limit: int,
        busy: Collection[str],
        batched: Collection[str],
        *,
        only_read: bool = False,
    ) -> list[StartedSync]:
        """Claim up to `limit` due projects and start their syncs; none whose credential's hint is `busy`.

        Where the hint is in `batched`, checks wait for each other, to share GraphQL queries.
        `only_read`: no first syncs.
        """
        began = time.monotonic()
        due = partial(self._leases.claim_due, self._owner, limit, busy, only_read=only_read)
        started = await self._claim(due, None, batched=batched)
        polls = [
            one.run.project
            for one in started
            if one.run.trigger == "poll" and one.run.project.polling_interval
        ]
        companions = partial(self._leases.claim_companions, self._owner, polls, _COMPANIONS)
        started += await self._claim(companions, None, batched=batched, companions_of=began)
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
        self,
        claim: Callable[[], Awaitable[list[Claim]]],
        trigger: SyncTrigger | None,
        *,
        batched: Collection[str] = (),
        companions_of: float | None = None,
        ahead: CheckAhead | None = None,
    ) -> list[_Started]:
        """Claim and start as one; a caller who goes away in between leaves no lease behind.

        Raises StoppingError where the service stops.
        """
        if self._stopping:
            if ahead is not None:
                ahead.task.cancel()
            raise StoppingError

        async def claim_and_start() -> list[_Started]:
            claims: list[Claim] = []
            try:
                claims = await claim()
            finally:
                if ahead is not None and (not claims or self._stopping):
                    ahead.task.cancel()
            if claims and self._stopping:
                for one in claims:
                    await self._give_back(one.lease)
                raise StoppingError
            return [
                self._start(one, trigger, batched, companions_of=companions_of, ahead=ahead)
                for one in claims
            ]

        return await asyncio.shield(self._kept(asyncio.create_task(claim_and_start())))

    def _kept(self, task: asyncio.Task[Any]) -> asyncio.Task[Any]:
        """The task, known until it is done; an exception that nobody waits for was logged where it arose."""
        self._tasks.add(task)

        def forget(done: asyncio.Task[Any]) -> None:
            self._tasks.discard(done)
            if not done.cancelled():
                done.exception()

        task.add_done_callback(forget)
        return task

    async def stop(self, seconds: float) -> None:
        """Let running syncs finish for `seconds`; then abandon the rest whole and give their leases back."""
        self._stopping = True
        if self._running:
            _log.info("waiting for running syncs", count=len(self._running))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        late = set(self._tasks)
        for task in late:
            task.cancel()
        if late:
            # What a cancelled sync still asks the database may hang too.
            await asyncio.wait(late, timeout=_AFTER_CANCELLING)

    async def _result_of_another_replica(self, project_id: str) -> Sync | None:
        """The result of the lease which somebody holds now; None when it ended without one."""
        held = await self._projects.get(project_id)
        while True:
            result = await self._syncs.by_fence(project_id, held.fence)
            if result is not None:
                return result
            current = await self._projects.get(project_id)
            now = await self._database.now()
            if (
                current.fence != held.fence
                or current.lease_until is None
                or current.lease_until <= now
            ):
                return await self._syncs.by_fence(project_id, held.fence)
            await asyncio.sleep(_JOIN_PAUSE)

    def _start(
        self,
        claim: Claim,
        trigger: SyncTrigger | None,
        batched: Collection[str],
        *,
        companions_of: float | None,
        ahead: CheckAhead | None,
    ) -> _Started:
        """`companions_of`: when those began to be claimed whose check serves this one too (monotonic)."""
        project = claim.project
        self._metrics.claimed(claim, asked_for=trigger is not None)
        started_at = milliseconds(self._clock())
        sync_id, why = str(ObjectId()), trigger or project.due_trigger
        run = SyncRun(
            id=sync_id,
            project=project,
            lease=claim.lease,
            trigger=why,
            started_at=started_at,
            started=time.perf_counter(),
            patience=_patience(claim, batched, companions_of, asked_for=trigger is not None),
            progress=Progress(sync_id, why, started_at, self._clock),
            companion=companions_of is not None,
            ahead=ahead,
        )
        task = asyncio.create_task(self._run(run), name=f"sync {project.id}")
        self._running[project.id] = task, run

        def forget(done: asyncio.Task[Sync]) -> None:
            # A lease that ran out may have been claimed anew by this very process.
            running = self._running.get(project.id)
            if running is not None and running[0] is done:
                del self._running[project.id]

        task.add_done_callback(forget)
        return _Started(run, self._kept(task))

    async def _run(self, run: SyncRun) -> Sync:
        """The whole sync under its lease; every way out but a crash gives the lease back."""
        log = _log.bind(project_id=run.project.id, project=run.project.name, trigger=run.trigger)
        try:
            sync = await self._under_lease(run, self._work.run(run))
        except BaseException as error:
            _log_abandoned(log, error)
            await self._give_back(run.lease)
            raise
        self._metrics.finished(sync)
        # Nearly all polls find nothing new.
        tell = log.debug if sync.status == "unchanged" and run.trigger == "poll" else log.info
        tell(
            "sync finished", status=sync.status, message=sync.message, duration_ms=sync.duration_ms
        )
        return sync

    async def _give_back(self, lease: Lease) -> None:
        try:
            with pymongo.timeout(_GIVE_BACK_SECONDS):
                await self._leases.release(lease)
        except PyMongoError:
            _log.warning(
                "a lease could not be given back and will run out", project_id=lease.project_id
            )

    async def give_back_forgotten(self) -> None:
        """Give back leases which this process holds without knowing.

        A claim whose answer did not come in time may still have been written, and a lease may not
        have been taken
        back: nobody would sync those projects until their leases run out.
        """
        for lease in await self._leases.held(self._owner):
            running = self._running.get(lease.project_id)
            if running is None or running[1].lease.fence != lease.fence:
                await self._leases.release(lease)

    async def _under_lease(self, run: SyncRun, work: Awaitable[Sync]) -> Sync:
        """Run `work` while the lease is renewed; stop it when the lease is lost."""
        beat = asyncio.create_task(self._beat(run))
        main = asyncio.ensure_future(work)
        try:
            await asyncio.wait({beat, main}, return_when=asyncio.FIRST_COMPLETED)
            if not main.done():
                raise LeaseLostError
            return main.result()
        finally:
            for task in (beat, main):
                task.cancel()
            await asyncio.gather(beat, main, return_exceptions=True)

    async def _beat(self, run: SyncRun) -> None:
        """Renew the lease and tell how far the sync is; return when the lease is lost.

        A database that does not answer decides nothing: the fence does.
        """
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(_PROGRESS)
            try:
                if run.progress.phase not in {"checking", "waiting"}:
                    await self._progress.put(
                        run.project.id, run.lease.fence, run.progress.snapshot()
                    )
                if time.monotonic() - renewed >= self._renew_every:
                    renewed = time.monotonic()
                    if await self._leases.renew([run.lease]):
                        return
            except PyMongoError:
                _log.warning("a lease could not be renewed", project_id=run.project.id)


def _refused_a_poll(sync: Sync) -> bool:
    """Whether a sync failed for a limit whose reserve a person may use."""
    return (
        sync.trigger != "manual"
        and sync.error is not None
        and sync.error.code == "github_rate_limited"
    )


def _patience(
    claim: Claim, batched: Collection[str], companions_of: float | None, *, asked_for: bool
) -> Patience:
    """A check which began before the project fell due, or before somebody asked, tells nothing."""
    late = 0.0 if asked_for or claim.lateness is None else max(0.0, claim.lateness)
    linger = None
    if not asked_for and claim.project.source.credential_hint in batched:
        linger = min(_LINGER_MOST, claim.project.polling_interval * _LINGER_SHARE)
    return Patience(time.monotonic() - late if companions_of is None else companions_of, linger)


def _log_abandoned(log: structlog.stdlib.BoundLogger, error: BaseException) -> None:
    """Say why a sync ended without a record."""
    match error:
        case LeaseLostError() | SourceChangedError():
            log.info("sync abandoned", reason=error.code)
        case asyncio.CancelledError():
            log.info("sync abandoned: the service stops")
        case StorageError():
            log.error("sync abandoned", reason=error.code, detail=error.detail)
        case PyMongoError():
            log.error(
                "sync abandoned: the database failed", error=f"{type(error).__name__}: {error}"
            )
        case _:
            log.error("sync abandoned unexpectedly", exc_info=error)
