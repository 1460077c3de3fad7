"""Ask for a token on a page of the service, which a person confirms in a browser."""

import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, Literal
from urllib.parse import urlencode

import typer

from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.cli.terminal.output import say
from benchmark_manager.cli.terminal.streams import is_interactive
from benchmark_manager.client.client import Client, Json
from benchmark_manager.client.shapes import NEW_TOKEN
from benchmark_manager.domain.access.command_line import challenge_of, check_of
from benchmark_manager.domain.access.random_secrets import new_secret

if TYPE_CHECKING:
    from benchmark_manager.cli.access.loopback import Loopback

#: Seconds in which the person signs in and confirms.
_CONFIRMATION_SECONDS: Final = 300.0
_PAGE: Final = "/ui/command-line"

TokenRole = Literal["reader", "editor", "maintainer", "admin"]
#: What a token may do unless the command says less; its account's role counts too.
WHOLE_ROLE: Final[TokenRole] = "admin"
Days = Annotated[int, typer.Option("--days", help="Days until the token expires.", min=1, max=366)]
NoBrowser = Annotated[
    bool,
    typer.Option("--no-browser", help="Only print the address of the page, and open no browser."),
]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The token to ask for; without projects it is for all of them."""

    name: str
    role: TokenRole
    days: int
    project_ids: Sequence[str] = ()


def confirmed_token(client: Client, wanted: Wanted, *, opens_browser: bool) -> Json:
    """Return a new token of the person who confirms it in a browser.

    Raises:
        CommandError: `sign_in_denied`, `sign_in_timeout`, `no_loopback`.
    """
    # A server that most commands never start.
    from benchmark_manager.cli.access.loopback import listening  # noqa: PLC0415 -- why: see above

    state, verifier = new_secret(secrets.token_bytes), new_secret(secrets.token_bytes)
    try:
        with listening(state, f"{client.shown_url}{_PAGE}/done") as loopback:
            answer = _answer(client, loopback, wanted, state, verifier, opens_browser)
    except OSError as error:
        raise CommandError(
            f"No port of this machine can be used ({error.strerror}); make a token on the page "
            f"{client.shown_url}/ui/you/tokens and give it by --token-file.",
            "no_loopback",
        ) from None
    if "code" not in answer:
        raise CommandError("It was refused in the browser.", "sign_in_denied")
    body = {"code": answer["code"], "verifier": verifier}
    made: Json = client.json(client.send("POST", "/auth/command-line", body=body), NEW_TOKEN)
    return made


def _answer(
    client: Client,
    loopback: "Loopback",
    wanted: Wanted,
    state: str,
    verifier: str,
    opens_browser: bool,
) -> Mapping[str, str]:
    challenge = challenge_of(verifier)
    query = urlencode(
        {
            "port": loopback.port,
            "state": state,
            "challenge": challenge,
            "name": wanted.name,
            "role": wanted.role,
            "days": wanted.days,
            "project": wanted.project_ids,
        },
        doseq=True,
    )
    page = f"{client.shown_url}{_PAGE}?{query}"
    say("Confirm this on a browser of this machine:")
    say(f"  {page}")
    say(f"The page must show this check: {check_of(challenge)}")
    sys.stderr.flush()
    if opens_browser and is_interactive():
        typer.launch(page)
    answer = loopback.wait(_CONFIRMATION_SECONDS)
    if answer is None:
        raise CommandError(
            f"Nobody confirmed it within {_CONFIRMATION_SECONDS / 60:.0f} minutes.",
            "sign_in_timeout",
        )
    return answer
