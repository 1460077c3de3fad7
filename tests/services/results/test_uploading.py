"""Uploads are whole or not made, are read by the newest parser, and end with their retention."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from benchmark_manager.domain.results.edits import ResultChanges
from benchmark_manager.domain.results.parsing.parse import PARSER_VERSION
from benchmark_manager.errors import ForbiddenError, InvalidInputError, NotFoundError
from benchmark_manager.factory import Externals, Services, open_services, utc_now
from benchmark_manager.models.result import ParsedResult, Result, ResultUpload
from benchmark_manager.services.results.results import ResultService
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.results.chunks import ResultChunkStore
from benchmark_manager.stores.results.results import ResultStore
from benchmark_manager.workers.pool import Limits
from support.principals import editor_of, open_principal, reader_of
from support.replacements import beside
from support.service import CHEAP_PASSWORDS, Service, settings_for, text_workers
from support.unchanged_service import unchanged_service
from support.uploading import PLAIN, ReleasedProject, released_project

ADA = open_principal("ada")


class CrashingAuditStore(AuditStore):
    """Fails to write a record, the last step of a transaction."""

    async def insert(self, *_: object, **__: object) -> None:
        raise RuntimeError("the process ends here")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_project(module_either: Service) -> ReleasedProject:
    return await released_project(module_either)


@pytest.fixture
async def project(shared_project: ReleasedProject) -> AsyncIterator[ReleasedProject]:
    async with unchanged_service(shared_project.service):
        yield shared_project


def an_upload(project: ReleasedProject, data: bytes = PLAIN, **fields: Any) -> ResultUpload:
    return ResultUpload(release=project.digest, file_name="a.json", data=data, **fields)


async def chunks(services: Services) -> int:
    return await services.database.collection("result_chunks").count_documents({})


async def read(services: Services, result: Result) -> bytes:
    _, parts = await services.results.raw(ADA, result.id)
    return b"".join([part async for part in parts])


def failing(project: ReleasedProject) -> ResultService:
    database = project.service.services.database
    return beside(project.service, audit=CrashingAuditStore(database)).results


@asynccontextmanager
async def without_workers(project: ReleasedProject) -> AsyncIterator[Services]:
    """Another process of the service, none of whose workers is ever free in time."""
    service, workers = project.service, text_workers(Limits(wait=0))
    settings = settings_for("mongodb://unused", service.github.url, service.folder)
    externals = Externals(
        workers=workers, database=service.services.database, passwords=CHEAP_PASSWORDS
    )
    try:
        async with open_services(settings, externals) as services:
            yield services
    finally:
        await workers.close()


async def test_an_upload_that_is_not_committed_leaves_nothing_for_long(
    project: ReleasedProject,
) -> None:
    services = project.service.services
    with pytest.raises(RuntimeError):
        await failing(project).upload(ADA, an_upload(project))
    assert await project.listed() == []
    assert await chunks(services) == 1
    referred = ResultStore(services.database).chunk_ids
    for days in (2, 4):
        later = utc_now() + timedelta(days=days)
        await ResultChunkStore(services.database).sweep(referred, later)
    assert await chunks(services) == 0


async def test_an_upload_that_is_repeated_after_a_crash_is_whole_and_one(
    project: ReleasedProject,
) -> None:
    services = project.service.services
    with pytest.raises(RuntimeError):
        await failing(project).upload(ADA, an_upload(project))
    (result, new), (again, new_again) = [
        await services.results.upload(ADA, an_upload(project)) for _ in range(2)
    ]
    assert (new, new_again, again) == (True, False, result)
    assert await read(services, result) == PLAIN


async def test_uploads_of_several_replicas_at_once_are_one_result(
    project: ReleasedProject,
) -> None:
    replicas = [project.service.services, beside(project.service)]
    made = await asyncio.gather(
        *(each.results.upload(ADA, an_upload(project)) for each in replicas * 3)
    )
    assert sorted(new for _, new in made) == [False] * 5 + [True]
    assert len({result.id for result, _ in made}) == 1


async def test_a_reader_uploads_nothing(project: ReleasedProject) -> None:
    services = project.service.services
    with pytest.raises(ForbiddenError):
        await services.results.upload(reader_of(project.id), an_upload(project))
    with pytest.raises(NotFoundError):
        await services.results.upload(editor_of("0" * 24), an_upload(project))
    assert await chunks(services) == 0


async def test_a_newer_parser_reads_stored_results_again(project: ReleasedProject) -> None:
    services = project.service.services
    result, _ = await services.results.upload(ADA, an_upload(project))
    store = ResultStore(services.database)
    stored = await store.get(result.id)
    older = ParsedResult(tool="unknown")
    parsed = services.database.collection("parsed_results")
    await parsed.update_one({}, {"$set": {"version": 0, "tool": older.tool, "points": []}})
    assert (await services.results.get(ADA, stored.id)).parsed == result.parsed
    assert (await store.parsed.get_many([stored.id]))[stored.id][0] == result.parsed


async def test_a_file_that_no_worker_has_time_for_is_kept_and_read_later(
    project: ReleasedProject,
) -> None:
    services = project.service.services
    async with without_workers(project) as busy:
        unread, new = await busy.results.upload(ADA, an_upload(project))
    assert new
    assert await read(services, unread) == PLAIN
    assert [problem.code for problem in unread.parsed.problems] == ["not_read_yet"]
    later = await services.results.get(ADA, unread.id)
    assert (later.parsed.tool, later.parsed.problems) == ("plain", ())


async def test_a_tool_that_is_chosen_while_no_worker_is_free_is_read_later(
    project: ReleasedProject,
) -> None:
    services = project.service.services
    wrong, _ = await services.results.upload(ADA, an_upload(project, tool="vllm"))
    async with without_workers(project) as busy:
        unread = await busy.results.edit(ADA, wrong.id, ResultChanges(tool="plain"), None)
    assert [problem.code for problem in unread.parsed.problems] == ["not_read_yet"]
    later = await services.results.get(ADA, wrong.id)
    assert (later.parsed.tool, later.parsed.problems) == ("plain", ())


async def test_what_was_read_for_the_former_tool_does_not_stay(project: ReleasedProject) -> None:
    services = project.service.services
    wrong, _ = await services.results.upload(ADA, an_upload(project, tool="vllm"))
    store = ResultStore(services.database)
    before = await store.get(wrong.id)
    right = await services.results.edit(ADA, wrong.id, ResultChanges(tool="plain"), None)
    # As a reader that began before the change.
    await store.keep_parsed(before, wrong.parsed, PARSER_VERSION)
    assert await services.results.get(ADA, wrong.id) == right
    assert await project.listed(tool="plain") == [wrong.id]


async def test_a_change_of_the_tool_is_on_record(project: ReleasedProject) -> None:
    services = project.service.services
    wrong, _ = await services.results.upload(ADA, an_upload(project, tool="vllm"))
    await services.results.edit(ADA, wrong.id, ResultChanges(tool="plain"), None)
    [record] = await services.database.collection("audit").find({"action": "result.edit"}).to_list()
    assert (record["keys"], record["revision"]) == (["tool"], 2)


async def test_what_an_upload_changes_of_a_result_in_the_trash_is_on_record(
    project: ReleasedProject,
) -> None:
    services = project.service.services
    wrong, _ = await services.results.upload(ADA, an_upload(project, tool="vllm"))
    await services.results.delete(ADA, wrong.id, None)
    await services.results.upload(ADA, an_upload(project, note="right"))
    records = services.database.collection("audit").find({"action": "result.undelete"})
    assert [record["keys"] for record in await records.to_list()] == [["note", "tool"]]


async def test_housekeeping_reads_outdated_results_again(project: ReleasedProject) -> None:
    services = project.service.services
    result, _ = await services.results.upload(ADA, an_upload(project))
    database = services.database
    await database.collection("parsed_results").update_one({}, {"$set": {"version": 0}})
    await database.collection("results").update_one({}, {"$set": {"tool": "unknown"}})
    await services.housekeeping.run()
    assert await project.listed(tool=result.parsed.tool) == [result.id]


async def test_a_deleted_result_is_purged_after_its_retention(project: ReleasedProject) -> None:
    services = project.service.services
    kept, _ = await services.results.upload(ADA, an_upload(project, b"kept"))
    gone, _ = await services.results.upload(ADA, an_upload(project, b"gone"))
    for result in (kept, gone):
        await services.results.delete(ADA, result.id, None)
    results = services.database.collection("results")
    old = utc_now() - timedelta(days=31)
    await results.update_one({"sha256": gone.sha256}, {"$set": {"deleted_at": old}})
    await services.housekeeping.run()
    assert await project.listed(deleted=True) == [kept.id]
    with pytest.raises(NotFoundError):
        await services.results.undelete(ADA, gone.id)
    assert (await services.results.undelete(ADA, kept.id)).sha256 == kept.sha256
    records = services.database.collection("audit")
    assert await records.count_documents({"action": "result.purge"}) == 1


async def test_results_of_a_project_that_another_version_forgot_are_removed(
    project: ReleasedProject,
) -> None:
    services = project.service.services
    await services.results.upload(ADA, an_upload(project))
    await services.projects.delete(ADA, project.id, None)
    # As an older version does, which does not know results.
    await services.database.collection("deleted_projects").delete_many({})
    await services.housekeeping.run()
    assert await services.database.collection("results").count_documents({}) == 0


async def test_a_file_over_the_limit_is_refused_before_it_is_stored(
    project: ReleasedProject,
) -> None:
    services = project.service.services
    data = b"x" * (services.results.max_size + 1)
    with pytest.raises(InvalidInputError) as refused:
        await services.results.upload(ADA, an_upload(project, data))
    assert (refused.value.code, refused.value.facts["size"]) == ("too_large", len(data))
    assert await chunks(services) == 0
