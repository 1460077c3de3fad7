"""Changes of sweeps are whole or not made, whoever else makes one at the same moment."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from benchmark_manager.errors import ForbiddenError, InvalidInputError, StaleError
from benchmark_manager.factory import Services, utc_now
from benchmark_manager.services.sweeps.sweeps import SweepService
from benchmark_manager.stores.access.audit import AuditStore
from benchmark_manager.stores.contents.blobs import BlobStore
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.operations.sweeps import ContentSweeps
from benchmark_manager.stores.releases.releases import ReleaseStore
from benchmark_manager.stores.sweeps.sweeps import SweepStore
from support.principals import open_principal, reader_of
from support.replacements import beside
from support.service import Service
from support.swept import ENGINE, SweptProject, sizes, swept_project
from support.unchanged_service import unchanged_service

ADA = open_principal("ada")


class UnwritableAuditStore(AuditStore):
    """Fails to write a record, the last step of a transaction."""

    async def insert(self, *_: object, **__: object) -> None:
        raise RuntimeError("the process ends here")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_project(module_either: Service) -> SweptProject:
    return await swept_project(module_either)


@pytest.fixture
async def project(shared_project: SweptProject) -> AsyncIterator[SweptProject]:
    async with unchanged_service(shared_project.service):
        yield shared_project


def failing(project: SweptProject) -> SweepService:
    database = project.service.services.database
    return beside(project.service, audit=UnwritableAuditStore(database)).sweeps.sweeps


async def blobs(services: Services) -> dict[str, bytes]:
    return {sha: data async for sha, data in BlobStore(services.database).every()}


async def test_a_sweep_that_is_not_committed_leaves_nothing_for_long(
    project: SweptProject,
) -> None:
    services = project.service.services
    before = await blobs(services)
    with pytest.raises(RuntimeError):
        await failing(project).create(ADA, project.id, sizes(256, 512))
    assert await project.service.rows(f"{project.home}/sweeps") == []
    assert await project.service.rows(f"{project.home}/releases", cells=True) == []
    assert len(await blobs(services)) == len(before) + 2
    releases, contents = ReleaseStore(services.database), ContentSweeps(services.database)
    for days in (2, 4, 6):
        now = utc_now() + timedelta(days=days)
        await releases.sweep_files(now)
        await contents.sweep_blobs(now)
    assert await blobs(services) == before


async def test_what_a_sweep_refers_to_is_not_swept(project: SweptProject) -> None:
    services = project.service.services
    sweep = await project.sweep(sizes(256, 512))
    [cell, _] = await project.cells(sweep)
    await project.upstream({"config/engine.yaml": None})
    for days in (2, 4, 6):
        now = utc_now() + timedelta(days=days)
        await ReleaseStore(services.database).sweep_files(now)
        await ContentSweeps(services.database).sweep_blobs(now)
        await ContentSweeps(services.database).sweep_problems(now)
    assert await project.text(cell, "config/engine.yaml") == ENGINE.replace(b"128 ", b"256 ")
    changed = await project.change(sweep, sizes(1024))
    assert changed["cells_count"] == 1


async def test_a_change_that_is_not_committed_changes_nothing(project: SweptProject) -> None:
    sweep = await project.sweep(sizes(256, 512))
    cells = await project.cells(sweep)
    service = failing(project)
    with pytest.raises(RuntimeError):
        await service.update(ADA, sweep["id"], sizes(512, 1024), expected_revisions=None)
    with pytest.raises(RuntimeError):
        await service.delete(ADA, sweep["id"], expected_revisions=None)
    assert await project.again(sweep) == sweep
    assert await project.cells(sweep) == cells
    assert await project.cells(sweep, retired=True) == []


async def test_what_a_crash_leaves_of_a_deleted_sweep_is_not_found_and_is_removed(
    project: SweptProject,
) -> None:
    services = project.service.services
    sweep, other = await project.sweep(sizes(256)), await project.sweep(sizes(512))
    [cell] = await project.cells(other)
    store = SweepStore(services.database)

    async def hide(session: Session) -> None:
        await store.hide(await store.get(sweep["id"], session), session)

    await services.database.transaction(hide)
    await project.service.get(f"/sweeps/{sweep['id']}", 404)
    await project.service.get(f"/sweeps/{sweep['id']}/cells/0", 404)
    assert [row["id"] for row in await project.service.rows(f"{project.home}/sweeps")] == [
        other["id"]
    ]
    await services.housekeeping.run()
    releases = await project.service.rows(f"{project.home}/releases", cells=True)
    assert [release["digest"] for release in releases] == [cell["digest"]]
    counts = [
        await services.database.collection(name).count_documents({})
        for name in ("sweeps", "sweep_versions", "sweep_cells")
    ]
    assert counts == [1, 1, 1]


async def test_a_change_by_a_reader_is_refused_before_its_definition_is_read(
    project: SweptProject,
) -> None:
    sweep = await project.sweep(sizes(256))
    sweeps, reader = project.service.services.sweeps.sweeps, reader_of(project.id)
    with pytest.raises(ForbiddenError):
        await sweeps.update(reader, sweep["id"], {"name": 1}, expected_revisions=None)


async def test_a_preview_refuses_the_change_that_is_refused(project: SweptProject) -> None:
    sweep, sweeps = await project.sweep(sizes(256)), project.service.services.sweeps.sweeps
    changed = sizes(256, contents="all")
    with pytest.raises(InvalidInputError) as refused:
        await sweeps.update(ADA, sweep["id"], changed, expected_revisions=None)
    with pytest.raises(InvalidInputError) as previewed:
        await sweeps.preview_update(ADA, sweep["id"], changed)
    assert previewed.value.reason == refused.value.reason == "contents_changed"


async def test_two_replicas_that_change_a_sweep_at_once_both_do(project: SweptProject) -> None:
    sweep = await project.sweep(sizes(1))
    replicas = [project.service.services, beside(project.service)]
    await asyncio.gather(
        *(
            replica.sweeps.sweeps.update(ADA, sweep["id"], sizes(1, value), expected_revisions=None)
            for replica, value in zip(replicas, (2, 3), strict=True)
        )
    )
    assert (await project.again(sweep))["revision"] == 3
    cells = [
        *await project.cells(sweep),
        *await project.cells(sweep, retired=True),
    ]
    assert sorted((cell["index"], cell["assignments"]["seqs"] > 1) for cell in cells) == [
        *((0, False), (1, True), (2, True)),
    ]


async def test_of_two_that_expect_one_revision_one_is_refused(project: SweptProject) -> None:
    sweep = await project.sweep(sizes(1))
    replicas = [project.service.services, beside(project.service)]
    outcomes = await asyncio.gather(
        *(
            replica.sweeps.sweeps.update(ADA, sweep["id"], sizes(value), expected_revisions=[1])
            for replica, value in zip(replicas, (2, 3), strict=True)
        ),
        return_exceptions=True,
    )
    assert [type(one) for one in outcomes].count(StaleError) == 1
    assert (await project.again(sweep))["revision"] == 2


async def test_a_deleted_projects_sweeps_are_removed(project: SweptProject) -> None:
    services = project.service.services
    await project.sweep(sizes(256))
    await project.service.http.delete(project.home)
    await services.housekeeping.sweep_deleted_projects()
    names = ("sweeps", "sweep_versions", "sweep_cells", "releases", "release_makings")
    counts = [await services.database.collection(name).count_documents({}) for name in names]
    assert counts == [0] * len(names)
