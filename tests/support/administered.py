"""A service that asks its visitors to sign in, and its administrator."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from support.browser import Browser
from support.process import ServiceProcess, service_process

NAME: Final = "ada"
PASSWORD: Final = "four brown foxes jump"
#: What the page of sign-in calls the provider.
PROVIDER: Final = "Acme"


@asynccontextmanager
async def service_to_set_up(
    folder: Path, database_url: str, issuer: str, **settings: Any
) -> AsyncIterator[ServiceProcess]:
    """Run a service that nobody has set up yet, with both kinds of providers."""
    async with service_process(
        folder,
        mongo_url=database_url,
        auth="required",
        oidc_issuer=issuer,
        oidc_client_id="bench",
        oidc_client_secret="a secret",
        oidc_name=PROVIDER,
        github_oauth_client_id="id",
        github_oauth_client_secret="secret",
        **settings,
    ) as process:
        yield process


def set_up_address(process: ServiceProcess) -> str:
    """Return the address of the link in the log, which makes the first administrator."""
    [address] = re.findall(r"/ui/set-up\?token=[\w-]{43}", process.output)
    return str(address)


async def set_up(process: ServiceProcess) -> None:
    """Make the first administrator as a browser without scripts does."""
    async with process.client() as http:
        browser = Browser(http)
        page = await browser.open(set_up_address(process))
        form = page.form("/ui/set-up")
        await browser.send(form, name=NAME, password=PASSWORD, password_again=PASSWORD)
