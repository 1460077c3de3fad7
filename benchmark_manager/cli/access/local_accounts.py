"""Make accounts and passwords directly in the database, on the server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Literal

from benchmark_manager import messages
from benchmark_manager.cli.terminal.failures import CommandError
from benchmark_manager.config import load_settings
from benchmark_manager.errors import BenchmarkManagerError
from benchmark_manager.factory import open_database
from benchmark_manager.factory.access import account_service
from benchmark_manager.logs import configure_logging
from benchmark_manager.models.access.principal import Role, service_principal
from benchmark_manager.services.access.accounts import AccountService

#: On record as who made it.
_MAKER: Final = service_principal("command")


def make_account(name: str, role: Role | Literal["none"], password: Callable[[], str]) -> str:
    """Make a local account, and return its id; the password is asked for when the rest is right.

    Raises:
        CommandError
        StartError
    """

    async def make(accounts: AccountService, text: str) -> str:
        given = None if role == "none" else role
        return (await accounts.create(_MAKER, name, text, given)).id

    return _with_password(password, make)


def reset_password(name: str, password: Callable[[], str]) -> str:
    """Give the local account of a name a password, and return its id.

    Raises:
        CommandError
        StartError
    """

    async def reset(accounts: AccountService, text: str) -> str:
        account = await accounts.of_name(_MAKER, name)
        await accounts.set_password(_MAKER, account.id, text)
        return account.id

    return _with_password(password, reset)


def _with_password(
    password: Callable[[], str], change: Callable[[AccountService, str], Awaitable[str]]
) -> str:
    settings = load_settings()
    configure_logging("error", settings.log_format)
    text = password()

    async def work() -> str:
        async with open_database(settings, purpose="command") as database:
            return await change(account_service(database), text)

    try:
        return asyncio.run(work())
    except BenchmarkManagerError as error:
        raise CommandError(messages.detail(error), error.code) from None
