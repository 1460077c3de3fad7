"""Lists of results hold few of them whole at once, as one may have 10,000 metrics."""

import json
from collections.abc import AsyncIterator

import pytest_asyncio

from benchmark_manager.models.page import PageRequest
from benchmark_manager.models.result import ResultFilters
from support.principals import open_principal
from support.service import Service
from support.uploading import ReleasedProject, released_project

ADA = open_principal("ada")
REQUEST = PageRequest(limit=10)


@pytest_asyncio.fixture(loop_scope="session")
async def released(service: Service) -> AsyncIterator[ReleasedProject]:
    """A project with two results of small files and three of large ones, the newest first."""
    released = await released_project(service)
    for number in range(5):
        padding = "x" * (600_000 if number < 3 else 10)
        data = json.dumps({"metrics": {"ttft_p99": number}, "padding": padding}).encode()
        assert (await released.upload(data)).status_code == 201
    yield released


async def test_results_of_large_files_are_read_one_by_one(
    service: Service, released: ReleasedProject
) -> None:
    results = service.services.results
    page = await results.page(ADA, released.id, ResultFilters(), REQUEST)
    pieces = [piece async for piece in results.in_pieces(page.rows)]
    assert [len(piece) for piece in pieces] == [3, 1, 1]
    found = [result for piece in pieces for result in piece]
    assert [result.id for result in found] == [row.id for row in page.rows]
    assert all(result.parsed.points for result in found)


async def test_pages_that_list_results_read_no_metrics(
    service: Service, released: ReleasedProject
) -> None:
    page = await service.services.results.listed(ADA, released.id, ResultFilters(), REQUEST)
    assert {(result.parsed.tool, result.parsed.points) for result in page.rows} == {("plain", ())}
