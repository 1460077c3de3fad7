"""Services that the tests of a module share, for each test as they were at first."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.problems import ObservedAnswers
from support.reused_database import reused_database
from support.service import Service, running_service
from support.unchanged_service import unchanged_service


@pytest.fixture(scope="module")
def shared_github() -> Iterator[GitHubTestServer]:
    """A GitHub that knows the token `reader`."""
    with GitHubTestServer() as github:
        github.hosting.add_token("reader")
        yield github


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_service(
    mongod: str, shared_github: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("shared")
    async with (
        reused_database(mongod) as url,
        running_service(url, shared_github, folder) as running,
    ):
        observed = ObservedAnswers()
        running.http.event_hooks = {"request": [], "response": [observed.note]}
        yield running
        assert observed.undocumented == []


@pytest.fixture
async def service(shared_service: Service) -> AsyncIterator[Service]:
    """The service, which has no token of GitHub."""
    async with unchanged_service(shared_service) as running:
        # GitHub allows 60 requests an hour without a token, for all tests together.
        running.github.limits.set(None, limit=5000)
        yield running
