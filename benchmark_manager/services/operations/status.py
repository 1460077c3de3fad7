"""How the service is."""

import asyncio
import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from benchmark_manager.github.sending.governor import Governors
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.governor import GovernorStatus
from benchmark_manager.models.project import Totals
from benchmark_manager.models.record import Record
from benchmark_manager.stores.database.database import Database, DatabaseKind
from benchmark_manager.stores.database.watch import DatabaseWatch
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.projects.projects import ProjectStore
from benchmark_manager.stores.variants.variants import VariantStore

#: A database that takes longer for one small read counts as not answering, seconds.
_PROBE_SECONDS: Final = 1.8
#: In steps, as an event loop that is busy with requests says nothing about the database.
_PROBE_STEP: Final = 0.1
#: A read without an answer is cancelled, so that the next one tries another connection.
_PROBE_ENDS: Final = 10.0


class DatabaseStatus(Record):
    """The database behind the service."""

    kind: DatabaseKind
    version: str
    latency_ms: float


class ServiceStatus(Record):
    """What GET /status answers, except for the scheduler's own state."""

    uptime_seconds: float
    database: DatabaseStatus
    totals: Totals
    github: tuple[GovernorStatus, ...]


class StatusService:
    """Reads for probes and dashboards."""

    def __init__(
        self,
        database: Database,
        watch: DatabaseWatch,
        governors: Governors,
        *,
        projects: ProjectStore,
        originals: OriginalFileStore,
        variants: VariantStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._watch = watch
        self._projects = projects
        self._originals = originals
        self._variants = variants
        self._governors = governors
        self._clock = clock
        self._started = time.monotonic()
        self._probe: asyncio.Task[bool] | None = None

    def now(self) -> datetime:
        return self._clock()

    async def database_answers(self) -> bool:
        """Return whether a read answers within 2 s, not counting time when the event loop is busy.

        Calls at the same time share one read.
        """
        if self._probe is None or self._probe.done():
            self._probe = asyncio.create_task(self._read())
        probe = self._probe
        for _ in range(round(_PROBE_SECONDS / _PROBE_STEP)):
            done, _waiting = await asyncio.wait({probe}, timeout=_PROBE_STEP)
            if done:
                return not probe.cancelled() and probe.result()
        return False

    async def _read(self) -> bool:
        try:
            async with asyncio.timeout(_PROBE_ENDS):
                return await self._watch.ask()
        except TimeoutError:
            return False

    async def stop(self) -> None:
        """Give up a read that is under way."""
        if self._probe is not None:
            # The driver leaves a socket open where it is interrupted while it connects.
            await asyncio.wait({self._probe}, timeout=_PROBE_STEP)
            self._probe.cancel()
            await asyncio.gather(self._probe, return_exceptions=True)

    async def totals(self, principal: Principal) -> Totals:
        """Return counts over the projects that may be read; files of deleted ones do not count."""
        readable = principal.readable()
        if readable is not None:
            return await self._totals_of(readable)
        deleted = await self._projects.deleted()
        return await self._projects.totals(
            self._clock(),
            originals=await self._originals.count_of_others(deleted),
            variants=await self._variants.count_of_others(deleted),
        )

    async def _totals_of(self, project_ids: Collection[str]) -> Totals:
        existing = await self._projects.existing(project_ids)
        stats = (await self._originals.stats_of(existing)).values()
        return await self._projects.totals(
            self._clock(),
            originals=sum(one.original_files for one in stats),
            variants=sum(one.modified_files for one in stats),
            among=existing,
        )

    async def governors(self, principal: Principal) -> list[GovernorStatus]:
        """Return what is known of the limits of credentials.

        Who may not read all projects sees only those of the readable projects' own tokens.
        """
        readable, found = principal.readable(), self._governors.statuses()
        if readable is None:
            return found
        shown = await self._projects.token_fingerprints(readable)
        return [row for row in found if row.fingerprint in shown]

    async def status(self, principal: Principal) -> ServiceStatus:
        state = await self._database.state()
        return ServiceStatus(
            uptime_seconds=round(time.monotonic() - self._started, 3),
            database=DatabaseStatus(
                kind=self._database.kind,
                version=state.version,
                latency_ms=round(state.latency * 1000, 3),
            ),
            totals=await self.totals(principal),
            github=tuple(await self.governors(principal)),
        )
