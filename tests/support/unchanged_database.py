"""The database of a service that tests share, put back as it was behind each of them.

Making a synced project takes ten times as long as putting back what a test changes, and that ten
times as long as finding out that it only read.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from weakref import WeakKeyDictionary

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from bson.timestamp import Timestamp
from pymongo.asynchronous.collection import AsyncCollection

from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.indexes import INDEXES

#: All collections but those in which running services keep notes of themselves.
_COLLECTIONS: Final = (*INDEXES, "deleted_projects", "release_blobs", "sync_progress")
#: Services remember which of these they wrote lately, and do not write those again.
_REMEMBERED: Final = "problems"
_RAW: Final = CodecOptions(document_class=RawBSONDocument)

#: The stored form of each document, by collection and id.
Stored = Mapping[str, dict[Any, bytes]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What a database holds while the last write to its server is this one."""

    last_write: Timestamp
    stored: Stored


#: What was read, or put back, last.
_KNOWN: Final[WeakKeyDictionary[Database, _Known]] = WeakKeyDictionary()


@asynccontextmanager
async def unchanged(database: Database) -> AsyncIterator[None]:
    """Put back every document that the block changes, deletes or adds."""
    before = await _known_or_read(database)
    yield
    if await _last_write(database) != before.last_write:
        await _put_back(database, before.stored, await stored_documents(database))
        _KNOWN[database] = _Known(await _last_write(database), before.stored)


async def _known_or_read(database: Database) -> _Known:
    last_write = await _last_write(database)
    known = _KNOWN.get(database)
    if known is None or known.last_write != last_write:
        known = _KNOWN[database] = _Known(last_write, await stored_documents(database))
    return known


async def _last_write(database: Database) -> Timestamp:
    """Return the time of the last write to any database of the server."""
    answer = await database.collection(_REMEMBERED).database.command("ping")
    found: Timestamp = answer["operationTime"]
    return found


async def stored_documents(database: Database) -> Stored:
    """Read all documents by one command."""
    first, *others = _COLLECTIONS
    united = [{"$unionWith": {"coll": name, "pipeline": _named(name)}} for name in others]
    found: defaultdict[str, dict[Any, bytes]] = defaultdict(dict)
    async for row in await _raw(database, first).aggregate([*_named(first), *united]):
        document = row["stored"]
        found[row["of"]][document["_id"]] = document.raw
    return found


def _named(collection: str) -> list[dict[str, Any]]:
    return [{"$project": {"_id": 0, "of": collection, "stored": "$$ROOT"}}]


async def _put_back(database: Database, before: Stored, after: Stored) -> None:
    for name in before.keys() | after.keys():
        kept, found = before.get(name, {}), after.get(name, {})
        changed = {key for key, document in found.items() if kept.get(key) != document}
        if name == _REMEMBERED:
            changed = set()
        if changed:
            await _raw(database, name).delete_many({"_id": {"$in": [*changed]}})
        missing = [key for key in kept if key in changed or key not in found]
        if missing:
            documents = [RawBSONDocument(kept[key]) for key in missing]
            await _raw(database, name).insert_many(documents)


def _raw(database: Database, name: str) -> AsyncCollection[RawBSONDocument]:
    return database.collection(name).with_options(codec_options=_RAW)
