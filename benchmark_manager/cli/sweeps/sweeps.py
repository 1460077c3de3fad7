"""benchmark-manager sweep: create, preview, list, show, update, rebase and delete sweeps."""

from collections.abc import Sequence
from typing import Annotated, Final

import typer

from benchmark_manager.cli.sweeps.definition_files import definition_text, read_definition_file
from benchmark_manager.cli.sweeps.showing import (
    axes_of,
    change_columns,
    count_of_cells,
    say_notes,
    values_of,
)
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, WrongUsageError, printable
from benchmark_manager.cli.terminal.lookup import find_project, find_sweep
from benchmark_manager.cli.terminal.options import (
    AsJson,
    OptionalProjectArgument,
    OptionalProjectOption,
    OwnProjectOption,
    SweepArgument,
    SweepProjectOption,
    Url,
)
from benchmark_manager.cli.terminal.streams import is_interactive
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Json, connect
from benchmark_manager.client.sweeps import Sweeps

app = typer.Typer(
    name="sweep",
    help="Sweeps: a release for each combination of values in a project's files.\n\n"
    "For example:\n\n"
    "    benchmark-manager sweep preview batch.yaml --project vllm\n\n"
    "    benchmark-manager sweep create batch.yaml --project vllm\n\n"
    '    benchmark-manager sweep cells "batch size" --project vllm\n\n'
    '    benchmark-manager pull "batch size/3" --project vllm --to cells/3',
    no_args_is_help=True,
)

#: Seconds that making a thousand cells of a large project may take.
_MAKING_SECONDS: Final = 600.0

_DefinitionFile = Annotated[
    str,
    typer.Argument(metavar="FILE", help="The definition, as YAML or JSON; `-` for standard input."),
]
_Revision = Annotated[
    int | None,
    typer.Option(help="Only if the sweep is at this revision, as `sweep show` says.", min=1),
]


@app.command("create")
def create_sweep(
    file: _DefinitionFile,
    project: OwnProjectOption,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make the sweep that a definition describes, and write its id.

    All cells are made at once, from the project's files as they are now.
    """
    definition = read_definition_file(file)
    with output.refusals_as_json(as_json), connect(url, timeout=_MAKING_SECONDS) as client:
        sweep = Sweeps(client).create(find_project(client, project)["id"], definition)
    if as_json:
        output.write_json(sweep)
        return
    print(sweep["id"])
    say_notes(sweep["notes"])
    command = f"benchmark-manager sweep cells {sweep['id']}"
    output.say(f"{count_of_cells(sweep['cells_count'])}. To see them: {command}")


@app.command("preview")
def preview_sweep(
    file: _DefinitionFile,
    project: OwnProjectOption,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show the first 50 cells that a definition would make, and what they change.

    Nothing is stored.

    Exit code 1: the service would refuse it, or one of these cells is not valid.
    """
    definition = read_definition_file(file)
    with output.refusals_as_json(as_json), connect(url, timeout=_MAKING_SECONDS) as client:
        preview = Sweeps(client).preview(find_project(client, project)["id"], definition)
    if as_json:
        output.write_json(preview)
    else:
        _show_preview(preview)
    _refuse_invalid(preview["cells"])


def _show_preview(preview: Json) -> None:
    cells = preview["cells"]
    axes = axes_of(cells)
    unchanged = ("", "", "", "")
    output.table(
        (">CELL", *axes, "FILE", "KEY", "BEFORE", "AFTER"),
        [
            (cell["index"], *values_of(cell, axes), *columns)
            for cell in cells
            for columns in [change_columns(change) for change in cell["changes"]] or [unchanged]
        ],
    )
    say_notes(preview["notes"])
    _say_problems(cells)
    count = preview["cells_count"]
    shown = f"; the first {len(cells)} are shown" if len(cells) < count else ""
    output.say(f"{count_of_cells(count)}{shown}.")


def _say_problems(cells: Sequence[Json]) -> None:
    """Write each problem once, with the cells that have it."""
    found: dict[str, list[int]] = {}
    for cell in cells:
        for problem in cell["problems"]:
            line = output.problem_line(problem["file"], problem)
            found.setdefault(line, []).append(cell["index"])
    for line, indexes in found.items():
        more = f" and {len(indexes) - 1} more" if len(indexes) > 1 else ""
        output.say(f"{line} (cell {indexes[0]}{more})")


def _refuse_invalid(cells: Sequence[Json]) -> None:
    """End the command if cells are invalid.

    Raises:
        CommandError: there are some.
    """
    invalid = sum(cell["validity"] == "invalid" for cell in cells)
    if invalid:
        are = "is" if invalid == 1 else "are"
        detail = f"{invalid} of {count_of_cells(len(cells))} shown {are} not valid."
        raise CommandError(detail, "invalid_cells")


@app.command("list")
def list_sweeps(
    project: OptionalProjectArgument = None,
    in_project: OptionalProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List a project's sweeps, newest first."""
    if (reference := project or in_project) is None:
        raise WrongUsageError("Name the project, as in `sweep list PROJECT`.")
    with output.refusals_as_json(as_json), connect(url) as client:
        rows = list(Sweeps(client).of_project(find_project(client, reference)["id"]))
    if as_json:
        output.write_json(rows)
        return
    output.table(
        ("NAME", ">CELLS", ">GENERATION", "DRIFT", "CHANGED", "MADE BY", "DESCRIPTION", "ID"),
        [
            (
                *(row["name"], row["cells_count"], row["generation"], row["drift"]),
                *(output.moment(row["updated_at"]), row["created_by"]),
                *(row["description"], row["id"]),
            )
            for row in rows
        ],
    )


@app.command("show")
def show_sweep(
    sweep: SweepArgument,
    project: SweepProjectOption = None,
    as_yaml: Annotated[
        bool, typer.Option("--yaml", help="Only the definition, as `sweep update` takes it.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show a sweep and its definition.

    To change it: `sweep show SWEEP --yaml > s.yaml`, edit the file, `sweep update SWEEP s.yaml`.
    """
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_sweep(client, project, sweep)
    if as_json:
        output.write_json(found)
    elif as_yaml:
        output.write(definition_text(found["definition"]))
    else:
        _show(found)


def _show(found: Json) -> None:
    output.fields(
        [
            ("id", found["id"]),
            ("name", found["name"]),
            ("description", found["description"]),
            ("project", found["project_id"]),
            ("cells", found["cells_count"]),
            ("generation", found["generation"]),
            ("commit", found["base_commit_sha"]),
            ("drift", found["drift"]),
            ("revision", found["revision"]),
            ("made", f"{output.moment(found['created_at'])} by {found['created_by']}"),
            ("changed", output.moment(found["updated_at"])),
        ]
    )
    print()
    output.write(definition_text(found["definition"]))
    say_notes(found["notes"])


@app.command("update")
def update_sweep(
    sweep: SweepArgument,
    file: _DefinitionFile,
    project: SweepProjectOption = None,
    revision: _Revision = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Give a sweep another definition, on the files that its cells were made from.

    Cells whose values stay keep their index and digest; new cells are appended, and those that are
    no longer defined are retired and stay readable.
    """
    definition = read_definition_file(file)
    with output.refusals_as_json(as_json), connect(url, timeout=_MAKING_SECONDS) as client:
        found = find_sweep(client, project, sweep)
        updated = Sweeps(client).update(found["id"], definition, revision=revision)
    if as_json:
        output.write_json(updated)
        return
    say_notes(updated["notes"])
    if updated["revision"] == found["revision"]:
        output.say(f"{found['name']} is defined so already.")
    else:
        count = count_of_cells(updated["cells_count"])
        output.say(f"Saved {updated['name']} as revision {updated['revision']}: {count}.")


@app.command("rebase")
def rebase_sweep(
    sweep: SweepArgument,
    project: SweepProjectOption = None,
    revision: _Revision = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make a sweep's cells again, from the files as they are now.

    The new cells' indexes follow on; the older ones are retired and stay readable.
    """
    with output.refusals_as_json(as_json), connect(url, timeout=_MAKING_SECONDS) as client:
        found = find_sweep(client, project, sweep)
        rebased = Sweeps(client).rebase(found["id"], revision=revision)
    if as_json:
        output.write_json(rebased)
    elif rebased["generation"] == found["generation"]:
        output.say(f"{found['name']} is made from the newest files already.")
    else:
        count = count_of_cells(rebased["cells_count"])
        output.say(f"Made generation {rebased['generation']} of {rebased['name']}: {count}.")


@app.command("delete")
def delete_sweep(
    sweep: SweepArgument,
    project: SweepProjectOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Delete a sweep with its cells; pinned ones stay readable as releases."""
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_sweep(client, project, sweep)
        if not yes:
            _confirm(found)
        Sweeps(client).delete(found["id"])
    output.say(f"Deleted {found['name']}.")


def _confirm(found: Json) -> None:
    if not is_interactive():
        raise WrongUsageError("Give --yes where nobody can be asked.")
    count = count_of_cells(found["cells_count"])
    if not typer.confirm(f"Delete {printable(found['name'])} with its {count}?", err=True):
        raise typer.Exit(1)
