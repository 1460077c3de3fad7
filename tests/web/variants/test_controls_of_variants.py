"""Pages of variants and releases show the controls that the reader's role allows."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from support.known_principals import Callers, callers_of
from support.principals import editor_of, maintainer_of, reader_of, stranger
from support.service import Json, Service

HTML = {"Accept": "text/html"}


@dataclass(frozen=True)
class VariantPages:
    """A project with a variant, one in the trash, and a release."""

    callers: Callers
    ids: dict[str, str]

    async def page(self, name: str, path: str, status: int = 200) -> str:
        answer = await self.callers.ask(name, "GET", f"/ui{path.format(**self.ids)}", headers=HTML)
        assert answer.status_code == status
        return answer.text


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def case(module_service: Service) -> AsyncIterator[VariantPages]:
    service = module_service
    repository = service.repository("acme/guarded", {"config/a.yaml": b"a: 1\n"})
    project = (await service.synced("acme/guarded"))["id"]
    [original] = (await service.files(project)).values()
    variant: Json = await service.variant(project, original, modified_name="mine.yaml")
    await service.put(f"/modified-files/{variant['id']}", {"description": "changed"})
    gone: Json = await service.variant(project, original, modified_name="gone.yaml")
    release = await service.post(f"/projects/{project}/releases", {}, 201)
    await service.http.delete(f"/modified-files/{gone['id']}")
    repository.commit({"config/a.yaml": b"a: 2\n"}, message="second")
    await service.sync(project)
    async with callers_of(
        service,
        reader=reader_of(project),
        editor=editor_of(project),
        maintainer=maintainer_of(project),
        stranger=stranger(),
    ) as callers:
        ids = {
            "project": project,
            "original": original["id"],
            "variant": variant["id"],
            "gone": gone["id"],
            "digest": release["digest"],
        }
        yield VariantPages(callers, ids)


#: Pages, what marks a control there, and the least role that is offered it.
CONTROLS = (
    ("/modified-files/{variant}", "/delete", "editor"),
    ("/modified-files/{variant}", ">Save<", "editor"),
    ("/modified-files/{variant}/revisions/1", "/restore", "editor"),
    ("/modified-files/{variant}/merge", "/merge/edit", "editor"),
    ("/modified-files/{variant}/merge", "Rebase</button>", "editor"),
    ("/projects/{project}/modified-files", "/rebase-all", "editor"),
    ("/projects/{project}/modified-files", "/reset", "maintainer"),
    ("/projects/{project}/modified-files/rebase-all", "Rebase the selected", "editor"),
    ("/projects/{project}/trash", "/ui/trash/{gone}", "editor"),
    ("/projects/{project}/releases", 'id="make"', "editor"),
    ("/projects/{project}/releases", 'name="pinned"', "maintainer"),
    ("/releases/{digest}", 'name="description"', "editor"),
    ("/releases/{digest}", 'name="pinned"', "maintainer"),
)
BELOW = {"editor": "reader", "maintainer": "editor"}


@pytest.mark.parametrize(("path", "control", "needed"), CONTROLS)
async def test_a_control_is_shown_from_its_role_on(
    case: VariantPages, path: str, control: str, needed: str
) -> None:
    mark = control.format(**case.ids)
    assert mark not in await case.page(BELOW[needed], path)
    assert mark in await case.page(needed, path)


@pytest.mark.parametrize(
    ("path", "needed"),
    [
        ("/projects/{project}/files/{original}/new-variant", "editor"),
        ("/modified-files/{variant}/delete", "editor"),
        ("/modified-files/{variant}/reattach", "editor"),
        ("/modified-files/{variant}/merge/edit", "editor"),
        ("/trash/{gone}", "editor"),
        ("/projects/{project}/reset", "maintainer"),
    ],
)
async def test_a_page_that_only_changes_something_is_of_its_role(
    case: VariantPages, path: str, needed: str
) -> None:
    await case.page(BELOW[needed], path, 403)
    await case.page(needed, path)


@pytest.mark.parametrize(
    "path",
    [
        "/modified-files/{variant}",
        "/modified-files/{variant}/compare",
        "/modified-files/{variant}/revisions",
        "/modified-files/{variant}/merge",
        "/modified-files/{variant}/reattach",
        "/trash/{gone}",
        "/projects/{project}/modified-files",
        "/projects/{project}/search",
        "/projects/{project}/releases",
        "/releases/{digest}",
        "/releases/{digest}/compare",
    ],
)
async def test_what_may_not_be_read_has_no_page(case: VariantPages, path: str) -> None:
    assert "config/" not in await case.page("stranger", path, 404)
