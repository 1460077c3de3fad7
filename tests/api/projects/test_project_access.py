"""Routes of projects, files, syncs and the service, asked by principals of every role."""

from collections.abc import AsyncIterator

import httpx2 as httpx
import pytest
import pytest_asyncio

from support.known_principals import Callers, callers_of
from support.principals import account, admin, editor_of, maintainer_of, reader_of, stranger
from support.problems import assert_problem
from support.service import Json, Service
from support.unchanged_database import unchanged

UNKNOWN = "0" * 24
#: Routes of one project by the least role, with a body where there is one.
READING = ("", "/sync", "/syncs", "/files", "/files/{file}", "/files/{file}/raw")
EDITING = (("POST", "/sync", None),)
MAINTAINING = (
    ("PUT", "", {"name": "another"}),
    ("POST", "/pause", None),
    ("POST", "/resume", None),
    ("DELETE", "", None),
)


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


def address(project: Json, path: str) -> str:
    return f"/projects/{project['id']}" + path.format(file=project["file"])


@pytest.mark.parametrize("path", READING)
async def test_a_project_is_read_by_its_readers(callers: Callers, project: Json, path: str) -> None:
    answer = await callers.ask("reader", "GET", address(project, path))
    assert answer.status_code == 200


@pytest.mark.parametrize("path", READING)
async def test_a_project_of_others_is_not_there(callers: Callers, project: Json, path: str) -> None:
    refused = await callers.ask("stranger", "GET", address(project, path))
    unknown = await callers.ask("admin", "GET", address({**project, "id": UNKNOWN}, path))
    assert_problem(refused, 404, "project_not_found")
    assert refused.text.replace(project["id"], UNKNOWN) == unknown.text


@pytest.mark.parametrize("path", READING)
async def test_without_an_identity_nothing_is_read(
    callers: Callers, project: Json, path: str
) -> None:
    answer = await callers.ask(None, "GET", address(project, path))
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path", "body"), [*EDITING, *MAINTAINING])
async def test_a_reader_changes_nothing(
    service: Service, callers: Callers, project: Json, method: str, path: str, body: Json | None
) -> None:
    before = await service.get(address(project, ""))
    answer = await callers.ask("reader", method, address(project, path), json=body)
    needed = "editor" if path == "/sync" else "maintainer"
    assert assert_problem(answer, 403, "forbidden")["role_needed"] == needed
    assert await service.get(address(project, "")) == before


@pytest.mark.parametrize(("method", "path", "body"), MAINTAINING)
async def test_an_editor_does_not_change_the_project_itself(
    service: Service, callers: Callers, project: Json, method: str, path: str, body: Json | None
) -> None:
    before = await service.get(address(project, ""))
    answer = await callers.ask("editor", method, address(project, path), json=body)
    assert assert_problem(answer, 403, "forbidden")["role_needed"] == "maintainer"
    assert await service.get(address(project, "")) == before


@pytest.mark.parametrize(("method", "path", "body"), [*EDITING, *MAINTAINING])
async def test_a_stranger_cannot_even_name_a_project(
    callers: Callers, project: Json, method: str, path: str, body: Json | None
) -> None:
    refused = await callers.ask("stranger", method, address(project, path), json=body)
    assert_problem(refused, 404, "project_not_found")


@pytest.mark.parametrize(("method", "path", "body"), MAINTAINING)
async def test_a_maintainer_changes_the_project(
    callers: Callers, project: Json, method: str, path: str, body: Json | None
) -> None:
    answer = await callers.ask("maintainer", method, address(project, path), json=body)
    assert answer.status_code in {200, 204}


async def test_an_editor_syncs(callers: Callers, project: Json) -> None:
    answer = await callers.ask("editor", "POST", address(project, "/sync"))
    assert answer.status_code == 200


async def test_a_refused_change_is_recorded_with_its_action(
    callers: Callers, project: Json
) -> None:
    await callers.ask("editor", "POST", address(project, "/pause"))
    [refusal] = callers.principals.refusals
    assert (refusal.action, refusal.project_id, refusal.object_id) == (
        "project.pause",
        project["id"],
        project["id"],
    )
    assert refusal.principal == editor_of(project["id"])


async def test_what_is_only_read_leaves_no_record(callers: Callers) -> None:
    await callers.ask("reader", "POST", "/repositories/preview", json={"github_repo_url": "a/b"})
    assert callers.principals.refusals == []


@pytest.mark.parametrize("name", ["reader", "editor", "maintainer", "everybodys"])
async def test_a_project_is_made_only_by_site_wide_maintainers(callers: Callers, name: str) -> None:
    body = {"name": "new", "github_repo_url": "acme/new"}
    answer = await callers.ask(name, "POST", "/projects", json=body)
    assert assert_problem(answer, 403, "forbidden")["role_needed"] == "maintainer"


def listed(answer: httpx.Response) -> tuple[list[str], str]:
    return [row["name"] for row in answer.json()], answer.headers["X-Total-Count"]


async def test_a_list_has_only_what_may_be_read(service: Service, callers: Callers) -> None:
    await service.project("acme/another")
    assert listed(await callers.ask("reader", "GET", "/projects")) == (["acme/guarded"], "1")
    assert listed(await callers.ask("stranger", "GET", "/projects")) == ([], "0")
    both = ["acme/another", "acme/guarded"]
    assert listed(await callers.ask("everybodys", "GET", "/projects")) == (both, "2")


async def test_the_status_counts_what_may_be_read(service: Service, callers: Callers) -> None:
    await service.project("acme/another")
    answer = (await callers.ask("reader", "GET", "/status")).json()
    assert (answer["total_projects"], answer["total_original_files"]) == (1, 1)


@pytest.mark.parametrize(("name", "counters"), [("reader", False), ("everybodys", True)])
async def test_counters_of_the_process_are_for_who_reads_all(
    callers: Callers, name: str, *, counters: bool
) -> None:
    answer = await callers.ask(name, "GET", "/metrics")
    assert answer.status_code == 200
    assert ("benchmark_manager_syncs_total" in answer.text) == counters
    assert 'benchmark_manager_files{kind="original"} 1.0' in answer.text


@pytest.mark.parametrize("path", ["/health", "/livez", "/readyz", "/docs", "/openapi.json"])
async def test_some_paths_need_no_identity(callers: Callers, path: str) -> None:
    assert (await callers.ask(None, "GET", path)).status_code == 200


async def test_only_some_tokens_may_name_another_person(callers: Callers, project: Json) -> None:
    headers = {"X-Actor": "somebody else"}
    path = address(project, "/pause")
    answer = await callers.ask("maintainer", "POST", path, headers=headers)
    assert_problem(answer, 403, "forbidden")
