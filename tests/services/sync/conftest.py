"""One service for the tests of a module, which needs no start and end for each of them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals
from github_test_server import GitHubTestServer
from support.reused_database import reused_database
from support.routes import forget_listings
from support.service import Service, no_sleep, running_service
from support.unchanged_service import unchanged_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _of_the_module(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    folder = tmp_path_factory.mktemp("module")
    externals = Externals(sleep=no_sleep)
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(url, github, folder, externals=externals) as running,
        ):
            yield running


@pytest.fixture
async def shared(_of_the_module: Service) -> AsyncIterator[Service]:
    """The service without a token, as new: without projects, repositories and what it learnt.

    It makes no pauses between its tries of GitHub.
    """
    async with unchanged_service(_of_the_module) as service:
        yield service
        await service.services.sync.settled()
        forget_listings(service)
