"""Deleted files on their way into the trash, and what they keep alive, on both databases."""

from datetime import timedelta

import pytest
from bson import ObjectId

from benchmark_manager.errors import ConflictError, NotFoundError
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.variant import TrashedVariant
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import IN_AT_MOST, Database, Session
from benchmark_manager.stores.database.sweeping import SWEEP_AGE
from benchmark_manager.stores.operations.sweeps import ContentSweeps
from benchmark_manager.stores.originals.originals import OriginalFileStore
from benchmark_manager.stores.sync.staged_changes import StepSizes
from benchmark_manager.stores.variants.documents import modified_document
from benchmark_manager.stores.variants.revisions import RevisionStore
from benchmark_manager.stores.variants.trash import TrashStore
from benchmark_manager.stores.variants.variants import VariantStore
from support.reused_database import lent_database
from support.stored_variants import NOW, PROJECT, store, variant

AGE = SWEEP_AGE + timedelta(milliseconds=1)


@pytest.fixture
def modified(database: Database) -> VariantStore:
    return VariantStore(database)


@pytest.fixture
def trash(database: Database) -> TrashStore:
    return TrashStore(database)


async def reset(database: Database) -> str:
    """Move all files of the project to the trash; returns the id of the reset."""
    reset_id = str(ObjectId())
    modified = VariantStore(database)

    async def work(session: Session) -> None:
        files = await modified.of_project(PROJECT, session)
        rows = [
            TrashedVariant(file=file, deleted_at=NOW, deleted_by="ada", reset_id=reset_id)
            for file in files
        ]
        await modified.delete([file.id for file in files], session)
        await TrashStore(database).insert_reset(reset_id, PROJECT, rows, NOW, session)

    await database.transaction(work)
    return reset_id


async def test_no_sweep_takes_what_revisions_or_deleted_files_hold(
    database: Database, modified: VariantStore, trash: TrashStore
) -> None:
    """Live, superseded, deleted, and deleted by a reset in a version which kept no revisions."""
    blobs, sweeps = BlobStore(database), ContentSweeps(database)
    first, second, base = await blobs.put([b"first", b"second", b"base"], None, NOW - 9 * AGE)
    file = variant(content_sha=first, base_sha=base)
    await store(database, [file])
    later = file.model_copy(update={"content_sha": second, "revision": 2})
    await database.transaction(lambda session: modified.replace(file, later, "edited", session))

    async def kept(days: int) -> set[bytes]:
        for _ in range(2):
            await sweeps.sweep_blobs(NOW + days * AGE)
            days += 2
        return set((await blobs.get_many([first, second, base])).values())

    everything = {b"first", b"second", b"base"}
    assert await kept(0) == everything
    await database.collection("revisions").delete_many({})
    await database.collection("modified_files").update_many({}, {"$unset": {"recorded": 1}})
    reset_id = await reset(database)
    assert await kept(10) == {b"second", b"base"}, "what nothing refers to goes"
    await trash.unfold()
    assert await trash.ids_of_reset(PROJECT, reset_id) == [file.id]
    assert await kept(20) == {b"second", b"base"}
    await database.transaction(lambda session: trash.delete([file.id], session))
    assert await kept(30) == {b"second", b"base"}, "its revisions are left"
    await database.transaction(lambda session: RevisionStore(database).delete([file.id], session))
    assert await kept(40) == set()


async def test_deleted_files_use_their_originals_before_and_after_they_are_unfolded(
    database: Database, trash: TrashStore
) -> None:
    files = [variant(number) for number in range(3)]
    await store(database, files)
    originals = OriginalFileStore(database)
    await reset(database)
    before = await database.transaction(lambda session: originals.used(PROJECT, session))
    await trash.unfold()
    after = await database.transaction(lambda session: originals.used(PROJECT, session))
    assert before == after == {file.original_file_id for file in files}


async def test_unfolding_makes_a_row_and_the_revisions_of_each_file_once(
    database: Database, trash: TrashStore
) -> None:
    await store(database, [variant(number, description="漢" * 6_000) for number in range(120)])
    reset_id = await reset(database)
    assert await database.collection("trash_bundles").count_documents({}) == 3, (
        "none is much larger than a megabyte"
    )
    for _ in range(2):
        await trash.unfold()
    page = await trash.page(PROJECT, PageRequest(limit=1))
    assert (page.total, await database.collection("trash_bundles").count_documents({})) == (120, 0)
    ids = await trash.ids_of_reset(PROJECT, reset_id)
    some = await database.transaction(lambda session: trash.get_many(ids[:IN_AT_MOST], session))
    assert [row.file.modified_name for row in some] == [
        f"{number:05}.yaml" for number in range(100)
    ]
    assert (
        await database.collection("revisions").count_documents({"what": "deleted", "number": 2})
        == 120
    )


async def test_live_files_are_found_by_project_and_by_original_and_deleted_ones_are_not(
    database: Database, modified: VariantStore
) -> None:
    one, other = variant(2), variant(1)
    await store(database, [one, other, variant(project_id=str(ObjectId()))])
    assert await modified.of_project(PROJECT) == [other, one]
    assert await modified.of_original(one.original_file_id) == [one]
    with pytest.raises(NotFoundError):
        await modified.of_original("x")
    await reset(database)
    assert (
        await modified.of_project(PROJECT),
        await modified.of_original(one.original_file_id),
    ) == ([], [])


async def test_files_come_back_all_or_none(database: Database, modified: VariantStore) -> None:
    await store(database, [variant(1)])
    with pytest.raises(ConflictError, match=r"config/00001\.yaml"):
        await database.transaction(
            lambda session: modified.insert([variant(0), variant(1)], session, "restored")
        )
    assert [file.modified_name for file in await modified.of_project(PROJECT)] == ["00001.yaml"]
    assert await database.collection("revisions").count_documents({}) == 1


async def test_as_many_files_as_are_reset_at_once_go_into_one_transaction(
    database_url: str,
) -> None:
    many = StepSizes().at_once
    example = variant()
    files = [
        example.model_copy(
            update={
                "id": str(ObjectId()),
                "original_file_id": str(ObjectId()),
                "modified_name": name,
            }
        )
        for name in map("{:05}.yaml".format, range(many))
    ]
    async with lent_database(database_url) as database:
        # Without revisions, which a reset does not read.
        await database.collection("modified_files").insert_many(map(modified_document, files))
        await reset(database)
        assert await VariantStore(database).of_project(PROJECT) == []
        used = await database.transaction(
            lambda session: OriginalFileStore(database).used(PROJECT, session)
        )
    assert used == {file.original_file_id for file in files}
