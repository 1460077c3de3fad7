"""A server for all tests here, and for each test a repository of its own, hosted as octo/demo."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx2
import pytest

from github_test_server import GitHubTestServer, Repository
from support.graphql import SECRET, Answers, Ask
from support.waiting import GENEROUS

if TYPE_CHECKING:
    from pathlib import Path

DATE = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FILES = {
    "README.md": b"# Demo\n",
    "config/a.yaml": b"a: 1\n",
    "config/deep/b.json": b'{"b": 2}\n',
    "job/run me.yaml": b"kind: Job\n",
}

Git = Callable[..., str]


@pytest.fixture(scope="session")
def shared_server() -> Iterator[GitHubTestServer]:
    with GitHubTestServer() as server:
        yield server


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    repository = Repository.init(tmp_path / "demo.git")
    repository.commit(FILES, message="First\n\nWith a body.", date=DATE)
    return repository


@pytest.fixture
def server(shared_server: GitHubTestServer, repository: Repository) -> Iterator[GitHubTestServer]:
    hosted = shared_server.add("octo/demo", repository)
    yield shared_server
    shared_server.hosting.remove(hosted.full_name)
    repository.close()
    shared_server.reset()


@pytest.fixture
async def client(server: GitHubTestServer) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=server.url, timeout=GENEROUS) as client:
        yield client


@pytest.fixture
def git(repository: Repository) -> Git:
    """Run git itself on the repository, as the judge of what the server says."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            ["git", f"--git-dir={repository.path}", *arguments],
            capture_output=True,
            check=True,
            text=True,
        )
        return done.stdout.strip()

    return run


@pytest.fixture
def _token(server: GitHubTestServer) -> None:
    server.hosting.add_token("secret", login="mona")


@pytest.fixture
def ask(server: GitHubTestServer) -> Ask:
    """Send a GraphQL query with the token "secret"."""

    def run(query: str, **variables: object) -> Answers:
        posted = {"query": query, "variables": variables}
        return Answers(
            httpx2.post(server.graphql_url, json=posted, headers=SECRET, timeout=GENEROUS)
        )

    return run
