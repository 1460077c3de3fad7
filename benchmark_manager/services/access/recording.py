"""The interface through which every change is recorded, in the transaction that makes it."""

from collections.abc import Sequence
from typing import Protocol

from benchmark_manager.models.recorded_change import RecordedChange
from benchmark_manager.stores.database.database import Session


class ChangeRecorder(Protocol):
    """Writes one record for each change, in the transaction of the change."""

    async def __call__(self, changes: Sequence[RecordedChange], session: Session) -> None: ...


async def record_nothing(changes: Sequence[RecordedChange], session: Session) -> None:
    """Keep no record of changes."""
