"""Fixtures for all tests: real databases, our own GitHub, and the service over them."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from benchmark_manager.config import Settings
from benchmark_manager.factory import Externals
from benchmark_manager.logs import configure_logging
from benchmark_manager.workers.pool import WorkerPool
from github_test_server import GitHubTestServer
from support.examples import USUAL
from support.service import Service, close_workers, running_service, shared_workers

pytest_plugins = ["support.databases"]

# How long an example takes says what else the machine does.
hypothesis.settings.register_profile("untimed", deadline=None, max_examples=USUAL)
hypothesis.settings.load_profile("untimed")

#: Real repositories' files and hand-made oddities, where they lie beside the checkout.
SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _environment(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Logs as the service writes them; a developer's own settings must not reach the tests."""
    configure_logging("debug", "json")
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    # Nothing here speaks TLS, and reading a machine's certificates for each service takes longer
    # than starting it.
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = str(tmp_path_factory.mktemp("no-certificates"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    if not SHARED_DATA.is_dir():
        pytest.skip("the collection of real repositories is not beside this checkout")
    return SHARED_DATA


@pytest.fixture(scope="session")
def _github_server() -> Iterator[GitHubTestServer]:
    with GitHubTestServer() as server:
        yield server


@pytest.fixture
def github(_github_server: GitHubTestServer) -> Iterator[GitHubTestServer]:
    """Our GitHub, without repositories, faults or records of the test before."""
    yield _github_server
    for hosted in _github_server.hosting.repositories():
        _github_server.hosting.remove(hosted.full_name)
        hosted.repository.close()
    _github_server.reset()


@pytest.fixture(scope="session", autouse=True)
async def _workers() -> AsyncIterator[None]:
    yield
    await close_workers()


@pytest.fixture
def workers() -> WorkerPool:
    """The worker processes which all services of this test process share."""
    return shared_workers()


@pytest.fixture
def externals() -> Externals:
    """What the service takes from its surroundings.

    Tests replace it by parameters, or modules by a fixture.
    """
    return Externals()


@pytest.fixture
async def service(
    database_url: str, github: GitHubTestServer, tmp_path: Path, externals: Externals
) -> AsyncIterator[Service]:
    """The whole service on a real mongod, asked over HTTP; it polls nothing by itself."""
    async with running_service(database_url, github, tmp_path, externals=externals) as running:
        yield running


@pytest.fixture
async def embedded_service(
    embedded_database_url: str, github: GitHubTestServer, tmp_path: Path, externals: Externals
) -> AsyncIterator[Service]:
    """The same on the embedded database."""
    async with running_service(
        embedded_database_url, github, tmp_path, externals=externals
    ) as running:
        yield running


@pytest.fixture(params=["mongod", "embedded"])
def either_url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, of each kind."""
    name = "database_url" if request.param == "mongod" else "embedded_database_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
async def either(
    either_url: str, github: GitHubTestServer, tmp_path: Path, externals: Externals
) -> AsyncIterator[Service]:
    """The service on each kind of database."""
    async with running_service(either_url, github, tmp_path, externals=externals) as running:
        yield running


@pytest.fixture(params=["embedded", "mongod"])
def mongo_url(request: pytest.FixtureRequest) -> str:
    """For services started as processes.

    Empty for their own embedded database, or a fresh database of the mongod.
    """
    return "" if request.param == "embedded" else str(request.getfixturevalue("database_url"))


def pytest_collection_finish() -> None:
    """Leave what collecting made out of later garbage collections.

    It lives to the end, and takes long to search.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
