"""Contents, each once, under its git blob id.

A blob is written before anything refers to it. What nothing refers to is swept a day after that
was found; whoever is about to refer to a stored blob touches it first.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from benchmark_manager.domain.git_objects import blob_id
from benchmark_manager.stores.database import IN_AT_MOST, Database, Document, milliseconds

_BATCH_DOCUMENTS: Final = 1000
_BATCH_BYTES: Final = 5_000_000
_DUPLICATE_KEY: Final = 11000
#: Blobs that nothing refers to are kept this long.
SWEEP_AGE: Final = timedelta(days=1)
#: A blob touched less than this ago need not be touched again.
_FRESH: Final = timedelta(hours=6)


class BlobStore:
    """The `blobs` collection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._blobs = database.collection("blobs")

    async def put(self, contents: Iterable[bytes], repository_key: str | None, now: datetime) -> list[str]:
        """Store contents, and that they were received from this repository (None: from a person).

        Returns their ids, in order. When this returns, they are on disk.
        """
        await self._database.ensure_room()
        by_id: dict[str, bytes] = {}
        ids = []
        for content in contents:
            ids.append(blob_id(content))
            by_id[ids[-1]] = content
        for batch in _batches(by_id):
            await self._insert(batch, repository_key, milliseconds(now))
        return ids

    async def _insert(self, batch: Mapping[str, bytes], repository_key: str | None, now: datetime) -> None:
        origin = [] if repository_key is None else [repository_key]
        documents: list[Document] = [
            {"_id": sha, "data": data, "repositories": origin, "touched_at": now, "unreferred_at": None}
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
            update = {
                "$set": {"touched_at": now, "unreferred_at": None},
                "$addToSet": {"repositories": {"$each": origin}},
            }
            await self._blobs.bulk_write(
                # An upsert: a sweep may have taken the blob between the two.
                [
                    UpdateOne(
                        {"_id": (sha := documents[failure["index"]]["_id"])},
                        {**update, "$setOnInsert": {"data": batch[sha]}},
                        upsert=True,
                    )
                    for failure in failures
                ],
                ordered=False,
            )

    async def get(self, sha: str) -> bytes:
        """The content. What a document refers to is always there; anything else raises KeyError."""
        document = await self._blobs.find_one({"_id": sha}, {"data": 1})
        if document is None:
            raise KeyError(sha)
        return bytes(document["data"])

    async def get_many(self, ids: Iterable[str]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for chunk in _chunks(sorted(set(ids))):
            async for document in self._blobs.find({"_id": {"$in": chunk}}, {"data": 1}):
                found[document["_id"]] = bytes(document["data"])
        return found

    async def known(self, ids: Iterable[str], repository_key: str, now: datetime) -> set[str]:
        """Those ids whose content this very repository gave before; they are safe from sweeping for a while.

        Contents of other repositories do not count: knowing an id is no right to read it.
        """
        known: set[str] = set()
        for chunk in _chunks(sorted(set(ids))):
            query = {"_id": {"$in": chunk}, "repositories": repository_key}
            found = await self._blobs.find(query, {"touched_at": 1}).to_list()
            old = [d["_id"] for d in found if d["touched_at"] < now - _FRESH]
            if old:
                touched = {"touched_at": milliseconds(now), "unreferred_at": None}
                await self._blobs.bulk_write([UpdateOne({"_id": sha}, {"$set": touched}) for sha in old], ordered=False)
                found = await self._blobs.find(query, {"_id": 1}).to_list()
            known.update(d["_id"] for d in found)
        return known

    async def sweep(self, now: datetime) -> int:
        """Delete blobs that nothing has referred to for `SWEEP_AGE`; returns how many.

        Each is marked when it is first found unreferred, and deleted when it still is a day later: a reader who
        has just read a document still finds the content that it referred to.
        """
        now = milliseconds(now)
        swept = 0
        untouched = {"touched_at": {"$lt": now - SWEEP_AGE}}
        old = [d["_id"] async for d in self._blobs.find(untouched, {"_id": 1})]
        for chunk in _chunks(old):
            referred = await self._referred(chunk)
            await self._blobs.update_many(
                {"_id": {"$in": sorted(referred)}, "unreferred_at": {"$ne": None}}, {"$set": {"unreferred_at": None}}
            )
            unreferred = sorted(set(chunk) - referred)
            # The conditions again: somebody may have touched one meanwhile.
            result = await self._blobs.delete_many(
                {"_id": {"$in": unreferred}, **untouched, "unreferred_at": {"$lt": now - SWEEP_AGE}}
            )
            await self._blobs.update_many(
                {"_id": {"$in": unreferred}, "unreferred_at": None}, {"$set": {"unreferred_at": now}}
            )
            swept += result.deleted_count
        return swept

    async def _referred(self, ids: Sequence[str]) -> set[str]:
        referred: set[str] = set()
        for collection, field in (("files", "sha"), ("modified_files", "content_sha"), ("modified_files", "base_sha")):
            query = {field: {"$in": list(ids)}}
            referred.update(await self._database.collection(collection).distinct(field, query))
        return referred


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


def _chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), IN_AT_MOST):
        yield list(ids[start : start + IN_AT_MOST])
