"""GitHub tokens at rest: each encrypted together with the one project and repository that it was given for."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from benchmark_manager.errors import TokenUnreadableError
from benchmark_manager.models.project import Project, RepositoryAddress
from benchmark_manager.stores.projects.projects import ProjectStore

_log = structlog.get_logger(__name__)

#: Parts the encrypted text: neither a token nor an address holds it.
_SEPARATOR: Final = "\0"
#: Version 0.1.0 stored bare Fernet texts, which never begin so.
_BOUND: Final = "bound:"


class TokenVault:
    """Encrypts with the first key, decrypts with any.

    Fernet takes no associated data, so the project's id and the repository's whole address, API
    base included, stand in the encrypted text beside the token. A text that is copied to another
    project, or whose project reads another repository now, is refused.
    """

    def __init__(
        self,
        keys: list[str],
        service_token: str | None,
        service_api_url: str,
        owners: Collection[str] = (),
    ) -> None:
        """`service_token` serves projects without their own, at `service_api_url` and nowhere else.

        `owners`, in lower case: for whose repositories the service's token and its App may be used;
        none: for all.
        """
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._service_token = service_token
        self._service_api_url = service_api_url
        self._owners = frozenset(owners)

    def encrypt(self, token: str, project_id: str, repository: RepositoryAddress) -> str:
        """The token for this project and repository, and for no other."""
        text = _SEPARATOR.join((project_id, repository.key, token))
        return _BOUND + self._fernet.encrypt(text.encode()).decode()

    def rotate(self, encrypted: str) -> str:
        """The same token, encrypted with the first key.

        Raises:
            TokenUnreadableError: no key opens it.
        """
        prefix = _BOUND if encrypted.startswith(_BOUND) else ""
        try:
            return prefix + self._fernet.rotate(encrypted.removeprefix(_BOUND)).decode()
        except InvalidToken:
            raise TokenUnreadableError from None

    def own_token(self, project: Project) -> str | None:
        """The project's own token, or None where it has none.

        Raises:
            TokenUnreadableError: no key opens it, or it was given for another project or
                repository.
        """
        encrypted = project.source.encrypted_token
        if encrypted is None:
            return None
        parts = self._decrypted(encrypted).split(_SEPARATOR)
        if parts[:-1] != [project.id, project.source.repository.key]:
            raise TokenUnreadableError("repository")
        return parts[-1]

    def moved(self, project: Project, repository: RepositoryAddress) -> str | None:
        """The project's own token for the new address of its repository; None where it has none.

        Raises:
            TokenUnreadableError: as `own_token`.
        """
        token = self.own_token(project)
        return None if token is None else self.encrypt(token, project.id, repository)

    def bound(self, encrypted: str, project_id: str, repository: RepositoryAddress) -> str:
        """A token that version 0.1.0 stored, for this project and repository from now on.

        Raises:
            TokenUnreadableError: no key opens it, or it is bound already.
        """
        text = self._decrypted(encrypted)
        if _SEPARATOR in text:
            raise TokenUnreadableError
        return self.encrypt(text, project_id, repository)

    def _decrypted(self, encrypted: str) -> str:
        try:
            return self._fernet.decrypt(encrypted.removeprefix(_BOUND)).decode()
        except InvalidToken:
            raise TokenUnreadableError from None

    def service_token(self, repository: RepositoryAddress) -> str | None:
        """The service's own token where it may be sent to."""
        serves = repository.api_url == self._service_api_url and self.serves_owner(repository)
        return self._service_token if serves else None

    def serves_owner(self, repository: RepositoryAddress) -> bool:
        """Whether GITHUB_OWNERS lets the service's own credentials be used for this repository's owner."""
        return not self._owners or repository.owner.lower() in self._owners


async def bind_tokens(projects: ProjectStore, vault: TokenVault) -> None:
    """Bind every token that version 0.1.0 stored to the repository that stands beside it.

    Harmless to repeat, also while other replicas do the same. What no key opens stays as it is, and
    unreadable.
    """
    for project_id, repository, encrypted in await projects.with_unbound_tokens(_BOUND):
        try:
            fresh = vault.bound(encrypted, project_id, repository)
        except TokenUnreadableError:
            _log.warning(
                "a stored token cannot be read with the present SECRET_KEY", project_id=project_id
            )
            continue
        await projects.replace_token(project_id, encrypted, fresh, repository)


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
