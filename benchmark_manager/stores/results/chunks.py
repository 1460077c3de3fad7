"""The bytes of results, each once, under their SHA-256."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterable, Iterator
from datetime import datetime
from typing import Final

from pymongo.errors import BulkWriteError

from benchmark_manager.stores.database.database import Database, Document, milliseconds
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import Referred, sweep

#: Bytes of one document: a document of MongoDB ends at 16 MiB.
CHUNK_BYTES: Final = 1024 * 1024
_DUPLICATE_KEY: Final = 11000


class ResultChunkStore(Store):
    """The `result_chunks` collection: documents `SHA256/NUMBER`, each a part of some bytes.

    They are written before anything refers to them. What nothing refers to is deleted a day after
    that was found.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._chunks = database.collection("result_chunks")

    async def put(self, data: bytes, now: datetime) -> str:
        """Store bytes, or touch them where they are stored already; return their SHA-256.

        When this returns, they are on disk.
        """
        await self._database.ensure_room()
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(data).hexdigest())
        touched = {"touched_at": milliseconds(now), "unreferred_at": None}
        ids = chunk_ids(sha256, len(data))
        found = await self._chunks.update_many({"_id": {"$in": ids}}, {"$set": touched})
        # A sweep deletes only what was not touched for a day, so what was found now stays.
        if found.matched_count < len(ids):
            await self._insert(sha256, data, touched)
        return sha256

    async def _insert(self, sha256: str, data: bytes, touched: Document) -> None:
        documents = [
            {"_id": key, "data": part, **touched}
            for key, part in zip(chunk_ids(sha256, len(data)), _parts(data), strict=True)
        ]
        try:
            await self._chunks.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            details = error.details
            if details.get("writeConcernErrors") or any(
                failure["code"] != _DUPLICATE_KEY for failure in details["writeErrors"]
            ):
                raise

    async def read(self, sha256: str, size: int) -> AsyncGenerator[bytes]:
        """Yield the bytes, part by part.

        Raises:
            KeyError: a part is missing, which no stored result has.
        """
        for key in chunk_ids(sha256, size):
            row = await self._chunks.find_one({"_id": key}, {"data": 1})
            if row is None:
                raise KeyError(key)
            yield bytes(row["data"])

    async def sweep(self, referred: Referred, now: datetime) -> int:
        """Delete parts that nothing has referred to for a day; return how many."""
        return await sweep(self._database, self._chunks, referred, now)


def chunk_ids(sha256: str, size: int) -> list[str]:
    """Return the ids of the parts of some bytes, in order; empty bytes are one empty part."""
    count = max(1, -(-size // CHUNK_BYTES))
    return [f"{sha256}/{number}" for number in range(count)]


def sha256s_of(ids: Iterable[str]) -> set[str]:
    """Return the SHA-256s of the bytes whose parts these are."""
    return {key.partition("/")[0] for key in ids}


def _parts(data: bytes) -> Iterator[bytes]:
    for start in range(0, max(1, len(data)), CHUNK_BYTES):
        yield data[start : start + CHUNK_BYTES]
