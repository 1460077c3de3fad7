"""Stores over both databases."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from benchmark_manager.stores.database.database import Database
from support.reused_database import lent_database


@pytest.fixture(params=["mongod", "embedded"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(
        "database_url" if request.param == "mongod" else "embedded_database_url"
    )
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def database(url: str) -> AsyncIterator[Database]:
    """The open database, as after the start of a service."""
    async with lent_database(url) as database:
        yield database
