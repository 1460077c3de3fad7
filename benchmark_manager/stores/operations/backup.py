"""Reads all documents of a database as of one moment, and writes them into an empty one.

Documents stay encoded: what this version does not know of them goes into a backup and back to the
byte.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from typing import Final, cast

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, OperationFailure

from benchmark_manager.errors import BackupError
from benchmark_manager.stores.database.database import Database, Document, Session
from benchmark_manager.stores.database.indexes import INDEXES
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.operations.replicas import BeatStore

BLOBS: Final = "blobs"
CHUNKS: Final = "result_chunks"
#: What documents refer to, and large: written before those, and kept for a day after them.
_CONTENTS: Final = (CHUNKS, BLOBS)
#: What says nothing once its process is gone, and what is good for a short time only: who holds a
#: backup must not sign in by it, and a restored service asks people to sign in again. The schema
#: version is the header's.
_PASSING: Final = frozenset(
    {
        *("start_check", "sync_progress", "github_limits", "replicas"),
        *("sessions", "sign_in_attempts", "setup_links", "used_codes"),
    }
)
#: MongoDB deletes from these by itself what is old, as soon as it is restored.
_EXPIRING: Final = frozenset({"webhook_deliveries"})
#: The schema version is in the backup's header.
_OWN: Final[Document] = {"_id": {"$nin": ["schema", "restore"]}}
#: Together in memory: documents, and bytes of them.
_CHUNK: Final = 1000
_CHUNK_BYTES: Final = 4_000_000
_BATCH: Final = 500
#: Contents of one answer.
_CONTENTS_BATCH: Final = 50
#: Seconds in which a running replica counts a beat, and between two checks of its count.
_BEATS_SECONDS: Final = 5.0
_BEATS_PAUSE: Final = 0.25
_RAW: Final[CodecOptions[RawBSONDocument]] = CodecOptions(document_class=RawBSONDocument)
_DUPLICATE_KEY: Final = 11000
#: SnapshotTooOld and SnapshotUnavailable.
_NO_SNAPSHOT: Final = {239, 246}


class BackupStore(Store):
    """Every collection of the database but those of `_PASSING`."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._beats = BeatStore(database)

    async def documents(self) -> AsyncGenerator[tuple[str, list[bytes]]]:
        """Yield each collection's documents, some at a time, all of one moment; contents last.

        Contents are read behind that moment and may be more than those that were there then, never
        less: what a document refers to is written before it, and stays for a day after nothing
        refers to it any more. So the moment has to be kept for the small documents only; MongoDB
        keeps one for 5 minutes.

        Raises:
            BackupError: `backup_too_slow`.
        """
        names = [name for name in await self._names() if name not in {*_CONTENTS, *_PASSING}]
        try:
            async with self._database.moment() as session:
                for name in names:
                    async for chunk in self._chunks(name, session):
                        yield name, chunk
        except OperationFailure as error:
            if error.code not in _NO_SNAPSHOT:
                raise
            raise BackupError("backup_too_slow") from None
        for name in _CONTENTS:
            async for chunk in self._chunks(name):
                yield name, chunk

    async def _names(self) -> list[str]:
        """Return the names of all collections, sorted; some may not exist yet."""
        return sorted({*INDEXES, *await self._database.collection_names()})

    async def _chunks(
        self, name: str, session: Session | None = None
    ) -> AsyncIterator[list[bytes]]:
        batch = _CONTENTS_BATCH if name in _CONTENTS else _BATCH
        rows = self._raw(name).find(_filter(name), session=session, batch_size=batch)
        if name in _CONTENTS:
            rows = rows.sort("_id", 1)
        chunk: list[bytes] = []
        size = 0
        async for row in rows:
            chunk.append(bytes(row.raw))
            size += len(row.raw)
            if len(chunk) >= _CHUNK or size >= _CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    async def count_at_most(self) -> int:
        """About how many documents there are."""
        names = [name for name in await self._names() if name not in _PASSING]
        counts = [await self._raw(name).estimated_document_count() for name in names]
        return sum(counts)

    async def filled(self) -> list[str]:
        """Return the names of collections whose documents a restore would mix with its own."""
        names = await self._names()
        return [
            name
            for name in names
            if name not in _PASSING
            and await self._raw(name).find_one(_filter(name), {"_id": 1}) is not None
        ]

    async def is_served(self) -> bool:
        """Return whether a service runs on the database: one of its replicas counts its beats."""
        deadline = time.monotonic() + _BEATS_SECONDS
        first: dict[str, int] | None = None
        while True:
            found = await self._beats.all()
            if first is None:
                first = found
            if any(first.get(owner) != beats for owner, beats in found.items()):
                return True
            if not found or time.monotonic() > deadline:
                return False
            await asyncio.sleep(_BEATS_PAUSE)

    async def write(self, name: str, documents: Sequence[bytes]) -> None:
        """Add documents; those which an earlier, interrupted restore has written already stay.

        Raises:
            StorageError: `disk_full`.
        """
        await self._database.ensure_room()
        try:
            rows = [RawBSONDocument(document) for document in documents]
            await self._raw(name).insert_many(rows, ordered=False)
        except BulkWriteError as error:
            details = error.details
            if details.get("writeConcernErrors") or any(
                failure["code"] != _DUPLICATE_KEY for failure in details["writeErrors"]
            ):
                raise

    async def counts(self, names: Mapping[str, int]) -> dict[str, int]:
        """Return how many documents these collections hold, except for those that expire."""
        kept = names.keys() - _EXPIRING
        return {name: await self._raw(name).count_documents(_filter(name)) for name in sorted(kept)}

    def _raw(self, name: str) -> AsyncCollection[RawBSONDocument]:
        collection = self._database.collection(name).with_options(
            codec_options=cast("CodecOptions[Document]", _RAW)
        )
        return cast("AsyncCollection[RawBSONDocument]", collection)


def _filter(name: str) -> Document:
    return _OWN if name == "meta" else {}


def is_restorable(name: str) -> bool:
    """Return whether a backup may hold a collection of this name."""
    return name not in _PASSING and not name.startswith("system.") and not set(name) & {"$", "\0"}
