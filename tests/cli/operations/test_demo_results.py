"""The demo measures its sweep: from pulled cells to results of their digests."""

import io
import re
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from rich.console import Console

from benchmark_manager import demo
from benchmark_manager.cli.operations.demo_results import SweepToMeasure, measure_sweep
from benchmark_manager.demo.measuring.load import Load
from support.commands import ServiceCommands
from support.service import Json

DEFINITION: dict[str, Any] = {
    "name": "batch size",
    "files": {"engine": demo.ENGINE_FILE},
    "axes": [{"name": "seqs", "set": ["engine:engine.max_num_seqs"], "values": [128, 256]}],
}


@dataclass(frozen=True)
class MeasuredDemo:
    """The cells of a sweep, their results, the oldest first, and what was printed."""

    cells: list[Json]
    results: list[Json]
    printed: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def measured(cli: ServiceCommands, tmp_path_factory: pytest.TempPathFactory) -> MeasuredDemo:
    """What measuring two cells once, with a small load, came to."""
    cli.service.repository("acme/measured", demo.first_commit())
    project = await cli.service.synced("acme/measured", config_folder="config", job_folder="job")
    path = f"/projects/{project['id']}"
    sweep = await cli.service.post(f"{path}/sweeps", DEFINITION, 201)
    printed = io.StringIO()
    folder = tmp_path_factory.mktemp("measured")
    to_measure = SweepToMeasure(cli.url, sweep, None, folder, Load(requests=6, concurrency=3))
    await measure_sweep(to_measure, Console(file=printed, soft_wrap=True))
    cells = await cli.service.rows(f"/sweeps/{sweep['id']}/cells")
    results = await cli.service.rows(f"{path}/results")
    return MeasuredDemo(cells, results[::-1], printed.getvalue())


async def test_every_cell_of_a_sweep_has_a_result(measured: MeasuredDemo) -> None:
    digests = [cell["digest"] for cell in measured.cells]
    assert [result["release"] for result in measured.results] == digests
    assert "Repeat 1 of 1: 2 results after " in measured.printed


async def test_the_measured_files_were_verified(measured: MeasuredDemo) -> None:
    assert [result["receipt"]["status"] for result in measured.results] == ["verified"] * 2


async def test_results_say_that_the_engine_is_a_toy(measured: MeasuredDemo) -> None:
    assert [result["labels"]["engine"] for result in measured.results] == ["toy"] * 2
    assert "toy engine" in measured.results[0]["note"]
    assert "toy engine" in measured.printed


async def test_every_request_of_the_load_was_answered(measured: MeasuredDemo) -> None:
    points = [result["points"][0]["metrics"] for result in measured.results]
    assert [point["completed"]["value"] for point in points] == [6, 6]


async def test_the_printed_table_has_a_row_for_each_cell(
    measured: MeasuredDemo, cli: ServiceCommands
) -> None:
    [address] = re.findall(r"http\S+(/ui/projects/\S+)#charts", measured.printed)
    page = (await cli.service.http.get(address)).text
    rows = [cell["index"] for cell in measured.cells if f'/cells/{cell["index"]}"' in page]
    assert rows == [0, 1]
    assert 'id="charts"' in page


async def test_the_printed_citation_names_the_digest(
    measured: MeasuredDemo, cli: ServiceCommands
) -> None:
    [address] = re.findall(r"http\S+(/ui/results/\S+)", measured.printed)
    assert measured.results[-1]["release"] in (await cli.service.http.get(address)).text
