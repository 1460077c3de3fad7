"""Deletes documents that nothing refers to any more."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from benchmark_manager.stores.database.database import Collection, Database, milliseconds

#: What nothing refers to is kept this long.
SWEEP_AGE: Final = timedelta(days=1)
#: What was touched less than this ago need not be touched again.
FRESH: Final = timedelta(hours=6)

#: Returns which of some ids are referred to; of None, which ids at all.
Referred = Callable[[Sequence[str] | None], Awaitable[set[str]]]


async def referred(collection: Collection, field: str, among: Sequence[str] | None) -> set[str]:
    """Return the ids in `field` of any document: those of `among`, or all (None)."""
    some = {"$exists": True} if among is None else {"$in": list(among)}
    return set(await collection.distinct(field, {field: some}))


async def sweep(
    database: Database,
    collection: Collection,
    referred: Referred,
    now: datetime,
) -> int:
    """Delete documents that nothing has referred to for `SWEEP_AGE`; return how many.

    A document without a reference is first marked, and deleted if it still has none a day later. So
    a reader that has just read a reference still finds its document. Documents have `touched_at`,
    the last time when code was about to refer to them, and `unreferred_at`.
    """
    now = milliseconds(now)
    swept = 0
    untouched = {"touched_at": {"$lt": now - SWEEP_AGE}}
    old = [row["_id"] async for row in collection.find(untouched, {"_id": 1})]
    # The embedded server has no indexes for this question, so it is asked once. Code that refers to
    # a document meanwhile has touched it before.
    every = await referred(None) if old and database.kind == "embedded" else None
    at_once = database.in_at_most
    for start in range(0, len(old), at_once):
        chunk = old[start : start + at_once]
        used = await referred(chunk) if every is None else every.intersection(chunk)
        await collection.update_many(
            {"_id": {"$in": sorted(used)}, "unreferred_at": {"$ne": None}},
            {"$set": {"unreferred_at": None}},
        )
        unused = sorted(set(chunk) - used)
        # The conditions again, as one may have been touched meanwhile.
        result = await collection.delete_many(
            {"_id": {"$in": unused}, **untouched, "unreferred_at": {"$lt": now - SWEEP_AGE}}
        )
        await collection.update_many(
            {"_id": {"$in": unused}, "unreferred_at": None}, {"$set": {"unreferred_at": now}}
        )
        swept += result.deleted_count
    return swept
