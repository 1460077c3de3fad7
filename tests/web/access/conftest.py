"""A service that serves only those it knows, and browsers without scripts."""

from collections.abc import AsyncIterator, Iterator
from itertools import count
from typing import Final

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.browser import Browser
from support.clocks import Clock
from support.guarded import GuardedService, guarded_service
from support.reused_database import reused_database

#: For the address of each test.
_NUMBERS: Final = count(1)


@pytest.fixture(scope="module")
def shared_clock() -> Clock:
    return Clock()


@pytest.fixture
def clock(shared_clock: Clock) -> Iterator[Clock]:
    """The time of the service, which tests move on."""
    yield shared_clock
    shared_clock.reset()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_guarded(
    mongod: str, tmp_path_factory: pytest.TempPathFactory, shared_clock: Clock
) -> AsyncIterator[GuardedService]:
    """A service of a module; all its tests together make more requests a minute than people do."""
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            guarded_service(
                url,
                github,
                tmp_path_factory.mktemp("guarded"),
                externals=Externals(clock=shared_clock),
                rate_limit=100_000,
            ) as running,
        ):
            yield running


@pytest.fixture
async def guarded(shared_guarded: GuardedService, clock: Clock) -> AsyncIterator[GuardedService]:
    """A service with AUTH=required, and its administrator."""
    del clock  # which goes back to the present when this has ended
    async with shared_guarded.unchanged(f"203.0.113.{next(_NUMBERS)}") as running:
        yield running


@pytest.fixture
def visitor(guarded: GuardedService) -> Browser:
    """Somebody who has not signed in."""
    return Browser(guarded.visitor().http)


@pytest.fixture
def admin(guarded: GuardedService) -> Browser:
    """The browser of the administrator."""
    return Browser(guarded.admin.http)
