"""benchmark-manager variants: list, create, rename, compare, delete and restore variants."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.given_texts import read_text
from benchmark_manager.cli.terminal.lookup import (
    find_deleted_variant,
    find_file,
    find_project,
    find_variant,
)
from benchmark_manager.cli.terminal.options import (
    AllowInvalid,
    AsJson,
    ContentFile,
    ProjectArgument,
    ProjectOption,
    Url,
    VariantArgument,
)
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Json, connect
from benchmark_manager.client.shapes import (
    DIFF,
    OF_PROJECT,
    REVISION,
    TRASHED,
    VARIANT,
    VARIANTS_TABLE,
)

app = typer.Typer(
    name="variants", help="Variants: people's changed copies of originals.", no_args_is_help=True
)

_FileArgument = Annotated[
    str,
    typer.Argument(metavar="FILE", help="The original: its id, its path, or a part of the path."),
]
_Description = Annotated[
    str | None, typer.Option("--description", "-d", help="What is changed, in your words.")
]

#: Who changed a value since the base: the mark, and what it says.
_KINDS: Final = {
    "mine": ("(changed here)", "the variant has another value than its base."),
    "upstream": (
        "(changed upstream since)",
        "the original has a new value; the variant still has its base's.",
    ),
    "both": ("(both)", "the variant and the original both have other values than the base."),
}


@app.command("list")
def list_variants(
    project: ProjectArgument,
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="Only paths that contain this.")
    ] = None,
    file_type: Annotated[
        Literal["config", "job"] | None, typer.Option("--type", help="Only these.")
    ] = None,
    drift: Annotated[
        Literal["current", "behind", "conflict", "upstream_removed"] | None,
        typer.Option(help="Only those whose originals are so."),
    ] = None,
    original: Annotated[
        str | None, typer.Option("--original", metavar="FILE", help="Only those of this original.")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List a project's variants by path."""
    with output.refusals_as_json(as_json), connect(url) as client:
        project_id = find_project(client, project)["id"]
        original_id = None if original is None else find_file(client, project_id, original)["id"]
        rows = client.rows(
            f"/projects/{project_id}/modified-files",
            VARIANT,
            q=query,
            file_type=file_type,
            drift=drift,
            original_file_id=original_id,
        )
    if as_json:
        output.write_json(rows)
    else:
        _show_variants(rows)


def _show_variants(rows: Sequence[Json]) -> None:
    output.table(
        ("PATH", "ORIGINAL", ">REV", "DRIFT", "VALIDITY", "CHANGED", "BY", "DESCRIPTION", "ID"),
        [
            (
                row["path"],
                row["original_path"],
                row["revision"],
                row["drift"],
                row["validity"],
                output.moment(row["updated_at"]),
                row["updated_by"],
                row["description"],
                row["id"],
            )
            for row in rows
        ],
    )


@app.command("new")
def new_variant(
    project: ProjectArgument,
    file: _FileArgument,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="A file name; else the original's.")
    ] = None,
    content: ContentFile = None,
    description: _Description = None,
    allow_invalid: AllowInvalid = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Create a variant of an original; without --file it has the original's content."""
    text = None if content is None else read_text(content)
    with output.refusals_as_json(as_json), connect(url) as client:
        project_id = find_project(client, project)["id"]
        body = {
            "original_file_id": find_file(client, project_id, file)["id"],
            "modified_name": name,
            "content": text,
            "description": description,
        }
        answer = client.send(
            "POST",
            f"/projects/{project_id}/modified-files",
            params={"allow_invalid": "true" if allow_invalid else None},
            body=body,
        )
        made = client.json(answer, VARIANT)
    if as_json:
        output.write_json(answer.text)
        return
    print(made["id"])
    command = f"benchmark-manager variants edit {made['id']}"
    output.say(f"Created {made['path']}. To change it: {command}")


@app.command("show")
def show_variant(
    variant: VariantArgument,
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Write a variant's exact content to standard output."""
    with output.refusals_as_json(as_json), connect(url) as client:
        path = f"/modified-files/{find_variant(client, project, variant)['id']}"
        answer = client.get(path if as_json else f"{path}/raw")
    if as_json:
        output.write_json(answer.text)
    else:
        output.write_bytes(answer.content)


@app.command("rename")
def rename_variant(
    variant: VariantArgument,
    name: Annotated[str, typer.Argument(help="A file name, not a path.")],
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Give a variant another name."""
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_variant(client, project, variant)
        answer = client.send("PUT", f"/modified-files/{found['id']}", body={"modified_name": name})
        renamed = client.json(answer, VARIANT)
    if as_json:
        output.write_json(answer.text)
    else:
        output.say(f"Renamed {found['path']} to {renamed['path']}.")


@app.command("delete")
def delete_variant(
    variant: VariantArgument,
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Delete a variant. `variants undelete` can restore it for some weeks."""
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_variant(client, project, variant)
        client.send("DELETE", f"/modified-files/{found['id']}")
    command = f"benchmark-manager variants undelete {found['id']}"
    output.say(f"Deleted {found['path']}. To restore it: {command}")


@app.command("trash")
def list_trash(project: ProjectArgument, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List a project's deleted variants, last deleted first."""
    with output.refusals_as_json(as_json), connect(url) as client:
        rows = client.rows(f"/projects/{find_project(client, project)['id']}/trash", TRASHED)
    if as_json:
        output.write_json(rows)
        return
    output.table(
        ("PATH", "DELETED", "BY", "KEPT UNTIL", "ID"),
        [
            (
                *(row["path"], output.moment(row["deleted_at"]), row["deleted_by"]),
                *(output.moment(row["restorable_until"]), row["id"]),
            )
            for row in rows
        ],
    )


@app.command("undelete")
def undelete_variant(
    variant: VariantArgument,
    name: Annotated[
        str | None, typer.Option("--name", "-n", help="Another name, if its own is taken.")
    ] = None,
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Restore a deleted variant with all its revisions."""
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_deleted_variant(client, project, variant)
        answer = client.send(
            "POST", f"/modified-files/{found['id']}/undelete", body={"modified_name": name}
        )
        restored = client.json(answer, VARIANT)
    if as_json:
        output.write_json(answer.text)
    else:
        output.say(f"Restored {restored['path']}.")


@app.command("history")
def list_history(
    variant: VariantArgument,
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List a variant's revisions, newest first."""
    with output.refusals_as_json(as_json), connect(url) as client:
        variant_id = find_variant(client, project, variant)["id"]
        rows = client.rows(f"/modified-files/{variant_id}/revisions", REVISION)
    if as_json:
        output.write_json(rows)
        return
    output.table(
        (">REV", "WHAT", "WHEN", "BY", "NAME", ">SIZE", "BASE COMMIT"),
        [
            (
                *(row["number"], row["what"], output.moment(row["created_at"]), row["created_by"]),
                *(row["modified_name"], output.size(row["size"]), row["base_commit_sha"][:12]),
            )
            for row in rows
        ],
    )


@app.command("restore")
def restore_variant(
    variant: VariantArgument,
    revision: Annotated[int, typer.Argument(help="Its number in `variants history`.", min=1)],
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Restore an earlier revision of a variant, as a new revision."""
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_variant(client, project, variant)
        answer = client.send(
            "POST", f"/modified-files/{found['id']}/restore", body={"revision": revision}
        )
        restored = client.json(answer, VARIANT)
    if as_json:
        output.write_json(answer.text)
    else:
        number = restored["revision"]
        output.say(f"Restored revision {revision} of {restored['path']} as revision {number}.")


@app.command("reattach")
def reattach_variant(
    variant: VariantArgument,
    original: Annotated[
        str,
        typer.Argument(
            metavar="ORIGINAL", help="An original: its id, its path, or a part of the path."
        ),
    ],
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Attach a variant to another original, such as when its own was removed.

    The variant's text stays as it is; the original's current text becomes its base.
    """
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_variant(client, project, variant)
        project_id = client.json(client.get(f"/modified-files/{found['id']}"), OF_PROJECT)[
            "project_id"
        ]
        body = {"original_file_id": find_file(client, project_id, original)["id"]}
        answer = client.send("POST", f"/modified-files/{found['id']}/reattach", body=body)
        attached = client.json(answer, VARIANT)
    if as_json:
        output.write_json(answer.text)
    elif attached["revision"] == found["revision"]:
        output.say(f"{attached['path']} is already attached to {attached['original_path']}.")
    else:
        output.say(f"Attached {attached['path']} to {attached['original_path']}.")


@app.command("diff")
def diff_variant(
    variant: VariantArgument,
    against: Annotated[
        str,
        typer.Option(
            help="`base`: the original's content that it is based on. "
            "`original`: the original now. `revision:N`: its own revision."
        ),
    ] = "base",
    keys: Annotated[bool, typer.Option("--keys", help="A table of the keys that differ.")] = False,
    project: ProjectOption = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Write a variant's changes as a patch for `patch -p1` or `git apply`."""
    with output.refusals_as_json(as_json), connect(url) as client:
        path = f"/modified-files/{find_variant(client, project, variant)['id']}/diff"
        answer = client.get(path, against=against, format="json" if keys or as_json else "unified")
        by_keys = client.json(answer, DIFF) if keys and not as_json else None
    if by_keys is not None:
        _show_changes(by_keys["changes"])
    elif as_json:
        output.write_json(answer.text)
    else:
        output.write_patch(answer.content)


def _show_changes(changes: Sequence[Json] | None) -> None:
    if changes is None:
        raise CommandError(
            "The texts cannot be compared by keys, since one of them does not parse; omit --keys.",
            "no_keys",
        )
    output.differences(
        ("KEY", "CHANGE", "BEFORE", "AFTER"),
        [
            (
                change["path"],
                change["kind"],
                "" if change["kind"] == "added" else output.value_at(change, "before"),
                "" if change["kind"] == "removed" else output.value_at(change, "after"),
            )
            for change in changes
        ],
        none=output.NO_KEYS_DIFFER,
    )


@app.command("compare")
def compare_variants(
    project: ProjectArgument, file: _FileArgument, url: Url = DEFAULT_URL, as_json: AsJson = False
) -> None:
    """Show all variants of an original side by side, by the keys in which they differ."""
    with output.refusals_as_json(as_json), connect(url) as client:
        project_id = find_project(client, project)["id"]
        answer = client.get(
            f"/projects/{project_id}/files/{find_file(client, project_id, file)['id']}/variants"
        )
        compared = client.json(answer, VARIANTS_TABLE)
    if as_json:
        output.write_json(answer.text)
        return
    if compared["rows"] is None:
        raise CommandError("The original does not parse, so it cannot be compared.", "no_keys")
    columns = compared["columns"]
    output.differences(
        ("KEY", "ORIGINAL", *(column["modified_name"] for column in columns)),
        [_row(row, columns, compared["kinds"]) for row in compared["rows"]],
        none=output.NO_KEYS_DIFFER,
    )
    shown = {
        kinds[row["path"]]
        for row in compared["rows"]
        for kinds in compared["kinds"].values()
        if row["path"] in kinds
    }
    for kind, (mark, meaning) in _KINDS.items():
        if kind in shown:
            output.say(f"{mark}: {meaning}")


def _row(row: Json, columns: Sequence[Json], kinds: Json) -> list[str]:
    values = {"original": row["original"], **row["values"]}
    there = {name: value for name, value in values.items() if name not in row["absent"]}
    cells = [
        _marked(output.value_at(there, column["id"]), kinds.get(column["id"], {}).get(row["path"]))
        for column in columns
    ]
    return [row["path"], output.value_at(there, "original"), *cells]


def _marked(value: str, kind: str | None) -> str:
    return value if kind not in _KINDS else f"{value} {_KINDS[kind][0]}".lstrip()
