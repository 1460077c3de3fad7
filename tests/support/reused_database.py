"""Databases for many tests, and for the services that they start one after the other."""

import asyncio
import contextlib
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from benchmark_manager.errors import StorageError
from benchmark_manager.stores.database.database import START_CHECK, Database, DatabaseKind
from benchmark_manager.stores.database.indexes import INDEXES, make_indexes
from benchmark_manager.stores.database.meta import SCHEMA, MetaStore
from benchmark_manager.stores.database.starting import start as start_database

#: Up to so many documents are sooner deleted than their database is dropped and made anew.
_FEW: Final = 300
#: Those that tests use now, by their URLs.
_USED: "Final[dict[str, ReusedDatabase]]" = {}
#: Empty ones that no test uses, by the URLs of their servers.
_IDLE: "Final[defaultdict[str, list[ReusedDatabase]]]" = defaultdict(list)
#: Those that are not used any more, by the same.
_UNCLEARED: "Final[defaultdict[str, list[ReusedDatabase]]]" = defaultdict(list)


@dataclass(slots=True)
class ReusedDatabase:
    """A database for one test after the other.

    Making all indexes anew takes longer than most tests.
    """

    url: str
    client: AsyncMongoClient[dict[str, Any]]
    #: What services and tests of stores use one after the other.
    opened: Database | None = None
    #: Whether one uses it now.
    is_lent: bool = False
    #: The collections that `make_indexes` makes here: fewer on the embedded database.
    _indexed: frozenset[str] = frozenset()

    @property
    def database(self) -> AsyncDatabase[dict[str, Any]]:
        return self.client[urlsplit(self.url).path[1:]]

    async def open(self) -> Database:
        """Return the database as it is after the start of a service."""
        database = self.opened
        if database is None:
            database = self.opened = Database(self.url, "unnamed", kind_of(self.url))
            await start_database(database)
            await self._note_indexed()
        else:
            database.before_transaction = None
            try:
                await database.check_writes()
            except (StorageError, PyMongoError):
                # A busy machine may make the embedded server so slow that it is replaced.
                await start_database(database)
        await MetaStore(database).record_version(SCHEMA)
        return database

    async def clear(self) -> None:
        names = await self._collections()
        counts = await self._counts(names)
        if sum(counts.values()) > _FEW:
            await self.client.drop_database(self.database.name)
            names, counts = [], {}
        # Until a majority has the deletions, what reads before it writes would find the documents.
        await asyncio.gather(*(self.database[name].delete_many({}) for name in counts))
        if self.opened is not None and not self._indexed <= set(names):
            # The database was dropped, here or by the test.
            await make_indexes(self.opened)
            await self._note_indexed()
            # Its check that the server takes writes leaves a document.
            await self.database[START_CHECK].delete_many({})

    async def _note_indexed(self) -> None:
        self._indexed = frozenset(INDEXES.keys() & set(await self._collections()))

    async def _collections(self) -> list[str]:
        return await self.database.list_collection_names(filter={"type": "collection"})

    async def _counts(self, names: list[str]) -> dict[str, int]:
        """Return how many documents there are in each collection that has some, at most `_FEW + 1`.

        One command for all takes less time than one for each.
        """
        if not names:
            return {}
        first, *others = names
        united = [{"$unionWith": {"coll": name, "pipeline": _counted(name)}} for name in others]
        rows = await self.database[first].aggregate([*_counted(first), *united])
        return {row["_id"]: row["documents"] for row in await rows.to_list()}

    async def close(self) -> None:
        with contextlib.suppress(PyMongoError):
            await self.client.drop_database(self.database.name)
        await self.client.close()
        if self.opened is not None:
            await self.opened.close()


def kind_of(url: str) -> DatabaseKind:
    """Return which server is behind a URL of the fixtures."""
    return "embedded" if "directConnection" in url else "mongodb"


def _counted(collection: str) -> list[dict[str, Any]]:
    counted = {"_id": collection, "documents": {"$sum": 1}}
    return [{"$limit": _FEW + 1}, {"$group": counted}]


@asynccontextmanager
async def reused_database(server_url: str) -> AsyncIterator[str]:
    """A URL with the name of an empty database; indexes of the test before may be there."""
    idle = _IDLE[server_url]
    reused = idle.pop() if idle else _new_database(server_url)
    _USED[reused.url] = reused
    yield reused.url
    del _USED[reused.url]
    try:
        await reused.clear()
    except (StorageError, PyMongoError):
        # A busy machine may make the embedded server so slow that it is replaced meanwhile.
        _UNCLEARED[server_url].append(reused)
    else:
        idle.append(reused)


def _new_database(server_url: str) -> ReusedDatabase:
    # `poll`: see EmbeddedDatabase.url.
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        server_url, serverMonitoringMode="poll"
    )
    name = f"test_{secrets.token_hex(4)}_reused"
    return ReusedDatabase(urlunsplit(urlsplit(server_url)._replace(path=f"/{name}")), client)


@asynccontextmanager
async def lent(url: str) -> AsyncIterator[Database | None]:
    """Lend the open database behind a URL of `reused_database`.

    It is as after the start of a service, and one at a time may use it: None if another one does,
    or if the URL is another.
    """
    reused = _USED.get(url)
    if reused is None or reused.is_lent:
        yield None
        return
    reused.is_lent = True
    try:
        yield await reused.open()
    finally:
        reused.is_lent = False


@asynccontextmanager
async def lent_database(url: str) -> AsyncIterator[Database]:
    """Lend it to a test that uses it alone."""
    async with lent(url) as database:
        assert database is not None
        yield database


async def close_reused(server_url: str) -> None:
    """Close and drop the databases of a server."""
    for reused in (*_IDLE.pop(server_url, []), *_UNCLEARED.pop(server_url, [])):
        await reused.close()
