"""Work out what a project reads, from its settings and the address of its repository."""

import contextlib
from dataclasses import dataclass, field

from benchmark_manager.domain.projects.edits import at_repository, with_settings, with_token
from benchmark_manager.domain.projects.repository_url import (
    ParsedRepositoryUrl,
    check_token,
    parse_repository_url,
)
from benchmark_manager.domain.projects.settings import (
    ProjectChanges,
    ProjectSettings,
    chosen_ref,
)
from benchmark_manager.domain.unset import Unset, given_or
from benchmark_manager.errors import TokenUnreadableError
from benchmark_manager.github.sending.credentials import fingerprint_of
from benchmark_manager.models.project import Project, Ref, Source
from benchmark_manager.services.projects.credentials import CredentialService
from benchmark_manager.services.projects.repository_addresses import Given, Located, locate
from benchmark_manager.services.projects.tokens import TokenVault


@dataclass(frozen=True, slots=True)
class ProjectDefaults:
    """The settings of new projects that do not give their own."""

    config_folder: str
    job_folder: str
    polling_interval: int


@dataclass(slots=True)
class LocatedAddresses:
    """What addresses were found to name, so that a repeated edit does not ask GitHub again.

    By what was given beside the address, and the token that GitHub was asked with.
    """

    found: dict[tuple[Given, str | Unset | None], Located] = field(default_factory=dict)


class SourceService:
    """Works out the sources of projects. It asks GitHub only where an address needs it."""

    def __init__(
        self, vault: TokenVault, credentials: CredentialService, *, api_urls: tuple[str, ...]
    ) -> None:
        self._vault = vault
        self._credentials = credentials
        self._api_urls = api_urls

    async def new(
        self,
        project_id: str,
        github_repo_url: str,
        settings: ProjectSettings,
        defaults: ProjectDefaults,
        *,
        confirms: bool,
    ) -> Source:
        """Return the source of a new project; `confirms`: an administrator makes it.

        Raises:
            InvalidInputError
        """
        parsed = parse_repository_url(github_repo_url, self._api_urls)
        found = await self._located(
            parsed, _given(None, settings), settings.github_token, confirmed=confirms
        )
        blank = Source(
            repository=parsed.repository,
            config_folder=defaults.config_folder,
            job_folder=defaults.job_folder,
            confirmed=confirms,
        )
        return self._finished(project_id, blank, settings, found)

    async def changed(
        self,
        project: Project,
        changes: ProjectChanges,
        located: LocatedAddresses,
        *,
        confirms: bool,
    ) -> Source:
        """Return the project's source with a person's changes.

        `confirms`: an administrator makes them, and so chooses the repository that they name.

        A token serves the one repository that it was given for: another repository drops it, unless
        one is given too.

        Raises:
            InvalidInputError
        """
        source, settings = project.source, changes.settings
        given = _given(source.ref, settings)
        found = Located(given.ref, None)
        if not isinstance(changes.github_repo_url, Unset):
            parsed = parse_repository_url(changes.github_repo_url, self._api_urls)
            question = given, self._token_for(project, parsed, settings.github_token)
            if question not in located.found:
                located.found[question] = await self._located(
                    parsed,
                    *question,
                    confirmed=confirms or at_repository(source, parsed.repository).confirmed,
                )
            found = located.found[question]
            source = at_repository(source, parsed.repository)
            source = source.model_copy(update={"confirmed": confirms or source.confirmed})
        return self._finished(project.id, source, settings, found)

    def _token_for(
        self, project: Project, parsed: ParsedRepositoryUrl, given: str | Unset | None
    ) -> str | Unset | None:
        """Return the token that is given, else the project's own one for the same repository."""
        if isinstance(given, Unset) and parsed.repository.key == project.source.repository.key:
            # A stored token that cannot be read is no reason to refuse one that may replace it.
            with contextlib.suppress(TokenUnreadableError):
                return self._vault.own_token(project)
        return given

    async def _located(
        self,
        parsed: ParsedRepositoryUrl,
        given: Given,
        token: str | Unset | None,
        *,
        confirmed: bool,
    ) -> Located:
        own = given_or(token, None)
        if own is not None:
            check_token(own)
        return await locate(
            parsed,
            given,
            lambda: self._credentials.client_for(
                parsed.repository, own, urgent=True, confirmed=confirmed
            ),
        )

    def _finished(
        self, project_id: str, source: Source, settings: ProjectSettings, found: Located
    ) -> Source:
        """Return the source with the settings; the token is encrypted for its repository."""
        changed = with_settings(source, settings, found.ref, found.folder)
        token = settings.github_token
        if isinstance(token, Unset):
            return changed
        if token is None:
            return with_token(changed, None, None)
        check_token(token)
        return with_token(
            changed,
            self._vault.encrypt(token, project_id, changed.repository),
            fingerprint_of(changed.repository.api_url, token),
        )


def _given(current: Ref | None, settings: ProjectSettings) -> Given:
    return Given(
        chosen_ref(current, settings.branch, settings.ref),
        settings.has_ref,
        not isinstance(settings.config_folder, Unset),
    )
