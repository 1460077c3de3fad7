"""Count in how many releases each content is, so that a sweep need not read their files."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from benchmark_manager.stores.database.database import IN_AT_MOST, Database, Document, Session
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import referred

_INSERTED_AT_ONCE: Final = 1000


class ReleaseBlobStore(Store):
    """The `release_blobs` collection, which is written in the transactions of the releases."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._held = database.collection("release_blobs")

    async def hold(self, ids: Iterable[str], session: Session) -> None:
        """Count one release more for each of these contents."""
        unheld: list[Document] = []
        for match, chunk in _matches(ids):
            held = {row["_id"] async for row in self._held.find(match, {"_id": 1}, session=session)}
            if held:
                await self._held.update_many(match, {"$inc": {"releases": 1}}, session=session)
            unheld += [{"_id": sha, "releases": 1} for sha in chunk if sha not in held]
        for start in range(0, len(unheld), _INSERTED_AT_ONCE):
            await self._held.insert_many(unheld[start : start + _INSERTED_AT_ONCE], session=session)

    async def content_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the contents of all releases: those of `among`, or all (None)."""
        return await referred(self._held, "_id", among)

    async def drop(self, ids: Iterable[str], session: Session) -> None:
        """Count one release less for each of these contents."""
        for match, _ in _matches(ids):
            await self._held.update_many(match, {"$inc": {"releases": -1}}, session=session)
            await self._held.delete_many({**match, "releases": {"$lte": 0}}, session=session)


def _matches(ids: Iterable[str]) -> Iterator[tuple[Document, list[str]]]:
    unique = sorted(set(ids))
    for start in range(0, len(unique), IN_AT_MOST):
        chunk = unique[start : start + IN_AT_MOST]
        yield {"_id": {"$in": chunk}}, chunk
