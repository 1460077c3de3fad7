"""Releases of deleted projects: which of them remain, and what is swept."""

from dataclasses import dataclass

import pytest
import pytest_asyncio

from benchmark_manager.domain.git.objects import blob_id
from support.problems import assert_problem
from support.released import archive_of, files_of, make_release, unpacked
from support.service import Json, Service


@dataclass(frozen=True)
class DeletedProject:
    """A project that was deleted and not yet swept, with the releases that it made."""

    id: str
    #: Another project, which made `shared` too.
    other: str
    #: Made by no other project, and not pinned.
    loose: Json
    #: Made by no other project, and pinned.
    pinned: Json
    shared: Json


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def deleted(module_service: Service, project: Json) -> DeletedProject:
    service = module_service

    async def replace_original(project_id: str) -> None:
        original = (await service.files(project_id))["config/a.yaml"]
        await service.variant(project_id, original, content="model: mine\n")

    loose = await make_release(service, project, include="originals")
    await replace_original(project["id"])
    pinned = await make_release(service, project, pinned=True)
    shared = await make_release(service, project, include="modified")
    other = await service.synced("acme/bench", name="other")
    await replace_original(other["id"])
    await make_release(service, other, 200, include="modified")
    assert (await service.http.delete(f"/projects/{project['id']}")).status_code == 204
    return DeletedProject(project["id"], other["id"], loose, pinned, shared)


async def sweep(service: Service) -> None:
    await service.services.housekeeping.sweep_deleted_projects()


@pytest.fixture(params=[False, True], ids=["before the sweep", "after the sweep"])
async def reader(
    service: Service, deleted: DeletedProject, request: pytest.FixtureRequest
) -> Service:
    """The service, before and after it sweeps the deleted project."""
    del deleted
    if request.param:
        await sweep(service)
    return service


async def test_a_release_of_a_deleted_project_alone_is_not_found(
    reader: Service, deleted: DeletedProject
) -> None:
    answers = [
        await reader.http.get(f"/releases/{deleted.loose['digest']}{route}")
        for route in ("", "/SHA256SUMS", "/archive", "/files/config/a.yaml")
    ]
    problems = [assert_problem(answer, 404, "release_not_found") for answer in answers]
    assert len(problems) == 4


async def test_a_pinned_release_of_a_deleted_project_remains(
    reader: Service, deleted: DeletedProject, files: dict[str, bytes]
) -> None:
    release = await reader.get(f"/releases/{deleted.pinned['digest']}")
    held = {**files, "config/a.yaml": b"model: mine\n"}
    assert await files_of(reader, release) == held
    assert unpacked(await archive_of(reader, release["digest"]), "tar.gz") == held


async def test_a_release_that_another_project_made_too_remains(
    reader: Service, deleted: DeletedProject
) -> None:
    assert (await reader.get(f"/releases/{deleted.shared['digest']}"))["makings_count"] == 2


async def test_a_deleted_project_lists_no_releases(
    reader: Service, deleted: DeletedProject
) -> None:
    answer = await reader.http.get(f"/projects/{deleted.id}/releases")
    assert_problem(answer, 404, "project_not_found")


WRITTEN = ("releases", "release_makings", "release_files")


async def test_a_sweep_deletes_what_only_a_deleted_project_released(
    service: Service, deleted: DeletedProject, files: dict[str, bytes]
) -> None:
    await sweep(service)
    collection = service.services.database.collection
    kept = {each["digest"].removeprefix("sha256:") for each in (deleted.pinned, deleted.shared)}
    found = {name: {*await collection(name).distinct("digest")} for name in WRITTEN}
    assert found == dict.fromkeys(WRITTEN, kept)
    assert {row["_id"]: row["releases"] async for row in collection("release_blobs").find({})} == {
        blob_id(b"model: mine\n"): 2,
        blob_id(files["config/deep/b.json"]): 1,
        blob_id(files["job/run.yaml"]): 1,
    }


async def test_a_release_goes_with_the_last_project_that_made_it(
    service: Service, deleted: DeletedProject
) -> None:
    await sweep(service)
    await service.http.delete(f"/projects/{deleted.other}")
    await sweep(service)
    answer = await service.http.get(f"/releases/{deleted.shared['digest']}")
    assert_problem(answer, 404, "release_not_found")
    path = f"/releases/{deleted.pinned['digest']}"
    assert (await service.put(path, {"name": "kept"}))["name"] == "kept"


async def test_a_release_of_deleted_projects_goes_when_it_is_unpinned(
    service: Service, deleted: DeletedProject
) -> None:
    await service.http.delete(f"/projects/{deleted.other}")
    await sweep(service)
    path = f"/releases/{deleted.pinned['digest']}"
    assert (await service.put(path, {"pinned": False}))["pinned"] is False
    assert_problem(await service.http.get(path), 404, "release_not_found")
    collection = service.services.database.collection
    names = (*WRITTEN, "release_blobs")
    assert {name: await collection(name).count_documents({}) for name in names} == dict.fromkeys(
        names, 0
    )


async def test_what_a_deleted_project_wrote_is_not_read_again(service: Service) -> None:
    """Not even when the same release is made by another project before the sweep."""
    service.repository("acme/secret", {"config/secret.yaml": b"a: 1\n"})
    project = await service.synced("acme/secret")
    digest = (await make_release(service, project, name="secret"))["digest"]
    await service.http.delete(f"/projects/{project['id']}")
    other = await service.synced("acme/secret", name="another")
    release = await make_release(service, other, name="mine")
    assert (release["digest"], release["name"], release["project_id"]) == (
        digest,
        "mine",
        other["id"],
    )
    assert [making["project_id"] for making in release["makings"]] == [other["id"]]
    await sweep(service)
    assert await service.get(f"/releases/{digest}") == release
