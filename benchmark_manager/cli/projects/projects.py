"""benchmark-manager projects list | add | preview | show, and files."""

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import WrongUsageError
from benchmark_manager.cli.terminal.given_texts import not_read
from benchmark_manager.cli.terminal.lookup import find_project
from benchmark_manager.cli.terminal.options import AsJson, ProjectArgument, Url
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Json, connect
from benchmark_manager.client.shapes import FILE, PREVIEW, PROJECT, PROJECT_DETAIL

Repository = Annotated[
    str,
    typer.Argument(
        # Typer reads brackets as markup.
        help="OWNER/REPO, https://github.com/OWNER/REPO, the same with /tree/BRANCH/FOLDER, "
        "or another common form of it."
    ),
]
Branch = Annotated[str | None, typer.Option(help="Else the repository's default branch.")]
Tag = Annotated[
    str | None, typer.Option(help="A tag instead of a branch; it is followed when it moves.")
]
Commit = Annotated[
    str | None, typer.Option(help="One commit instead of a branch, by all 40 digits of its id.")
]
TokenFile = Annotated[
    str | None,
    typer.Option(
        help="A file with the project's own GitHub token; `-`: standard input. "
        "The token is never shown."
    ),
]

Include = Annotated[
    list[str] | None,
    typer.Option(
        "--include",
        help="Only files that match, as in .gitignore, from the repository's root; may be repeated."
        " '': all files.",
    ),
]
Exclude = Annotated[
    list[str] | None,
    typer.Option("--exclude", help="No files that match; may be repeated. '': exclude none."),
]

app = typer.Typer(
    name="projects", help="The repositories that the service copies.", no_args_is_help=True
)


@app.command("list")
def list_projects(
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="Only names that contain this.")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List all projects by name."""
    with output.refusals_as_json(as_json), connect(url) as client:
        rows = client.rows("/projects", PROJECT, q=query)
    if as_json:
        output.write_json(rows)
        return
    output.table(
        ("NAME", "REPOSITORY", "BRANCH", "STATUS", ">FILES", "LAST SYNC", "ID"),
        [
            (
                row["name"],
                _repository(row),
                _ref(row),
                _status(row),
                (row["last_sync"] or {}).get("synced_files"),
                output.moment((row["last_sync"] or {}).get("finished_at")),
                row["id"],
            )
            for row in rows
        ],
    )


@app.command("show")
def show_project(project: ProjectArgument, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show one project and the result of its last sync."""
    with output.refusals_as_json(as_json), connect(url) as client:
        answer = client.get(f"/projects/{find_project(client, project)['id']}")
        found = client.json(answer, PROJECT_DETAIL)
    if as_json:
        output.write_json(answer.text)
    else:
        _show(found)


@app.command("add")
def add_project(
    name: Annotated[str, typer.Argument(help="Unique, regardless of case.")],
    repository: Repository,
    branch: Branch = None,
    tag: Tag = None,
    commit: Commit = None,
    config_folder: Annotated[str | None, typer.Option(help="Else the service's default.")] = None,
    job_folder: Annotated[str | None, typer.Option(help="Else the service's default.")] = None,
    interval: Annotated[
        int | None,
        typer.Option(help="Seconds between polls; 0: manual syncs and webhooks only.", min=0),
    ] = None,
    include: Include = None,
    exclude: Exclude = None,
    token_file: TokenFile = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Register a repository. Its first sync starts at once."""
    given = {
        **_chosen(branch, tag, commit),
        "config_folder": config_folder,
        "job_folder": job_folder,
        "polling_interval": interval,
        # Not an option's value, which a list of the machine's processes would show.
        "github_token": None if token_file is None else _token(token_file),
        "include": include,
        "exclude": exclude,
    }
    body = {"name": name, "github_repo_url": repository}
    body |= {field: value for field, value in given.items() if value is not None}
    with output.refusals_as_json(as_json), connect(url) as client:
        answer = client.send("POST", "/projects", body=body)
        made = client.json(answer, PROJECT_DETAIL)
    if as_json:
        output.write_json(answer.text)
        return
    print(made["id"])
    output.say(f"Registered. To wait for its first sync: benchmark-manager sync {made['id']}")


@app.command("update")
def update_project(
    project: ProjectArgument,
    include: Include = None,
    exclude: Exclude = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Change which files of a project's folders are copied. A new list replaces the old one."""
    body = {
        name: [pattern for pattern in patterns if pattern]
        for name, patterns in (("include", include), ("exclude", exclude))
        if patterns is not None
    }
    if not body:
        raise WrongUsageError("Give what to change: --include or --exclude.")
    with output.refusals_as_json(as_json), connect(url) as client:
        answer = client.send("PUT", f"/projects/{find_project(client, project)['id']}", body=body)
        found = client.json(answer, PROJECT_DETAIL)
    if as_json:
        output.write_json(answer.text)
    else:
        _show(found)


@app.command("preview")
def preview_repository(
    repository: Repository,
    branch: Branch = None,
    tag: Tag = None,
    commit: Commit = None,
    config_folder: Annotated[
        str | None, typer.Option(help="Count the files of this folder.")
    ] = None,
    job_folder: Annotated[str | None, typer.Option(help="Count the files of this folder.")] = None,
    include: Include = None,
    exclude: Exclude = None,
    token_file: TokenFile = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Show the branches and folders of a repository before it is added. Nothing is stored."""
    given = {
        **_chosen(branch, tag, commit),
        "config_folder": config_folder,
        "job_folder": job_folder,
        "include": include,
        "exclude": exclude,
        "github_token": None if token_file is None else _token(token_file),
    }
    body = {
        "github_repo_url": repository,
        **{name: value for name, value in given.items() if value is not None},
    }
    with output.refusals_as_json(as_json), connect(url) as client:
        answer = client.send("POST", "/repositories/preview", body=body)
        found = client.json(answer, PREVIEW)
    if as_json:
        output.write_json(answer.text)
    else:
        chosen = [("--branch", branch), ("--tag", tag), ("--commit", commit)]
        chosen += [("--include", pattern) for pattern in include or ()]
        chosen += [("--exclude", pattern) for pattern in exclude or ()]
        _show_preview(
            found, repository, [(option, value) for option, value in chosen if value is not None]
        )


def _show_preview(found: Json, repository: str, given: list[tuple[str, str]]) -> None:
    selected = found["selected"]
    counted = [
        f"{selected['config_files']} config",
        f"{selected['job_files']} job",
        *([f"{selected['files_by_content']} by content"] if selected["files_by_content"] else []),
        f"{selected['skipped_files']} skipped",
    ]
    output.fields(
        [
            ("repository", found["github_web_url"]),
            ("default branch", found["default_branch"]),
            ("branches", ", ".join(found["branches"]) + (", …" if found["more_branches"] else "")),
            ("config folder", selected["config_folder"] or "."),
            ("job folder", selected["job_folder"] or "."),
            ("files", ", ".join(counted)),
        ]
    )
    print()
    output.table(
        ("FOLDER", ">YAML", ">JSON", ">JOBS BY NAME", ">SKIPPED AS CONFIG", ">SKIPPED AS JOB"),
        [
            (
                row["path"] or ".",
                row["yaml_files"],
                row["json_files"],
                row["likely_jobs"] or None,
                row["as_config"]["skipped"] or None,
                row["as_job"]["skipped"] or None,
            )
            for row in found["folders"]
        ],
    )
    if not found["complete"]:
        output.say("There are more files: the repository is too large to be listed completely.")
    if found["more_folders"]:
        output.say(f"Only the first {len(found['folders'])} folders are shown.")
    folders = [
        ("--config-folder", selected["config_folder"] or "."),
        ("--job-folder", selected["job_folder"] or "."),
    ]
    options = [f"{option} {shlex.quote(value)}" for option, value in given + folders]
    command = f"benchmark-manager projects add NAME {shlex.quote(repository)} {' '.join(options)}"
    output.say(f"To add it: {command}")


def _chosen(branch: str | None, tag: str | None, commit: str | None) -> Json:
    """Return the fields of a request that name the branch, tag or commit.

    Raises:
        WrongUsageError: more than one was given.
    """
    given = {
        kind: name
        for kind, name in (("branch", branch), ("tag", tag), ("commit", commit))
        if name is not None
    }
    if len(given) > 1:
        raise WrongUsageError("Give one of --branch, --tag and --commit.")
    if not given or branch is not None:
        return {"branch": branch}
    [(kind, name)] = given.items()
    return {"ref": {"kind": kind, "name": name}}


def _ref(project: Json, *, with_kind: bool = True) -> str | None:
    """Return the branch that is read, or the tag or commit."""
    ref = project["ref"]
    if ref is None or ref["kind"] == "branch":
        return None if project["resolved_branch"] is None else str(project["resolved_branch"])
    name = str(ref["name"])
    return f"{ref['kind']} {name[:12] if ref['kind'] == 'commit' else name}" if with_kind else name


def files(
    project: ProjectArgument,
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="Only paths that contain this.")
    ] = None,
    file_type: Annotated[
        Literal["config", "job"] | None, typer.Option("--type", help="Only these.")
    ] = None,
    removed: Annotated[
        bool,
        typer.Option("--removed", help="Also removed originals that still have variants."),
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List a project's original files by path."""
    with output.refusals_as_json(as_json), connect(url) as client:
        path = f"/projects/{find_project(client, project)['id']}/files"
        rows = client.rows(
            path, FILE, q=query, file_type=file_type, include_removed="true" if removed else None
        )
    if as_json:
        output.write_json(rows)
        return
    output.table(
        ("PATH", "TYPE", ">SIZE", "VALIDITY", ">VARIANTS", "COMMIT", "ID"),
        [
            (
                row["path"] + (" (removed upstream)" if row["removed_at"] else ""),
                row["file_type"],
                output.size(row["size"]),
                row["validity"],
                row["modified_files_count"] or None,
                row["commit_sha"][:12],
                row["id"],
            )
            for row in rows
        ],
    )


def _token(source: str) -> str:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text("utf-8")
    except FileNotFoundError as error:
        raise WrongUsageError(not_read(source, error)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUsageError(
            f"The token cannot be read from {source} ({type(error).__name__})."
        ) from None
    return text.strip()


def _repository(project: Json) -> str:
    return str(project["github_web_url"]).removeprefix("https://github.com/")


def _status(project: Json) -> str:
    return f"{project['sync_status']}, paused" if project["paused"] else str(project["sync_status"])


def _show(project: Json) -> None:
    sync, stats, error = project["last_sync"], project["stats"], project["error"]
    drifts = [
        f"{count} {drift}" for drift, count in stats["modified_files_by_drift"].items() if count
    ]
    output.fields(
        [
            ("name", project["name"]),
            ("id", project["id"]),
            ("repository", project["github_web_url"]),
            (
                "branch" if project["ref"] is None else project["ref"]["kind"],
                _ref(project, with_kind=False),
            ),
            ("config folder", project["config_folder"] or "."),
            ("job folder", project["job_folder"] or "."),
            ("include", ", ".join(project["include"]) or None),
            ("exclude", ", ".join(project["exclude"]) or None),
            (
                "polled every",
                f"{project['polling_interval']} s" if project["polling_interval"] else "never",
            ),
            ("own token", project["github_token_set"]),
            ("status", _status(project)),
            ("error", None if error is None else f"{error['detail']} ({error['code']})"),
            (
                "last sync",
                None
                if sync is None
                else f"{output.moment(sync['finished_at'])}  {sync['message']}",
            ),
            ("commit", None if sync is None else sync["commit_sha"]),
            ("next poll", output.moment(project["next_poll_at"])),
            (
                "files",
                (
                    f"{stats['original_files']} "
                    f"({stats['config_files']} config, {stats['job_files']} job)"
                ),
            ),
            (
                "variants",
                f"{stats['modified_files']}" + (f" ({', '.join(drifts)})" if drifts else ""),
            ),
        ]
    )
