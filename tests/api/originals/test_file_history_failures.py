"""What GitHub does not answer of a file's history."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer, HtmlPage, Status
from support.file_histories import FileHistory, begun
from support.problems import ObservedAnswers, assert_problem
from support.reused_database import reused_database
from support.service import Service, no_sleep, running_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_service(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """The service, without pauses between its tries of GitHub."""
    observed, folder = ObservedAnswers(), tmp_path_factory.mktemp("hasty")
    externals = Externals(sleep=no_sleep)
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(url, github, folder, externals=externals) as running,
        ):
            running.http.event_hooks = {"request": [], "response": [observed.note]}
            yield running
    assert observed.undocumented == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def history(module_service: Service) -> FileHistory:
    return await begun(module_service)


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Status(500), 502, "github_unavailable"),
        (HtmlPage(), 502, "github_unavailable"),
        (Status(401), 422, "github_unauthorized"),
        (Status(403), 422, "github_forbidden"),
    ],
    ids=["500", "a page", "401", "403"],
)
async def test_failures_of_github_are_those_of_a_sync_and_not_remembered(
    service: Service, history: FileHistory, fault: Status | HtmlPage, status: int, code: str
) -> None:
    added = service.github.faults.add(fault, path="/commits$", times=None)
    assert_problem(await service.http.get(history.path), status, code)
    service.github.faults.remove(added)
    project = await service.get(f"/projects/{history.project['id']}")
    assert project["sync_status"] == "ok", "nothing was synced"
    assert [row["sha"] for row in await service.rows(history.path)] == history.ids[::-1]


async def test_a_missing_commit_has_its_code(service: Service, history: FileHistory) -> None:
    service.github.faults.add(Status(404), path="/commits$", times=None)
    assert_problem(await service.http.get(history.path), 422, "commit_not_found")


async def test_a_missing_repository_has_its_code(service: Service) -> None:
    history = await begun(service, name="acme/gone")
    service.github.hosting.remove("acme/gone")
    history.repository.close()
    assert_problem(await service.http.get(history.path), 422, "repository_not_found")


async def test_a_used_up_limit_says_when_to_retry(service: Service, history: FileHistory) -> None:
    limit = Status(429, headers={"Retry-After": "90"})
    service.github.faults.add(limit, path="/commits$", times=None)
    answer = await service.http.get(history.path)
    assert_problem(answer, 503, "github_rate_limited")
    assert 80 <= int(answer.headers["retry-after"]) <= 90
