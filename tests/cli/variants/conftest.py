"""A project whose files have variants."""

import itertools

import pytest
import pytest_asyncio

from github_test_server import Repository
from support.commands import ServiceCommands
from support.variant_texts import FILES


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def repository(cli: ServiceCommands) -> Repository:
    return cli.service.repository("acme/variants", FILES)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
# The repository is to be hosted first.
async def project(cli: ServiceCommands, repository: Repository) -> str:  # noqa: ARG001
    """A synced project named `variants`."""
    synced = await cli.service.synced("acme/variants", name="variants")
    return str(synced["id"])


NUMBERS = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A variant's name which no other test has."""
    return f"variant-{next(NUMBERS)}.yaml"


@pytest_asyncio.fixture(loop_scope="session")
async def variant(cli: ServiceCommands, project: str, name: str) -> str:
    """The id of a variant of config/llama.yaml."""
    return (await cli("variants", "new", project, "config/llama.yaml", "-n", name)).out.strip()
