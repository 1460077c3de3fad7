"""Remove deleted sweeps, which may have tens of thousands of cells."""

from functools import partial

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.sweeps.sweeps import SweepStore


class SweepRemoval:
    """Removes sweeps that are not found any more, in transactions of bounded size.

    It may be repeated, and may run in several replicas at once.
    """

    def __init__(self, database: Database, sweeps: SweepStore, releases: ReleaseStore) -> None:
        self._database = database
        self._sweeps = sweeps
        self._releases = releases

    async def finish(self, sweep_id: str) -> None:
        """Remove a hidden sweep, and the releases that nothing else made or keeps."""
        drop = partial(self._releases.drop_cells, sweep_id)
        while await self._database.transaction(drop):
            pass
        await self._sweeps.delete(sweep_id)

    async def finish_all(self) -> None:
        """Remove all hidden sweeps, as after a crash."""
        for sweep_id in await self._sweeps.hidden():
            await self.finish(sweep_id)
