"""Projects with a release that the tests of a module share."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.service import Service
from support.unchanged_service import unchanged_service
from support.uploading import ReleasedProject, released_project


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_project(module_service: Service) -> ReleasedProject:
    return await released_project(module_service)


@pytest.fixture
async def project(shared_project: ReleasedProject) -> AsyncIterator[ReleasedProject]:
    async with unchanged_service(shared_project.service):
        yield shared_project


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_on_either(module_either: Service) -> ReleasedProject:
    return await released_project(module_either)


@pytest.fixture
async def on_either(shared_on_either: ReleasedProject) -> AsyncIterator[ReleasedProject]:
    async with unchanged_service(shared_on_either.service):
        yield shared_on_either
