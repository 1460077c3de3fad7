"""The write path of projects: every change by a person and its record stand in one transaction."""

from collections.abc import Sequence

import pytest

from benchmark_manager.domain.projects.edits import EditedProject, paused
from benchmark_manager.errors import StaleError
from benchmark_manager.factory import utc_now
from benchmark_manager.models.project import Project
from benchmark_manager.models.recorded_change import RecordedChange
from benchmark_manager.services.projects.editor import ProjectEditor
from benchmark_manager.stores.database.database import Session
from benchmark_manager.stores.projects.projects import ProjectStore
from support.service import Json, Service


class Records:
    """Keeps the changes that were recorded; with `fails`, recording raises an error."""

    def __init__(self, *, fails: bool = False) -> None:
        self.changes: list[RecordedChange] = []
        self.fails = fails

    async def __call__(self, changes: Sequence[RecordedChange], session: Session) -> None:
        assert session.in_transaction
        self.changes += changes
        if self.fails:
            raise RuntimeError("the record cannot be written")

    @property
    def facts(self) -> list[tuple[str, int | None, int | None]]:
        return [(one.action, one.before, one.after) for one in self.changes]


def editor_of(service: Service, records: Records) -> ProjectEditor:
    database = service.services.database
    return ProjectEditor(database, ProjectStore(database), clock=utc_now, record=records)


async def pause(project: Project) -> EditedProject:
    return paused(project)


async def change_nothing(project: Project) -> EditedProject:
    return EditedProject(project)


@pytest.fixture
async def project(service: Service) -> Json:
    service.repository("acme/edited", {"config/a.yaml": b"a: 1\n"})
    return await service.project("acme/edited")


async def test_an_edit_is_recorded_with_its_revisions(service: Service, project: Json) -> None:
    records = Records()
    edited = await editor_of(service, records).edit(
        project["id"], pause, action="project.pause", expected_revisions={1}
    )
    assert (edited.paused, edited.revision) == (True, 2)
    assert records.facts == [("project.pause", 1, 2)]


async def test_an_edit_that_changes_nothing_makes_no_revision_and_no_record(
    service: Service, project: Json
) -> None:
    records = Records()
    edited = await editor_of(service, records).edit(
        project["id"], change_nothing, action="project.edit", expected_revisions=None
    )
    assert (edited.revision, records.changes) == (1, [])


async def test_an_edit_of_another_revision_is_refused_and_not_recorded(
    service: Service, project: Json
) -> None:
    records = Records()
    with pytest.raises(StaleError):
        await editor_of(service, records).edit(
            project["id"], pause, action="project.pause", expected_revisions={7}
        )
    assert records.changes == []


async def test_an_edit_whose_record_cannot_be_written_is_not_stored(
    service: Service, project: Json
) -> None:
    editor = editor_of(service, Records(fails=True))
    with pytest.raises(RuntimeError):
        await editor.edit(project["id"], pause, action="project.pause", expected_revisions=None)
    assert await service.get(f"/projects/{project['id']}") == project


async def test_a_deletion_is_recorded_with_the_last_revision(
    service: Service, project: Json
) -> None:
    records = Records()
    await editor_of(service, records).delete(project["id"], None)
    assert records.facts == [("project.delete", 1, None)]


async def test_a_deletion_whose_record_cannot_be_written_deletes_nothing(
    service: Service, project: Json
) -> None:
    editor = editor_of(service, Records(fails=True))
    with pytest.raises(RuntimeError):
        await editor.delete(project["id"], None)
    await service.get(f"/projects/{project['id']}")
