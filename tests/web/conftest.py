"""A service with something on every page, and a browser without scripts."""

import pytest

from support.browser import Browser
from support.service import Service
from support.site import Site, build_site


@pytest.fixture
def browser(service: Service) -> Browser:
    return Browser(service.http)


@pytest.fixture
async def site(service: Service, browser: Browser) -> Site:
    return await build_site(service, browser)
