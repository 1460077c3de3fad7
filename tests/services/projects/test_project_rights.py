"""Who may do what with projects, as their services decide."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from benchmark_manager.domain.projects.edits import EditedProject, paused
from benchmark_manager.domain.projects.settings import ProjectChanges, ProjectSettings
from benchmark_manager.errors import BenchmarkManagerError, ForbiddenError, NotFoundError
from benchmark_manager.factory import utc_now
from benchmark_manager.models.access.principal import Principal
from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.project import Project
from benchmark_manager.services.projects.editor import ProjectEditor
from benchmark_manager.services.projects.previews import PreviewRequest
from benchmark_manager.stores.projects.projects import ProjectStore
from support.principals import (
    account,
    admin,
    editor_of,
    limited_to,
    maintainer_of,
    open_principal,
    reader_of,
    stranger,
)
from support.recorded_changes import RecordedChanges
from support.service import Json, Service
from support.unchanged_service import unchanged_service

JO = open_principal("jo")

Act = Callable[[Service, Principal, str], Awaitable[object]]


async def update(service: Service, principal: Principal, project_id: str) -> object:
    changes = ProjectChanges(name="another")
    return await service.services.projects.update(principal, project_id, changes, None)


async def pause(service: Service, principal: Principal, project_id: str) -> object:
    return await service.services.projects.pause(principal, project_id, None)


async def resume(service: Service, principal: Principal, project_id: str) -> object:
    return await service.services.projects.resume(principal, project_id, None)


async def delete(service: Service, principal: Principal, project_id: str) -> None:
    await service.services.projects.delete(principal, project_id, None)


async def sync(service: Service, principal: Principal, project_id: str) -> object:
    return await service.services.sync.sync(principal, project_id, "manual")


async def start(service: Service, principal: Principal, project_id: str) -> object:
    return await service.services.sync.start(principal, project_id, "manual")


#: What changes a project, and what suffices for it.
MAINTAINING = (update, pause, resume, delete)
EDITING = (sync, start)
ALL = (*MAINTAINING, *EDITING)


def names(found: object) -> str:
    return getattr(found, "__name__", "")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service) -> Json:
    module_service.repository("acme/guarded", {"config/a.yaml": b"a: 1\n"})
    return await module_service.project("acme/guarded")


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, with their project as it was made."""
    async with unchanged_service(module_service) as service:
        yield service


async def refusal(act: Act, service: Service, principal: Principal, project: Json) -> str:
    """Return the sentence-free facts of the refusal; nothing may have changed."""
    with pytest.raises(BenchmarkManagerError) as refused:
        await act(service, principal, project["id"])
    assert await service.get(f"/projects/{project['id']}") == project
    return f"{refused.value.code} {refused.value.facts}"


@pytest.mark.parametrize("act", ALL, ids=names)
async def test_a_project_that_may_not_be_read_is_unknown(
    service: Service, project: Json, act: Act
) -> None:
    with pytest.raises(NotFoundError) as unknown:
        await act(service, admin(), "0" * 24)
    refused = await refusal(act, service, stranger(), project)
    expected = f"{unknown.value.code} {unknown.value.facts}"
    assert refused.replace(project["id"], "0" * 24) == expected


@pytest.mark.parametrize("act", MAINTAINING, ids=names)
async def test_an_editor_does_not_change_the_project(
    service: Service, project: Json, act: Act
) -> None:
    principal = editor_of(project["id"])
    assert "'role_needed': 'maintainer'" in await refusal(act, service, principal, project)


@pytest.mark.parametrize("act", EDITING, ids=names)
async def test_a_reader_does_not_sync(service: Service, project: Json, act: Act) -> None:
    principal = reader_of(project["id"])
    assert "'role_needed': 'editor'" in await refusal(act, service, principal, project)


@pytest.mark.parametrize("act", MAINTAINING, ids=names)
async def test_a_maintainer_of_the_project_changes_it(
    service: Service, project: Json, act: Act
) -> None:
    await act(service, maintainer_of(project["id"]), project["id"])


@pytest.mark.parametrize("act", EDITING, ids=names)
async def test_an_editor_of_the_project_syncs_it(service: Service, project: Json, act: Act) -> None:
    await act(service, editor_of(project["id"]), project["id"])
    await service.services.sync.settled()


@pytest.mark.parametrize("act", ALL, ids=names)
async def test_a_token_for_another_project_does_nothing(
    service: Service, project: Json, act: Act
) -> None:
    token = limited_to(admin(), "admin", "0" * 24)
    assert (await refusal(act, service, token, project)).startswith("project_not_found")


@pytest.mark.parametrize(
    "principal", [maintainer_of("0" * 24), account(role="editor")], ids=["of one", "editor of all"]
)
async def test_a_project_is_made_only_by_who_maintains_all(
    service: Service, principal: Principal
) -> None:
    """The refusal comes before anything is said about the repository."""
    settings = ProjectSettings()
    with pytest.raises(ForbiddenError) as refused:
        await service.services.projects.create(principal, "new", "no address", settings)
    assert refused.value.role_needed == "maintainer"
    assert "new" not in [row["name"] for row in await service.rows("/projects")]


async def test_a_site_wide_maintainer_makes_projects(service: Service) -> None:
    maintainer = account(role="maintainer")
    settings = ProjectSettings()
    await service.services.projects.create(maintainer, "new", "acme/new", settings)
    assert "new" in [row["name"] for row in await service.rows("/projects")]


async def test_a_preview_is_refused_to_who_maintains_nothing(service: Service) -> None:
    with pytest.raises(ForbiddenError):
        await service.services.previews.preview(
            account(role="editor"), PreviewRequest("acme/anything")
        )


async def test_a_preview_is_made_for_who_maintains_any_project(service: Service) -> None:
    service.repository("acme/seen", {"config/a.yaml": b"a: 1\n"})
    found = await service.services.previews.preview(
        maintainer_of("0" * 24), PreviewRequest("acme/seen")
    )
    assert found.repository.name == "seen"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def three(module_either: Service) -> dict[str, str]:
    """The ids of three projects by name, on each kind of database."""
    return {name: (await module_either.project(f"acme/{name}", name=name))["id"] for name in "cab"}


@pytest.fixture
async def either(module_either: Service) -> AsyncIterator[Service]:
    """The service of all tests of lists, with their projects as they were made."""
    async with unchanged_service(module_either) as service:
        yield service


async def test_a_list_has_what_may_be_read_and_its_number(
    either: Service, three: dict[str, str]
) -> None:
    principal = reader_of(three["b"], three["c"])
    page = await either.services.projects.page(principal, PageRequest(limit=1, cursor=None), None)
    assert ([row.name for row in page.rows], page.total) == (["b"], 2)
    rest = PageRequest(limit=1, cursor=page.next_cursor)
    page = await either.services.projects.page(principal, rest, None)
    assert ([row.name for row in page.rows], page.next_cursor) == (["c"], None)


async def test_a_search_finds_only_what_may_be_read(either: Service, three: dict[str, str]) -> None:
    request = PageRequest(limit=9, cursor=None)
    page = await either.services.projects.page(reader_of(three["b"]), request, "a")
    assert page.total == 0


async def test_the_filters_of_the_list_count_what_may_be_read(
    either: Service, three: dict[str, str]
) -> None:
    principal = reader_of(three["a"], three["b"], "not an id")
    assert (await either.services.projects.standings(principal))["never"] == 2


async def test_all_are_synced_that_may_be_edited_and_no_other(
    either: Service, three: dict[str, str]
) -> None:
    principal = account(
        grants={three["c"]: "editor", three["a"]: "maintainer", three["b"]: "reader"}
    )
    assert await either.services.projects.make_all_due(principal) == [three["a"], three["c"]]
    store = ProjectStore(either.services.database)
    wishes = {name: (await store.get(key)).wishes for name, key in three.items()}
    assert wishes == {"a": 1, "b": 0, "c": 1}


async def test_a_reader_does_not_sync_all(either: Service, three: dict[str, str]) -> None:
    with pytest.raises(ForbiddenError) as refused:
        await either.services.projects.make_all_due(reader_of(*three.values()))
    assert refused.value.role_needed == "editor"


@pytest.mark.parametrize(
    ("of_all", "taken"), [(False, "TAKEN"), (True, "Taken")], ids=["of one", "of all"]
)
async def test_a_refused_name_shows_no_project_that_may_not_be_read(
    service: Service, project: Json, *, of_all: bool, taken: str
) -> None:
    await service.project("acme/other", name="Taken")
    principal = account(role="maintainer") if of_all else maintainer_of(project["id"])
    changes = ProjectChanges(name="TAKEN")
    with pytest.raises(BenchmarkManagerError) as refused:
        await service.services.projects.update(principal, project["id"], changes, None)
    assert (refused.value.code, refused.value.facts["taken"]) == ("project_name_taken", taken)


@pytest.fixture
def records() -> RecordedChanges:
    return RecordedChanges()


@pytest.fixture
def editor(service: Service, records: RecordedChanges) -> ProjectEditor:
    database = service.services.database
    return ProjectEditor(database, ProjectStore(database), clock=utc_now, record=records)


async def pausing(project: Project) -> EditedProject:
    return paused(project)


async def test_an_edit_is_recorded_with_its_principal_and_fields(
    editor: ProjectEditor, records: RecordedChanges, project: Json
) -> None:
    await editor.edit(JO, project["id"], pausing, action="project.pause", expected_revisions=None)
    [record] = records.changes
    assert (record.principal, record.name, record.keys) == (JO, "acme/guarded", ("paused",))


async def test_a_deletion_is_recorded_with_the_name_that_is_gone(
    editor: ProjectEditor, records: RecordedChanges, project: Json
) -> None:
    await editor.delete(JO, project["id"], None)
    [record] = records.changes
    assert (record.principal, record.name, record.keys) == (JO, "acme/guarded", ())
