"""A service that serves only those it knows."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.clocks import Clock
from support.guarded import GuardedService, guarded_service


@pytest.fixture
def clock() -> Clock:
    """The time of the services, which tests move on."""
    return Clock()


@pytest.fixture
async def guarded(
    database_url: str, github: GitHubTestServer, tmp_path: Path, clock: Clock
) -> AsyncIterator[GuardedService]:
    """A service with AUTH=required on a mongod, and its administrator."""
    async with guarded_service(
        database_url, github, tmp_path, externals=Externals(clock=clock)
    ) as running:
        yield running


@pytest.fixture
async def guarded_either(
    either_url: str, github: GitHubTestServer, tmp_path: Path, clock: Clock
) -> AsyncIterator[GuardedService]:
    """The same on each kind of database."""
    async with guarded_service(
        either_url, github, tmp_path, externals=Externals(clock=clock)
    ) as running:
        yield running
