"""benchmark-manager release create | list | show | diff."""

from collections.abc import Iterable
from typing import Annotated, Literal

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import WrongUsageError
from benchmark_manager.cli.terminal.lookup import (
    SHORT_DIGEST,
    find_project,
    find_release,
    find_variant,
)
from benchmark_manager.cli.terminal.options import (
    AsJson,
    ProjectArgument,
    ReleaseArgument,
    SweepProjectOption,
    Url,
)
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Json, connect
from benchmark_manager.client.shapes import COMPARISON, RELEASE, RELEASE_DETAIL

app = typer.Typer(
    name="release", help="Immutable sets of files, named by their digests.", no_args_is_help=True
)

_CREATED = 201


@app.command("create")
def create_release(
    project: ProjectArgument,
    name: Annotated[str, typer.Option("--name", "-n", help="Need not be unique.")] = "",
    description: Annotated[str, typer.Option("--description", "-d")] = "",
    pin: Annotated[
        bool, typer.Option("--pin", help="Keep it even if its project is deleted.")
    ] = False,
    include: Annotated[
        Literal["all", "originals", "modified"],
        typer.Option(
            help="`all`: originals and variants; a variant replaces the original with its path."
        ),
    ] = "all",
    variant: Annotated[
        list[str] | None,
        typer.Option("--variant", metavar="VARIANT", help="Only these variants; may be repeated."),
    ] = None,
    use: Annotated[
        list[str] | None,
        typer.Option(
            "--use",
            metavar="VARIANT",
            help="Put this variant in place of its original, at that path; may be repeated.",
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Freeze a project's files, and write the digest. Equal files always have the same digest."""
    with output.refusals_as_json(as_json), connect(url) as client:
        project_id = find_project(client, project)["id"]
        body: Json = {"name": name, "description": description, "pinned": pin, "include": include}
        if variant:
            body["modified_file_ids"] = [
                find_variant(client, project_id, one)["id"] for one in variant
            ]
        if use:
            body["substitute"] = _substitutes(find_variant(client, project_id, one) for one in use)
        answer = client.send("POST", f"/projects/{project_id}/releases", body=body)
        release = client.json(answer, RELEASE)
    if as_json:
        output.write_json(answer.text)
        return
    print(release["digest"])
    new = "" if answer.status_code == _CREATED else "; these files were a release already"
    output.say(f"{output.files(release['files_count'])}, {output.size(release['size'])}{new}.")


def _substitutes(variants: Iterable[Json]) -> dict[str, str]:
    """Return the ids of variants by the paths of their originals.

    Raises:
        WrongUsageError: two have one original.
    """
    found: dict[str, str] = {}
    for variant in variants:
        path = variant["original_path"]
        if found.setdefault(path, variant["id"]) != variant["id"]:
            raise WrongUsageError(f"Two variants of '{path}' cannot both stand in its place.")
    return found


@app.command("list")
def list_releases(
    project: ProjectArgument,
    cells: Annotated[
        bool, typer.Option("--cells", help="Also releases that only sweeps made.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List a project's releases, newest first."""
    with output.refusals_as_json(as_json), connect(url) as client:
        path = f"/projects/{find_project(client, project)['id']}/releases"
        rows = client.rows(path, RELEASE, **({"cells": "true"} if cells else {}))
    if as_json:
        output.write_json(rows)
        return
    output.table(
        ("DIGEST", "NAME", ">FILES", ">SIZE", "PINNED", "MADE", "BY"),
        [
            (
                *(
                    row["digest"][:SHORT_DIGEST],
                    row["name"],
                    row["files_count"],
                    output.size(row["size"]),
                ),
                *(
                    "yes" if row["pinned"] else "",
                    output.moment(row["created_at"]),
                    row["created_by"],
                ),
            )
            for row in rows
        ],
    )


@app.command("show")
def show_release(
    digest: ReleaseArgument,
    project: SweepProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show a release: its files, and the source of each."""
    with output.refusals_as_json(as_json), connect(url) as client:
        answer = client.get(f"/releases/{find_release(client, project, digest)}")
        release = client.json(answer, RELEASE_DETAIL)
    if as_json:
        output.write_json(answer.text)
        return
    output.fields(
        [
            ("digest", release["digest"]),
            ("name", release["name"]),
            ("description", release["description"]),
            ("made", f"{output.moment(release['created_at'])} by {release['created_by']}"),
            ("project", release["project_id"]),
            ("pinned", release["pinned"]),
            ("files", f"{release['files_count']}, {output.size(release['size'])}"),
        ]
    )
    print()
    output.table(
        ("PATH", ">SIZE", "SOURCE", "COMMIT", "VARIANT", ">REV", "SHA256"),
        [
            (
                *(file["path"], output.size(file["size"]), file["source"], file["commit_sha"][:12]),
                *(file["modified_file_id"], file["revision"], file["sha256"]),
            )
            for file in release["files"]
        ],
    )


@app.command("diff")
def diff_releases(
    before: ReleaseArgument,
    after: ReleaseArgument,
    project: SweepProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show which files differ between two releases, and which keys of them.

    For example, what two cells of a sweep differ in:

        benchmark-manager release diff "batch size/0" "batch size/3" --project vllm
    """
    with output.refusals_as_json(as_json), connect(url) as client:
        digits = [find_release(client, project, one) for one in (before, after)]
        answer = client.get(f"/releases/{digits[0]}/compare/{digits[1]}")
        compared = client.json(answer, COMPARISON)
    if as_json:
        output.write_json(answer.text)
        return
    output.differences(("FILE", "CHANGE", "KEY", "BEFORE", "AFTER"), _differences(compared))
    if not compared["complete"]:
        output.say("There are too many changed files to compare all of them by key.")


def _differences(compared: Json) -> list[tuple[str, ...]]:
    """Return the rows of files that differ, and of their keys where those are known."""
    nothing = ("", "", "")
    rows = [
        (path, change, *nothing) for change in ("added", "removed") for path in compared[change]
    ]
    for file in compared["changed"]:
        keys = [
            (
                *(change["kind"], change["path"]),
                *(output.value_at(change, "before"), output.value_at(change, "after")),
            )
            for change in file["changes"] or ()
        ]
        rows += [(file["path"], *key) for key in keys or [("changed", *nothing)]]
    return sorted(rows, key=lambda row: row[0])
