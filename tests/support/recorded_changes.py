"""A recorder of changes that keeps them, or fails."""

from collections.abc import Sequence

from benchmark_manager.models.recorded_change import RecordedChange
from benchmark_manager.stores.database.database import Session


class RecordedChanges:
    """Keeps the changes that were recorded; with `fails`, recording raises an error."""

    def __init__(self, *, fails: bool = False) -> None:
        self.changes: list[RecordedChange] = []
        self.fails = fails

    async def __call__(self, changes: Sequence[RecordedChange], session: Session) -> None:
        assert session.in_transaction
        self.changes += changes
        if self.fails:
            raise RuntimeError("the record cannot be written")

    @property
    def facts(self) -> list[tuple[str, str, int | None, int | None]]:
        """Action, name of the principal, and revisions before and after of each change."""
        return [(one.action, one.principal.name, one.before, one.after) for one in self.changes]
