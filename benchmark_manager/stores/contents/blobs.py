"""Contents, each once, under its git blob id, with its SHA-256.

A blob is written before anything refers to it. What nothing refers to is deleted a day after that
was found. Code that is about to refer to a stored blob touches it first.
"""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.stores.database.database import IN_AT_MOST, Database, Document, milliseconds
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import FRESH, Referred, sweep

_BATCH_DOCUMENTS: Final = 1000
_BATCH_BYTES: Final = 5_000_000
#: Contents in one answer of the database while they are hashed one by one.
_HASHED_AT_ONCE: Final = 16
_DUPLICATE_KEY: Final = 11000
#: Contents from which the embedded server reads all of them faster, and how many times as many that
#: may be.
_BULK: Final = 500
_READ_BESIDE: Final = 3
_BULK_ROWS: Final = 500
#: Of many contents so many are asked for, to learn whether all may be there.
_ASKED_FOR: Final = 4
#: Contents of one answer, where all are read.
_EVERY_AT_ONCE: Final = 50


class BlobStore(Store):
    """The `blobs` collection."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._blobs = database.collection("blobs")

    async def put(
        self, contents: Iterable[bytes], repository_key: str | None, now: datetime
    ) -> list[str]:
        """Store contents, and that they were received from this repository (None: from a person).

        Returns their ids, in order. When this returns, they are on disk.
        """
        await self._database.ensure_room()
        by_id: dict[str, bytes] = {}
        ids = []
        for content in contents:
            ids.append(blob_id(content))
            by_id[ids[-1]] = content
        origin = [] if repository_key is None else [repository_key]
        for batch in _batches(by_id):
            there = await self._touch(batch, origin, milliseconds(now))
            missing = {sha: data for sha, data in batch.items() if sha not in there}
            if missing:
                await self._insert(missing, origin, milliseconds(now))
        return ids

    async def _touch(self, ids: Iterable[str], origin: list[str], now: datetime) -> set[str]:
        """Touch contents that are stored already; return the ids of those.

        Of a large batch usually all is new, or nothing: what a fork or a second project has is
        there. The ids are random numbers, so a few of them stand for all. Each is looked up by
        itself: the embedded server compares every document with every value of an `$in`.
        """
        touched = _touching(origin, now)

        async def touch(chunk: list[str]) -> list[str]:
            found = await self._blobs.update_many({"_id": {"$in": chunk}}, touched)
            return chunk if found.matched_count == len(chunk) else []

        wanted = sorted(ids)
        if len(wanted) <= IN_AT_MOST:
            return set()
        for sha in wanted[:: len(wanted) // _ASKED_FOR]:
            if await self._blobs.find_one({"_id": sha}, {"_id": 1}) is None:
                return set()
        return {
            *itertools.chain.from_iterable(await asyncio.gather(*map(touch, self._chunks(wanted))))
        }

    async def _insert(self, batch: Mapping[str, bytes], origin: list[str], now: datetime) -> None:
        documents: list[Document] = [
            {
                "_id": sha,
                "data": data,
                "sha256": _sha256(data),
                "repositories": origin,
                "touched_at": now,
                "unreferred_at": None,
            }
            for sha, data in batch.items()
        ]
        try:
            await self._blobs.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failures = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(
                failure["code"] != _DUPLICATE_KEY for failure in failures
            ):
                raise
            update = _touching(origin, now)
            await self._blobs.bulk_write(
                # An upsert: a sweep may have taken the blob between the two.
                [
                    UpdateOne(
                        {"_id": (sha := documents[failure["index"]]["_id"])},
                        {
                            **update,
                            "$setOnInsert": {"data": batch[sha], "sha256": _sha256(batch[sha])},
                        },
                        upsert=True,
                    )
                    for failure in failures
                ],
                ordered=False,
            )

    async def get(self, sha: str) -> bytes:
        """Return the content. What a document refers to is there; anything else raises KeyError."""
        document = await self._blobs.find_one({"_id": sha}, {"data": 1})
        if document is None:
            raise KeyError(sha)
        return bytes(document["data"])

    async def get_many(self, ids: Iterable[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for chunk in self._chunks(sorted(set(ids))):
            async for document in self._blobs.find({"_id": {"$in": chunk}}, {"data": 1}):
                found[document["_id"]] = bytes(document["data"])
        return found

    async def get_bulk(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of very many ids, as `get_many` does of some.

        The embedded server takes longer for a thousand ids, a hundred at a time, than to read three
        times as many contents as they come.
        """
        wanted = set(ids)
        if self._database.kind != "embedded" or len(wanted) < _BULK:
            return await self.get_many(wanted)
        if await self._blobs.estimated_document_count() > _READ_BESIDE * len(wanted):
            return await self.get_many(wanted)
        found: dict[str, bytes] = {}
        async for document in self._blobs.find({}, {"data": 1}, batch_size=_BULK_ROWS):
            if document["_id"] in wanted:
                found[document["_id"]] = bytes(document["data"])
        # Stored while this was reading.
        left = wanted - found.keys()
        return found | await self.get_many(left) if left else found

    async def sha256s(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the SHA-256 of each content by its id; read only contents without a recorded one.

        Raises:
            KeyError: there is no such content.
        """
        found: dict[str, str] = {}
        for chunk in self._chunks(sorted(set(ids))):
            rows = await self._blobs.find({"_id": {"$in": chunk}}, {"sha256": 1}).to_list()
            known = {row["_id"]: row["sha256"] for row in rows if "sha256" in row}
            unhashed = [row["_id"] for row in rows if "sha256" not in row]
            found |= {**known, **await self._hash(unhashed)}
            if missing := set(chunk) - found.keys():
                raise KeyError(min(missing))
        return found

    async def _hash(self, ids: Sequence[str]) -> dict[str, str]:
        """Hash what a version before SHA-256s were kept has stored, and keep that."""
        if not ids:
            return {}
        rows = self._blobs.find({"_id": {"$in": ids}}, {"data": 1}, batch_size=_HASHED_AT_ONCE)
        hashed = {row["_id"]: _sha256(row["data"]) async for row in rows}
        updates = [
            UpdateOne({"_id": sha}, {"$set": {"sha256": sha256}}) for sha, sha256 in hashed.items()
        ]
        await self._blobs.bulk_write(updates, ordered=False)
        return hashed

    async def known(self, ids: Iterable[str], repository_key: str, now: datetime) -> set[str]:
        """Return the ids whose content this repository gave before, and touch those contents.

        Contents of other repositories do not count: knowing an id is no right to read it.
        """
        known: set[str] = set()
        for chunk in self._chunks(sorted(set(ids))):
            query = {"_id": {"$in": chunk}, "repositories": repository_key}
            found = await self._blobs.find(query, {"touched_at": 1}).to_list()
            old = [d["_id"] for d in found if d["touched_at"] < now - FRESH]
            if old:
                touched = {"touched_at": milliseconds(now), "unreferred_at": None}
                await self._blobs.bulk_write(
                    [UpdateOne({"_id": sha}, {"$set": touched}) for sha in old], ordered=False
                )
                found = await self._blobs.find(query, {"_id": 1}).to_list()
            known.update(d["_id"] for d in found)
        return known

    async def every(self) -> AsyncGenerator[tuple[str, bytes]]:
        """Yield the id and the bytes of every content."""
        async for row in self._blobs.find({}, {"data": 1}, batch_size=_EVERY_AT_ONCE):
            yield row["_id"], bytes(row["data"])

    async def sweep(self, referred: Referred, now: datetime) -> int:
        """Delete contents that nothing has referred to for a day; return how many."""
        return await sweep(self._database, self._blobs, referred, now)

    def _chunks(self, ids: Sequence[str]) -> Iterator[list[str]]:
        size = self._database.in_at_most
        for start in range(0, len(ids), size):
            yield list(ids[start : start + size])


def _touching(origin: list[str], now: datetime) -> Document:
    return {
        "$set": {"touched_at": now, "unreferred_at": None},
        "$addToSet": {"repositories": {"$each": origin}},
    }


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _batches(by_id: Mapping[str, bytes]) -> Iterator[dict[str, bytes]]:
    batch: dict[str, bytes] = {}
    size = 0
    for sha, content in by_id.items():
        if batch and (len(batch) >= _BATCH_DOCUMENTS or size + len(content) > _BATCH_BYTES):
            yield batch
            batch, size = {}, 0
        batch[sha] = content
        size += len(content)
    if batch:
        yield batch
