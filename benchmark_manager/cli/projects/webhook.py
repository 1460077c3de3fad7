"""benchmark-manager webhook test: whether a running service takes webhooks with this secret."""

import json
import sys
import uuid
from typing import Annotated, Final

import httpx2 as httpx
import typer

from benchmark_manager.cli.terminal.failures import printable
from benchmark_manager.domain.webhooks.signature import PATH, SIGNATURE_HEADER, sign
from benchmark_manager.errors import StartError

app = typer.Typer(name="webhook", help="GitHub's webhooks.", no_args_is_help=True)

#: As long as GitHub waits, seconds.
_PATIENCE: Final = 10.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
#: What an answer means, beside the one to hope for.
_MEANINGS: Final = {
    401: "the secrets differ; WEBHOOK_SECRET here is not the one that the service has",
    404: "the service has no WEBHOOK_SECRET, or this is not its address",
    413: "something in between refuses the body",
    503: "the service is there, but cannot work now",
}


@app.callback()
def webhook() -> None:
    """GitHub's webhooks."""


@app.command("test")
def send_ping(
    url: Annotated[
        str,
        typer.Option(
            help="The service's address, as GitHub reaches it.", envvar="BENCHMARK_MANAGER_URL"
        ),
    ] = "http://127.0.0.1:8001",
) -> None:
    """Send a signed ping, as GitHub does when a webhook is made.

    The secret is WEBHOOK_SECRET, of the environment or of .env; it is never shown.

    Exit code 0: the service took it. Exit code 1: it could not be reached or refused it, and one
    line says why.
    """
    from benchmark_manager.config import load_settings  # noqa: PLC0415 -- other commands start without it

    secret = load_settings().webhook_secret
    if secret is None or not secret.get_secret_value():
        raise StartError("WEBHOOK_SECRET is not set here; set it to the one that the service has.")
    address = _address(url)
    # A user name or password in it must not be shown.
    place = f"{address.scheme}://{address.netloc.decode('ascii', 'replace')}{address.path}"
    refusal = _refusal(address, secret.get_secret_value())
    if refusal is not None:
        print(printable(f"benchmark-manager: {place}: {refusal}."), file=sys.stderr)
        raise typer.Exit(1)
    print(
        printable(f"{place}: accepted. The service takes webhooks, and the secrets are the same.")
    )


def _address(url: str) -> httpx.URL:
    """Where webhooks go at the service.

    Raises:
        StartError: the address is none.
    """
    try:
        address = httpx.URL(url)
        address = address.copy_with(path=f"{address.path.rstrip('/').removesuffix(PATH)}{PATH}")
    except (httpx.InvalidURL, ValueError, TypeError):
        raise StartError("--url is no address such as http://127.0.0.1:8001.") from None
    if address.scheme not in {"http", "https"} or not address.host:
        raise StartError("--url is no address such as http://127.0.0.1:8001.")
    return address


def _refusal(address: httpx.URL, secret: str) -> str | None:
    """Why the service did not take a ping; None when it did."""
    body = json.dumps(
        {"zen": "Keep it logically awesome.", "hook": {"type": "Test", "events": ["push"]}}
    ).encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "ping",
        "X-GitHub-Delivery": str(uuid.uuid4()),
        SIGNATURE_HEADER: sign(secret, body),
    }
    try:
        # No proxy stands between this machine and itself.
        with httpx.Client(timeout=_PATIENCE, trust_env=address.host not in _LOOPBACK) as http:
            answer = http.post(address, content=body, headers=headers)
    except httpx.TimeoutException:
        return f"no answer within {_PATIENCE:.0f} s; check the address and that the service runs"
    except httpx.HTTPError as error:
        return f"cannot be reached ({type(error).__name__}); check the address and that the service runs"
    if answer.status_code == httpx.codes.OK:
        return None if _is_pong(answer) else "something else than Benchmark Manager answers there"
    if answer.is_redirect:
        return f"it answers {answer.status_code}; give the address which it redirects to, as GitHub does not follow"
    meaning = _MEANINGS.get(answer.status_code, "the service's log may say more")
    return f"it answers {answer.status_code}; {meaning}"


def _is_pong(answer: httpx.Response) -> bool:
    try:
        told = answer.json()
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("outcome") == "pong"
