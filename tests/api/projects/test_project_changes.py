"""Changes of a project: what they change, what they make due, and which token is kept."""

import asyncio
from pathlib import Path

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.service import Json, Service, running_service

#: What may change with any other field.
DERIVED = {"ref", "updated_at", "next_poll_at", "resolved_branch", "github_web_url"}


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def project(shared_service: Service, files: dict[str, bytes]) -> Json:
    """The only project at the start of each test, synced with a token of its own."""
    for name in ("acme/bench", "acme/other"):
        repository = shared_service.repository(name, files)
        repository.commit({"config/a.yaml": b"a: 2\n"}, branch="dev")
    shared_service.github.hosting.add_token("ghp_x")
    return await shared_service.synced("acme/bench", branch="main", github_token="ghp_x")


def address(project: Json) -> str:
    return f"/projects/{project['id']}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "renamed"),
        ("polling_interval", 3600),
        ("config_folder", "other"),
        ("job_folder", ""),
        ("branch", "dev"),
    ],
)
async def test_only_the_field_given_changes(
    service: Service, project: Json, field: str, value: object
) -> None:
    after = await service.put(address(project), {field: value})
    assert after[field] == value
    assert after["updated_at"] > project["updated_at"]
    assert rest(after, field) == rest(project, field)


async def test_a_change_of_the_repository_changes_nothing_else(
    service: Service, project: Json
) -> None:
    change = {"github_repo_url": "acme/elsewhere", "github_token": "ghp_x"}
    after = await service.put(address(project), change)
    assert after["github_repo_url"] == f"{service.github.url}/repos/acme/elsewhere"
    assert after["updated_at"] > project["updated_at"]
    assert rest(after, "github_repo_url") == rest(project, "github_repo_url")


def rest(project: Json, changed: str) -> Json:
    """Return the fields that a change of another field leaves as they are."""
    return {name: value for name, value in project.items() if name not in DERIVED | {changed}}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "acme/bench"},
        {"branch": "main", "config_folder": "/config/", "polling_interval": 0},
    ],
    ids=["no field", "name", "several fields"],
)
async def test_a_change_without_a_change_makes_no_revision(
    service: Service, project: Json, body: Json
) -> None:
    before = (await service.http.get(address(project))).headers["etag"]
    assert (await service.http.put(address(project), json=body)).headers["etag"] == before


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("branch", "dev"),
        ("config_folder", "job"),
        ("job_folder", "x"),
        ("github_repo_url", "acme/other"),
    ],
)
async def test_a_change_of_what_is_read_makes_a_project_due_at_once(
    service: Service, project: Json, field: str, value: str
) -> None:
    """Also without polling; after that only a person starts a sync."""
    changed = await service.put(address(project), {field: value})
    assert changed["next_poll_at"] is not None
    assert (await service.get("/status"))["scheduler"]["projects_due"] == 1
    await service.sync(project["id"])
    assert (await service.get(address(project)))["next_poll_at"] is None


async def test_another_name_makes_no_project_due(service: Service, project: Json) -> None:
    assert project["next_poll_at"] is None
    assert (await service.put(address(project), {"name": "renamed"}))["next_poll_at"] is None


async def test_the_same_repository_by_another_address_is_no_change(
    service: Service, project: Json
) -> None:
    same = f"{service.github.url}/repos/ACME/bench"
    assert await service.put(address(project), {"github_repo_url": same}) == project


@pytest.mark.parametrize("number", range(3))
async def test_of_concurrent_changes_none_that_was_acknowledged_is_lost(
    service: Service, project: Json, number: int
) -> None:
    """Different fields, each without If-Match: all are taken, whichever came first."""
    changes: list[Json] = [
        {"name": f"name {number}"},
        {"branch": f"b{number}"},
        {"config_folder": f"c{number}"},
        {"job_folder": f"j{number}"},
        {"polling_interval": 60 + number},
        {"github_repo_url": f"acme/r{number}", "github_token": None if number % 2 else "ghp_x"},
    ]
    answers = await asyncio.gather(
        *(service.http.put(address(project), json=change) for change in changes)
    )
    assert [answer.status_code for answer in answers] == [200] * len(changes)
    stored = await service.get(address(project))
    assert [change for change in changes[:5] if not change.items() <= stored.items()] == []
    assert stored["github_repo_url"].endswith(f"/r{number}")
    assert stored["github_token_set"] is (number % 2 == 0)


@pytest.mark.parametrize("token", ["none given", None, "ghp_other"])
@pytest.mark.parametrize("moved", ["acme/other", "https://ghe.example/api/v3/repos/acme/b"])
async def test_another_repository_drops_the_stored_token_unless_one_is_given(
    database_url: str, github: GitHubTestServer, tmp_path: Path, moved: str, token: str | None
) -> None:
    urls = (github.url, "https://ghe.example/api/v3")
    async with running_service(database_url, github, tmp_path, github_api_urls=urls) as service:
        project = await service.project("acme/b", github_token="ghp_secret")
        given = {} if token == "none given" else {"github_token": token}
        changed = await service.put(address(project), {"github_repo_url": moved, **given})
        assert changed["github_token_set"] is (token == "ghp_other")


@pytest.mark.parametrize("form", ["ACME/BENCH", "{github}/repos/acme/bench"])
async def test_the_same_repository_written_otherwise_keeps_the_token(
    service: Service, project: Json, form: str
) -> None:
    same = form.format(github=service.github.url)
    changed = await service.put(address(project), {"github_repo_url": same, "name": same})
    assert changed["github_token_set"] is True
