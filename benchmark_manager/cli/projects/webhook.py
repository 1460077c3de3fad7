"""benchmark-manager webhook test: check that a running service accepts webhooks."""

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

#: The seconds that GitHub waits for an answer.
_TIMEOUT: Final = 10.0
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NO_URL: Final = "--url is not a URL such as http://127.0.0.1:8001."
_ADVICE: Final = "check the address, and that the service is running"
#: What the statuses of refusals mean.
_MEANINGS: Final = {
    401: "the secrets differ: WEBHOOK_SECRET here is not that of the service",
    404: "the service has no WEBHOOK_SECRET, or this is not its address",
    413: "a proxy in front of it refuses the body",
    503: "the service runs, but cannot work now",
}


@app.callback()
def webhook() -> None:
    """GitHub's webhooks."""


@app.command("test")
def send_ping(
    url: Annotated[
        str,
        typer.Option(
            help="The service's address, as GitHub uses it.", envvar="BENCHMARK_MANAGER_URL"
        ),
    ] = "http://127.0.0.1:8001",
) -> None:
    """Send a signed ping, as GitHub does when a webhook is created.

    The secret is WEBHOOK_SECRET, from the environment or from .env; it is never shown.

    Exit code 0: the service accepted it. Exit code 1: it could not be reached or refused it; one
    line says why.
    """
    from benchmark_manager.config import load_settings  # noqa: PLC0415 -- takes long

    secret = load_settings().webhook_secret
    if secret is None or not secret.get_secret_value():
        raise StartError("WEBHOOK_SECRET is not set here; set it to that of the service.")
    address = _address(url)
    # Without the user name and password, which must not be shown.
    shown = f"{address.scheme}://{address.netloc.decode('ascii', 'replace')}{address.path}"
    refusal = _refusal(address, secret.get_secret_value())
    if refusal is not None:
        print(printable(f"benchmark-manager: {shown}: {refusal}."), file=sys.stderr)
        raise typer.Exit(1)
    print(
        printable(f"{shown}: accepted. The service takes webhooks, and the secrets are the same.")
    )


def _address(url: str) -> httpx.URL:
    """Return the address that webhooks are sent to.

    Raises:
        StartError: the service's address is not a URL.
    """
    try:
        address = httpx.URL(url)
        address = address.copy_with(path=f"{address.path.rstrip('/').removesuffix(PATH)}{PATH}")
    except (httpx.InvalidURL, ValueError, TypeError):
        raise StartError(_NO_URL) from None
    if address.scheme not in {"http", "https"} or not address.host:
        raise StartError(_NO_URL)
    return address


def _refusal(address: httpx.URL, secret: str) -> str | None:
    """Send a ping, and return why the service did not accept it; None if it did."""
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
        # There is no proxy between this machine and itself.
        with httpx.Client(timeout=_TIMEOUT, trust_env=address.host not in _LOOPBACK) as http:
            answer = http.post(address, content=body, headers=headers)
    except httpx.TimeoutException:
        return f"no answer within {_TIMEOUT:.0f} s; {_ADVICE}"
    except httpx.HTTPError as error:
        return f"cannot be reached ({type(error).__name__}); {_ADVICE}"
    if answer.status_code == httpx.codes.OK:
        return None if _is_pong(answer) else "the server there is not Benchmark Manager"
    meaning = _MEANINGS.get(answer.status_code, "the service's log may say more")
    if answer.is_redirect:
        meaning = "give the address that it redirects to, since GitHub does not follow redirects"
    return f"it answers {answer.status_code}; {meaning}"


def _is_pong(answer: httpx.Response) -> bool:
    try:
        content = answer.json()
    except ValueError:
        return False
    return isinstance(content, dict) and content.get("outcome") == "pong"
