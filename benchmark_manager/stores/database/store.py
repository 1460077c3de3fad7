"""The base of every store."""

import inspect

from benchmark_manager.errors import StorageError
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.translation import translated, translated_rows


class Store:
    """Its public methods raise `StorageError` where the driver raises errors of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def __init_subclass__(cls) -> None:
        for name, method in list(vars(cls).items()):
            if name.startswith("_"):
                continue
            if inspect.iscoroutinefunction(method):
                setattr(cls, name, translated(method))
            elif inspect.isasyncgenfunction(method):
                setattr(cls, name, translated_rows(method))

    async def failure(self, error: Exception) -> StorageError:
        """Return the failure that one of the driver's errors means."""
        return await self._database.failure(error)
