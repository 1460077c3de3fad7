"""Ticks: APScheduler triggers that call services.

The database decides what is due, and replicas claim it there.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from benchmark_manager.errors import StorageError
from benchmark_manager.factory import Services
from benchmark_manager.services.operations.replicas import BEAT
from benchmark_manager.services.operations.stopping import SYNCS_END, TICKS_END

_log = structlog.get_logger(__name__)

#: Seconds between two checks for due projects.
_TICK: Final = 1.0
_SHARE_LIMITS: Final = 5.0
_GIVE_BACK_FORGOTTEN: Final = 5.0
_FINISH_FORGOTTEN: Final = 5.0
_SWEEP_DELETED: Final = 15.0
_HOUSEKEEPING: Final = 6 * 3600.0
_AFTER_CANCELLING: Final = 0.5


class Scheduler:
    """Polls and sweeps while it runs."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._stopping = False
        self._ticks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> bool:
        return bool(self._scheduler.running)

    def start(self) -> None:
        sweeping = self._services.housekeeping
        self._every(_TICK, "poll", self._services.polling.run_due)
        self._every(_SHARE_LIMITS, "share limits", self._services.limits.run)
        self._every(
            _GIVE_BACK_FORGOTTEN,
            "give back forgotten leases",
            self._services.sync.give_back_forgotten,
        )
        if self._services.replicas is not None:
            self._every(BEAT, "replicas", self._services.replicas.run)
        self._every(
            _FINISH_FORGOTTEN, "finish forgotten syncs", self._services.large_syncs.finish_forgotten
        )
        self._every(_SWEEP_DELETED, "sweep deleted projects", sweeping.sweep_deleted_projects)
        self._every(_HOUSEKEEPING, "housekeeping", sweeping.run)
        self._scheduler.start()

    def _every(self, seconds: float, name: str, work: Callable[[], Awaitable[None]]) -> None:
        async def attempt() -> None:
            try:
                await work()
            except StorageError as error:
                # The next tick tries again; /health reports a database that stays away.
                _log.warning("a tick failed", tick=name, code=error.code)

        async def tick() -> None:
            # APScheduler cancels its jobs when it shuts down, also in the middle of a call of the
            # database.
            task = asyncio.create_task(attempt())
            self._ticks.add(task)
            task.add_done_callback(self._ticks.discard)
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                if not self._stopping:
                    raise

        self._scheduler.add_job(
            tick, "interval", seconds=seconds, name=name, next_run_time=datetime.now(UTC)
        )

    async def stop(self) -> None:
        """Start nothing more; let running ticks finish, or abandon each as a whole."""
        self._stopping = True
        self._services.polling.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        # APScheduler shuts down in a callback of the loop.
        await asyncio.sleep(0)
        deadline = self._services.deadline
        await asyncio.gather(
            self._services.sync.stop(deadline.until(SYNCS_END)),
            self._end_ticks(deadline.until(TICKS_END)),
        )

    async def _end_ticks(self, seconds: float) -> None:
        if not self._ticks:
            return
        _, late = await asyncio.wait(self._ticks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            # The last call of a cancelled tick may hang too.
            await asyncio.wait(late, timeout=_AFTER_CANCELLING)


@asynccontextmanager
async def running_scheduler(services: Services, *, start: bool = True) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(services)
    if start:
        scheduler.start()
    try:
        yield scheduler
    finally:
        await scheduler.stop()
