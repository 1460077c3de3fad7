"""Pages of other sites cannot make a visitor's browser change anything."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.outcomes import outcomes
from support.problems import assert_problem
from support.reused_database import reused_database
from support.service import Service, running_service
from support.unchanged_service import unchanged_service

PATHS = ["/sync", "/pause", "/resume"]
OWN = "http://service"
#: What browsers send with changes that pages of other origins ask for.
FOREIGN = {
    "another site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"},
    "another site, of which the browser says less": {"Origin": "https://elsewhere.example"},
    "another site that says it is ours": {
        "Sec-Fetch-Site": "same-origin",
        "Origin": "https://elsewhere.example",
    },
    "another site without an origin": {"Sec-Fetch-Site": "cross-site"},
    "another name of the domain": {"Sec-Fetch-Site": "same-site", "Origin": "http://other.service"},
    "another name without an origin": {"Sec-Fetch-Site": "same-site"},
    "another port": {"Sec-Fetch-Site": "same-site", "Origin": "http://service:3000"},
    "another scheme": {"Sec-Fetch-Site": "cross-site", "Origin": "https://service"},
    "a sandbox": {"Origin": "null"},
    "a sandbox of which the browser says less": {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    "a longer name": {"Origin": "http://service.evil.example"},
    "no origin at all": {"Origin": ""},
}
foreign = pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN.keys())


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests here, for each as it was at first."""
    async with unchanged_service(module_service) as running:
        yield running


@foreign
async def test_a_request_without_a_body_from_another_origin_is_refused_and_changes_nothing(
    service: Service, headers: dict[str, str]
) -> None:
    project = await service.project("acme/b")
    here = f"/projects/{project['id']}"
    paths = [*(f"{here}{path}" for path in PATHS), "/projects/sync-all", "/nowhere"]
    answers = {path: await service.http.post(path, headers=headers) for path in paths}
    assert outcomes(answers) == dict.fromkeys(paths, "403 origin_not_allowed")
    assert_problem(await service.http.delete(here, headers=headers), 403, "origin_not_allowed")
    assert await service.get(here) == project


@foreign
async def test_a_form_of_a_page_is_refused_too_as_a_page(
    service: Service, headers: dict[str, str]
) -> None:
    page = await service.http.get("/ui/you")
    token = page.cookies["bm_csrf"]
    answer = await service.http.post(
        "/ui/you",
        data={"csrf_token": token, "name": "x"},
        headers={**headers, "Accept": "text/html"},
    )
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "bm_name" not in answer.headers.get("set-cookie", "")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": OWN},
        {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://localhost:8001", "Host": "localhost:8001"},
        {"Origin": "http://localhost", "Host": "localhost:80"},
    ],
)
async def test_our_own_pages_and_programs_are_served(
    service: Service, headers: dict[str, str]
) -> None:
    assert (await service.http.post("/projects/sync-all", headers=headers)).status_code == 202


async def test_reading_is_not_refused(service: Service) -> None:
    answer = await service.http.get("/projects", headers=FOREIGN["another site"])
    assert answer.status_code == 200
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


async def test_sites_which_are_allowed_may_ask_the_api_but_send_no_form(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    origin = "https://dashboard.example"
    async with running_service(database_url, github, tmp_path, cors_origins=origin) as service:
        headers = {"Sec-Fetch-Site": "cross-site", "Origin": origin}
        assert (await service.http.post("/projects/sync-all", headers=headers)).status_code == 202
        other = {**headers, "Origin": "https://elsewhere.example"}
        assert_problem(
            await service.http.post("/projects/sync-all", headers=other), 403, "origin_not_allowed"
        )
        assert_problem(
            await service.http.post("/ui/you", headers=headers), 403, "origin_not_allowed"
        )


async def test_a_sandboxed_page_is_refused_where_every_origin_is_allowed(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> None:
    async with running_service(database_url, github, tmp_path, cors_origins="*") as service:
        answers = {
            name: await service.http.post("/projects/sync-all", headers=headers)
            for name, headers in FOREIGN.items()
        }
    assert {name: answer.status_code for name, answer in answers.items()} == {
        name: 403 if headers.get("Origin", "null") == "null" else 202
        for name, headers in FOREIGN.items()
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def behind_a_proxy(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("proxied")
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(url, github, folder, public_url="https://bench.example.com") as running,
        ):
            yield running


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("https://bench.example.com", "bench.example.com", 202),
        ("http://bench.example.com", "bench.example.com", 202),
        ("https://bench.example.com", "service", 202),
        ("http://localhost:8001", "localhost:8001", 202),
        ("https://evil.example", "bench.example.com", 403),
        ("https://bench.example.com:444", "bench.example.com", 403),
        ("https://localhost:8001", "localhost:8001", 403),
    ],
)
async def test_behind_a_proxy_the_public_url_is_our_own_origin(
    behind_a_proxy: Service, origin: str, host: str, status: int
) -> None:
    answer = await behind_a_proxy.http.post(
        "/projects/sync-all", headers={"Origin": origin, "Host": host}
    )
    assert answer.status_code == status


JSON = b'{"name": "x", "github_repo_url": "acme/b"}'


@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
@pytest.mark.parametrize("chunked", [False, True], ids=["with a length", "in chunks"])
async def test_a_body_that_does_not_say_that_it_is_json_is_not_read_as_json(
    service: Service, kind: str | None, chunked: bool
) -> None:
    async def pieces() -> Any:
        yield JSON

    headers = {} if kind is None else {"Content-Type": kind}
    answer = await service.http.post(
        "/projects", content=pieces() if chunked else JSON, headers=headers
    )
    assert_problem(answer, 415, "unsupported_media_type")
    assert await service.rows("/projects") == []


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/x-www-form-urlencoded"}])
async def test_a_post_without_a_body_needs_no_type(
    service: Service, headers: dict[str, str]
) -> None:
    answer = await service.http.post("/projects/sync-all", content=b"", headers=headers)
    assert answer.status_code == 202
