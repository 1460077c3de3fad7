"""A project with a configuration, a job, and the form of a sweep of them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from support.browser import Browser, WebPage
from support.service import Json, Service
from support.sweep_form import ENGINE_PATH, FILES, press
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


@dataclass(frozen=True, slots=True)
class Opened:
    """A page as a visitor got it, for tests that each read it anew."""

    page: WebPage
    cookies: dict[str, str]

    def again(self, browser: Browser) -> WebPage:
        """Return the page as this browser would have it."""
        browser.http.cookies.update(self.cookies)
        return WebPage(self.page.url, self.page.answer)


def _opened(browser: Browser, page: WebPage) -> Opened:
    opened = Opened(page, dict(browser.http.cookies))
    browser.http.cookies.clear()
    return opened


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _form(module_service: Service, project: Json) -> Opened:
    file = (await module_service.files(project["id"]))[ENGINE_PATH]
    browser = Browser(module_service.http)
    page = await browser.open(f"/ui/projects/{project['id']}/files/{file['id']}")
    [link] = [link for link in page.links() if "/sweeps/new?" in link]
    return _opened(browser, await browser.open(link))


@pytest.fixture
def started(_form: Opened, browser: Browser) -> WebPage:
    """The form, opened from the page of a file; it has no axis yet."""
    return _form.again(browser)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def _picked(module_service: Service, _form: Opened) -> Opened:
    browser = Browser(module_service.http)
    page = await press(browser, _form.again(browser), "pick:engine:engine.max_num_seqs")
    return _opened(browser, page)


@pytest.fixture
def picked(_picked: Opened, browser: Browser) -> WebPage:
    """The form after a click on a value, which is the values of an axis now."""
    return _picked.again(browser)
