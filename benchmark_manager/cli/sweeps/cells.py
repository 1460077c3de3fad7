"""benchmark-manager sweep cells | diff."""

from collections.abc import Sequence
from typing import Annotated

import typer

from benchmark_manager.cli.sweeps.showing import axes_of, change_columns, combination, values_of
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, WrongUsageError
from benchmark_manager.cli.terminal.lookup import SHORT_DIGEST, find_sweep
from benchmark_manager.cli.terminal.options import AsJson, SweepArgument, SweepProjectOption, Url
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Json, connect
from benchmark_manager.client.shapes import CELL
from benchmark_manager.client.sweeps import Sweeps


def list_cells(
    sweep: SweepArgument,
    axis: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Only cells in which the axis NAME has this value: JSON, or else a text. May be "
            "repeated.",
        ),
    ] = None,
    retired: Annotated[
        bool, typer.Option("--retired", help="Only cells of older definitions and generations.")
    ] = False,
    project: SweepProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List the cells of a sweep: their values, and the digests of their releases.

    For example, all digests in which the batch size is 256:

        benchmark-manager sweep cells SWEEP --axis seqs=256 --json | jq -r '.[].digest'
    """
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_sweep(client, project, sweep)
        filters = {f"axis.{name}": value for name, value in _filters(axis or [], found)}
        path = f"/sweeps/{found['id']}/cells"
        rows = client.rows(path, CELL, retired="true" if retired else "false", **filters)
    if as_json:
        output.write_json(rows)
    else:
        _show(rows)
        if filters and not rows:
            names = ", ".join(_names_of_axes(found))
            output.say(f"No cell has these values. The axes are {names}.")


def _filters(given: Sequence[str], sweep: Json) -> list[tuple[str, str]]:
    """Return names of axes with the texts of values; the names may have `=` themselves.

    Raises:
        WrongUsageError: there is no `=`.
    """
    known = _names_of_axes(sweep)
    return [_filter(text, known) for text in given]


def _names_of_axes(sweep: Json) -> list[str]:
    axes = sweep["definition"].get("axes")
    known = [one.get("name") for one in axes if isinstance(one, dict)] if axes else []
    return [name for name in known if isinstance(name, str)]


def _filter(text: str, known: Sequence[str]) -> tuple[str, str]:
    if "=" not in text:
        raise WrongUsageError(f"--axis {text}: write NAME=VALUE.")
    named = [name for name in known if text.startswith(f"{name}=")]
    name = max(named, key=len) if named else text.partition("=")[0]
    return name, text[len(name) + 1 :]


def _show(rows: Sequence[Json]) -> None:
    axes = axes_of(rows)
    also = ("EQUAL TO",) if any(row["also"] for row in rows) else ()
    output.table(
        (">CELL", *axes, "VALIDITY", ">RESULTS", "DIGEST", *also),
        [
            (
                *(row["index"], *values_of(row, axes)),
                *(row["validity"], row["results_count"], row["digest"][:SHORT_DIGEST]),
                *("; ".join(map(combination, row["also"])) for _ in also),
            )
            for row in rows
        ],
    )


def diff_cell(
    sweep: SweepArgument,
    index: Annotated[int, typer.Argument(help="The cell's index in `sweep cells`.", min=0)],
    keys: Annotated[bool, typer.Option("--keys", help="A table of the keys that differ.")] = False,
    project: SweepProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Write what a cell changes as a patch for `patch -p1` or `git apply`.

    Before it are the files that the cell was made from.
    """
    with output.refusals_as_json(as_json), connect(url) as client:
        cell = Sweeps(client).cell(find_sweep(client, project, sweep)["id"], index)
    if as_json:
        output.write_json(cell)
    elif keys:
        output.differences(
            ("FILE", "KEY", "BEFORE", "AFTER"),
            [change_columns(change) for change in cell["changes"]],
            none=output.NO_KEYS_DIFFER,
        )
    elif cell["unified"] is None:
        reason = "Computing the patch takes too much time; use --keys."
        raise CommandError(reason, "too_complex")
    else:
        output.write_patch(cell["unified"].encode("utf-8", "backslashreplace"))
