"""Routes of variants and searches, as principals of each role see them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.known_principals import Callers, callers_of
from support.principals import admin, editor_of, maintainer_of, reader_of, stranger
from support.problems import assert_problem
from support.service import Json, Service
from support.unchanged_database import unchanged

UNKNOWN = "65f0c0ffee65f0c0ffee65f0"


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, with its database as it was before each."""
    async with unchanged(module_service.services.database):
        yield module_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def variant(module_service: Service) -> Json:
    service = module_service
    service.repository("acme/guarded", {"config/a.yaml": b"a: 1\n"})
    project = await service.synced("acme/guarded")
    [original] = (await service.files(project["id"])).values()
    return await service.variant(project["id"], original, modified_name="mine.yaml")


@pytest.fixture
async def callers(service: Service, variant: Json) -> AsyncIterator[Callers]:
    key = variant["project_id"]
    async with callers_of(
        service,
        admin=admin(),
        reader=reader_of(key),
        editor=editor_of(key),
        maintainer=maintainer_of(key),
        stranger=stranger(),
    ) as callers:
        yield callers


READS = (
    "/modified-files/{id}",
    "/modified-files/{id}/raw",
    "/modified-files/{id}/diff",
    "/modified-files/{id}/merge",
    "/modified-files/{id}/revisions",
    "/modified-files/{id}/revisions/1",
    "/projects/{project_id}/modified-files",
    "/projects/{project_id}/trash",
    "/projects/{project_id}/search?q=a",
    "/projects/{project_id}/effective",
    "/projects/{project_id}/files/{original_file_id}/variants",
)


def at(path: str, variant: Json, **other: str) -> str:
    return path.format(**{**variant, **other})


@pytest.mark.parametrize("path", READS)
async def test_readers_of_the_project_read(callers: Callers, variant: Json, path: str) -> None:
    assert (await callers.ask("reader", "GET", at(path, variant))).status_code == 200


@pytest.mark.parametrize("path", READS)
async def test_what_may_not_be_read_answers_as_what_does_not_exist(
    callers: Callers, variant: Json, path: str
) -> None:
    hidden = await callers.ask("stranger", "GET", at(path, variant))
    none = await callers.ask("admin", "GET", at(path, variant, id=UNKNOWN, project_id=UNKNOWN))
    assert (hidden.status_code, hidden.json()["code"]) == (404, none.json()["code"])
    shown = none.json()["detail"]
    asked = variant["id"] if "/{id}" in path else variant["project_id"]
    assert hidden.json()["detail"] == shown.replace(UNKNOWN, asked)


#: Changes: method, path, body, and the least role.
CHANGES: tuple[tuple[str, str, Json | None, str], ...] = (
    ("POST", "/projects/{project_id}/modified-files", {"original_file_id": UNKNOWN}, "editor"),
    ("DELETE", "/projects/{project_id}/modified-files", None, "maintainer"),
    ("POST", "/projects/{project_id}/modified-files/rebase-all", None, "editor"),
    ("POST", "/projects/{project_id}/undo-reset", {"reset_id": UNKNOWN}, "maintainer"),
    ("POST", "/projects/{project_id}/releases", {}, "editor"),
    ("PUT", "/modified-files/{id}", {"description": "x"}, "editor"),
    ("DELETE", "/modified-files/{id}", None, "editor"),
    ("POST", "/modified-files/{id}/rebase", None, "editor"),
    ("POST", "/modified-files/{id}/reattach", {"original_file_id": UNKNOWN}, "editor"),
    ("POST", "/modified-files/{id}/restore", {"revision": 1}, "editor"),
)


@pytest.mark.parametrize(("method", "path", "body", "needed"), CHANGES)
async def test_a_change_that_the_role_does_not_allow_is_refused_and_recorded(
    service: Service,
    callers: Callers,
    variant: Json,
    method: str,
    path: str,
    body: Json | None,
    needed: str,
) -> None:
    below = {"editor": "reader", "maintainer": "editor"}[needed]
    answer = await callers.ask(below, method, at(path, variant), json=body)
    assert_problem(answer, 403, "forbidden")
    assert answer.json()["role_needed"] == needed
    assert await service.get(f"/modified-files/{variant['id']}") == variant
    [refused] = callers.principals.refusals
    assert refused.principal.name == "kim"


@pytest.mark.parametrize(("method", "path", "body", "needed"), CHANGES)
async def test_a_change_of_what_may_not_be_read_is_not_found(
    callers: Callers, variant: Json, method: str, path: str, body: Json | None, needed: str
) -> None:
    answer = await callers.ask("stranger", method, at(path, variant), json=body)
    assert answer.status_code == 404, needed
    assert "mine.yaml" not in answer.text


async def test_a_change_is_recorded_by_the_name_of_the_principal(
    callers: Callers, variant: Json
) -> None:
    answer = await callers.ask(
        "editor", "PUT", f"/modified-files/{variant['id']}", json={"description": "x"}
    )
    assert (answer.status_code, answer.json()["updated_by"]) == (200, "kim")


async def test_who_proves_who_he_is_does_not_name_another(callers: Callers, variant: Json) -> None:
    answer = await callers.ask(
        "editor",
        "PUT",
        f"/modified-files/{variant['id']}",
        json={"description": "x"},
        headers={"X-Actor": "ada"},
    )
    assert_problem(answer, 403, "forbidden")


async def test_a_variant_in_the_trash_of_others_does_not_exist(
    service: Service, callers: Callers, variant: Json
) -> None:
    await service.http.delete(f"/modified-files/{variant['id']}")
    path = f"/modified-files/{variant['id']}/undelete"
    assert_problem(await callers.ask("stranger", "POST", path), 404, "modified_file_not_found")
    assert_problem(await callers.ask("reader", "POST", path), 403, "forbidden")
    assert (await callers.ask("editor", "POST", path)).status_code == 200


async def test_everybody_signed_in_validates(callers: Callers) -> None:
    body = {"name": "a.yaml", "content": "a: 1\n", "file_type": "config"}
    answer = await callers.ask("stranger", "POST", "/validate", json=body)
    assert (answer.status_code, answer.json()["validity"]) == (200, "valid")


async def test_nobody_validates_against_a_project_that_may_not_be_read(
    callers: Callers, variant: Json
) -> None:
    body = {
        "name": "a.yaml",
        "content": "a: 1\n",
        "file_type": "config",
        "project_id": variant["project_id"],
        "path": "config/a.yaml",
    }
    answer = await callers.ask("stranger", "POST", "/validate", json=body)
    assert_problem(answer, 404, "project_not_found")
    assert (await callers.ask("reader", "POST", "/validate", json=body)).status_code == 200


@pytest.mark.parametrize("path", ["/modified-files/{id}", "/projects/{project_id}/modified-files"])
async def test_who_is_nobody_learns_nothing(callers: Callers, variant: Json, path: str) -> None:
    assert_problem(await callers.ask(None, "GET", at(path, variant)), 401, "unauthenticated")
