"""benchmark-manager release create | list | show."""

from typing import Annotated, Literal

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.lookup import digest_digits, find_project, find_variant
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, ReleaseArgument, Url
from benchmark_manager.client.client import DEFAULT_URL, Json, connect
from benchmark_manager.client.shapes import RELEASE, RELEASE_DETAIL

app = typer.Typer(
    name="release", help="Immutable sets of files, named by their digests.", no_args_is_help=True
)

#: Length of a digest in a table; all commands accept that much of it.
_SHORT = len("sha256:") + 12
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
        answer = client.send("POST", f"/projects/{project_id}/releases", body=body)
        release = client.json(answer, RELEASE)
    if as_json:
        output.write_json(answer.text)
        return
    print(release["digest"])
    new = "" if answer.status_code == _CREATED else "; these files were a release already"
    output.say(f"{output.files(release['files_count'])}, {output.size(release['size'])}{new}.")


@app.command("list")
def list_releases(
    project: ProjectArgument, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """List a project's releases, newest first."""
    with output.refusals_as_json(as_json), connect(url) as client:
        rows = client.rows(f"/projects/{find_project(client, project)['id']}/releases", RELEASE)
    if as_json:
        output.write_json(rows)
        return
    output.table(
        ("DIGEST", "NAME", ">FILES", ">SIZE", "PINNED", "MADE", "BY"),
        [
            (
                *(
                    row["digest"][:_SHORT],
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
def show_release(digest: ReleaseArgument, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show a release: its files, and the source of each."""
    digits = digest_digits(digest)
    with output.refusals_as_json(as_json), connect(url) as client:
        answer = client.get(f"/releases/{digits}")
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
