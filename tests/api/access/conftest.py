"""A service that serves only those it knows."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
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
    """The time of the services, which tests move on."""
    yield shared_clock
    shared_clock.reset()


@asynccontextmanager
async def _shared(server_url: str, folder: Path, clock: Clock) -> AsyncIterator[GuardedService]:
    """A service of a module; all its tests together make more requests a minute than people do."""
    with GitHubTestServer() as github:
        async with (
            reused_database(server_url) as url,
            guarded_service(
                url, github, folder, externals=Externals(clock=clock), rate_limit=100_000
            ) as running,
        ):
            yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_guarded(
    mongod: str, tmp_path_factory: pytest.TempPathFactory, shared_clock: Clock
) -> AsyncIterator[GuardedService]:
    async with _shared(mongod, tmp_path_factory.mktemp("guarded"), shared_clock) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_guarded_either(
    either_server: str, tmp_path_factory: pytest.TempPathFactory, shared_clock: Clock
) -> AsyncIterator[GuardedService]:
    async with _shared(either_server, tmp_path_factory.mktemp("guarded"), shared_clock) as running:
        yield running


def _own_address() -> str:
    """An address that no other test has."""
    number = next(_NUMBERS)
    return f"203.0.{number // 250}.{number % 250}"


@pytest.fixture
async def guarded(shared_guarded: GuardedService, clock: Clock) -> AsyncIterator[GuardedService]:
    """A service with AUTH=required on a mongod, and its administrator."""
    del clock  # which goes back to the present when this has ended
    async with shared_guarded.unchanged(_own_address()) as running:
        yield running


@pytest.fixture
async def guarded_either(
    shared_guarded_either: GuardedService, clock: Clock
) -> AsyncIterator[GuardedService]:
    """The same on each kind of database."""
    del clock
    async with shared_guarded_either.unchanged(_own_address()) as running:
        yield running
