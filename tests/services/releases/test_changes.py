"""Changes of releases: each is recorded in its own transaction."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from benchmark_manager.errors import NotFoundError
from benchmark_manager.factory import utc_now
from benchmark_manager.factory.stores import Stores
from benchmark_manager.models.release import Release
from benchmark_manager.services.releases.releases import ReleaseService, ReleaseStores
from support.principals import open_principal
from support.recorded_changes import RecordedChanges
from support.service import Json, Service
from support.unchanged_service import unchanged_service

ADA = open_principal("ada")


def releases_of(service: Service, records: RecordedChanges) -> ReleaseService:
    database = service.services.database
    stores = Stores.over(database)
    return ReleaseService(
        ReleaseStores(
            database=database,
            projects=stores.projects,
            originals=stores.originals,
            variants=stores.variants,
            blobs=stores.blobs,
            releases=stores.releases,
        ),
        clock=utc_now,
        record=records,
    )


async def made(releases: ReleaseService, project: Json) -> Release:
    release, _ = await releases.make(
        ADA,
        project["id"],
        name="first",
        description="",
        pinned=False,
        contents="all",
        variant_ids=None,
    )
    return release


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service) -> Json:
    module_service.repository("acme/released", {"config/a.yaml": b"a: 1\n"})
    return await module_service.synced("acme/released")


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, with their project as it was made."""
    async with unchanged_service(module_service) as service:
        yield service


async def test_a_making_is_recorded_with_its_actor(service: Service, project: Json) -> None:
    records = RecordedChanges()
    release = await made(releases_of(service, records), project)
    assert records.facts == [("release.create", "ada", None, 1)]
    assert [(one.project_id, one.object_id) for one in records.changes] == [
        (project["id"], release.digest)
    ]


async def test_a_release_whose_record_cannot_be_written_is_not_made(
    service: Service, project: Json
) -> None:
    releases = releases_of(service, RecordedChanges(fails=True))
    with pytest.raises(RuntimeError):
        await made(releases, project)
    assert await service.rows(f"/projects/{project['id']}/releases") == []


async def test_an_edit_is_recorded_with_its_revisions(service: Service, project: Json) -> None:
    records = RecordedChanges()
    releases = releases_of(service, records)
    release = await made(releases, project)
    await releases.update(
        ADA, release.digest, name="other", description=None, pinned=None, expected_revisions={1}
    )
    assert records.facts[1:] == [("release.edit", "ada", 1, 2)]


async def test_an_edit_that_changes_nothing_is_not_recorded(
    service: Service, project: Json
) -> None:
    records = RecordedChanges()
    releases = releases_of(service, records)
    release = await made(releases, project)
    same = await releases.update(
        ADA, release.digest, name="first", description="", pinned=False, expected_revisions=None
    )
    assert (same, len(records.changes)) == (release, 1)


async def test_an_unknown_release_cannot_be_edited(service: Service) -> None:
    with pytest.raises(NotFoundError):
        await releases_of(service, RecordedChanges()).update(
            ADA, "a" * 64, name="x", description=None, pinned=None, expected_revisions=None
        )
