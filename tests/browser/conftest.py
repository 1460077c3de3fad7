"""One service as a process and one Chromium, with separate cookies for each browser."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from github_test_server import GitHubTestServer
from support.administered import service_to_set_up, set_up
from support.browser import Browser as PlainBrowser
from support.chromium import find_chromium, running_chromium
from support.process import ROOT, ServiceProcess, service_process
from support.real_provider import real_provider
from support.reused_database import reused_database
from support.service import Api
from support.site import Site, build_site
from support.visitors import Contexts, Visitors, visiting

#: Without a token, GitHub allows 60 requests an hour.
TOKEN = "token-of-the-service"
#: Whom the provider knows.
KIM = {"sub": "kim", "name": "Kim Min", "groups": ["bench"]}
BUILT = ROOT / "benchmark_manager/web/static/dist/manifest.json"


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
    async with running_chromium(chromium_path, draws=False) as browser:
        yield browser


@pytest.fixture(scope="session")
def contexts(chromium: Browser) -> Contexts:
    return Contexts(chromium)


@pytest.fixture(scope="session")
def upstream() -> Iterator[GitHubTestServer]:
    """The GitHub test server; each test hosts its own repositories there."""
    with GitHubTestServer() as server:
        server.hosting.add_token(TOKEN)
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def running(
    mongod: str, upstream: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServiceProcess]:
    """The service that the tests of this worker share."""
    folder = tmp_path_factory.mktemp("pages")
    async with (
        reused_database(mongod) as url,
        service_process(
            folder,
            mongo_url=url,
            github_api_urls=upstream.url,
            github_token=TOKEN,
            # Some tests put a proxy in front of it.
            trusted_proxies="127.0.0.0/8",
        ) as process,
    ):
        yield process


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def administered(
    mongod: str, upstream: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServiceProcess]:
    """A service that asks for a sign-in, there or at a provider, and has an administrator."""
    folder = tmp_path_factory.mktemp("administered")
    async with (
        reused_database(mongod) as url,
        real_provider(folder, KIM) as issuer,
        service_to_set_up(folder, url, issuer, github_api_urls=upstream.url) as process,
    ):
        await set_up(process)
        yield process


@pytest.fixture
async def api(
    running: ServiceProcess, upstream: GitHubTestServer, tmp_path: Path
) -> AsyncIterator[Api]:
    """Access to the API, to prepare and check what pages show."""
    async with running.client() as http:
        yield Api(http, upstream, tmp_path)


@pytest.fixture
async def visitors(contexts: Contexts, running: ServiceProcess) -> AsyncIterator[Visitors]:
    async with visiting(contexts, running.url) as visitors:
        yield visitors


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(
    running: ServiceProcess, upstream: GitHubTestServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site[Api]]:
    """Something on every page, most of it hostile; read-only."""
    async with running.client() as http:
        yield await build_site(
            Api(http, upstream, tmp_path_factory.mktemp("site")), PlainBrowser(http)
        )
