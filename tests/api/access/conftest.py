"""A service that serves only those it knows."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer, Person
from support import bad_issuer
from support.bad_issuer import CLIENT, CLIENT_SECRET, BadIssuer
from support.clocks import Clock
from support.guarded import GuardedService, guarded_service
from support.provider_sign_ins import GITHUB_SECRET, ORIGIN, StartService
from support.reused_database import reused_database
from support.service import Service, running_service

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
def provider_clock() -> bad_issuer.IssuerClock:
    """The time of the services that ask a provider, of each test alone."""
    return bad_issuer.IssuerClock()


@pytest.fixture
async def issuer() -> AsyncIterator[BadIssuer]:
    async with bad_issuer.bad_issuer() as running:
        yield running


@pytest.fixture
def kim(github: GitHubTestServer) -> Person:
    """Who is signed in at GitHub in the browser."""
    kim = Person(id=77, login="kim", organisations=["acme"], teams=["acme/bench-team"])
    callback = f"{ORIGIN}/auth/github/callback"
    github.hosting.sign_ins.add_app("bench", GITHUB_SECRET, callback)
    github.hosting.sign_ins.browser = kim
    return kim


@pytest.fixture
def start_with_providers(
    database_url: str,
    github: GitHubTestServer,
    tmp_path: Path,
    issuer: BadIssuer,
    provider_clock: bad_issuer.IssuerClock,
) -> StartService:
    """Start a service of the test's database, with both providers."""

    @asynccontextmanager
    async def run(**settings: Any) -> AsyncIterator[Service]:
        values = {
            "auth": "required",
            "oidc_issuer": issuer.url,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": CLIENT_SECRET,
            "github_oauth_client_id": "bench",
            "github_oauth_client_secret": GITHUB_SECRET,
            **settings,
        }
        externals = Externals(clock=provider_clock)
        async with running_service(
            database_url, github, tmp_path, externals=externals, **values
        ) as service:
            yield service

    return run


@pytest.fixture
async def with_providers(start_with_providers: StartService) -> AsyncIterator[Service]:
    """A service that people sign in to at either provider; its client is a browser."""
    async with start_with_providers() as service:
        yield service
