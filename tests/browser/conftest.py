"""One service as a process and one Chromium.

A browser with cookies of its own whenever a test wants one.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from github_test_server import GitHubTestServer
from support.browser import Browser as PlainBrowser
from support.chromium import find_chromium, running_chromium
from support.databases import fresh_database
from support.process import ROOT, ServiceProcess, service_process
from support.service import Api
from support.site import Site, build_site
from support.visitors import Visitors, visiting

#: Without one GitHub allows 60 requests an hour.
TOKEN = "token-of-the-service"
BUILT = ROOT / "benchmark_manager/web/static/dist/manifest.json"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker runs all of these.

    A browser and a service for each of them would starve the others.
    """
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium_path() -> str:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium: `make chromium` says how to get one")
    if not BUILT.exists():
        pytest.skip("the pages' scripts are not built: `make frontend` says why")
    return path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium(chromium_path: str) -> AsyncIterator[Browser]:
    async with running_chromium(chromium_path) as browser:
        yield browser


@pytest.fixture(scope="session")
def upstream() -> Iterator[GitHubTestServer]:
    """Our GitHub; each test hosts repositories of its own there."""
    with GitHubTestServer() as server:
        server.hosting.add_token(TOKEN)
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(
    mongod: str, upstream: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServiceProcess]:
    """The service which the tests of this worker share."""
    folder = tmp_path_factory.mktemp("pages")
    async with (
        fresh_database(mongod, "pages") as url,
        service_process(
            folder,
            mongo_url=url,
            github_api_urls=upstream.url,
            github_token=TOKEN,
            # Some tests put a proxy before it.
            trusted_proxies="127.0.0.0/8",
        ) as process,
    ):
        yield process


@pytest.fixture
async def api(
    running: ServiceProcess, upstream: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Api]:
    """What a test prepares, or looks up, beside the pages."""
    async with running.client() as http:
        yield Api(http, upstream, tmp_path)


@pytest.fixture
async def visitors(chromium: Browser, running: ServiceProcess) -> AsyncIterator[Visitors]:
    async with visiting(chromium, running.url) as visitors:
        yield visitors


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(
    running: ServiceProcess, upstream: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site[Api]]:
    """Something on every page, most of it hostile; only to be looked at."""
    async with running.client() as http:
        yield await build_site(
            Api(http, upstream, tmp_path_factory.mktemp("site")), PlainBrowser(http)
        )
