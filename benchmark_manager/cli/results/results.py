"""benchmark-manager result: list, show, edit, delete and restore results."""

from collections.abc import Sequence
from itertools import islice
from typing import Annotated, Final

import typer

from benchmark_manager.cli.results.options import (
    LabelOption,
    OtherToolOption,
    ToolOption,
    labels_of,
)
from benchmark_manager.cli.results.showing import labels_text, measured, metric_rows
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import WrongUsageError
from benchmark_manager.cli.terminal.lookup import (
    SHORT_DIGEST,
    find_project,
    find_release,
    find_sweep,
)
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, Url
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Json, connect
from benchmark_manager.client.results import Results
from benchmark_manager.client.shapes import ID

app = typer.Typer(
    name="result",
    help="Results: files that benchmark tools wrote, bound to the digests that they ran on.\n\n"
    "For example:\n\n"
    "    benchmark-manager result upload vllm.json --release throughput/3 --project vllm "
    "--label gpu=H100\n\n"
    "    benchmark-manager result table vllm --sweep throughput --baseline 0 "
    "--metrics ttft_p99,output_throughput",
    no_args_is_help=True,
)

#: Rows of a list, unless asked otherwise.
_LISTED: Final = 100

_ResultArgument = Annotated[
    str, typer.Argument(metavar="ID", help="As `result upload` and `result list` write it.")
]
_Revision = Annotated[
    int | None,
    typer.Option(help="Only if the result is at this revision, as `result show` says.", min=1),
]


@app.command("list")
def list_results(
    project: ProjectArgument,
    release: Annotated[
        str | None,
        typer.Option(
            metavar="DIGEST", help="Only of this release, or cell of a sweep (SWEEP/INDEX)."
        ),
    ] = None,
    sweep: Annotated[
        str | None, typer.Option(metavar="SWEEP", help="Only of the cells of this sweep.")
    ] = None,
    tool: ToolOption = None,
    label: LabelOption = None,
    created_by: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only those that NAME uploaded.")
    ] = None,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="Those in the trash, and not the others.")
    ] = False,
    limit: Annotated[int, typer.Option(help="Stop after so many; 0: list all.", min=0)] = _LISTED,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List a project's results, newest first.

    Only those with all given labels: `--label gpu=H100 --label driver=570.124.06`.
    """
    labels = labels_of(label)
    with output.refusals_as_json(as_json), connect(url) as client:
        project_id = find_project(client, project)["id"]
        found = Results(client).of_project(
            project_id,
            release=None if release is None else find_release(client, project_id, release),
            sweep_id=None if sweep is None else find_sweep(client, project_id, sweep)["id"],
            tool=tool,
            labels=labels,
            created_by=created_by,
            deleted=deleted,
        )
        rows = list(islice(found, limit + 1) if limit else found)
    shown = rows[:limit] if limit else rows
    if as_json:
        output.write_json(shown)
    else:
        _show_list(shown)
    if len(rows) > len(shown):
        output.say(f"There are more than {limit}; --limit 0 lists all.")


def _show_list(rows: Sequence[Json]) -> None:
    output.table(
        ("FILE", "TOOL", "MEASURED", "RELEASE", ">CELL", "RECEIPT", "LABELS", "UPLOADED", "ID"),
        [
            (
                *(row["file_name"], row["tool"], measured(row)),
                *(row["release"][:SHORT_DIGEST], row["cell_index"]),
                *((row["receipt"] or {}).get("status"), labels_text(row["labels"])),
                *(output.moment(row["created_at"]), row["id"]),
            )
            for row in rows
        ],
    )


@app.command("show")
def show_result(
    result: _ResultArgument,
    raw: Annotated[
        bool, typer.Option("--raw", help="Write the uploaded file's exact bytes instead.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show a result: what it belongs to, its receipt, and its metrics."""
    if raw and as_json:
        raise WrongUsageError("Give either --raw or --json.")
    with output.refusals_as_json(as_json), connect(url) as client:
        if raw:
            with Results(client).raw(_id(result)) as body:
                for piece in body.pieces:
                    output.write_bytes(piece)
            return
        found = Results(client).get(_id(result))
    if as_json:
        output.write_json(found)
    else:
        _show(found)


def _show(found: Json) -> None:
    cell = "" if found["cell_index"] is None else f"{found['cell_index']} of {found['sweep_id']}"
    tool = " ".join(filter(None, (found["tool"], found["tool_version"])))
    output.fields(
        [
            ("id", found["id"]),
            ("file", f"{found['file_name']}, {output.size(found['size'])}"),
            ("sha256", found["sha256"]),
            ("tool", tool),
            ("release", found["release"]),
            ("cell", cell),
            ("project", found["project_id"]),
            ("labels", labels_text(found["labels"])),
            ("note", found["note"]),
            ("uploaded", f"{output.moment(found['created_at'])} by {found['created_by']}"),
            ("revision", found["revision"]),
            *_receipt_fields(found["receipt"]),
        ]
    )
    print()
    rows = metric_rows(found)
    if rows:
        output.table(("POINT", "METRIC", ">VALUE", "UNIT", "BETTER"), rows)
    for problem in found["problems"]:
        output.say(output.problem_line(found["file_name"], problem))


def _receipt_fields(receipt: Json | None) -> list[tuple[str, object]]:
    if receipt is None:
        return [("receipt", "not_verified (there is none)")]
    return [
        ("receipt", f"{receipt['status']} at {output.moment(receipt['at'])}"),
        ("differing", ", ".join(receipt["differing"])),
        ("node", receipt["node"]),
        ("image", receipt["image_id"]),
        ("gpus", ", ".join(receipt["gpus"])),
        ("driver", receipt["driver"]),
    ]


@app.command("edit")
def edit_result(
    result: _ResultArgument,
    label: LabelOption = None,
    remove_label: Annotated[
        list[str] | None,
        typer.Option("--remove-label", metavar="NAME", help="Remove a label; may be repeated."),
    ] = None,
    note: Annotated[
        str | None, typer.Option(help="Another note; '' removes it.", show_default=False)
    ] = None,
    tool: OtherToolOption = None,
    revision: _Revision = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Add, change or remove labels of a result, its note or its tool; its bytes never change."""
    if label is None and remove_label is None and note is None and tool is None:
        raise WrongUsageError("Give --label, --remove-label, --note or --tool.")
    given, removed = labels_of(label), set(remove_label or ())
    with output.refusals_as_json(as_json), connect(url) as client:
        results = Results(client)
        labels: dict[str, str] | None = None
        if given or removed:
            before = results.get(_id(result))
            kept = before["labels"].items()
            labels = {name: text for name, text in kept if name not in removed} | given
            # Of the revision that was read, or another's labels would be lost.
            revision = revision or before["revision"]
        saved = results.update(
            _id(result),
            labels=labels,
            note=note,
            tool="" if tool == "auto" else tool,
            revision=revision,
        )
    if as_json:
        output.write_json(saved)
    else:
        output.say(f"Saved {saved['file_name']} as revision {saved['revision']}.")


@app.command("delete")
def delete_results(
    results: Annotated[list[str], typer.Argument(metavar="ID", help="Of the results.")],
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Put results into the trash; `result undelete` restores them for TRASH_RETENTION_DAYS."""
    ids = [_id(result) for result in results]
    with output.refusals_as_json(as_json), connect(url) as client:
        for result_id in ids:
            Results(client).delete(result_id)
            output.say(f"Deleted {result_id}.")


@app.command("undelete")
def undelete_results(
    results: Annotated[list[str], typer.Argument(metavar="ID", help="Of the results.")],
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Take results out of the trash; `result list --deleted` has their ids."""
    ids = [_id(result) for result in results]
    restored: list[Json] = []
    with output.refusals_as_json(as_json), connect(url) as client:
        for result_id in ids:
            restored.append(Results(client).undelete(result_id))
            output.say(f"Restored {restored[-1]['file_name']}.")
    if as_json:
        output.write_json(restored)


def _id(reference: str) -> str:
    """Return an id as it is written.

    Raises:
        WrongUsageError: it is none.
    """
    if not ID.matches(reference.lower()):
        raise WrongUsageError(f"'{reference}' is no id of a result, which has 24 hex digits.")
    return reference.lower()
