"""Sharing what is known of GitHub's limits, with other replicas and with the next start of the service."""

from collections.abc import Callable
from datetime import datetime

from benchmark_manager.github.sending.governor import Governors
from benchmark_manager.stores.operations.governors import GovernorStore


class LimitSharing:
    """Tells what this process learnt and spent, and takes over what others did."""

    def __init__(
        self, governors: Governors, store: GovernorStore, clock: Callable[[], datetime]
    ) -> None:
        self._governors = governors
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Tell and listen; nothing is lost when the database does not answer.

        Raises:
            StorageError
        """
        untold = self._governors.unshared()
        told = 0
        try:
            for state in untold:
                await self._store.tell(state, self._clock())
                told += 1
        finally:
            self._governors.put_back(untold[told:])
        self._governors.merge(await self._store.all(self._clock()))
