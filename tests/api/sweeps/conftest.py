"""Projects with files to sweep that the tests of a module share."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.service import Service
from support.swept import SweptProject, swept_project
from support.unchanged_service import unchanged_service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_project(module_service: Service) -> SweptProject:
    return await swept_project(module_service)


@pytest.fixture
async def project(shared_project: SweptProject) -> AsyncIterator[SweptProject]:
    async with unchanged_service(shared_project.service):
        yield shared_project


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shared_on_either(module_either: Service) -> SweptProject:
    return await swept_project(module_either)


@pytest.fixture
async def on_either(shared_on_either: SweptProject) -> AsyncIterator[SweptProject]:
    async with unchanged_service(shared_on_either.service):
        yield shared_on_either
