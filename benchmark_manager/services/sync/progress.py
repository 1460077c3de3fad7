"""The progress of a sync."""

from collections.abc import Callable
from datetime import datetime

from benchmark_manager.models.sync import SyncPhase, SyncProgress, SyncTrigger


class Progress:
    """The progress of a running sync; read in this process, or by others through the database."""

    def __init__(
        self,
        sync_id: str,
        trigger: SyncTrigger,
        started_at: datetime,
        clock: Callable[[], datetime],
    ) -> None:
        self._sync_id = sync_id
        self._trigger = trigger
        self._started_at = started_at
        self._clock = clock
        self.phase: SyncPhase = "checking"
        self._files = 0
        self._bytes = 0
        self._files_total: int | None = None
        self._bytes_total: int | None = None

    def enter(self, phase: SyncPhase) -> None:
        self.phase = phase

    def expect(self, files: int, size: int) -> None:
        """Set the number and bytes of the contents that have to be fetched."""
        self.phase = "fetching"
        self._files_total, self._bytes_total = self._files + files, self._bytes + size

    def arrived(self, files: int, size: int) -> None:
        self._files += files
        self._bytes += size

    def snapshot(self) -> SyncProgress:
        return SyncProgress(
            status="running",
            sync_id=self._sync_id,
            trigger=self._trigger,
            phase=self.phase,
            started_at=self._started_at,
            updated_at=self._clock(),
            files_total=self._files_total,
            files_fetched=self._files,
            bytes_total=self._bytes_total,
            bytes_fetched=self._bytes,
        )
