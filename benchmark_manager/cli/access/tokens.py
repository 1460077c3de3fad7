"""benchmark-manager tokens list | create | revoke."""

from typing import Annotated

import typer

from benchmark_manager.cli.access.confirming import Days, NoBrowser, TokenRole, Wanted
from benchmark_manager.cli.access.confirming import confirmed_token as confirmed
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import WrongUsageError
from benchmark_manager.cli.terminal.lookup import find_project
from benchmark_manager.cli.terminal.options import AsJson, Url
from benchmark_manager.client.address import DEFAULT_URL
from benchmark_manager.client.client import Client, connect
from benchmark_manager.client.shapes import ID, TOKEN

app = typer.Typer(name="tokens", help="Tokens of programs, such as runners.", no_args_is_help=True)


@app.command("list")
def list_tokens(
    everybody: Annotated[
        bool, typer.Option("--all", help="Everybody's, as an administrator.")
    ] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List your tokens, newest first; none of their texts."""
    with output.refusals_as_json(as_json), connect(url) as client:
        rows = client.rows("/tokens", TOKEN, all="true" if everybody else None)
    if as_json:
        output.write_json(rows)
        return
    output.table(
        ("NAME", "ROLE", "PROJECTS", "EXPIRES", "LAST USED", "ACCOUNT", "ID"),
        [
            (
                row["name"],
                row["role"],
                "all" if row["projects"] == "all" else len(row["projects"]),
                output.moment(row["expires_at"]),
                output.moment(row["last_used_at"]),
                row["account"],
                row["id"],
            )
            for row in rows
        ],
    )


@app.command("create")
def create_token(
    name: Annotated[str, typer.Argument(help="What uses it, such as `nightly runner`.")],
    role: Annotated[
        TokenRole,
        typer.Option("--role", help="What it allows at most; your own role counts too."),
    ] = "reader",
    project: Annotated[
        list[str] | None,
        typer.Option("--project", "-p", help="Only this project; may be repeated."),
    ] = None,
    days: Days = 90,
    no_browser: NoBrowser = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make a token for a program, and write it to standard output, this once.

    A page of the service asks you to confirm: a token cannot make another one.
    """
    with output.refusals_as_json(as_json):
        ids: list[str] = []
        if project:
            with connect(url) as client:
                ids = [str(find_project(client, one)["id"]) for one in project]
        # Without a token of its own, since the person in the browser proves who asks.
        with Client(url) as client:
            made = confirmed(client, Wanted(name, role, days, ids), opens_browser=not no_browser)
    if as_json:
        output.write_json(made)
        return
    output.write(f"{made['token']}\n")
    output.say(f"It expires at {output.moment(made['expires_at'])}, and is not shown again.")


@app.command("revoke")
def revoke_token(
    token: Annotated[str, typer.Argument(metavar="ID", help="As `tokens list` shows it.")],
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Revoke one of your tokens, or any as an administrator; it ends within 5 seconds."""
    if not ID.matches(token.lower()):
        raise WrongUsageError("ID must be the 24 digits that `tokens list` shows.")
    with output.refusals_as_json(as_json), connect(url) as client:
        client.send("DELETE", f"/tokens/{token.lower()}")
    output.say("The token is revoked.")
