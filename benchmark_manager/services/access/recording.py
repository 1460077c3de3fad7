"""The interfaces through which changes and refusals are recorded."""

from collections.abc import Sequence
from typing import Protocol

from benchmark_manager.models.recorded_change import RecordedChange, RefusedChange
from benchmark_manager.stores.database.database import Session


class ChangeRecorder(Protocol):
    """Writes one record for each change, in the transaction of the change."""

    async def __call__(self, changes: Sequence[RecordedChange], session: Session) -> None: ...


async def record_nothing(changes: Sequence[RecordedChange], session: Session) -> None:
    """Keep no record of changes."""


class RefusalRecorder(Protocol):
    """Writes one record of a change that was refused, which has no transaction."""

    async def __call__(self, refusal: RefusedChange) -> None: ...


async def record_no_refusal(refusal: RefusedChange) -> None:
    """Keep no record of refused changes."""
