"""Variants refer to originals that are there, whatever happens at once; on both databases."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import pytest
from bson import ObjectId

from benchmark_manager.domain.sync.tree_changes import StoredFile, TreeChanges, UpstreamFile
from benchmark_manager.errors import NotFoundError
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.variants.variants import VariantStore
from support.stored_variants import NOW, PROJECT, store, variant

FILE = UpstreamFile("config/a.yaml", "a" * 40, 4, "config", "yaml")


@pytest.fixture
def originals(database: Database) -> OriginalFileStore:
    return OriginalFileStore(database)


@pytest.fixture
def variants(database: Database) -> VariantStore:
    return VariantStore(database)


@pytest.fixture
def meet(database: Database) -> Callable[[], Awaitable[object]]:
    """Wait until both transactions of a test are here.

    The embedded database runs one after the other; there nobody waits.
    """
    return asyncio.Barrier(2 if database.kind == "mongodb" else 1).wait


async def applied(originals: OriginalFileStore, changes: TreeChanges, session: Session) -> None:
    verdict = StoredVerdict(validity="valid", problems_id=None, errors=0, warnings=0)
    await originals.apply(
        PROJECT,
        changes,
        {FILE.path: verdict},
        commit_sha="c" * 40,
        committed_at=NOW,
        now=NOW,
        session=session,
    )


async def added(database: Database, originals: OriginalFileStore) -> ObjectId:
    """Store the file, and return its id."""
    changes = TreeChanges((FILE,), (), (), (), (), 0)
    await database.transaction(lambda session: applied(originals, changes, session))
    [row] = await database.collection("files").find({}, {"_id": 1}).to_list()
    key: ObjectId = row["_id"]
    return key


async def test_an_original_that_is_removed_while_a_variant_is_made_of_it_stays_for_the_variant(
    database: Database,
    originals: OriginalFileStore,
    variants: VariantStore,
    meet: Callable[[], Awaitable[object]],
) -> None:
    key = await added(database, originals)
    tries = {"make": itertools.count(), "remove": itertools.count()}

    async def make(session: Session) -> None:
        await originals.hold(PROJECT, str(key), session)
        if next(tries["make"]) == 0:
            await meet()
        await variants.insert([variant(original_file_id=str(key))], session)

    async def remove(session: Session) -> None:
        # What the transaction sees is fixed by its first read.
        await originals.used(PROJECT, session)
        if next(tries["remove"]) == 0:
            await meet()
        gone = StoredFile(str(key), FILE.path, FILE.sha, FILE.file_type)
        await applied(originals, TreeChanges((), (), (), (), (gone,), 0), session)

    outcomes: list[object] = await asyncio.gather(
        database.transaction(make), database.transaction(remove), return_exceptions=True
    )
    # Where the removal came first, there is nothing to make a variant of.
    assert [one for one in outcomes if not isinstance(one, NotFoundError | None)] == []
    kept = [str(row["_id"]) async for row in database.collection("files").find({})]
    assert kept == [one.original_file_id for one in await variants.of_project(PROJECT)]


async def test_the_record_of_a_removed_original_goes_where_its_last_two_variants_go_at_once(
    database: Database,
    originals: OriginalFileStore,
    variants: VariantStore,
    meet: Callable[[], Awaitable[object]],
) -> None:
    """On MongoDB neither transaction sees that the other has deleted its variant."""
    key = await added(database, originals)
    files = database.collection("files")
    await files.update_one({"_id": key}, {"$set": {"removed_at": NOW}})
    last = [variant(number, original_file_id=str(key)) for number in range(2)]
    await store(database, last)

    async def drop(variant_id: str) -> None:
        tries = itertools.count()

        async def work(session: Session) -> None:
            await variants.delete([variant_id], session)
            if next(tries) == 0:
                await meet()
            await originals.drop_unused(PROJECT, session)

        await database.transaction(work)

    await asyncio.gather(*(drop(one.id) for one in last))
    assert await files.count_documents({}) == 0
