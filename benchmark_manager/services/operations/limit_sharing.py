"""Shares what is known of GitHub's limits with other replicas and with the next start."""

from collections.abc import Callable
from datetime import datetime

from benchmark_manager.github.sending.governor import Governors
from benchmark_manager.stores.operations.governors import GovernorStore


class LimitSharing:
    """Stores what this process learnt and spent, and reads what others did."""

    def __init__(
        self, governors: Governors, store: GovernorStore, clock: Callable[[], datetime]
    ) -> None:
        self._governors = governors
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Store and read; nothing is lost when the database does not answer.

        Raises:
            StorageError
        """
        await self.store()
        self._governors.merge(await self._store.all(self._clock()))

    async def store(self) -> None:
        """Store alone, as a process does at its end.

        Raises:
            StorageError
        """
        unshared = self._governors.unshared()
        stored = 0
        try:
            for state in unshared:
                await self._store.add(state, self._clock())
                stored += 1
        finally:
            self._governors.put_back(unshared[stored:])
