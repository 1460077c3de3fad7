"""Read and stage lists of files that are stored in several documents each."""

import bisect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeAlias

from benchmark_manager.models.release import ReleaseFile
from benchmark_manager.stores.database.database import (
    Collection,
    Database,
    Document,
    Session,
    milliseconds,
)
from benchmark_manager.stores.database.sweeping import SWEEP_AGE
from benchmark_manager.stores.releases.blobs import ReleaseBlobStore
from benchmark_manager.stores.releases.rows import chunks, release_files

#: Returns whether something refers to the list that a document is a part of.
IsUsed: TypeAlias = Callable[[Document, Session], Awaitable[bool]]

#: Documents that are decoded at once; no other request is served meanwhile.
_CHUNKS_AT_ONCE: Final = 2


class FileChunks:
    """The lists of files of one collection; `known` are the fields that name a list.

    A staged list is written before the transaction that refers to it, document by document. Each of
    its documents has `touched_at`, and holds its contents in `release_blobs`.
    """

    def __init__(self, database: Database, collection: Collection, blobs: ReleaseBlobStore) -> None:
        self._database = database
        self._collection = collection
        self._blobs = blobs

    async def read(self, known: Mapping[str, Any]) -> list[ReleaseFile]:
        """Return the files of a list, in order; none where it is not there."""
        found = self._collection.find(known, batch_size=_CHUNKS_AT_ONCE).sort("number", 1)
        return [file async for chunk in found for file in release_files(chunk)]

    async def file(self, known: Mapping[str, Any], path: str) -> ReleaseFile | None:
        """Return one file of a list; None where the list does not have it."""
        firsts = await self._collection.find(known, {"first": 1}).sort("number", 1).to_list()
        index = bisect.bisect_right([row["first"].encode() for row in firsts], path.encode()) - 1
        if index < 0:
            return None
        chunk = await self._collection.find_one({"_id": firsts[index]["_id"]})
        files = () if chunk is None else release_files(chunk)
        return next((file for file in files if file.path == path), None)

    async def stage(self, known: Document, files: Sequence[ReleaseFile], now: datetime) -> None:
        """Store a list that a transaction is about to refer to, or touch it where it is there."""
        for chunk in chunks(files):

            async def work(session: Session, chunk: Document = chunk) -> None:
                match = {**known, "number": chunk["number"]}
                row = await self._collection.find_one(match, {"touched_at": 1}, session=session)
                if row is None:
                    await self._collection.insert_one(
                        {**known, **chunk, "touched_at": now}, session=session
                    )
                    await self._blobs.hold((file["sha"] for file in chunk["files"]), session)
                elif "touched_at" in row:
                    await self._collection.update_one(
                        match, {"$set": {"touched_at": now}}, session=session
                    )

            await self._database.transaction(work)

    async def sweep(self, now: datetime, is_used: IsUsed) -> int:
        """Delete staged documents that nothing refers to for a day; return how many."""
        old = {"touched_at": {"$lt": milliseconds(now) - SWEEP_AGE}}
        swept = 0
        rows = [row async for row in self._collection.find(old, {"files": 0})]
        for row in rows:

            async def work(session: Session, row: Document = row) -> bool:
                if await is_used(row, session):
                    return False
                # With the condition again: what is about to refer to a list touches it first.
                chunk = await self._collection.find_one_and_delete(
                    {"_id": row["_id"], **old}, session=session
                )
                if chunk is not None:
                    await self._blobs.drop((file["sha"] for file in chunk["files"]), session)
                return chunk is not None

            swept += await self._database.transaction(work)
        return swept
