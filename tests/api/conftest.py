"""The HTTP tests' service: no answer may come which its own description does not announce."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from github_test_server import GitHubTestServer
from support.problems import ObservedAnswers
from support.reused_database import reused_database
from support.service import Service, running_service

FILES = {
    "config/a.yaml": b"model: llama\n",
    "config/deep/b.json": b'{"model": "llama"}\n',
    "job/run.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\n",
}


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    """A small repository: two config files and a Job."""
    return dict(FILES)


@pytest.fixture
async def service(service: Service) -> AsyncIterator[Service]:
    observed = ObservedAnswers()
    service.http.event_hooks = {"request": [], "response": [observed.note]}
    yield service
    assert observed.undocumented == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def reading(mongod: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for all tests of a module which change nothing."""
    observed = ObservedAnswers()
    with GitHubTestServer() as github:
        async with (
            reused_database(mongod) as url,
            running_service(url, github, tmp_path_factory.mktemp("reading")) as running,
        ):
            running.http.event_hooks = {"request": [], "response": [observed.note]}
            yield running
    assert observed.undocumented == []


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def module_service(module_service: Service) -> AsyncIterator[Service]:
    observed = ObservedAnswers()
    module_service.http.event_hooks = {"request": [], "response": [observed.note]}
    yield module_service
    assert observed.undocumented == []


@pytest.fixture
async def embedded_service(embedded_service: Service) -> AsyncIterator[Service]:
    observed = ObservedAnswers()
    embedded_service.http.event_hooks = {"request": [], "response": [observed.note]}
    yield embedded_service
    assert observed.undocumented == []
