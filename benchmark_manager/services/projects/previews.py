"""Preview the branches and folders of repositories, without storing anything."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from benchmark_manager.domain.projects.file_patterns import normalise_patterns
from benchmark_manager.domain.projects.folders import normalise_folder
from benchmark_manager.domain.projects.repository_url import check_token, parse_repository_url
from benchmark_manager.domain.projects.settings import chosen_ref
from benchmark_manager.domain.sync.folder_counts import FolderCounts, count_selected
from benchmark_manager.domain.sync.selection import Selection
from benchmark_manager.domain.unset import UNSET
from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.protocol.graphql import RepositoryOverview
from benchmark_manager.github.protocol.listings import TreeListing
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.overview import read_overview
from benchmark_manager.models.access.principal import Principal, includes
from benchmark_manager.models.preview import PreviewSelection, RepositoryPreview
from benchmark_manager.models.project import Ref, RepositoryAddress
from benchmark_manager.services.projects.credentials import CredentialService
from benchmark_manager.services.projects.repository_addresses import Given, Located, locate
from benchmark_manager.services.projects.sources import ProjectDefaults

#: Listings in memory at the same time, each of up to 100,000 entries.
_AT_ONCE: Final = 2
#: Limit of the time that a listing may take, seconds: a person waits.
_SECONDS: Final = 45.0
#: Listings with more entries are counted in a thread.
_FEW: Final = 2000


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """The repository and settings to preview; None is the default."""

    github_repo_url: str
    github_token: str | None = None
    branch: str | None = None
    ref: Ref | None = None
    config_folder: str | None = None
    job_folder: str | None = None
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders that a person gave, normalised; None where none was given."""

    config: str | None
    job: str | None


class PreviewService:
    """Reads repositories with the credentials that projects of them would use."""

    def __init__(
        self,
        credentials: CredentialService,
        *,
        api_urls: tuple[str, ...],
        defaults: ProjectDefaults,
        max_file_size: int,
    ) -> None:
        self._credentials = credentials
        self._api_urls = api_urls
        self._defaults = defaults
        self._max_file_size = max_file_size
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def preview(self, principal: Principal, request: PreviewRequest) -> RepositoryPreview:
        """Preview a repository for a maintainer, site-wide or of any project.

        The service's own GitHub token may read it. It takes two requests to GitHub, without a token
        three, and one or two more to split an address.

        Raises:
            ForbiddenError, InvalidInputError, GitHubError
        """
        principal.require_somewhere("maintainer")
        parsed = parse_repository_url(request.github_repo_url, self._api_urls)
        if request.github_token is not None:
            check_token(request.github_token)
        chosen = chosen_ref(
            None,
            UNSET if request.branch is None else request.branch,
            UNSET if request.ref is None else request.ref,
        )
        given, patterns = _given_folders(request), _given_patterns(request)
        client = await self._credentials.client_for(
            parsed.repository,
            request.github_token,
            urgent=True,
            confirmed=includes(principal.site_role, "admin"),
        )

        async def same() -> RepositoryClient:
            return client

        found = await locate(
            parsed, Given(chosen, chosen is not None, given.config is not None), same
        )
        found = replace(found, folder=_normalised(found.folder, "address"))
        try:
            async with asyncio.timeout(_SECONDS), self._slots:
                overview, tree = await read_overview(client, found.ref)
                counted = partial(
                    self._counted, parsed.repository, found, overview, tree, given, patterns
                )
                return counted() if len(tree.tree) <= _FEW else await asyncio.to_thread(counted)
        except TimeoutError:
            raise GitHubUnavailableError("timeout_unchanged") from None

    def _counted(
        self,
        repository: RepositoryAddress,
        found: Located,
        overview: RepositoryOverview,
        tree: TreeListing,
        given: Folders,
        patterns: Selection,
    ) -> RepositoryPreview:
        counts = FolderCounts(self._max_file_size)
        entries = [entry for entry in tree.tree if patterns.admits(entry.path)]
        counts.add(entries)
        folders, more = counts.folders()
        config, job = counts.suggest(self._defaults.config_folder, self._defaults.job_folder)
        config = config if found.folder is None else found.folder

        def counted(config_folder: str, job_folder: str) -> PreviewSelection:
            chosen = replace(patterns, config_folder=config_folder, job_folder=job_folder)
            return count_selected(entries, chosen, self._max_file_size)

        return RepositoryPreview(
            repository=repository,
            ref=found.ref,
            default_branch=overview.default_branch,
            commit_sha=None if overview.commit is None else overview.commit.sha,
            branches=overview.branches,
            more_branches=overview.more_branches,
            complete=not tree.truncated,
            folders=tuple(folders),
            more_folders=more,
            suggested=counted(config, job),
            selected=counted(
                config if given.config is None else given.config,
                job if given.job is None else given.job,
            ),
        )


def _given_folders(request: PreviewRequest) -> Folders:
    return Folders(
        _normalised(request.config_folder, "config_folder"),
        _normalised(request.job_folder, "job_folder"),
    )


def _given_patterns(request: PreviewRequest) -> Selection:
    """Return the selection of the given patterns in any folders."""
    return Selection(
        "",
        "",
        normalise_patterns(request.include, field="include"),
        normalise_patterns(request.exclude, field="exclude"),
    )


def _normalised(folder: str | None, field: str) -> str | None:
    return None if folder is None else normalise_folder(folder, field=field)
