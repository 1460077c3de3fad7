"""One service for the tests of a module, and a project with originals of each kind."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.service import Json, Service
from support.unchanged_service import unchanged_service


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of a module, as its fixtures left it."""
    async with unchanged_service(module_service) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service, files: dict[str, bytes]) -> Json:
    module_service.repository(
        "acme/bench", {**files, "config/broken.yaml": b"a: [\n", "config/[x].yaml": b"x: 1\n"}
    )
    return await module_service.synced("acme/bench")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def originals(module_service: Service, project: Json) -> dict[str, Json]:
    """The project's originals by path."""
    return await module_service.files(project["id"])
