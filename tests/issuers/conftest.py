"""A provider that lies where it is told to, and what reads it."""

from collections.abc import AsyncIterator

import pytest

from benchmark_manager.issuers.discovery import IssuerDirectory
from benchmark_manager.issuers.fetching import IssuerClient
from support.bad_issuer import BadIssuer, IssuerClock, bad_issuer


@pytest.fixture
def clock() -> IssuerClock:
    return IssuerClock()


@pytest.fixture
async def issuer() -> AsyncIterator[BadIssuer]:
    async with bad_issuer() as issuer:
        yield issuer


@pytest.fixture
async def http() -> AsyncIterator[IssuerClient]:
    client = IssuerClient()
    yield client
    await client.close()


@pytest.fixture
def directory(http: IssuerClient, clock: IssuerClock) -> IssuerDirectory:
    return IssuerDirectory(http, clock=clock)
