"""benchmark-manager rotate-key: encrypt every stored token with the first key."""

import asyncio

from benchmark_manager.config import load_settings
from benchmark_manager.factory import open_database, token_vault
from benchmark_manager.logs import configure_logging
from benchmark_manager.services.projects.tokens import RotationReport, bind_tokens, rotate_tokens
from benchmark_manager.stores.projects.projects import ProjectStore


def rotate() -> RotationReport:
    """Encrypt every stored token with the first key.

    Raises:
        StartError: one readable line.
    """
    settings = load_settings()
    configure_logging("warning", settings.log_format)

    async def run() -> RotationReport:
        async with open_database(settings) as database:
            projects, vault = ProjectStore(database), token_vault(settings)
            await bind_tokens(projects, vault)
            return await rotate_tokens(projects, vault)

    return asyncio.run(run())
