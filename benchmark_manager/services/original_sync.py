"""The one way to sync: poll, webhook, button and command line all end here.

This module claims leases, runs `SyncWork` under them and lets callers join; what a sync does is said there.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from typing import Any, Final

import pymongo
import structlog
from bson import ObjectId
from pymongo.errors import PyMongoError

from benchmark_manager.errors import LeaseLostError, SourceChangedError, StoppingError, StorageError
from benchmark_manager.models.project import Lease, Project
from benchmark_manager.models.sync import Sync, SyncTrigger
from benchmark_manager.services.sync_records import SyncRun
from benchmark_manager.services.sync_work import SyncWork
from benchmark_manager.stores.database import Database, milliseconds
from benchmark_manager.stores.projects import ProjectStore
from benchmark_manager.stores.syncs import SyncStore

_log = structlog.get_logger(__name__)

#: A lease is renewed this often, seconds.
_RENEWAL: Final = 20.0
#: How often another replica's sync is asked for its result, seconds.
_JOIN_PAUSE: Final = 0.25
#: Giving a lease back must not hold up the end of the service, seconds; what fails runs out.
_GIVE_BACK_SECONDS: Final = 2.0

_Claimed = tuple[Project, Lease]


class OriginalSync:
    """Syncs projects, each under a lease, and joins those who ask for the same sync."""

    def __init__(
        self,
        database: Database,
        projects: ProjectStore,
        syncs: SyncStore,
        work: SyncWork,
        *,
        owner: str,
        clock: Callable[[], datetime],
    ) -> None:
        """`owner` names this process among the replicas."""
        self._database = database
        self._projects = projects
        self._syncs = syncs
        self._work = work
        self._owner = owner
        self._clock = clock
        self._stopping = False
        self._running: dict[str, asyncio.Task[Sync]] = {}
        #: Every task under way: those of `_running`, claims, and syncs whose lease was lost to a newer one.
        self._tasks: set[asyncio.Task[Any]] = set()

    async def sync(self, project_id: str, trigger: SyncTrigger) -> Sync:
        """Sync now, or join the sync which is under way here or in another replica; its result may be `failed`.

        Raises:
            NotFoundError: the project is not there, or not any more.
            StoppingError: the service stops, and the sync was abandoned whole.
        """
        while True:
            task = self._running.get(project_id)
            if task is None:
                task = await self._claim(self._projects.claim(project_id, self._owner), trigger)
            if task is None and (task := self._running.get(project_id)) is None:
                result = await self._result_of_another_replica(project_id)
                if result is not None:
                    return result
                continue
            # Changed settings, or a lost lease: what was asked for has not been done yet.
            with contextlib.suppress(SourceChangedError, LeaseLostError):
                return await self._joined(task)

    async def _joined(self, task: asyncio.Task[Sync]) -> Sync:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if task.cancelled() and caller is not None and not caller.cancelling():
                raise StoppingError from None
            raise

    async def sync_next_due(self) -> asyncio.Task[Sync] | None:
        """Claim the longest due project and start its sync; None when none is due."""
        return await self._claim(self._projects.claim_due(self._owner), None)

    async def _claim(
        self, claim: Coroutine[Any, Any, _Claimed | None], trigger: SyncTrigger | None
    ) -> asyncio.Task[Sync] | None:
        """Claim and start as one; a caller who goes away in between leaves no lease behind."""

        async def claim_and_start() -> asyncio.Task[Sync] | None:
            claimed = await claim
            if claimed is None:
                return None
            project, lease = claimed
            if self._stopping:
                await self._give_back(lease)
                raise StoppingError
            return self._start(project, lease, trigger or project.due_trigger)

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
        await asyncio.gather(*late, return_exceptions=True)

    async def _result_of_another_replica(self, project_id: str) -> Sync | None:
        """The result of the lease which somebody holds now; None when it ended without one."""
        held = await self._projects.get(project_id)
        while True:
            result = await self._syncs.by_fence(project_id, held.fence)
            if result is not None:
                return result
            current = await self._projects.get(project_id)
            now = await self._database.now()
            if current.fence != held.fence or current.lease_until is None or current.lease_until <= now:
                return await self._syncs.by_fence(project_id, held.fence)
            await asyncio.sleep(_JOIN_PAUSE)

    def _start(self, project: Project, lease: Lease, trigger: SyncTrigger) -> asyncio.Task[Sync]:
        run = SyncRun(str(ObjectId()), project, lease, trigger, milliseconds(self._clock()), time.perf_counter())
        task = asyncio.create_task(self._run(run), name=f"sync {project.id}")
        self._running[project.id] = task

        def forget(done: asyncio.Task[Sync]) -> None:
            # A lease that ran out may have been claimed anew by this very process.
            if self._running.get(project.id) is done:
                del self._running[project.id]

        task.add_done_callback(forget)
        return self._kept(task)

    async def _run(self, run: SyncRun) -> Sync:
        """The whole sync under its lease; every way out but a crash gives the lease back."""
        log = _log.bind(project_id=run.project.id, project=run.project.name, trigger=run.trigger)
        try:
            sync = await self._under_lease(run.lease, self._work.run(run))
        except BaseException as error:
            _log_abandoned(log, error)
            await self._give_back(run.lease)
            raise
        log.info("sync finished", status=sync.status, message=sync.message, duration_ms=sync.duration_ms)
        return sync

    async def _give_back(self, lease: Lease) -> None:
        try:
            with pymongo.timeout(_GIVE_BACK_SECONDS):
                await self._projects.release(lease)
        except PyMongoError:
            _log.warning("a lease could not be given back and will run out", project_id=lease.project_id)

    async def _under_lease(self, lease: Lease, work: Awaitable[Sync]) -> Sync:
        """Run `work` while the lease is renewed; stop it when the lease is lost."""
        beat = asyncio.create_task(self._renew(lease))
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

    async def _renew(self, lease: Lease) -> None:
        """Return when the lease is lost. A database that does not answer decides nothing: the fence does."""
        while True:
            await asyncio.sleep(_RENEWAL)
            try:
                await self._projects.renew(lease)
            except LeaseLostError:
                return
            except PyMongoError:
                _log.warning("a lease could not be renewed", project_id=lease.project_id)


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
            log.error("sync abandoned: the database failed", error=f"{type(error).__name__}: {error}")
        case _:
            log.error("sync abandoned unexpectedly", exc_info=error)
