"""The service in a hurry, and the ways on which contents come to it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.service import Service, running_service


async def _no_sleep(_: float) -> None:
    await asyncio.sleep(0)


@pytest.fixture
async def hasty(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    """The service, without pauses between its tries of GitHub."""
    async with running_service(
        database_url, github, tmp_path, externals=Externals(sleep=_no_sleep)
    ) as running:
        yield running
