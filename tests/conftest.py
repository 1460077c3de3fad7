"""Fixtures for all tests: real databases, our own GitHub, and the service over them."""

import gc
import os
import shutil
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from pydantic import SecretStr
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from benchmark_manager.config import Settings
from benchmark_manager.factory import Externals
from benchmark_manager.logs import configure_logging
from benchmark_manager.stores.embedded.embedded import EmbeddedDatabase
from benchmark_manager.workers.pool import WorkerPool
from github_test_server import GitHubTestServer
from support.examples import ALL, USUAL
from support.reused_database import reused_database
from support.service import Service, close_workers, running_service, shared_workers
from support.unchanged_log import unchanged_log

# What is imported and collected lives to the end. Looking for garbage in it again and again takes
# each worker a quarter of the time until its first test; see `pytest_collection`.
gc.disable()

pytest_plugins = ["support.databases", "support.forks"]

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

#: The folder of the tests in a browser.
BROWSER = "tests/browser/"
#: Folders of tests that start processes, browsers and whole syncs, the dearest first.
DEAREST = (
    BROWSER,
    "tests/cli/operations/",
    "tests/services/sync/",
    "tests/stores/",
    "tests/versions/",
    "tests/services/",
    "tests/cli/",
    "tests/web/",
    "tests/api/",
    "tests/github/",
)
#: Linux's file system in memory, and the room that a run may take there, bytes.
MEMORY = Path("/dev/shm")  # noqa: S108 -- pytest makes a folder of its own in it
ROOM = 8 * 1024**3
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


def pytest_configure() -> None:
    """Keep the databases and repositories of tests in memory where there is room for them.

    A quarter of the time of a run is waiting for a disk otherwise.
    """
    if MEMORY.is_dir() and min(shutil.disk_usage(MEMORY).free, _free_memory()) > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _free_memory() -> int:
    """Return how much memory programs may still take, bytes."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return next(int(size) * 1024 for name, size, *_ in lines if name == "MemAvailable:")


class OneWorkerForEachModule(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Gives a module's tests to one worker, which then makes its shared fixtures once.

    All browser tests go to one, because several browsers and services are too slow.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return BROWSER if module.startswith(BROWSER) else module


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Replace the scheduler that `--dist` names."""
    # As they are collected, not those with the most tests first.
    config.option.loadscopereorder = False
    return OneWorkerForEachModule(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put modules first that take long, so that all workers end at the same time."""
    items.sort(key=lambda item: _rank(item.nodeid))


def _rank(nodeid: str) -> int:
    ranks = (rank for rank, folder in enumerate(DEAREST) if nodeid.startswith(folder))
    return next(ranks, len(DEAREST))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what collecting makes out of garbage collections, then and later.

    It lives to the end, and takes long to search.
    """
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 50)
        gc.enable()


@pytest.fixture
def _without_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a folder without a .env file."""
    monkeypatch.chdir(tmp_path)
