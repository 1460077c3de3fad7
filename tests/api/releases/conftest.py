"""One service, project and release for the tests of a module."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from benchmark_manager.factory import Externals, ServiceLimits
from github_test_server import GitHubTestServer
from support.problems import ObservedAnswers
from support.released import make_release
from support.service import Json, Service, running_service
from support.unchanged_service import unchanged_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, files: dict[str, bytes]) -> Json:
    module_service.repository("acme/bench", files)
    return await module_service.synced("acme/bench")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def release(module_service: Service, project: Json) -> Json:
    """A release of the project's originals, named `first`."""
    return await make_release(module_service, project, name="first")


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of a module, as its fixtures left it."""
    async with unchanged_service(module_service) as service:
        yield service


@pytest.fixture
async def limited(
    database_url: str, github: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Service]:
    """A service that compares 60 bytes, and stages the files of a release of more than 100."""
    externals = Externals(limits=ServiceLimits(compared_bytes=60, release_files=100))
    async with running_service(database_url, github, tmp_path, externals=externals) as running:
        observed = ObservedAnswers()
        running.http.event_hooks = {"request": [], "response": [observed.note]}
        yield running
        assert observed.undocumented == []
