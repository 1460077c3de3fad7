"""Choose the credential with which a project's requests are sent."""

from collections.abc import Collection

from benchmark_manager.errors import GitHubActionError
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.sending.app import GitHubApp
from benchmark_manager.github.sending.credentials import Credential
from benchmark_manager.github.sending.requests import Connection
from benchmark_manager.models.project import Project, RepositoryAddress
from benchmark_manager.services.projects.tokens import TokenVault


class CredentialService:
    """Chooses a project's own token, else the App where installed, else the service's token."""

    def __init__(
        self,
        connection: Connection,
        vault: TokenVault,
        app: GitHubApp | None,
        api_urls: Collection[str],
    ) -> None:
        """`api_urls` are the only API bases to which requests are sent."""
        self._connection = connection
        self._vault = vault
        self._app = app
        self._api_urls = frozenset(api_urls)

    async def client(self, project: Project, *, urgent: bool) -> RepositoryClient:
        """Return a client for the project's repository.

        Raises:
            TokenUnreadableError: no key decrypts the project's own token, or it was given for
                another repository.
            GitHubError: the App's installation could not be read, or GITHUB_API_URLS does not list
                the project's base.
        """
        repository = project.source.repository
        if repository.api_url not in self._api_urls:
            raise GitHubActionError("github_url_not_allowed", "removed", api_url=repository.api_url)
        return await self.client_for(
            repository,
            self._vault.own_token(project),
            urgent=urgent,
            confirmed=project.source.confirmed,
        )

    async def client_for(
        self,
        repository: RepositoryAddress,
        own_token: str | None,
        *,
        urgent: bool,
        confirmed: bool,
    ) -> RepositoryClient:
        """Return a client for a repository of an allowed API base, with or without a project.

        `confirmed`: an administrator chose the repository.

        Raises:
            GitHubError: the App's installation could not be read.
        """
        credential = await self._credential(
            repository, own_token, urgent=urgent, confirmed=confirmed
        )
        return RepositoryClient(self._connection, repository, credential, urgent=urgent)

    def moved_token(self, project: Project, repository: RepositoryAddress) -> str | None:
        """Return the project's own token, encrypted for its repository's new address, if any.

        Raises:
            TokenUnreadableError
        """
        return self._vault.moved(project, repository)

    async def _credential(
        self, repository: RepositoryAddress, own: str | None, *, urgent: bool, confirmed: bool
    ) -> Credential:
        app = None if own else self._app_for(repository, confirmed=confirmed)
        if app is not None:
            installed = await app.credential(repository, urgent=urgent)
            if installed is not None:
                return installed
        token = own or self._vault.service_token(repository, confirmed=confirmed)
        return Credential.of_token(repository.api_url, token)

    def _app_for(self, repository: RepositoryAddress, *, confirmed: bool) -> GitHubApp | None:
        """Return the App, if it may be used for this repository."""
        serves = self._app is not None and self._app.api_url == repository.api_url
        return self._app if serves and self._vault.serves(repository, confirmed=confirmed) else None
