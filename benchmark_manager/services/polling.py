"""Starting the syncs that are due, a bounded number at once."""

import asyncio
from typing import TYPE_CHECKING, Final

from benchmark_manager.errors import StoppingError
from benchmark_manager.services.original_sync import OriginalSync

if TYPE_CHECKING:
    from benchmark_manager.models.sync import Sync

#: Due syncs which one process runs at once; those that people ask for come on top.
AT_ONCE: Final = 16


class Polling:
    """Claims due projects, replicas sharing the work, and syncs them."""

    def __init__(self, sync: OriginalSync) -> None:
        self._sync = sync
        self._tasks: set[asyncio.Task[Sync]] = set()
        self._stopped = False

    async def run_due(self) -> None:
        """Start syncs until none is due; waits while `AT_ONCE` are under way."""
        while not self._stopped:
            if len(self._tasks) >= AT_ONCE:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                continue
            try:
                task = await self._sync.sync_next_due()
            except StoppingError:
                return
            if task is None:
                return
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """Start no more."""
        self._stopped = True
