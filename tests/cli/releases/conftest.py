"""Releases that the tests of a module pull."""

import pytest_asyncio

from support.commands import ServiceCommands
from support.pulled_releases import FEW, FILES, Released, released


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def many(cli: ServiceCommands) -> Released:
    """So many files that they are fetched as an archive."""
    return await released(cli, "many", FILES)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def few(cli: ServiceCommands) -> Released:
    """So few that each is asked for."""
    return await released(cli, "few", FEW)
