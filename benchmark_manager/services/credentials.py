"""Whose right a project's requests are sent with."""

from benchmark_manager.github.app import GitHubApp
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.credentials import Credential
from benchmark_manager.github.requests import Connection
from benchmark_manager.models.project import Source
from benchmark_manager.services.tokens import TokenVault


class CredentialService:
    """A project's own token, else the App where it is installed, else the service's token, else none."""

    def __init__(self, connection: Connection, vault: TokenVault, app: GitHubApp | None) -> None:
        self._connection = connection
        self._vault = vault
        self._app = app

    async def client(self, source: Source, *, urgent: bool) -> RepositoryClient:
        """For one sync, or whatever else a person or a poll asks of the project's repository.

        Raises:
            TokenUnreadableError: no key opens the project's own token.
            GitHubError: the App's installation could not be found out.
        """
        credential = await self._credential(source, urgent=urgent)
        return RepositoryClient(self._connection, source.repository, credential, urgent=urgent)

    async def _credential(self, source: Source, *, urgent: bool) -> Credential:
        api_url = source.repository.api_url
        own = self._vault.own_token(source)
        if own is None and self._app is not None and self._app.api_url == api_url:
            installed = await self._app.credential(source.repository, urgent=urgent)
            if installed is not None:
                return installed
        return Credential.of_token(api_url, own or self._vault.service_token(api_url))
