"""A service with something on every page, and a browser without scripts."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.browser import Browser
from support.reused_database import reused_database
from support.service import Service, running_service
from support.site import Site, build_site
from support.unchanged_database import unchanged
from support.webhooks import SECRET


@pytest.fixture
def browser(service: Service) -> Browser:
    return Browser(service.http)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def shared_site(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(
                url, github, tmp_path_factory.mktemp("site"), webhook_secret=SECRET
            ) as service,
        ):
            yield await build_site(service, Browser(service.http))


@pytest.fixture
def site(shared_site: Site) -> Site:
    """Something on every page, for tests that change nothing; the visitor has no cookies yet."""
    shared_site.service.http.cookies.clear()
    return shared_site


@pytest.fixture
async def own_site(site: Site) -> AsyncIterator[Site]:
    """The same, for one test that changes it."""
    async with unchanged(site.service.services.database):
        yield site
