"""Lists of problems, each once, under the SHA-256 of its JSON.

A list is written before anything refers to it, in no transaction: with the problems in it,
a sync of 10,000 files would exceed what a database takes in one. A list never changes. So what was
found when a file was copied stays with that file, whatever later rules would say, and equal
findings of any number of files are one document.
"""

import asyncio
import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from benchmark_manager.models.problem import Problem, StoredVerdict, Verdict
from benchmark_manager.stores.database.database import Database, Document, milliseconds
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import FRESH, Referred, sweep

Problems = tuple[Problem, ...]

#: What stands as `problems` in the document of a file whose problems are stored apart. Version
#: 0.1.0, which may serve beside this one during an update, needs something there that it can go
#: through; its own documents hold a list.
APART: Final[Mapping[str, Any]] = {}

_JSON: Final = TypeAdapter(Problems)
_DUPLICATE_KEY: Final = 11000
_BATCH_DOCUMENTS: Final = 1000
_BATCH_BYTES: Final = 5_000_000
#: Lists on their way through memory at once: a hundred problems have 50 kB as objects.
_ENCODED_AT_ONCE: Final = 200
#: Problems repeat themselves: a tenth of a second of the fastest level saves nine tenths of the
#: bytes.
_COMPRESSION: Final = 1
#: Ids that are known to be stored.
_REMEMBERED: Final = 20_000


class ProblemStore(Store):
    """The `problems` collection."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._problems = database.collection("problems")
        #: When this process last stored, or touched, a list.
        self._stored: OrderedDict[str, datetime] = OrderedDict()

    async def put(self, verdicts: Sequence[Verdict], now: datetime) -> list[StoredVerdict]:
        """Store the problems of verdicts; return what refers to them, in order.

        When this returns, they are on disk.
        """
        await self._database.ensure_room()
        now = milliseconds(now)
        stored: list[StoredVerdict] = []
        for start in range(0, len(verdicts), _ENCODED_AT_ONCE):
            some = verdicts[start : start + _ENCODED_AT_ONCE]
            found, lists = await asyncio.to_thread(_encoded, some)
            stored += found
            for batch in _batches(
                {key: data for key, data in lists.items() if self._is_old(key, now)}
            ):
                await self._write(batch, now)
        return stored

    def _is_old(self, key: str, now: datetime) -> bool:
        touched_at = self._stored.get(key)
        return touched_at is None or touched_at < now - FRESH

    async def _write(self, batch: Mapping[str, bytes], now: datetime) -> None:
        touched = {"touched_at": now, "unreferred_at": None}
        documents: list[Document] = [
            {"_id": key, "data": data, **touched} for key, data in batch.items()
        ]
        try:
            await self._problems.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failures = error.details["writeErrors"]
            if error.details.get("writeConcernErrors") or any(
                failure["code"] != _DUPLICATE_KEY for failure in failures
            ):
                raise
            there = [documents[failure["index"]]["_id"] for failure in failures]
            # An upsert: a sweep may have taken the list between the two.
            touches = [
                UpdateOne(
                    {"_id": key},
                    {"$set": touched, "$setOnInsert": {"data": batch[key]}},
                    upsert=True,
                )
                for key in there
            ]
            await self._problems.bulk_write(touches, ordered=False)
        self._stored |= dict.fromkeys(batch, now)
        while len(self._stored) > _REMEMBERED:
            self._stored.popitem(last=False)

    async def get(self, problems_id: str | None) -> Problems:
        """Return the list of an id, an empty one for None.

        Raises:
            KeyError: there is no such list; those that documents refer to always exist.
        """
        if problems_id is None:
            return ()
        return (await self.get_many([problems_id]))[problems_id]

    async def get_many(self, ids: Iterable[str | None]) -> dict[str | None, Problems]:
        """Return lists by id, that of None among them.

        Raises:
            KeyError: there is no such list.
        """
        wanted = sorted({key for key in ids if key is not None})
        found: dict[str | None, Problems] = {None: ()}
        size = self._database.in_at_most
        for start in range(0, len(wanted), size):
            rows = self._problems.find({"_id": {"$in": wanted[start : start + size]}}, {"data": 1})
            async for row in rows:
                found[row["_id"]] = _decoded(row["data"])
        if len(found) <= len(wanted):
            raise KeyError(min(set(wanted) - found.keys()))
        return found

    async def sweep(self, referred: Referred, now: datetime) -> int:
        """Delete lists that nothing has referred to for a day; return how many."""
        return await sweep(self._database, self._problems, referred, now)


def joined_problems_in(document: Mapping[str, Any]) -> dict[str | None, Problems]:
    """Return the list that was joined to a file's document, by its id, and that of None."""
    return {None: (), **{row["_id"]: _decoded(row["data"]) for row in document["stored_problems"]}}


def problems_in(document: Mapping[str, Any], stored: Mapping[str | None, Problems]) -> Problems:
    """Return the problems of a file: stored apart, or in its document as by version 0.1.0."""
    inside = document.get("problems")
    if isinstance(inside, list):
        return tuple(Problem(**problem) for problem in inside)
    return stored.get(document.get("problems_id"), ())


def _encoded(verdicts: Sequence[Verdict]) -> tuple[list[StoredVerdict], dict[str, bytes]]:
    """Return the reference to each verdict's problems, and the lists as they are stored, by id."""
    stored: list[StoredVerdict] = []
    lists: dict[str, bytes] = {}
    for verdict in verdicts:
        if not verdict.problems:
            stored.append(StoredVerdict(verdict.validity, None, 0, 0))
            continue
        data = _JSON.dump_json(verdict.problems)
        key = hashlib.sha256(data).hexdigest()
        if key not in lists:
            lists[key] = zlib.compress(data, _COMPRESSION)
        errors = sum(problem.severity == "error" for problem in verdict.problems)
        stored.append(StoredVerdict(verdict.validity, key, errors, len(verdict.problems) - errors))
    return stored, lists


def _decoded(data: bytes) -> Problems:
    return _JSON.validate_json(zlib.decompress(data))


def _batches(lists: Mapping[str, bytes]) -> Iterator[dict[str, bytes]]:
    batch: dict[str, bytes] = {}
    size = 0
    for key, data in lists.items():
        if batch and (len(batch) >= _BATCH_DOCUMENTS or size + len(data) > _BATCH_BYTES):
            yield batch
            batch, size = {}, 0
        batch[key] = data
        size += len(data)
    if batch:
        yield batch
