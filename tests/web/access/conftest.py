"""A service that serves only those it knows, and browsers without scripts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.browser import Browser
from support.clocks import Clock
from support.guarded import GuardedService, guarded_service


@pytest.fixture
def clock() -> Clock:
    """The time of the service, which tests move on."""
    return Clock()


@pytest.fixture
async def guarded(
    database_url: str, github: GitHubTestServer, tmp_path: Path, clock: Clock
) -> AsyncIterator[GuardedService]:
    """A service with AUTH=required, and its administrator."""
    async with guarded_service(
        database_url, github, tmp_path, externals=Externals(clock=clock)
    ) as running:
        yield running


@pytest.fixture
def visitor(guarded: GuardedService) -> Browser:
    """Somebody who has not signed in."""
    return Browser(guarded.visitor().http)


@pytest.fixture
def admin(guarded: GuardedService) -> Browser:
    """The browser of the administrator."""
    return Browser(guarded.admin.http)
