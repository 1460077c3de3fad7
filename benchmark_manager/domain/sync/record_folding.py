"""Which polls share one record of history: unchanged ones in a row, for at most a day."""

from datetime import timedelta
from typing import Final

from benchmark_manager.models.sync import Sync, SyncSummary

#: A record covers less than this, from the start of its first poll to the start of its last.
LONGEST: Final = timedelta(days=1)


def fold_target(previous: SyncSummary | None, sync: Sync) -> str | None:
    """Return the id of the record that `sync` is folded into, or None: it gets one of its own.

    `previous` is the last sync that the project reports; where that was folded itself, its
    `started_at` is still that of its first poll.
    """
    if previous is None or not (_folds(previous) and _folds(sync)):
        return None
    # The message counts the originals and the skipped files: a different one would be lost.
    if (previous.commit_sha, previous.message) != (sync.commit_sha, sync.message):
        return None
    # A clock that was set back must not make a record end before it began.
    within = timedelta() <= sync.started_at - previous.started_at < LONGEST
    return previous.id if within else None


def _folds(sync: SyncSummary) -> bool:
    return sync.status == "unchanged" and sync.trigger == "poll"


def folded(previous: SyncSummary, sync: Sync) -> Sync:
    """Return `sync` as its record is after it was folded into that of `previous`.

    `github` alone stays what this poll cost: a summary does not hold the cost of earlier ones.
    """
    return sync.model_copy(
        update={
            "id": previous.id,
            "started_at": previous.started_at,
            "repeated": previous.repeated + 1,
        }
    )
