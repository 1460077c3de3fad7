"""How the tests are run: in which order, by how many processes, and where their files lie.

Their fixtures are in `support.fixtures`.
"""

import gc
import importlib
import os
import shutil
import zlib
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

# What is imported and collected lives to the end. Looking for garbage in it takes each worker a
# quarter of the time until its first test; see `pytest_collection`.
gc.disable()

FIXTURES = ("support.fixtures", "support.databases", "support.forks")

#: The folder of the tests in a browser.
BROWSER = "tests/browser/"
#: Folders of tests that wait more than they work: for processes, time-outs and slow answers.
WAITING = (
    "tests/api/events/",
    "tests/api/http/",
    "tests/api/operations/",
    "tests/api/webhooks/",
    "tests/cli/operations/",
    "tests/client/",
    "tests/github/",
    "tests/github_test_server/",
    "tests/services/sync/",
    "tests/stores/database/",
    "tests/stores/embedded/",
    "tests/workers/",
)
#: Folders of tests that compute, and wait for nothing.
COMPUTING = ("tests/domain/", "tests/issuers/", "tests/messages/", "tests/models/")
#: Linux's file system in memory, and the room that a run may take there, bytes.
MEMORY = Path("/dev/shm")  # noqa: S108 -- pytest makes a folder of its own in it
ROOM = 8 * 1024**3


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures where tests run, and keep databases and repositories in memory.

    A quarter of the time of a run is waiting for a disk otherwise. The process that distributes
    tests to workers runs none, and would start them two seconds later with the service loaded.
    """
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        for plugin in FIXTURES:
            config.pluginmanager.register(importlib.import_module(plugin), plugin)
    if MEMORY.is_dir() and min(shutil.disk_usage(MEMORY).free, _free_memory()) > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


def _free_memory() -> int:
    """Return how much memory programs may still take, bytes."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return next(int(size) * 1024 for name, size, *_ in lines if name == "MemAvailable:")


class IndexedNames(list[str]):
    """Names of tests that are found without reading all before them, as the scheduler does."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names)
        self._positions = {name: position for position, name in enumerate(names)}

    def index(self, name: str, *_bounds: object) -> int:
        return self._positions[name]


class OneWorkerForEachModule(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Gives a module's tests to one worker, which then makes its shared fixtures once.

    All browser tests go to one, because several browsers and services are too slow.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        return BROWSER if module.startswith(BROWSER) else module

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        super().add_node_collection(node, collection)
        self.registered_collections[node] = IndexedNames(self.registered_collections[node])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Replace the scheduler that `--dist` names."""
    # As they are collected, not those with the most tests first.
    config.option.loadscopereorder = False
    return OneWorkerForEachModule(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Let a worker send one report of a test that passes, of five that nobody reads.

    Each costs both processes as much as a small test. A set-up or an end that fails is sent, and
    all are where their durations are asked for.
    """
    options = item.config.option
    if not hasattr(item.config, "workerinput") or options.durations is not None:
        return None
    for report in runtestprotocol(item, log=False, nextitem=nextitem):
        if report.when == "call" or not report.passed:
            item.ihook.pytest_runtest_logreport(report=report)
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order the modules so that the processor is busy all the time, and workers end together.

    The browser comes first, as it takes one worker longest. Modules that wait, that compute, and
    that do both are spread evenly over the run, so that they seldom meet their own kind. Those of
    a folder resemble each other, so each kind is mixed. Near the end none waits: it would end last.
    """
    modules: dict[str, list[pytest.Item]] = {}
    for item in items:
        modules.setdefault(item.nodeid.partition("::")[0], []).append(item)
    kinds: dict[str, list[str]] = {}
    for module in modules:
        kinds.setdefault(_kind(module), []).append(module)
    position = {
        module: (kind != "browser", number / len(of_kind) * (0.85 if kind == "waits" else 1))
        for kind, of_kind in kinds.items()
        for number, module in enumerate(sorted(of_kind, key=_mixing))
    }
    items[:] = [
        item for module in sorted(modules, key=position.__getitem__) for item in modules[module]
    ]


def _mixing(module: str) -> int:
    """Return a number by which modules come in an order that is the same in all processes."""
    return zlib.crc32(module.encode())


def _kind(module: str) -> str:
    if module.startswith(BROWSER):
        return "browser"
    if module.startswith(WAITING):
        return "waits"
    return "computes" if module.startswith(COMPUTING) else "both"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Leave what collecting makes out of garbage collections, then and later.

    It lives to the end, and takes long to search. The little garbage in it takes no more memory
    than was taken already.
    """
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(100_000, 20, 50)
        gc.enable()


@pytest.fixture
def _without_env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a folder without a .env file."""
    monkeypatch.chdir(tmp_path)
