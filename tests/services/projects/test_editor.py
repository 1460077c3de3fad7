"""The write path of projects: every change by a person and its record stand in one transaction."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from benchmark_manager.domain.projects.edits import EditedProject, paused
from benchmark_manager.errors import StaleError
from benchmark_manager.factory import utc_now
from benchmark_manager.models.project import Project
from benchmark_manager.services.projects.editor import ProjectEditor
from benchmark_manager.stores.projects.projects import ProjectStore
from support.principals import open_principal
from support.recorded_changes import RecordedChanges
from support.service import Json, Service
from support.unchanged_service import unchanged_service

JO = open_principal("jo")


def editor_of(service: Service, records: RecordedChanges) -> ProjectEditor:
    database = service.services.database
    return ProjectEditor(database, ProjectStore(database), clock=utc_now, record=records)


async def pause(project: Project) -> EditedProject:
    return paused(project)


async def change_nothing(project: Project) -> EditedProject:
    return EditedProject(project)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service) -> Json:
    module_service.repository("acme/edited", {"config/a.yaml": b"a: 1\n"})
    return await module_service.project("acme/edited")


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of the tests of one project, as it was made."""
    async with unchanged_service(module_service) as service:
        yield service


async def test_an_edit_is_recorded_with_its_revisions(service: Service, project: Json) -> None:
    records = RecordedChanges()
    edited = await editor_of(service, records).edit(
        JO, project["id"], pause, action="project.pause", expected_revisions={1}
    )
    assert (edited.paused, edited.revision) == (True, 2)
    assert records.facts == [("project.pause", "jo", 1, 2)]


async def test_an_edit_that_changes_nothing_makes_no_revision_and_no_record(
    service: Service, project: Json
) -> None:
    records = RecordedChanges()
    edited = await editor_of(service, records).edit(
        JO, project["id"], change_nothing, action="project.edit", expected_revisions=None
    )
    assert (edited.revision, records.changes) == (1, [])


async def test_an_edit_of_another_revision_is_refused_and_not_recorded(
    service: Service, project: Json
) -> None:
    records = RecordedChanges()
    with pytest.raises(StaleError):
        await editor_of(service, records).edit(
            JO, project["id"], pause, action="project.pause", expected_revisions={7}
        )
    assert records.changes == []


async def test_an_edit_whose_record_cannot_be_written_is_not_stored(
    service: Service, project: Json
) -> None:
    editor = editor_of(service, RecordedChanges(fails=True))
    with pytest.raises(RuntimeError):
        await editor.edit(JO, project["id"], pause, action="project.pause", expected_revisions=None)
    assert await service.get(f"/projects/{project['id']}") == project


async def test_a_deletion_is_recorded_with_the_last_revision(
    service: Service, project: Json
) -> None:
    records = RecordedChanges()
    await editor_of(service, records).delete(JO, project["id"], None)
    assert records.facts == [("project.delete", "jo", 1, None)]


async def test_a_deletion_whose_record_cannot_be_written_deletes_nothing(
    service: Service, project: Json
) -> None:
    editor = editor_of(service, RecordedChanges(fails=True))
    with pytest.raises(RuntimeError):
        await editor.delete(JO, project["id"], None)
    await service.get(f"/projects/{project['id']}")


async def test_a_taken_name_is_refused_to_a_new_project(either: Service) -> None:
    await either.project("acme/one", name="taken")
    body = {"name": "Taken", "github_repo_url": "acme/two"}
    assert (await either.http.post("/projects", json=body)).status_code == 409
    assert [row["name"] for row in await either.rows("/projects")] == ["taken"]


async def test_a_taken_name_is_refused_to_another_project(either: Service) -> None:
    await either.project("acme/one", name="taken")
    other = await either.project("acme/two", name="other")
    path = f"/projects/{other['id']}"
    await either.put(path, {"name": "TAKEN", "polling_interval": 60}, 409)
    assert await either.get(path) == other


async def test_changes_of_one_project_at_the_same_time_are_all_stored(either: Service) -> None:
    project = await either.project("acme/one", name="one")
    path = f"/projects/{project['id']}"
    bodies: list[Json] = [
        {"name": "renamed"},
        {"polling_interval": 60},
        {"config_folder": "c"},
        {"job_folder": "j"},
    ]
    await asyncio.gather(*(either.put(path, body) for body in bodies))
    changed = await either.get(path)
    assert [changed[name] for body in bodies for name in body] == ["renamed", 60, "c", "j"]
