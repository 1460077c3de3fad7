"""Removes results that were deleted long ago, and reads others again by a newer parser."""

from datetime import datetime, timedelta
from typing import Final

from benchmark_manager.models.access.principal import service_principal
from benchmark_manager.services.access.recording import ChangeRecorder
from benchmark_manager.services.results.parsing import ResultParsing
from benchmark_manager.services.results.recorded import recorded
from benchmark_manager.services.results.stores import ResultStores
from benchmark_manager.stores.database.database import IN_AT_MOST, Session

#: Results that one round of housekeeping reads again.
_READ_AGAIN: Final = 1000


class ResultUpkeep:
    """Each part may be repeated, and may run in several replicas at once."""

    def __init__(
        self,
        stores: ResultStores,
        parsing: ResultParsing,
        *,
        retention: timedelta,
        record: ChangeRecorder,
    ) -> None:
        """Deleted results are kept for `retention`."""
        self._stores = stores
        self._parsing = parsing
        self._retention = retention
        self._record = record

    async def run(self, now: datetime) -> int:
        """Remove old results, and bytes that nothing refers to; return how many results."""
        purged = await self._purge(now - self._retention)
        await self._remove_without_project()
        await self._stores.chunks.sweep(self._stores.results.chunk_ids, now)
        await self._parsing.read_old(_READ_AGAIN)
        return purged

    async def _purge(self, before: datetime) -> int:
        async def work(session: Session) -> int:
            old = await self._stores.results.older(before, IN_AT_MOST, session)
            if old:
                await self._stores.results.delete([result.id for result in old], session)
                purge = service_principal("housekeeping")
                changes = [recorded("result.purge", purge, result, None) for result in old]
                await self._record(changes, session)
            return len(old)

        purged = 0
        while count := await self._stores.database.transaction(work):
            purged += count
        return purged

    async def _remove_without_project(self) -> None:
        """Remove what is left where a version that does not know results forgot the project."""
        project_ids = await self._stores.results.project_ids()
        existing = await self._stores.projects.existing(project_ids)
        for project_id in sorted(project_ids - set(existing)):
            await self._stores.results.delete_of_project(project_id)
