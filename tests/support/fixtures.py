"""Fixtures for all tests: our own GitHub, the service over it, and what they run in."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from pydantic import SecretStr

from benchmark_manager.config import Settings
from benchmark_manager.factory import Externals
from benchmark_manager.logs import configure_logging
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.workers.pool import WorkerPool
from github_test_server import GitHubTestServer
from support.compiled_templates import keep_compiled_templates, templates_folder
from support.examples import ALL, USUAL
from support.reused_database import reused_database
from support.service import Service, close_workers, running_service, shared_workers
from support.unchanged_log import unchanged_log

# jsonschema, which validators of the tests use, compiles a grammar of IRIs at its import: for
# seconds, in each worker. No schema here has the format, and jsonschema does without.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
# The client looks for it in every folder of the path at each request to a service in this process.
sys.modules["sniffio"] = None  # type: ignore[assignment]

hypothesis.settings.register_profile(
    "steady",
    max_examples=USUAL,
    # How long an example takes says what else the machine does.
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    # A change passes or fails each time; `make properties` looks for examples that nobody has seen.
    derandomize=not ALL,
)
hypothesis.settings.load_profile("steady")

#: Real repositories' files and hand-made oddities, where they lie beside the checkout.
SHARED_DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session", autouse=True)
def _environment(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> None:
    """Logs as the service writes them; a developer's own settings must not reach the tests."""
    configure_logging("debug", "json")
    if (folder := templates_folder(pytestconfig)) is not None:
        keep_compiled_templates(folder)
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    # Nothing here speaks TLS, and reading a machine's certificates for each service takes longer
    # than starting it.
    os.environ.pop("SSL_CERT_FILE", None)
    os.environ["SSL_CERT_DIR"] = str(tmp_path_factory.mktemp("no-certificates"))


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """Restore the log, as commands in the process of the tests set it up anew."""
    with unchanged_log():
        yield


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


@asynccontextmanager
async def _shared_service(server_url: str, folder: Path) -> AsyncIterator[Service]:
    """Run a service with a GitHub and a database of its own."""
    with GitHubTestServer() as github:
        # Without a token, GitHub allows 60 requests an hour.
        github.hosting.add_token("of-the-module")
        token = SecretStr("of-the-module")
        async with (
            reused_database(server_url) as url,
            running_service(url, github, folder, github_token=token) as running,
        ):
            yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_service(
    mongod: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """One service for a module, for whose tests `unchanged_service` keeps everything as it is."""
    async with _shared_service(mongod, tmp_path_factory.mktemp("module")) as running:
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


@pytest.fixture(scope="module", params=["mongod", "embedded"])
def either_server(request: pytest.FixtureRequest) -> str:
    """The URL of a server of each kind, for services that the tests of a module share."""
    if request.param == "mongod":
        return str(request.getfixturevalue("mongod"))
    embedded: EmbeddedDatabase = request.getfixturevalue("embedded")
    return embedded.url


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_either(
    either_server: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """The same as `module_service` on each kind of database."""
    async with _shared_service(either_server, tmp_path_factory.mktemp("module")) as running:
        yield running


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
