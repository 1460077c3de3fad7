"""Count in how many lists each content is, so that a sweep need not read their files."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from benchmark_manager.stores.database.database import Database, Document, Session
from benchmark_manager.stores.database.store import Store
from benchmark_manager.stores.database.sweeping import referred

_INSERTED_AT_ONCE: Final = 1000


class ReleaseBlobStore(Store):
    """The `release_blobs` collection, which is written in the transactions of the releases."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._held = database.collection("release_blobs")

    async def hold(self, ids: Iterable[str], session: Session) -> None:
        """Count one holder more for each of these contents."""
        await self.hold_often(dict.fromkeys(ids, 1), session)

    async def hold_often(self, counts: Mapping[str, int], session: Session) -> None:
        """Count so many holders more for each of these contents."""
        unheld: list[Document] = []
        for match, chunk in self._matches(counts):
            held = {row["_id"] async for row in self._held.find(match, {"_id": 1}, session=session)}
            await self._add({sha: counts[sha] for sha in held}, session)
            unheld += [{"_id": sha, "releases": counts[sha]} for sha in chunk if sha not in held]
        for start in range(0, len(unheld), _INSERTED_AT_ONCE):
            await self._held.insert_many(unheld[start : start + _INSERTED_AT_ONCE], session=session)

    async def content_ids(self, among: Sequence[str] | None) -> set[str]:
        """Return the contents of all releases: those of `among`, or all (None)."""
        return await referred(self._held, "_id", among)

    async def drop(self, ids: Iterable[str], session: Session) -> None:
        """Count one holder less for each of these contents."""
        await self.drop_often(dict.fromkeys(ids, 1), session)

    async def drop_often(self, counts: Mapping[str, int], session: Session) -> None:
        """Count so many holders less for each of these contents."""
        for match, chunk in self._matches(counts):
            await self._add({sha: -counts[sha] for sha in chunk}, session)
            await self._held.delete_many({**match, "releases": {"$lte": 0}}, session=session)

    async def _add(self, counts: Mapping[str, int], session: Session) -> None:
        by_count: dict[int, list[str]] = defaultdict(list)
        for sha, count in counts.items():
            by_count[count].append(sha)
        for count, chunk in by_count.items():
            await self._held.update_many(
                {"_id": {"$in": sorted(chunk)}}, {"$inc": {"releases": count}}, session=session
            )

    def _matches(self, ids: Iterable[str]) -> Iterator[tuple[Document, Sequence[str]]]:
        for chunk in self._database.parts(sorted(set(ids))):
            yield {"_id": {"$in": chunk}}, chunk
