"""The HTTP tests' service: no answer may come which its own description does not announce."""

from collections.abc import AsyncIterator

import pytest

from support.problems import ObservedAnswers
from support.service import Service

FILES = {
    "config/a.yaml": b"model: llama\n",
    "config/deep/b.json": b'{"model": "llama"}\n',
    "job/run.yaml": b"apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: run\n",
}


@pytest.fixture
def files() -> dict[str, bytes]:
    """A small repository: two config files and a Job."""
    return dict(FILES)


@pytest.fixture
async def service(service: Service) -> AsyncIterator[Service]:
    observed = ObservedAnswers()
    service.http.event_hooks = {"request": [], "response": [observed.note]}
    yield service
    assert observed.undocumented == []


@pytest.fixture
async def embedded_service(embedded_service: Service) -> AsyncIterator[Service]:
    observed = ObservedAnswers()
    embedded_service.http.event_hooks = {"request": [], "response": [observed.note]}
    yield embedded_service
    assert observed.undocumented == []
