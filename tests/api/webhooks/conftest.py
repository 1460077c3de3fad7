"""A service that takes webhooks, and its project, for the tests of a module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.hooked import HookedService, hooked_service, polled_project
from support.reused_database import reused_database
from support.service import Json, Service
from support.unchanged_service import unchanged_service


@pytest.fixture(scope="module", params=["mongod"])
def hooked_server(request: pytest.FixtureRequest) -> str:
    """The URL of the mongod, unless a test uses both kinds of databases."""
    found = request.getfixturevalue(request.param)
    return str(found if request.param == "mongod" else found.url)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared(
    hooked_server: str, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> AsyncIterator[HookedService]:
    """A service and its only project, for tests which change nothing."""
    woken: list[float] = []
    externals = Externals(wake=woken.append)
    folder = tmp_path_factory.mktemp("hooked")
    with GitHubTestServer() as github:
        async with (
            reused_database(hooked_server) as url,
            hooked_service(url, github, folder, externals) as service,
        ):
            yield HookedService(service, await polled_project(service, files), woken)


@pytest.fixture
async def hooked(shared: HookedService) -> AsyncIterator[Service]:
    """The service, for each test as it was at first."""
    async with unchanged_service(shared.service) as service:
        shared.woken.clear()
        yield service


@pytest.fixture
def project(shared: HookedService) -> Json:
    return shared.project
