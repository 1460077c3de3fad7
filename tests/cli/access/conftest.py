"""Commands against a service that serves only those it knows."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.commands import command_line
from support.guarded import guarded_service
from support.guarded_commands import GuardedCommands
from support.reused_database import reused_database


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def guarded(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[GuardedCommands]:
    """A service that a module's tests share; the names of what they make differ."""
    folder = tmp_path_factory.mktemp("guarded")
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            guarded_service(url, github, folder) as service,
            command_line(service.service) as commands,
        ):
            yield GuardedCommands(commands, service)
