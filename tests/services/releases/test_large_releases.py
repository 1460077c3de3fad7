"""Releases of more files than one transaction takes, on both databases."""

from datetime import UTC, datetime, timedelta

import pytest

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.factory import Externals, ServiceLimits
from benchmark_manager.stores.releases.releases import ReleaseStore
from support.service import Service, running_service

FILES = {f"config/{n}.yaml": f"n: {n}\n".encode() for n in range(7)}


@pytest.fixture
def externals() -> Externals:
    return Externals(limits=ServiceLimits(release_files=5))


async def held(service: Service) -> dict[str, int]:
    rows = service.services.database.collection("release_blobs").find({})
    return {row["_id"]: row["releases"] async for row in rows}


async def test_a_large_release_is_made_once_read_whole_and_swept_when_no_project_has_it(
    either: Service,
) -> None:
    either.repository("acme/large", FILES)
    project = (await either.synced("acme/large"))["id"]
    made = await either.post(f"/projects/{project}/releases", {}, 201)
    assert made["files_count"] == len(FILES)
    again = await either.post(f"/projects/{project}/releases", {}, 200)
    assert (again["digest"], again["makings_count"]) == (made["digest"], 2)
    files = f"/releases/{made['digest']}/files"
    assert {path: (await either.http.get(f"{files}/{path}")).content for path in FILES} == FILES
    assert await held(either) == {blob_id(data): 1 for data in FILES.values()}
    store, later = (
        ReleaseStore(either.services.database, files_at_once=5),
        datetime.now(UTC) + timedelta(days=3),
    )
    assert await store.sweep_files(later) == 0
    await either.http.delete(f"/projects/{project}")
    await either.services.housekeeping.sweep_deleted_projects()
    assert await store.sweep_files(datetime.now(UTC)) == 0, "another may be about to name them"
    assert await store.sweep_files(later) == 1
    assert await held(either) == {}


async def test_a_large_release_is_made_anew_from_the_files_of_a_deleted_one(
    either: Service,
) -> None:
    either.repository("acme/large", FILES)
    project = (await either.synced("acme/large"))["id"]
    made = await either.post(f"/projects/{project}/releases", {}, 201)
    await either.http.delete(f"/projects/{project}")
    await either.services.housekeeping.sweep_deleted_projects()
    other = (await either.synced("acme/large", name="other"))["id"]
    again = await either.post(f"/projects/{other}/releases", {}, 201)
    assert again["digest"] == made["digest"]
    assert (await either.get(f"/releases/{made['digest']}"))["files_count"] == len(FILES)
    assert await held(either) == {blob_id(data): 1 for data in FILES.values()}


async def test_a_large_release_is_made_anew_from_what_an_older_version_wrote(
    either: Service, either_url: str
) -> None:
    """Whose project was deleted a moment ago: its files still stand there, and go with it."""
    either.repository("acme/large", FILES)
    async with running_service(either_url, either.github, either.folder) as older:
        project = (await older.synced("acme/large"))["id"]
        made = await older.post(f"/projects/{project}/releases", {}, 201)
        await older.http.delete(f"/projects/{project}")
    other = (await either.synced("acme/large", name="other"))["id"]
    again = await either.post(f"/projects/{other}/releases", {}, 201)
    assert again["digest"] == made["digest"]
    assert await held(either) == {blob_id(data): 1 for data in FILES.values()}


async def test_files_of_a_making_that_was_not_finished_are_swept_though_the_release_is_there(
    either: Service,
) -> None:
    either.repository("acme/large", FILES)
    project = (await either.synced("acme/large"))["id"]
    made = await either.post(f"/projects/{project}/releases", {}, 201)
    store, now = ReleaseStore(either.services.database, files_at_once=5), datetime.now(UTC)
    files = await store.files(await store.find(made["digest"], None))
    await store.stage(made["digest"], "a making whose process was killed", files[:-1], now)
    assert set((await held(either)).values()) == {1, 2}
    assert await store.sweep_files(now + timedelta(days=3)) == 1
    assert await held(either) == {blob_id(data): 1 for data in FILES.values()}
    assert (await either.get(f"/releases/{made['digest']}"))["files_count"] == len(FILES)
