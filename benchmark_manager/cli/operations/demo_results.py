"""The demo measures its sweep: it pulls each cell, measures a toy engine, and uploads results."""

import asyncio
import json
import os
import platform
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from rich.console import Console

from benchmark_manager import demo
from benchmark_manager.cli.operations.demo_requests import command_name
from benchmark_manager.client import Client, RefusedError, Results
from benchmark_manager.client.tokens import TOKEN_VARIABLE
from benchmark_manager.demo.measuring.load import Load
from benchmark_manager.errors import StartError

_LOAD: Final = Load(requests=48, concurrency=32)
_NOTE: Final = "Measured on the demo's toy engine, which sleeps instead of computing."
#: Seconds before each further attempt, for a machine that does other things too.
_PAUSES: Final = (1, 2, 4, 8, 16)
#: The metrics between which the sample's settings are a trade-off.
_FRONT: Final = ("output_throughput", "tpot_p50")


@dataclass(frozen=True, slots=True)
class SweepToMeasure:
    """A sweep of a service, and where to keep its files.

    Attributes:
        address: of the service.
        sweep: as the service answers it.
        token: of somebody who may upload; None where everybody may.
        folder: for pulled cells and result files.
        load: what each measurement sends, with a seed of its own.
    """

    address: str
    sweep: dict[str, Any]
    token: str | None
    folder: Path
    load: Load = _LOAD


@dataclass(frozen=True, slots=True)
class _PulledCell:
    digest: str
    folder: Path
    receipt: str


async def measure_sweep(sweep: SweepToMeasure, console: Console) -> None:
    """Measure each cell of a sweep as often as it says, print progress and where the results are.

    Every cell is measured once before any is measured again, so that what else the machine does
    meanwhile affects all of them.

    Raises:
        StartError: a command fails.
        ClientError: the service refuses a result.
    """
    repeats = sweep.sweep["definition"]["repeats"]
    console.print(
        f"[bold]Measuring the cells[/bold] {repeats} times each, on a toy engine that sleeps "
        "instead of computing ..."
    )
    begin = time.monotonic()
    with Client(sweep.address, token=sweep.token) as client:
        cells = await _pull(sweep)
        result_id = ""
        for repeat in range(repeats):
            for cell in cells:
                result_id = await _result_of(cell, repeat, sweep, client)
            seconds = time.monotonic() - begin
            console.print(
                f"Repeat {repeat + 1} of {repeats}: {len(cells)} results after {seconds:.0f} s"
            )
    _say_where_to_look(sweep, console, result_id)


async def _pull(sweep: SweepToMeasure) -> list[_PulledCell]:
    pulled = await _run(
        *("benchmark_manager", "pull", sweep.sweep["id"], "--cells", "--receipt", "--json"),
        *("--to", str(sweep.folder / "cells"), "--url", sweep.address),
        token=sweep.token,
    )
    return [
        _PulledCell(each["digest"], Path(each["directory"]), each["receipt"]["id"])
        for each in json.loads(pulled)
    ]


async def _result_of(cell: _PulledCell, repeat: int, sweep: SweepToMeasure, client: Client) -> str:
    """Measure a cell, upload what came out, and return the result's id."""
    file = sweep.folder / f"cell-{cell.folder.name}-repeat-{repeat + 1}.json"
    load = replace(sweep.load, seed=repeat)
    options = [f"--{name}={value}" for name, value in asdict(load).items()]
    config = cell.folder / demo.ENGINE_FILE
    await _run("benchmark_manager.demo.measuring", str(config), f"--output={file}", *options)
    for pause in _PAUSES:
        try:
            return await asyncio.to_thread(_upload, client, sweep, cell, file)
        except RefusedError as error:
            if not error.is_temporary:
                raise
        await asyncio.sleep(pause)
    return await asyncio.to_thread(_upload, client, sweep, cell, file)


def _upload(client: Client, sweep: SweepToMeasure, cell: _PulledCell, file: Path) -> str:
    result = Results(client).upload(
        cell.digest,
        file.read_bytes(),
        file.name,
        project_id=sweep.sweep["project_id"],
        labels={"engine": "toy", "host": platform.node(), "cores": str(os.cpu_count())},
        note=_NOTE,
        receipt=cell.receipt,
    )
    result_id: str = result["id"]
    return result_id


def table_page(sweep: dict[str, Any]) -> str:
    """Return the path of the page that compares the cells of the demo's sweep with the first."""
    query = [
        ("sweep", sweep["id"]),
        *(("metric", name) for name in _FRONT),
        ("baseline", "0"),
        *zip(("front", "against"), _FRONT, strict=True),
    ]
    return f"/ui/projects/{sweep['project_id']}/results?{urlencode(query)}"


def _say_where_to_look(sweep: SweepToMeasure, console: Console, result_id: str) -> None:
    project, sweep_id = sweep.sweep["project_id"], sweep.sweep["id"]
    table = sweep.address + table_page(sweep.sweep)
    variable = "" if sweep.token is None else f"{TOKEN_VARIABLE}=$TOKEN "
    command = (
        f"{variable}{command_name()} result table {project} --sweep {sweep_id} --baseline 0 "
        f"--metrics {','.join(_FRONT)} --url {sweep.address}"
    )
    console.print(
        f"""
[bold]Compare what came out[/bold], beside what was varied
  {table}
  {table}#charts
  {command}

[bold]Cite a number[/bold] with the files that made it
  {sweep.address}/ui/results/{result_id}/cite
"""
    )


async def _run(*module_and_arguments: str, token: str | None = None) -> bytes:
    """Return what a module writes, in a process that Ctrl-C does not reach.

    The process ends with this task.

    Raises:
        StartError: it fails.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *module_and_arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=_environment(token),
        start_new_session=True,
    )
    try:
        written, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        last = errors.decode(errors="replace").strip().splitlines()[-1:]
        raise StartError(" ".join(["The demo failed to measure its sweep.", *last]))
    return written


def _environment(token: str | None) -> dict[str, str]:
    """Return this process's environment without the user's own token."""
    kept = {name: value for name, value in os.environ.items() if name != TOKEN_VARIABLE}
    return kept if token is None else kept | {TOKEN_VARIABLE: token}
