"""Contents, each once, and their sweeping, on both databases."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient, monitoring

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Database
from benchmark_manager.stores.database.sweeping import SWEEP_AGE
from benchmark_manager.stores.operations.sweeps import ContentSweeps
from support.further_clients import further_client

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
KEY = "https://api.github.com/repos/octo/demo"
OTHER = "https://api.github.com/repos/octo/other"


@pytest.fixture
def blobs(database: Database) -> BlobStore:
    return BlobStore(database)


@pytest.fixture
def sweeps(database: Database) -> ContentSweeps:
    return ContentSweeps(database)


def some(count: int, size: int = 20) -> list[bytes]:
    return [f"{number:08}".encode().ljust(size, b".") for number in range(count)]


async def stored_ids(database: Database) -> set[str]:
    return {row["_id"] async for row in database.collection("blobs").find({}, {"_id": 1})}


async def test_blobs_come_back_as_they_went_in(blobs: BlobStore) -> None:
    contents = [
        b"",
        b"\x00\xff\xfe",
        b"\xef\xbb\xbfa: 1\r\n",
        bytes(range(256)) * 4000,
        "é🚀".encode(),
    ]
    ids = await blobs.put(contents, KEY, NOW)
    assert ids == [blob_id(content) for content in contents]
    assert [await blobs.get(sha) for sha in ids] == contents
    assert await blobs.get_many([*ids, *ids, "f" * 40]) == dict(zip(ids, contents, strict=True))
    with pytest.raises(KeyError):
        await blobs.get("f" * 40)


async def test_the_same_content_is_stored_once_however_often_it_is_put(
    database: Database, blobs: BlobStore
) -> None:
    a, b, c = some(3)
    assert await blobs.put([a, b, a, a], KEY, NOW) == [blob_id(x) for x in (a, b, a, a)]
    assert await blobs.put([b, c, a, c], OTHER, NOW) == [blob_id(x) for x in (b, c, a, c)]
    assert await blobs.put([], KEY, NOW) == []
    assert await stored_ids(database) == {blob_id(x) for x in (a, b, c)}
    assert [await blobs.get(blob_id(x)) for x in (a, b, c)] == [a, b, c]


class Inserts(monitoring.CommandListener):
    """The sizes of the contents in each insert, as it went to the server."""

    def __init__(self) -> None:
        self.sizes: list[list[int]] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command_name == "insert" and event.command["insert"] == "blobs":
            self.sizes.append([len(row["data"]) for row in event.command["documents"]])

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing: its start was noted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing: its start was noted."""


@pytest.fixture
def inserts() -> Inserts:
    return Inserts()


@pytest.fixture
async def observed(url: str, inserts: Inserts, database: Database) -> AsyncIterator[Database]:
    """The open database, over a client whose inserts are noted."""
    del database
    async with further_client(url, listeners=[inserts]) as observed:
        yield observed


async def test_many_megabytes_are_put_in_batches_which_the_server_takes(
    observed: Database, inserts: Inserts
) -> None:
    contents = [*some(12, 900_000), *(b"x" * size for size in (6_000_000, 1, 15_728_640))]
    ids = await BlobStore(observed).put(contents, KEY, NOW)
    assert await stored_ids(observed) == set(ids)
    batches = [sum(sizes) for sizes in inserts.sizes]
    assert [size for size in batches if size > 5_000_000] == [
        6_000_000,
        15_728_641 - 1,
    ]
    assert (sum(batches), len(batches)) == (sum(map(len, contents)), 6)


@pytest.mark.parametrize("gone", [0, 1, 20, 120])
async def test_of_many_which_are_there_only_what_is_missing_is_written_and_all_are_touched(
    database: Database, blobs: BlobStore, gone: int
) -> None:
    contents = some(120)
    ids = await blobs.put(contents, KEY, NOW)
    # As after a sweep, spread over all.
    missing = random.Random(gone).sample(ids, gone)  # noqa: S311 -- a choice, no secret
    await database.collection("blobs").delete_many({"_id": {"$in": missing}})
    later = NOW + timedelta(days=3)
    assert await blobs.put([*contents, b"new"], OTHER, later) == [*ids, blob_id(b"new")]
    assert await stored_ids(database) == {*ids, blob_id(b"new")}
    assert await blobs.known(ids, OTHER, later) == set(ids)
    assert await blobs.known(ids, KEY, later) == set(ids) - set(missing)
    assert await database.collection("blobs").count_documents({"touched_at": {"$lt": later}}) == 0


async def test_a_thousand_small_blobs_are_one_batch(observed: Database, inserts: Inserts) -> None:
    contents, blobs = some(1500), BlobStore(observed)
    await blobs.put(contents, KEY, NOW)
    assert [len(sizes) for sizes in inserts.sizes] == [1000, 500]
    assert await blobs.known(map(blob_id, contents), KEY, NOW) == set(map(blob_id, contents))


async def test_a_blob_is_known_only_to_the_repositories_which_gave_it(blobs: BlobStore) -> None:
    mine, ours, typed = some(3)
    await blobs.put([mine, ours], KEY, NOW)
    await blobs.put([ours], OTHER, NOW)
    await blobs.put([typed], None, NOW)
    ids = [blob_id(x) for x in (mine, ours, typed, b"nobody's")]
    assert await blobs.known(ids, KEY, NOW) == {ids[0], ids[1]}
    assert await blobs.known(ids, OTHER, NOW) == {ids[1]}
    # What a person typed becomes a repository's when it gives the very same bytes.
    await blobs.put([typed], OTHER, NOW)
    assert await blobs.known(ids, OTHER, NOW) == {ids[1], ids[2]}


async def refer(database: Database, collection: str, field: str, sha: str) -> None:
    # Unique indexes want a path of its own for each.
    await database.collection(collection).insert_one(
        {field: sha, "project_id": ObjectId(), "path": sha}
    )


#: Just over the age at which a sweep takes what it marked.
AGE = SWEEP_AGE + timedelta(milliseconds=1)


async def put_and_mark(blobs: BlobStore, sweeps: ContentSweeps, contents: list[bytes]) -> None:
    """Store contents that a sweep at NOW deletes, unless they are referred to or touched."""
    await blobs.put(contents, KEY, NOW - 2 * AGE)
    assert await sweeps.sweep_blobs(NOW - AGE) == 0


async def test_a_sweep_takes_old_blobs_that_nothing_refers_to_and_no_others(
    database: Database, blobs: BlobStore, sweeps: ContentSweeps
) -> None:
    contents = some(6)
    in_files, content, base, fresh, touched, unused = ids = [blob_id(x) for x in contents]
    await put_and_mark(blobs, sweeps, contents)
    await refer(database, "files", "sha", in_files)
    await refer(database, "modified_files", "content_sha", content)
    await refer(database, "modified_files", "base_sha", base)
    await blobs.put([contents[3]], None, NOW)
    assert await blobs.known([touched], KEY, NOW) == {touched}
    assert await sweeps.sweep_blobs(NOW) == 1
    assert await stored_ids(database) == set(ids) - {unused}
    assert await sweeps.sweep_blobs(NOW + AGE) == 0
    assert await sweeps.sweep_blobs(NOW + 2 * AGE) == 2
    assert await stored_ids(database) == {in_files, content, base}
    assert fresh not in await stored_ids(database)


async def test_a_blob_stays_a_whole_day_after_it_was_put_and_another_after_it_was_found_unreferred(
    database: Database, blobs: BlobStore, sweeps: ContentSweeps
) -> None:
    await blobs.put(some(1), KEY, NOW)
    early = (NOW + SWEEP_AGE, NOW + AGE, NOW + AGE + SWEEP_AGE)
    assert [await sweeps.sweep_blobs(now) for now in early] == [0, 0, 0]
    assert await sweeps.sweep_blobs(NOW + 2 * AGE) == 1
    assert await stored_ids(database) == set()


async def test_the_day_begins_anew_when_something_refers_to_a_blob_for_a_while(
    database: Database, blobs: BlobStore, sweeps: ContentSweeps
) -> None:
    sha = blob_id(some(1)[0])
    await put_and_mark(blobs, sweeps, some(1))
    await refer(database, "files", "sha", sha)
    assert await sweeps.sweep_blobs(NOW) == 0
    await database.collection("files").delete_many({})
    assert await sweeps.sweep_blobs(NOW + AGE) == 0
    assert await sweeps.sweep_blobs(NOW + AGE + SWEEP_AGE) == 0
    assert await sweeps.sweep_blobs(NOW + 2 * AGE) == 1


async def test_what_is_put_or_known_while_a_sweep_runs_is_there_afterwards(
    database: Database, blobs: BlobStore, sweeps: ContentSweeps
) -> None:
    contents = some(300)
    ids = [blob_id(content) for content in contents]
    await put_and_mark(blobs, sweeps, contents)

    async def put(some_contents: Iterable[bytes]) -> None:
        for content in some_contents:
            await blobs.put([content], OTHER, NOW)

    known, _, swept = await asyncio.gather(
        blobs.known(ids[:150], KEY, NOW),
        put(reversed(contents[150:175])),
        sweeps.sweep_blobs(NOW),
    )
    kept = await stored_ids(database)
    assert (known | set(ids[150:175])) - kept == set()
    assert kept & set(ids[175:]) == set()
    assert swept >= 100
    assert await blobs.get_many(ids[150:175]) == dict(
        zip(ids[150:175], contents[150:175], strict=True)
    )


class DeletionBeforeTouch(monitoring.CommandListener):
    """Deletes all blobs when a client begins to touch some, as a sweep in another process may."""

    def __init__(self, url: str) -> None:
        self._url = url

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if event.command.get("update") == "blobs":
            with MongoClient[dict[str, Any]](self._url, serverMonitoringMode="poll") as client:
                client.get_default_database()["blobs"].delete_many({})

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Nothing: its start was noted."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Nothing: its start was noted."""


async def test_a_blob_that_a_sweep_deletes_before_it_is_touched_is_not_known(
    blobs: BlobStore, url: str
) -> None:
    [sha] = await blobs.put(some(1), KEY, NOW - 2 * AGE)
    async with further_client(url, listeners=[DeletionBeforeTouch(url)]) as database:
        assert await BlobStore(database).known([sha], KEY, NOW) == set()


async def test_a_put_between_a_sweeps_question_and_its_deletion_saves_the_blob(
    blobs: BlobStore, sweeps: ContentSweeps
) -> None:
    content, sha = some(1)[0], blob_id(some(1)[0])
    await put_and_mark(blobs, sweeps, [content])

    async def nothing_yet(_: Sequence[str] | None) -> set[str]:
        await blobs.put([content], KEY, NOW)
        return set()

    assert await blobs.sweep(nothing_yet, NOW) == 0
    assert await blobs.get(sha) == content
