"""A repository on our GitHub, and a client for it which does not really sleep."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmark_manager.github.client import GitHubClient, RepositoryClient
from benchmark_manager.github.limits import LimitRegistry
from benchmark_manager.models.project import RepositoryAddress
from github_test_server import GitHubTestServer, Repository


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Hub:
    """Clients of one process; `pauses` are the seconds that they would have slept."""

    server: GitHubTestServer
    pauses: list[float] = field(default_factory=list)
    client: GitHubClient = field(init=False)

    def __post_init__(self) -> None:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        self.client = GitHubClient(LimitRegistry(utc_now), sleep=sleep, random=lambda: 1.0, request_seconds=1.0)

    def repository(
        self, token: str | None = None, *, name: str = "demo", api_url: str | None = None, urgent: bool = False
    ) -> RepositoryClient:
        address = RepositoryAddress(api_url=api_url or self.server.url, owner="octo", name=name)
        return self.client.repository(address, token, urgent=urgent)


@pytest.fixture
async def hub(github: GitHubTestServer) -> AsyncIterator[Hub]:
    hub = Hub(github)
    yield hub
    await hub.client.close()


@pytest.fixture
async def own_hub(repository: Repository) -> AsyncIterator[Hub]:
    """The same repository on a server which no other test has left requests at."""
    async with GitHubTestServer() as server:
        server.add("octo/demo", repository)
        hub = Hub(server)
        yield hub
        await hub.client.close()


@pytest.fixture
def repository(github: GitHubTestServer, tmp_path: Path) -> Iterator[Repository]:
    """octo/demo, for everybody to see, without a commit."""
    with Repository.init(tmp_path / "demo.git") as repository:
        github.add("octo/demo", repository)
        yield repository
