"""One service for the tests of a module."""

from collections.abc import AsyncIterator

import pytest

from support.service import Service
from support.unchanged_service import unchanged_service


@pytest.fixture
async def service(module_service: Service) -> AsyncIterator[Service]:
    """The service of all tests of a module, without what the tests before made."""
    async with unchanged_service(module_service) as service:
        yield service
