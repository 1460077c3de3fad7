"""Opens every service, connected to the database and to GitHub, and closes it again."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Final

from benchmark_manager.config import Settings
from benchmark_manager.factory.databases import open_database
from benchmark_manager.factory.externals import Externals
from benchmark_manager.factory.parts import Parts
from benchmark_manager.factory.services import Services, build_services
from benchmark_manager.github.sending.governor import Governors
from benchmark_manager.github.sending.requests import Connection
from benchmark_manager.services.operations.limit_sharing import LimitSharing
from benchmark_manager.services.operations.metrics import Metrics
from benchmark_manager.services.operations.stall_watch import StallWatch
from benchmark_manager.services.operations.stopping import LAST_WORDS_END, StopDeadline
from benchmark_manager.services.projects.tokens import bind_tokens
from benchmark_manager.services.texts.text_work import warm_up
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.operations.governors import GovernorStore
from benchmark_manager.workers.pool import WorkerPool

#: Seconds that the last calls of the database may take when the service stops.
_LAST_CALLS_SECONDS: Final = 0.5
#: More processes would take memory, and leave no core to the database and the service.
_MOST_WORKERS: Final = 4


@asynccontextmanager
async def open_services(
    settings: Settings, externals: Externals | None = None, deadline: StopDeadline | None = None
) -> AsyncIterator[Services]:
    """Build and connect everything; close it in reverse order, each part by the `deadline`.

    Raises:
        StartError: one readable line.
    """
    externals = externals or Externals()
    deadline = deadline or StopDeadline()
    metrics = Metrics()
    async with (
        open_workers(externals.workers) as workers,
        _opened_database(settings, externals.database, deadline) as database,
    ):
        connection = Connection(
            Governors(externals.clock),
            transport=externals.transport,
            clock=externals.clock,
            sleep=externals.sleep,
            observe=metrics.requested,
        )
        limits = LimitSharing(connection.governors, GovernorStore(database), externals.clock)
        # What a former process, or another replica, learnt from GitHub holds for this one too.
        await limits.run()
        try:
            metrics.watch(workers)
            services = build_services(
                Parts.of(
                    settings,
                    database,
                    connection,
                    limits,
                    metrics,
                    workers,
                    externals,
                    deadline,
                )
            )
            await bind_tokens(services.project_store, services.vault)
            await services.project_store.fold_names()
            watches = (StallWatch(metrics.stalled), services.database_watch)
            watching = [asyncio.create_task(watch.run()) for watch in watches]
            try:
                yield services
            finally:
                await _last_calls(services, limits, watching)
                await services.access.issuers.close()
        finally:
            await connection.close()


def _opened_database(
    settings: Settings, shared: Database | None, deadline: StopDeadline
) -> AbstractAsyncContextManager[Database]:
    return open_database(settings, deadline) if shared is None else nullcontext(shared)


async def _last_calls(
    services: Services, limits: LimitSharing, watching: Sequence["asyncio.Task[None]"]
) -> None:
    """Make all last calls of the database at once, as it may not answer; ignore failures."""
    for task in watching:
        task.cancel()
    with services.database.time_limit(_LAST_CALLS_SECONDS):
        calls: list[Awaitable[None]] = [
            limits.store(),
            services.events.stop(),
            services.status.stop(),
            services.access.uses.finish(),
            *watching,
        ]
        if services.replicas is not None:
            calls.append(services.replicas.leave())
        with contextlib.suppress(TimeoutError):
            # Closing a change stream has no time limit of its own.
            await asyncio.wait_for(
                asyncio.gather(*calls, return_exceptions=True),
                services.deadline.until(LAST_WORDS_END, at_least=_LAST_CALLS_SECONDS),
            )


@asynccontextmanager
async def open_workers(shared: WorkerPool | None = None) -> AsyncIterator[WorkerPool]:
    """Open the worker processes that read texts: `shared`, or some of this service's own."""
    if shared is not None:
        yield shared
        return
    pool = WorkerPool(
        min(_MOST_WORKERS, os.cpu_count() or 1), warm_up=f"{warm_up.__module__}:{warm_up.__name__}"
    )
    # In the background; only a task that comes before it has started waits for it.
    starting = asyncio.create_task(pool.start())
    try:
        yield pool
    finally:
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await pool.close()
