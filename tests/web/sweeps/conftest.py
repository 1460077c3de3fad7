"""A project with a configuration, a job, and the form of a sweep of them."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.browser import Browser, WebPage
from support.service import Json, Service
from support.sweep_form import ENGINE_PATH, FILES
from support.unchanged_service import unchanged_service


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of a module, as its fixtures left it."""
    async with unchanged_service(module_service) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def project(module_service: Service) -> Json:
    module_service.repository("acme/bench", FILES)
    return await module_service.synced("acme/bench", config_folder="config", job_folder="job")


@pytest.fixture
async def started(service: Service, browser: Browser, project: Json) -> WebPage:
    """The form, opened from the page of a file; it has no axis yet."""
    file = (await service.files(project["id"]))[ENGINE_PATH]
    page = await browser.open(f"/ui/projects/{project['id']}/files/{file['id']}")
    [link] = [link for link in page.links() if "/sweeps/new?" in link]
    return await browser.open(link)
