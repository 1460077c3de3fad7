"""The bytes of results, lists of many releases, and what tables read."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.problem import Problem
from benchmark_manager.models.result import (
    Metric,
    ParsedResult,
    ResultFilters,
    ResultPoint,
    StoredResult,
)
from benchmark_manager.models.result_table import MetricColumn
from benchmark_manager.stores.database.database import Database, Session
from benchmark_manager.stores.results.chunks import CHUNK_BYTES, ResultChunkStore
from benchmark_manager.stores.results.documents import parsed_document, result_document
from benchmark_manager.stores.results.parsed import ParsedResultStore
from benchmark_manager.stores.results.results import ResultStore
from support.further_clients import further_client

NOW = datetime(2026, 11, 30, tzinfo=UTC)
SIZES = (1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES)


def a_result(project_id: str, number: int = 0, **changes: Any) -> StoredResult:
    """Return a result, whose release is that of its number."""
    values = {
        "id": Database.new_id(),
        "project_id": project_id,
        "release": f"sha256:{number:064x}",
        "file_name": "a.json",
        "size": 3,
        "sha256": f"{number:064x}",
        "created_at": NOW + timedelta(seconds=number),
        "created_by": "ada",
    }
    return StoredResult(**{**values, **changes})


def parsed_of(**metrics: Metric) -> ParsedResult:
    return ParsedResult(tool="plain", points=(ResultPoint(point="rate=1", metrics=metrics),))


async def inserted(
    database: Database, *results: StoredResult, parsed: ParsedResult | None = None, version: int = 1
) -> ResultStore:
    """Return a store with these results."""
    store = ResultStore(database)

    async def work(session: Session) -> None:
        for result in results:
            await store.insert(result, parsed or ParsedResult(), version, session)

    await database.transaction(work)
    return store


async def many_inserted(
    database: Database, results: Sequence[StoredResult], parsed: ParsedResult | None = None
) -> ResultStore:
    """The same by two commands: one by one, a thousand take longer than all other tests."""
    rows = [parsed_document(result, parsed or ParsedResult(), 1) for result in results]
    await database.collection("results").insert_many(map(result_document, results))
    await database.collection("parsed_results").insert_many(rows)
    return ResultStore(database)


async def content(store: ResultChunkStore, data: bytes) -> bytes:
    sha256 = hashlib.sha256(data).hexdigest()
    return b"".join([part async for part in store.read(sha256, len(data))])


@pytest.mark.parametrize("size", SIZES)
async def test_bytes_of_any_size_come_back(database: Database, size: int) -> None:
    store, data = ResultChunkStore(database), b"\0\xff"[: size % 2 + 1] * (size // 2 + 1)
    data = data[:size]
    assert await store.put(data, NOW) == hashlib.sha256(data).hexdigest()
    assert await content(store, data) == data


async def test_the_same_bytes_stored_at_once_are_stored_once(database: Database) -> None:
    store, data = ResultChunkStore(database), b"x" * (2 * CHUNK_BYTES)
    await asyncio.gather(*(store.put(data, NOW) for _ in range(5)))
    assert await database.collection("result_chunks").count_documents({}) == 2
    assert await content(store, data) == data


async def test_missing_parts_are_stored_again(database: Database) -> None:
    store, data = ResultChunkStore(database), b"x" * (2 * CHUNK_BYTES) + b"y"
    sha256 = await store.put(data, NOW)
    await database.collection("result_chunks").delete_one({"_id": f"{sha256}/1"})
    with pytest.raises(KeyError):
        await content(store, data)
    await store.put(data, NOW)
    assert await content(store, data) == data


async def test_bytes_that_no_result_has_are_swept_and_others_stay(database: Database) -> None:
    chunks, data = ResultChunkStore(database), b"k" * (CHUNK_BYTES + 1)
    kept = await chunks.put(data, NOW)
    await chunks.put(b"left by a crash", NOW)
    result = a_result(Database.new_id(), sha256=kept, size=len(data), deleted_at=NOW)
    results = await inserted(database, result)
    swept = [
        await chunks.sweep(results.chunk_ids, NOW + timedelta(days=days)) for days in (0, 2, 4, 6)
    ]
    assert swept == [0, 0, 1, 0]
    assert await content(chunks, data) == data


async def test_bytes_that_are_uploaded_again_are_not_swept_before_their_result_is_there(
    database: Database,
) -> None:
    chunks, results, data = ResultChunkStore(database), ResultStore(database), b"again"
    await chunks.put(data, NOW)
    assert await chunks.sweep(results.chunk_ids, NOW + timedelta(days=2)) == 0
    await chunks.put(data, NOW + timedelta(days=4))
    assert await chunks.sweep(results.chunk_ids, NOW + timedelta(days=4, hours=1)) == 0
    assert await content(chunks, data) == data


class EndOfDeletion(CommandListener):
    """Cancels the task that deletes what was read, as the end of its process ends it."""

    def started(self, event: CommandStartedEvent) -> None:
        if event.command.get("delete") == "parsed_results":
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing: it ended at its start."""

    def failed(self, event: CommandFailedEvent) -> None:
        """The same."""


async def test_a_deletion_that_a_crash_ends_is_found_and_finished(
    database: Database, url: str
) -> None:
    project_id = Database.new_id()
    store = await inserted(database, a_result(project_id))
    async with further_client(url, listeners=[EndOfDeletion()]) as ending:
        deletion = asyncio.create_task(ResultStore(ending).delete_of_project(project_id))
        await asyncio.wait([deletion])
    assert deletion.cancelled()
    assert await store.project_ids() == {project_id}
    await store.delete_of_project(project_id)
    assert await store.project_ids() == set()
    assert await store.parsed.rows({}) == {}


async def test_what_is_read_of_a_result_that_was_deleted_meanwhile_is_not_kept(
    database: Database,
) -> None:
    store = ResultStore(database)
    await store.keep_parsed(a_result(Database.new_id()), ParsedResult(), 1)
    assert await store.parsed.rows({}) == {}


async def test_pages_over_more_releases_than_one_query_takes_are_whole(
    database: Database,
) -> None:
    count, project_id = 2 * database.in_at_most + 7, Database.new_id()
    results = [a_result(project_id, number) for number in range(count)]
    others = [a_result(project_id, number, sha256="f" * 64) for number in range(count, count + 3)]
    store = await many_inserted(database, [*results, *others])
    digests = {result.release for result in results}
    found: list[str] = []
    cursor: str | None = None
    totals = set()
    limit = database.in_at_most - 10
    while True:
        request = PageRequest(limit=limit, cursor=cursor)
        page = await store.page(project_id, ResultFilters(), request, digests=digests)
        found += [result.id for result in page.rows]
        totals.add(page.total)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == [result.id for result in reversed(results)]
    assert totals == {count}


async def test_tables_read_what_was_measured(database: Database) -> None:
    project_id = Database.new_id()
    known = Metric(value=12.5, unit="ms", direction="lower", called="p99_ttft_ms")
    own = Metric(value=-0.0, called="<b>")
    labels = {"gpu": "H100", "driver": "570=x"}
    result = a_result(project_id, 1, labels=labels)
    store = await inserted(database, result, parsed=parsed_of(ttft_p99=known, own=own))
    [found] = await store.measured(project_id, None, 10)
    [point] = found.points
    assert (found.id, found.release, found.tool) == (result.id, result.release, "plain")
    assert (found.labels, found.created_at, found.is_readable) == (labels, result.created_at, True)
    assert (point.point, point.values) == ("rate=1", (12.5, -0.0))
    assert point.metrics == (
        MetricColumn(name="ttft_p99", unit="ms", direction="lower"),
        MetricColumn(name="own", unit="", direction=None),
    )


async def test_points_that_have_the_same_metrics_share_them(database: Database) -> None:
    project_id = Database.new_id()
    results = [a_result(project_id, number) for number in range(2)]
    store = await inserted(database, *results, parsed=parsed_of(x=Metric(value=1)))
    first, second = await store.measured(project_id, None, 10)
    assert first.points[0].metrics is second.points[0].metrics


async def test_tables_read_the_results_of_many_releases_the_oldest_first(
    database: Database,
) -> None:
    count, project_id = database.in_at_most + 20, Database.new_id()
    results = [a_result(project_id, number) for number in range(count)]
    deleted = a_result(project_id, 30, sha256="f" * 64, deleted_at=NOW)
    foreign = a_result(Database.new_id(), 4)
    store = await many_inserted(database, [*reversed(results), deleted, foreign])
    digests = [result.release for result in results[5:]]
    found = await store.measured(project_id, digests, count)
    assert [row.id for row in found] == [result.id for result in results[5:]]


async def test_of_more_results_than_a_table_takes_no_metrics_are_read(database: Database) -> None:
    count, project_id = database.in_at_most + 20, Database.new_id()
    results = [a_result(project_id, number) for number in range(count)]
    store = await many_inserted(database, results, parsed_of(x=Metric(value=1)))
    digests = [result.release for result in results]
    found = await store.measured(project_id, digests, count - 1)
    assert len(found) == count - 1
    assert {row.points for row in found} == {()}


@pytest.mark.parametrize(
    "parsed",
    [
        ParsedResult(),
        ParsedResult(
            points=(ResultPoint(metrics={"x": Metric(value=1)}),),
            problems=(Problem(severity="warning", code="cut_file", message="Cut."),),
        ),
    ],
    ids=["no metric", "a part of the file"],
)
async def test_what_was_not_read_whole_is_marked(database: Database, parsed: ParsedResult) -> None:
    project_id = Database.new_id()
    store = await inserted(database, a_result(project_id), parsed=parsed)
    [found] = await store.measured(project_id, None, 10)
    assert found.is_readable is False


async def test_an_older_parser_does_not_replace_what_a_newer_one_read(database: Database) -> None:
    result = a_result(Database.new_id())
    store = await inserted(database, result, parsed=ParsedResult(tool="vllm"), version=3)
    await store.parsed.replace(result, ParsedResult(tool="plain"), 2)
    assert await store.parsed.get_many([result.id]) == {result.id: (ParsedResult(tool="vllm"), 3)}
    await store.parsed.replace(result, ParsedResult(tool="plain"), 4)
    assert await store.parsed.get_many([result.id]) == {result.id: (ParsedResult(tool="plain"), 4)}


async def test_releases_of_results_are_cited_also_in_the_trash(database: Database) -> None:
    project_id = Database.new_id()
    results = [a_result(project_id, 1), a_result(project_id, 2, deleted_at=NOW)]
    store = await inserted(database, *results)
    # As the store of releases asks.
    asked = [f"{number:064x}" for number in range(4)]

    async def work(session: Session) -> set[str]:
        return await store.cited(asked, None, session)

    assert await database.transaction(work) == {result.release for result in results}


async def test_releases_are_cited_by_the_results_of_one_project(database: Database) -> None:
    mine, theirs = a_result(Database.new_id(), 1), a_result(Database.new_id(), 2)
    store = await inserted(database, mine, theirs)

    async def work(session: Session) -> set[str]:
        return await store.cited([mine.release, theirs.release], mine.project_id, session)

    assert await database.transaction(work) == {mine.release}


async def test_more_metrics_than_a_table_takes_are_refused(database: Database) -> None:
    project_id = Database.new_id()
    results = [a_result(project_id, number) for number in range(3)]
    await inserted(database, *results, parsed=parsed_of(x=Metric(value=1)))
    few = ParsedResultStore(database, most_bytes=50)
    with pytest.raises(InvalidInputError) as refused:
        await few.rows({"project_id": ObjectId(project_id)})
    assert (refused.value.code, refused.value.reason) == ("too_many_results", "metrics")
