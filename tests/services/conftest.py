"""The service in a hurry, and the ways on which contents come to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.service import Service, no_sleep, running_service


@pytest.fixture
async def hasty(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    """The service, without pauses between its tries of GitHub."""
    externals = Externals(sleep=no_sleep)
    async with running_service(database_url, github, tmp_path, externals=externals) as running:
        yield running
