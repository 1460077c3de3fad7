"""GitHub tokens at rest."""

from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from benchmark_manager.errors import TokenUnreadableError
from benchmark_manager.models.project import Source
from benchmark_manager.stores.projects import ProjectStore


class TokenVault:
    """Encrypts with the first key, decrypts with any."""

    def __init__(self, keys: list[str], service_token: str | None, service_api_url: str) -> None:
        """`service_token` serves projects without their own, at `service_api_url` and nowhere else."""
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._service_token = service_token
        self._service_api_url = service_api_url

    def encrypt(self, token: str) -> str:
        return self._fernet.encrypt(token.encode()).decode()

    def rotate(self, encrypted: str) -> str:
        """The same token, encrypted with the first key.

        Raises:
            TokenUnreadableError: no key opens it.
        """
        try:
            return self._fernet.rotate(encrypted).decode()
        except InvalidToken:
            raise TokenUnreadableError from None

    def own_token(self, source: Source) -> str | None:
        """The project's own token, or None where it has none.

        Raises:
            TokenUnreadableError: no key opens it.
        """
        if source.encrypted_token is None:
            return None
        try:
            return self._fernet.decrypt(source.encrypted_token).decode()
        except InvalidToken:
            raise TokenUnreadableError from None

    def service_token(self, api_url: str) -> str | None:
        """The service's own token where it may be sent to."""
        return self._service_token if api_url == self._service_api_url else None


@dataclass(frozen=True, slots=True)
class RotationReport:
    """How many tokens are under the first key now, and whose could not be read."""

    rotated: int
    unreadable_project_ids: tuple[str, ...]


async def rotate_tokens(projects: ProjectStore, vault: TokenVault) -> RotationReport:
    """Re-encrypt every stored token with the first key."""
    rotated = 0
    unreadable = []
    for project_id, encrypted in await projects.with_tokens():
        try:
            fresh = vault.rotate(encrypted)
        except TokenUnreadableError:
            unreadable.append(project_id)
            continue
        rotated += await projects.replace_token(project_id, encrypted, fresh)
    return RotationReport(rotated, tuple(unreadable))
