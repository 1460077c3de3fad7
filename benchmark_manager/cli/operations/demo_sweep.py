"""The demo's sweep."""

from typing import Any, Final

import httpx2 as httpx
from rich.console import Console

from benchmark_manager import demo
from benchmark_manager.cli.operations.demo_requests import checked, command_name, curl_command
from benchmark_manager.client.tokens import TOKEN_VARIABLE
from benchmark_manager.domain.sweeps.yaml_values import read_yaml

#: The cell that the commands show.
_CELL: Final = 3


async def show_sweep(
    http: httpx.AsyncClient, console: Console, project_id: str, token: str | None
) -> dict[str, Any]:
    """Make a sweep of the sample's files, print where it is shown, and return it.

    Raises:
        StartError: the service refuses it.
    """
    definition = read_yaml(demo.sample_sweep(), "sweep")
    sweep: dict[str, Any] = (
        await checked(http.post(f"/projects/{project_id}/sweeps", json=definition))
    ).json()
    address = str(http.base_url).rstrip("/")
    path = f"{address}/sweeps/{sweep['id']}"
    variable = "" if token is None else f"{TOKEN_VARIABLE}=$TOKEN "
    pull = f"{variable}{command_name()} pull {sweep['id']}/{_CELL} --to cell --url {address}"
    console.print(
        f"""[bold]Look at a sweep[/bold]: {sweep["cells_count"]} exact sets of files, from two axes
  {address}/ui/sweeps/{sweep["id"]}
  {curl_command(token)} {path}/cells

[bold]Look at cell {_CELL}[/bold], and what it changes; get its files
  {curl_command(token)} {path}/cells/{_CELL}
  {pull}
"""
    )
    return sweep
