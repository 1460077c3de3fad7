"""Fixtures of the commands' tests."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.commands import ServiceCommands, command_line
from support.forked_commands import ForkedCommands, forked_commands
from support.hostile_server import head, hostile_server
from support.reused_database import reused_database
from support.service import running_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cli(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServiceCommands]:
    """Commands against a service that a module's tests share; their projects' names differ."""
    folder = tmp_path_factory.mktemp("cli")
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(url, github, folder) as service,
            command_line(service) as commands,
        ):
            yield commands


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedCommands]:
    """Run commands in processes of their own."""
    with forked_commands(tmp_path_factory.mktemp("commands")) as commands:
        yield commands


@pytest.fixture(scope="session")
def idle_memory(run: ForkedCommands) -> int:
    """Return the memory of a command that does nothing."""
    with hostile_server(lambda _: [head(404)]) as server:
        return run("release", "show", "0" * 64, "--url", server.url).memory
