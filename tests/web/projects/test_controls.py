"""Pages show the controls that the reader's role allows, and no others."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.known_principals import Callers, callers_of
from support.principals import account, admin, editor_of, maintainer_of, reader_of, stranger
from support.problems import assert_problem
from support.service import Json, Service
from support.unchanged_database import unchanged

HTML = {"Accept": "text/html"}


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, with its database as it was before each."""
    async with unchanged(module_service.services.database):
        yield module_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service) -> Json:
    service = module_service
    service.repository("acme/guarded", {"config/a.yaml": b"a: 1\n"})
    found = await service.synced("acme/guarded")
    [file] = (await service.files(found["id"])).values()
    return {**found, "file": file["id"]}


@pytest.fixture
async def callers(service: Service, project: Json) -> AsyncIterator[Callers]:
    key = project["id"]
    async with callers_of(
        service,
        admin=admin(),
        reader=reader_of(key),
        editor=editor_of(key),
        maintainer=maintainer_of(key),
        stranger=stranger(),
        everybodys=account("everybodys", "reader"),
    ) as callers:
        yield callers


async def shown(callers: Callers, name: str, path: str) -> str:
    answer = await callers.ask(name, "GET", f"/ui{path}", headers=HTML)
    assert answer.status_code == 200
    return answer.text


CONTROLS = {
    "sync": '/sync"',
    "settings": '/settings"',
    "variant": "/new-variant",
    "sync all": '/sync-all"',
    "add": '/projects/new"',
}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reader", set()),
        ("everybodys", set()),
        ("editor", {"sync"}),
        ("maintainer", {"sync", "settings"}),
        ("admin", {"sync", "settings"}),
    ],
)
async def test_the_head_of_a_project_offers_what_the_role_allows(
    callers: Callers, project: Json, name: str, expected: set[str]
) -> None:
    page = await shown(callers, name, f"/projects/{project['id']}")
    assert {one for one in ("sync", "settings") if CONTROLS[one] in page} == expected


@pytest.mark.parametrize(("name", "offered"), [("reader", False), ("editor", True)])
async def test_a_file_offers_a_variant_to_editors(
    callers: Callers, project: Json, name: str, *, offered: bool
) -> None:
    page = await shown(callers, name, f"/projects/{project['id']}/files/{project['file']}")
    assert (CONTROLS["variant"] in page) == offered


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reader", set()),
        ("editor", {"sync all"}),
        ("maintainer", {"sync all"}),
        ("admin", {"sync all", "add"}),
    ],
)
async def test_the_list_offers_what_the_role_allows(
    callers: Callers, name: str, expected: set[str]
) -> None:
    page = await shown(callers, name, "")
    assert {one for one in ("sync all", "add") if CONTROLS[one] in page} == expected


async def test_the_list_shows_only_what_may_be_read(callers: Callers) -> None:
    page = await shown(callers, "stranger", "")
    assert "acme/guarded" not in page
    assert "There is no project that you may read." in page


async def test_a_page_shows_who_is_signed_in(callers: Callers) -> None:
    assert "<bdi>everybodys</bdi>" in await shown(callers, "everybodys", "")


@pytest.mark.parametrize("path", ["", "/settings", "/delete", "/syncs"])
async def test_a_project_of_others_has_no_page(callers: Callers, project: Json, path: str) -> None:
    answer = await callers.ask(
        "stranger", "GET", f"/ui/projects/{project['id']}{path}", headers=HTML
    )
    assert answer.status_code == 404
    assert "acme/guarded" not in answer.text


@pytest.mark.parametrize("path", ["/settings", "/delete"])
async def test_settings_are_pages_of_maintainers(
    callers: Callers, project: Json, path: str
) -> None:
    answer = await callers.ask("editor", "GET", f"/ui/projects/{project['id']}{path}", headers=HTML)
    assert answer.status_code == 403


async def test_a_form_of_the_role_above_changes_nothing(
    service: Service, callers: Callers, project: Json
) -> None:
    token = "t" * 43
    headers = {"Origin": "http://service", "Cookie": f"bm_csrf={token}", "X-CSRF-Token": token}
    path = f"/ui/projects/{project['id']}/pause"
    answer = await callers.ask("editor", "POST", path, headers=headers)
    assert assert_problem(answer, 403, "forbidden")["role_needed"] == "maintainer"
    assert not (await service.get(f"/projects/{project['id']}"))["paused"]
