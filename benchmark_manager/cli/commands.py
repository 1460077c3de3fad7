"""benchmark-manager: commands that run the service, and commands that use a running service.

The modules of a command are imported when it runs, so that `pull` starts in a quarter of the time
that importing the server takes.
"""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from benchmark_manager.cli.access import accounts, tokens
from benchmark_manager.cli.access.signing_in import login, logout, whoami
from benchmark_manager.cli.projects import projects, webhook
from benchmark_manager.cli.projects.sync import sync_project
from benchmark_manager.cli.releases import releases
from benchmark_manager.cli.releases.pull import pull_release
from benchmark_manager.cli.results import results
from benchmark_manager.cli.results.table import show_table, write_report
from benchmark_manager.cli.results.upload import upload_results
from benchmark_manager.cli.search.search import search_files
from benchmark_manager.cli.sweeps import sweeps
from benchmark_manager.cli.sweeps.cells import diff_cell, list_cells
from benchmark_manager.cli.sweeps.importing import import_sweep
from benchmark_manager.cli.terminal.called import called_commands
from benchmark_manager.cli.terminal.failures import CommandGroup, printable
from benchmark_manager.cli.terminal.streams import ensure_utf8_arguments, standard_streams
from benchmark_manager.cli.validation.validate import validate_files
from benchmark_manager.cli.variants import variants
from benchmark_manager.cli.variants.editing import edit_variant
from benchmark_manager.cli.variants.rebase import rebase_variant
from benchmark_manager.cli.variants.rebase_all import rebase_all_variants
from benchmark_manager.errors import StartError
from benchmark_manager.version import __version__

app = typer.Typer(
    name="benchmark-manager",
    cls=CommandGroup,
    help="Exact copies of benchmark configuration and Kubernetes Jobs from GitHub, and variants of "
    "them, kept apart.\n\n"
    "Settings are environment variables, or lines of a file named .env; README.md lists them.\n\n"
    "Exit code 1: the command could not start, or the service refused; one line on standard error "
    "says why. 2: wrong usage. 3: bytes do not match a digest. 4: the service cannot be reached.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(projects.app, name="projects")
app.command("sync")(sync_project)
app.command("files")(projects.files)
app.command("search")(search_files)
app.add_typer(variants.app, name="variants")
variants.app.command("edit")(edit_variant)
variants.app.command("rebase")(rebase_variant)
variants.app.command("rebase-all")(rebase_all_variants)
app.add_typer(releases.app, name="release")
app.add_typer(sweeps.app, name="sweep")
sweeps.app.command("cells")(list_cells)
sweeps.app.command("diff")(diff_cell)
sweeps.app.command("import")(import_sweep)
app.command("pull")(pull_release)
app.add_typer(results.app, name="result")
results.app.command("upload")(upload_results)
results.app.command("table")(show_table)
results.app.command("report")(write_report)
app.command("validate")(validate_files)
app.add_typer(webhook.app, name="webhook")
app.command("login")(login)
app.command("logout")(logout)
app.command("whoami")(whoami)
app.add_typer(accounts.app, name="accounts")
app.add_typer(tokens.app, name="tokens")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error at the start becomes one line and exit code 1."""
    if arguments is None:
        ensure_utf8_arguments()
    with standard_streams():
        try:
            words = sys.argv[1:] if arguments is None else list(arguments)
            called_commands(app, words)(args=words)
        except StartError as error:
            _fail(error.detail)


def _fail(message: str) -> NoReturn:
    print(printable(f"benchmark-manager: {message}"), file=sys.stderr)
    raise SystemExit(1)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on, instead of HOST.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on, instead of PORT.", min=0, max=65535)
    ] = None,
) -> None:
    """Start the service.

    It uses MongoDB if MONGO_URL is set, else an embedded database in DATA_DIR (for evaluation on
    one machine). It is ready when GET /health answers 200, and stops within 9 seconds of Ctrl-C or
    SIGTERM, with exit code 0.

    Exit code 1: it could not start; one line on standard error says why.
    """
    from benchmark_manager.config import load_settings  # noqa: PLC0415 -- see above

    settings = load_settings()
    # These take longer to import, and a wrong setting is reported before.
    from benchmark_manager.cli.operations import serve as server  # noqa: PLC0415
    from benchmark_manager.logs import configure_logging  # noqa: PLC0415

    changes = {
        name: value for name, value in {"host": host, "port": port}.items() if value is not None
    }
    settings = settings.model_copy(update=changes)
    configure_logging(settings.log_level, settings.log_format)
    server.serve(settings)


# Hidden where it cannot run, such as in the image.
@app.command(hidden=shutil.which("git") is None)
def demo(
    port: Annotated[
        int | None,
        typer.Option(
            help="The service's port; else 8001, or a free one if taken.", min=1, max=65535
        ),
    ] = None,
    github_port: Annotated[
        int, typer.Option(help="The GitHub test server's port; 0: a free one.", min=0, max=65535)
    ] = 0,
    change_after: Annotated[
        float,
        typer.Option(help="Seconds after which the sample repository changes upstream.", min=0),
    ] = 8.0,
    measure: Annotated[
        bool,
        typer.Option(help="Measure the sweep's cells on a toy engine, which takes about a minute."),
    ] = True,
    once: Annotated[
        bool,
        typer.Option("--once", help="Stop when polling has found the change, and all is measured."),
    ] = False,
    accounts: Annotated[
        bool,
        typer.Option(
            "--accounts",
            help="People have to sign in: three with different roles and an administrator, whose "
            "passwords are made anew and printed.",
        ),
    ] = False,
) -> None:
    """Start everything with a sample repository, and print what to try.

    It uses no network beyond this machine, and deletes everything when it stops. It needs the git
    command.
    """
    from benchmark_manager.cli.operations import demo as program  # noqa: PLC0415 -- see above

    program.run_demo(
        program.DemoOptions(
            port=port,
            github_port=github_port,
            change_after=change_after,
            measure=measure,
            once=once,
            accounts=accounts,
        )
    )


@app.command("rotate-key")
def rotate_key() -> None:
    """Encrypt every stored token with the first key of SECRET_KEY.

    To change keys: put the new key before the old one (SECRET_KEY=new,old), restart every replica,
    run this, then drop the old key. With the embedded database, stop the service first.

    Exit code 2: some tokens could not be decrypted with any key; they must be entered again.
    """
    from rich.console import Console  # noqa: PLC0415 -- see above

    from benchmark_manager.cli.operations.rotation import rotate  # noqa: PLC0415

    report = rotate()
    console = Console()
    console.print(f"{report.rotated} tokens are encrypted with the first key now.")
    if unreadable := report.unreadable_project_ids:
        console.print(f"{len(unreadable)} could not be read; enter them again for these projects:")
        for project_id in unreadable:
            console.print(f"  {project_id}")
        raise typer.Exit(2)


@app.command("backup")
def backup(
    file: Annotated[
        Path, typer.Argument(help="The file to write; `-` for standard output.", show_default=False)
    ],
) -> None:
    """Write the whole database, as it is now, into one file.

    The service may keep running: the backup holds the state of one moment. It is compressed, ends
    with a checksum, and appears at FILE only when it is complete. GitHub tokens are in it,
    encrypted; SECRET_KEY is not.

    The database is that of MONGO_URL, or the embedded one in DATA_DIR, even while a service uses
    it.
    """
    from benchmark_manager.cli.operations.backup import back_up  # noqa: PLC0415 -- see above

    back_up(file)


@app.command()
def restore(
    file: Annotated[
        Path, typer.Argument(help="A backup; `-` for standard input.", show_default=False)
    ],
) -> None:
    """Write a backup into an empty database, and verify every content and release.

    Stop the service first. A database that is not empty is never changed; name an empty one in
    DB_NAME, MONGO_URL or DATA_DIR. A restore that was killed may be run again with the same file;
    until it is complete, no service starts there. A backup of MongoDB may be restored into an
    embedded database, and the other way round.
    """
    from benchmark_manager.cli.operations import backup as backups  # noqa: PLC0415 -- see above

    backups.restore(file)


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)
