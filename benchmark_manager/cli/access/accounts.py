"""benchmark-manager accounts list | create | update | set-password | delete."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, WrongUsageError, printable
from benchmark_manager.cli.terminal.given_texts import not_read
from benchmark_manager.cli.terminal.lookup import find_account
from benchmark_manager.cli.terminal.options import AsJson, Url
from benchmark_manager.cli.terminal.streams import is_interactive
from benchmark_manager.client.address import DEFAULT_URL, URL_VARIABLE
from benchmark_manager.client.client import Json, connect
from benchmark_manager.client.shapes import ACCOUNT

app = typer.Typer(name="accounts", help="Who may sign in.", no_args_is_help=True)

SiteRole = Literal["none", "reader", "editor", "maintainer", "admin"]
AccountArgument = Annotated[
    str,
    typer.Argument(
        metavar="ACCOUNT",
        help="Its id, its name regardless of case, or a part of it that no other account has.",
    ),
]

PasswordFile = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="A file with the password; `-`: standard input. Else you are asked for it.",
    ),
]
ServerUrl = Annotated[
    str | None, typer.Option("--url", help="The service's address.", envvar=URL_VARIABLE)
]

#: Bytes of a password's file.
_LARGEST: Final = 8192


@app.command("list")
def list_accounts(
    query: Annotated[
        str | None, typer.Option("--query", "-q", help="Only names that contain this.")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """List all accounts by name, as an administrator."""
    with output.refusals_as_json(as_json), connect(url) as client:
        rows = client.rows("/accounts", ACCOUNT, q=query)
    if as_json:
        output.write_json(rows)
        return
    output.table(
        ("NAME", "KIND", "ROLE", "GROUPS", "DISABLED", "ID"),
        [
            (
                *(row["name"], row["kind"], row["role"], ", ".join(row["groups"])),
                *("yes" if row["disabled"] else "", row["id"]),
            )
            for row in rows
        ],
    )


@app.command("create")
def create_account(
    name: Annotated[str, typer.Argument(help="Unique, regardless of case.")],
    role: Annotated[SiteRole, typer.Option("--role", help="In all projects.")] = "reader",
    password_file: PasswordFile = None,
    url: ServerUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make an account that signs in with a password.

    With --url or BENCHMARK_MANAGER_URL, the service makes it, for an administrator. Without, this
    command makes it in the database, on the server: that of MONGO_URL, or the embedded one in
    DATA_DIR, even while a service uses it. So the first administrator can be made.
    """
    if url is None:
        # Its import is slow.
        from benchmark_manager.cli.access import local_accounts  # noqa: PLC0415

        account_id = local_accounts.make_account(name, role, lambda: _password(password_file))
        if as_json:
            output.write_json({"id": account_id, "name": name, "role": role})
    else:
        body: Json = {"name": name, "role": role, "password": _password(password_file)}
        with output.refusals_as_json(as_json), connect(url) as client:
            answer = client.send("POST", "/accounts", body=body)
            account_id = client.json(answer, ACCOUNT)["id"]
        if as_json:
            output.write_json(answer.text)
    if not as_json:
        print(account_id)


@app.command("update")
def update_account(
    account: AccountArgument,
    name: Annotated[str | None, typer.Option("--name", help="Another name.")] = None,
    role: Annotated[SiteRole | None, typer.Option("--role", help="In all projects.")] = None,
    disabled: Annotated[
        bool | None,
        typer.Option(
            "--disable/--enable",
            help="Disabling ends all sessions and tokens of the account.",
            show_default=False,
        ),
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Change an account, as an administrator."""
    given = {"name": name, "role": role, "disabled": disabled}
    body = {key: value for key, value in given.items() if value is not None}
    if not body:
        raise WrongUsageError("Give --name, --role, --disable or --enable.")
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_account(client, account)
        answer = client.send("PUT", f"/accounts/{found['id']}", body=body)
        changed = client.json(answer, ACCOUNT)
    if as_json:
        output.write_json(answer.text)
        return
    state = "disabled" if changed["disabled"] else "active"
    output.say(f"{changed['name']} has the role {changed['role']} and is {state}.")


@app.command("set-password")
def set_password(
    account: AccountArgument,
    password_file: PasswordFile = None,
    url: ServerUrl = None,
    as_json: AsJson = False,
) -> None:
    """Give an account a new password; all its sessions and tokens end.

    With --url or BENCHMARK_MANAGER_URL, the service does it, for an administrator. Without, this
    command does it in the database, on the server, for the account of exactly this name: so the
    only administrator who forgot the password can sign in again.
    """
    with output.refusals_as_json(as_json):
        if url is None:
            # Its import is slow.
            from benchmark_manager.cli.access import local_accounts  # noqa: PLC0415

            local_accounts.reset_password(account, lambda: _password(password_file))
        else:
            body: Json = {"new_password": _password(password_file)}
            with connect(url) as client:
                found = find_account(client, account)
                client.send("PUT", f"/accounts/{found['id']}/password", body=body)
    output.say(f"{printable(account)} has a new password; its sessions and tokens ended.")


@app.command("delete")
def delete_account(
    account: AccountArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Delete an account with its sessions, tokens and roles; its name stays on record."""
    with output.refusals_as_json(as_json), connect(url) as client:
        found = find_account(client, account)
        if not yes:
            _confirm(found["name"])
        client.send("DELETE", f"/accounts/{found['id']}")
    output.say(f"{found['name']} is deleted.")


def _confirm(name: str) -> None:
    if not is_interactive():
        raise WrongUsageError("Give --yes where nobody can be asked.")
    question = f"Delete {printable(name)} with its sessions, tokens and roles?"
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)


def _password(file: Path | None) -> str:
    """Return the password in a file, without the line end, or as it is typed twice.

    Raises:
        CommandError: `password_not_read`.
        WrongUsageError: nobody can be asked.
    """
    if file is None:
        if not is_interactive():
            raise WrongUsageError("Give --password-file where nobody can be asked.")
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    try:
        if os.fspath(file) == "-":
            content = sys.stdin.buffer.read(_LARGEST + 1)
        else:
            with file.open("rb") as opened:
                content = opened.read(_LARGEST + 1)
        text = content.decode()
    except OSError as error:
        raise CommandError(not_read(file, error), "password_not_read") from None
    except UnicodeDecodeError:
        raise CommandError(f"{file} is not UTF-8.", "password_not_read") from None
    if len(content) > _LARGEST:
        raise CommandError(f"{file} is too long for a password.", "password_not_read")
    return text.removesuffix("\n").removesuffix("\r")
