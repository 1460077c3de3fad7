"""The commands as people type them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.commands import CommandLine, command_line
from support.databases import fresh_database
from support.service import running_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cli(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CommandLine]:
    """Commands against a service.

    A module's tests share it, and name their projects differently.
    """
    folder = tmp_path_factory.mktemp("cli")
    with GitHubTestServer() as github:
        async with (
            fresh_database(mongod, "cli") as url,
            running_service(url, github, folder) as service,
            command_line(service) as commands,
        ):
            yield commands
