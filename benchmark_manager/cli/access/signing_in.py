"""benchmark-manager login | logout | whoami."""

import platform
import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import typer

from benchmark_manager.cli.access.confirming import (
    WHOLE_ROLE,
    Days,
    NoBrowser,
    TokenRole,
    Wanted,
    confirmed_token,
)
from benchmark_manager.cli.terminal import output
from benchmark_manager.cli.terminal.failures import CommandError, is_refusal
from benchmark_manager.cli.terminal.options import AsJson, Url
from benchmark_manager.client.address import DEFAULT_URL, URL_VARIABLE, parse_address, shown
from benchmark_manager.client.client import Client, Json, connect
from benchmark_manager.client.errors import ClientError, RefusedError
from benchmark_manager.client.kept_tokens import (
    KeptToken,
    forget_token,
    keep_token,
    kept_token,
)
from benchmark_manager.client.shapes import ME
from benchmark_manager.client.tokens import TokenFile, checked_token, find_token
from benchmark_manager.errors import reason_of

Address = Annotated[
    str, typer.Argument(metavar="URL", help="The service's address.", envvar=URL_VARIABLE)
]

_STREAM: Final = Path("-")
_MACHINE: Final = re.compile(r"[A-Za-z0-9._-]{1,60}")


def login(
    url: Address = DEFAULT_URL,
    token_file: Annotated[
        Path | None,
        typer.Option(
            "--token-file",
            metavar="FILE",
            help="Use the token in FILE (`-`: standard input), and open no page.",
        ),
    ] = None,
    role: Annotated[
        TokenRole,
        typer.Option("--role", help="What the token allows at most; your own role counts too."),
    ] = WHOLE_ROLE,
    days: Days = 90,
    no_browser: NoBrowser = False,
) -> None:
    """Sign in at a service, for all commands that use it from this account of this machine.

    A page of the service asks you to confirm. The token is kept in a file that only you can read,
    one for each service, and is sent to that service alone. `logout` revokes it.
    """
    with Client(url) as client:
        _check_is_needed(client)
        if token_file is None:
            wanted = Wanted(f"command line on {_machine()}", role, days)
            made = confirmed_token(client, wanted, opens_browser=not no_browser)
            kept = KeptToken(client.shown_url, made["token"], made["id"])
        else:
            kept = KeptToken(client.shown_url, _token_in(token_file))
    with Client(url, token=kept.token) as client:
        me = client.json(client.get("/me"), ME)
        _revoke_one_before(url)
        _keep(kept)
    output.say(f"Signed in at {kept.address} as {_described(me)}.")


def logout(url: Address = DEFAULT_URL) -> None:
    """Revoke and delete the token of the last `login` at a service.

    Tokens of the environment stay as they are.
    """
    address = shown(parse_address(url))
    kept = kept_token(address)
    if kept is None:
        raise CommandError(f"There was no sign-in at {address} here.", "not_signed_in")
    if kept.made_id is not None:
        with Client(url, token=kept.token) as client:
            _revoke(client, kept.made_id)
    try:
        forget_token(address)
    except OSError as error:
        raise CommandError(
            f"The token's file cannot be deleted ({reason_of(error)}).", "cannot_write"
        ) from None
    output.say(f"Signed out at {address}.")


def whoami(url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show who you are to the service, and where the token is from."""
    with output.refusals_as_json(as_json), connect(url) as client:
        answer = client.get("/me")
        me = client.json(answer, ME)
        address = client.shown_url
    if as_json:
        output.write_json(answer.text)
        return
    found = find_token(parse_address(url))
    output.fields(
        [
            ("service", address),
            ("name", me["name"]),
            ("role everywhere", me["role"]),
            ("groups", ", ".join(me["groups"])),
            ("proved by", _PROOFS.get(me["via"], me["via"])),
            ("token from", None if found is None else found.source),
        ]
    )


_PROOFS: Final = {
    "open": "nothing: the service answers everybody",
    "token": "a token",
    "federation": "a signed token of a trusted issuer",
    "proxy": "a proxy in front of the service",
}


def _machine() -> str:
    """Return this machine's name as a token's name can have it."""
    name = platform.node()
    return name if _MACHINE.fullmatch(name) else "this machine"


def _described(me: Json) -> str:
    return f"{me['name']} (role everywhere: {me['role']})"


def _check_is_needed(client: Client) -> None:
    try:
        me = client.json(client.get("/me"), ME)
    except RefusedError as error:
        if is_refusal(error, "unauthenticated"):
            return
        raise
    if me["via"] == "open":
        raise CommandError(
            f"{client.shown_url} answers everybody (AUTH=open), so no sign-in is needed.",
            "sign_in_not_needed",
        )


def _token_in(file: Path) -> str:
    if file == _STREAM:
        return checked_token(sys.stdin.read(), "Standard input")
    return TokenFile(file).read()


def _revoke_one_before(url: str) -> None:
    """Revoke what an earlier sign-in made, so that forgotten tokens do not gather."""
    # What cannot be read or revoked is replaced all the same.
    with suppress(ClientError):
        kept = kept_token(shown(parse_address(url)))
        if kept is not None and kept.made_id is not None:
            # Each token may revoke itself, and the new one perhaps no other.
            with Client(url, token=kept.token) as client:
                client.send("DELETE", f"/tokens/{kept.made_id}")


def _revoke(client: Client, token_id: str) -> None:
    try:
        client.send("DELETE", f"/tokens/{token_id}")
    except ClientError as error:
        # One that is revoked or expired already is refused.
        if not is_refusal(error, "unauthenticated") and not is_refusal(error, "token_not_found"):
            output.say(
                f"warning: the token was deleted here, but not revoked ({error.detail.rstrip('.')})"
                f"; revoke it on the page {client.shown_url}/ui/you/tokens."
            )


def _keep(kept: KeptToken) -> None:
    try:
        keep_token(kept)
    except OSError as error:
        path = error.filename or "The folder of settings"
        raise CommandError(
            f"{path} cannot be written ({reason_of(error)}).", "cannot_write"
        ) from None
