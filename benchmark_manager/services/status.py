"""How the service is."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from pymongo.errors import PyMongoError

from benchmark_manager.github.governor import Governors
from benchmark_manager.models.governor import GovernorStatus
from benchmark_manager.models.project import Totals
from benchmark_manager.models.record import Record
from benchmark_manager.stores.database import Database, DatabaseKind
from benchmark_manager.stores.projects import ProjectStore

#: A database which takes longer for one small read counts as not answering, seconds.
_PATIENCE: Final = 2.0


class DatabaseStatus(Record):
    """The database behind the service."""

    kind: DatabaseKind
    version: str
    latency_ms: float


class ServiceStatus(Record):
    """Everything that GET /status tells, but for the scheduler's own state."""

    uptime_seconds: float
    database: DatabaseStatus
    totals: Totals
    github: tuple[GovernorStatus, ...]


class StatusService:
    """Reads for probes and dashboards."""

    def __init__(
        self, database: Database, projects: ProjectStore, governors: Governors, *, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._projects = projects
        self._governors = governors
        self._clock = clock
        self._started = time.monotonic()

    def now(self) -> datetime:
        return self._clock()

    async def database_answers(self) -> bool:
        """Whether a real read comes back within 2 s."""
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._database.latency()
        except (TimeoutError, PyMongoError):
            return False
        return True

    async def totals(self) -> Totals:
        return await self._projects.totals(self._clock())

    def governors(self) -> list[GovernorStatus]:
        return self._governors.statuses()

    async def status(self) -> ServiceStatus:
        latency = await self._database.latency()
        return ServiceStatus(
            uptime_seconds=round(time.monotonic() - self._started, 3),
            database=DatabaseStatus(
                kind=self._database.kind,
                version=await self._database.version(),
                latency_ms=round(latency * 1000, 3),
            ),
            totals=await self.totals(),
            github=tuple(self.governors()),
        )
