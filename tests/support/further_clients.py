"""Further clients of a database that is open already, as other replicas of the service have."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pymongo import AsyncMongoClient, monitoring

from benchmark_manager.stores.database.database import Database
from support.reused_database import kind_of


@asynccontextmanager
async def further_client(
    url: str, *, listeners: Sequence[monitoring.CommandListener] = ()
) -> AsyncIterator[Database]:
    """A database without the checks and indexes of a start, which take longer than most tests.

    `listeners` get every command that is sent to it.
    """

    class Observed(Database):
        def new_client(self, **options: Any) -> AsyncMongoClient[dict[str, Any]]:
            return super().new_client(event_listeners=list(listeners), **options)

    database = Observed(url, "unnamed", kind_of(url))
    try:
        yield database
    finally:
        await database.close()
