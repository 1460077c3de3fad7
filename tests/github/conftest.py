"""A repository on our GitHub, and a client for it which does not really sleep."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from github_test_server import GitHubTestServer, Repository
from support.hub import Hub


@pytest.fixture
async def hub(github: GitHubTestServer) -> AsyncIterator[Hub]:
    hub = Hub(github)
    yield hub
    await hub.connection.close()


@pytest.fixture
async def own_hub(repository: Repository) -> AsyncIterator[Hub]:
    """The same repository on a server which no other test has left requests at."""
    async with GitHubTestServer() as server:
        server.add("octo/demo", repository)
        hub = Hub(server)
        yield hub
        await hub.connection.close()


@pytest.fixture
def repository(github: GitHubTestServer, tmp_path: Path) -> Iterator[Repository]:
    """The public octo/demo, without a commit."""
    with Repository.init(tmp_path / "demo.git") as repository:
        github.add("octo/demo", repository)
        yield repository
