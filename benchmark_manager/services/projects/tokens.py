"""Encrypt GitHub tokens, each together with the project and repository that it was given for."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import structlog
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from benchmark_manager.errors import TokenUnreadableError
from benchmark_manager.models.project import Project, RepositoryAddress
from benchmark_manager.stores.projects.projects import ProjectStore

_log = structlog.get_logger(__name__)

#: Separates the parts of the encrypted text; no token and no address contains it.
_SEPARATOR: Final = "\0"
#: Version 0.1.0 stored plain Fernet texts, which never begin with this.
_BOUND: Final = "bound:"


class TokenVault:
    """Encrypts with the first key, decrypts with any.

    Fernet has no associated data, so the encrypted text contains the project's id and the
    repository's whole address, with its API base, beside the token. A text that was copied to
    another project, or whose project reads another repository now, is refused.
    """

    def __init__(
        self,
        keys: list[str],
        service_token: str | None,
        service_api_url: str,
        owners: Collection[str] = (),
        *,
        confirmed_only: bool = False,
    ) -> None:
        """Take the keys and what the service's own credentials may be used for.

        Args:
            keys: Fernet keys.
            service_token: the token of projects without their own.
            service_api_url: the only API base to which that token is sent.
            owners: in lower case, for whose repositories the service's token and its App may be
                used; none means all.
            confirmed_only: whether without owners they are used only for repositories that an
                administrator chose.
        """
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        self._service_token = service_token
        self._service_api_url = service_api_url
        self._owners = frozenset(owners)
        self._confirmed_only = confirmed_only

    def encrypt(self, token: str, project_id: str, repository: RepositoryAddress) -> str:
        """Encrypt the token for this project and repository, and for no other."""
        text = _SEPARATOR.join((project_id, repository.key, token))
        return _BOUND + self._fernet.encrypt(text.encode()).decode()

    def rotate(self, encrypted: str) -> str:
        """Encrypt the same token again, with the first key.

        Raises:
            TokenUnreadableError: no key decrypts it.
        """
        prefix = _BOUND if encrypted.startswith(_BOUND) else ""
        try:
            return prefix + self._fernet.rotate(encrypted.removeprefix(_BOUND)).decode()
        except InvalidToken:
            raise TokenUnreadableError from None

    def own_token(self, project: Project) -> str | None:
        """Return the project's own token, or None where it has none.

        Raises:
            TokenUnreadableError: no key decrypts it, or it was given for another project or
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
        """Encrypt the project's own token, if any, for the new address of its repository.

        Raises:
            TokenUnreadableError: as `own_token`.
        """
        token = self.own_token(project)
        return None if token is None else self.encrypt(token, project.id, repository)

    def bound(self, encrypted: str, project_id: str, repository: RepositoryAddress) -> str:
        """Encrypt a token that version 0.1.0 stored for this project and repository.

        Raises:
            TokenUnreadableError: no key decrypts it, or it is bound already.
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

    def service_token(self, repository: RepositoryAddress, *, confirmed: bool) -> str | None:
        """Return the service's own token, if it may be used for this repository.

        `confirmed`: an administrator chose the repository.
        """
        serves = repository.api_url == self._service_api_url and self.serves(
            repository, confirmed=confirmed
        )
        return self._service_token if serves else None

    def serves(self, repository: RepositoryAddress, *, confirmed: bool) -> bool:
        """Return whether the service's own credentials may read this repository.

        Else anybody could read through them what they may not read themselves.
        """
        if self._owners:
            return repository.owner.lower() in self._owners
        return confirmed or not self._confirmed_only


async def bind_tokens(projects: ProjectStore, vault: TokenVault) -> None:
    """Bind every token that version 0.1.0 stored to its project and repository.

    It may be repeated, also while other replicas do the same. A token that no key decrypts stays as
    it is.
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
    """How many tokens are encrypted with the first key now, and whose could not be read."""

    rotated: int
    unreadable_project_ids: tuple[str, ...]


async def rotate_tokens(projects: ProjectStore, vault: TokenVault) -> RotationReport:
    """Encrypt every stored token again, with the first key."""
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
