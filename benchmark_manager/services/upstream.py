"""Comparing a project with GitHub: everything before the transaction.

Where GraphQL is to be had, a branch that moved is asked for its folders' tree ids, and each folder for its own listing.
Elsewhere one recursive listing of the commit tells both; a repository which is read for the first time without a token,
whose requests are few, comes as its archive, which proves its own listing.
"""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from benchmark_manager.domain.classification import Candidate, candidate, format_of, skip_reason_of_entry
from benchmark_manager.domain.tree_changes import StoredFile, UpstreamFile
from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.archive import MAX_DOWNLOAD, Archive, ArchiveTooLargeError, downloaded
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.graphql import CommitPlace
from benchmark_manager.github.heads import HeadChecker, Patience
from benchmark_manager.github.listing import FolderLister, Listing, folder_trees_of, listing_of
from benchmark_manager.github.protocol import GarbledAnswerError, TreeEntry
from benchmark_manager.models.problem import Verdict
from benchmark_manager.models.project import Project, RepositoryAddress, Source
from benchmark_manager.models.sync import SkippedFile, SyncWarning
from benchmark_manager.services.copying import Copier, WantedFile
from benchmark_manager.services.progress import Progress
from benchmark_manager.stores.original_files import OriginalFileStore

#: These reasons were found in the content, so they hold as long as the blob is the same.
_CONTENT_REASONS: Final = frozenset({"binary", "not_utf8", "lfs_pointer"})
#: Before anything is known of a repository's size, its archive is given up beyond this, bytes.
_FIRST_DOWNLOAD: Final = 64 * 1024 * 1024
#: What a request is worth in unpacked bytes of an archive: without a token 60 requests an hour are all there are.
_WORTH_ANONYMOUS: Final = 20_000_000
_WORTH_WITH_TOKEN: Final = 500_000
#: A first sync of more contents than these tries the archive before batches, and gives it up where it has more bytes
#: than these and the contents together.
_MANY: Final = 400
_INSTEAD_OF_BATCHES: Final = 16_000_000

Skipped = dict[str, tuple[str, SkippedFile]]


@dataclass(frozen=True, slots=True)
class Upstream:
    """What GitHub has at one commit. `files` is None where nothing can have changed since the last sync."""

    commit_sha: str
    root_tree_sha: str | None
    folder_trees: tuple[str | None, str | None] | None
    resolved_branch: str | None
    max_file_size: int
    renamed_to: RepositoryAddress | None = None
    committed_at: datetime | None = None
    files: dict[str, UpstreamFile] | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    skipped: Skipped = field(default_factory=dict)
    warnings: tuple[SyncWarning, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """There is something to read; what is None was not told yet."""

    commit_sha: str | None
    place: CommitPlace | None


@dataclass(slots=True)
class _Commit:
    """A commit as it is being read."""

    sha: str
    root_tree_sha: str | None
    committed_at: datetime | None
    folder_trees: Mapping[str, str | None] | None
    listing: Listing
    #: Unpacked bytes of the whole commit, as far as a listing told.
    total_size: int | None = None
    archive: Archive | None = None


class UpstreamReader:
    """Reads one project's side of GitHub; new contents are in the blob store when it returns."""

    def __init__(
        self,
        files: OriginalFileStore,
        copier: Copier,
        heads: HeadChecker,
        lister: FolderLister,
        max_file_size: int,
    ) -> None:
        self._files = files
        self._copier = copier
        self._heads = heads
        self._lister = lister
        self._max_file_size = max_file_size

    async def check(self, project: Project, client: RepositoryClient, how: Patience) -> Upstream | Moved:
        """Ask whether anything can have changed, as cheaply as the project's last sync allows.

        Raises:
            GitHubError: nothing may be concluded, least of all that a file is gone.
        """
        state, source = project.state, project.source
        # Files that were too large may not be so any more, or the other way round.
        known = state.head_sha if state.max_file_size == self._max_file_size else None
        if known is None and client.requests.credential.is_anonymous:
            return Moved(None, None)
        folders = source.config_folder, source.job_folder
        head = await self._heads.check(client, source.branch, folders, known, how)
        if head.commit_sha == known:
            return await self._nothing_new(project, client, known, state.root_tree_sha, place=head.place)
        place = head.place
        if place is not None and known is not None and self._as_before(project, place.folder_trees):
            return await self._nothing_new(project, client, head.commit_sha, place.root_tree_sha, place=place)
        return Moved(head.commit_sha, place)

    def _as_before(self, project: Project, trees: Mapping[str, str | None]) -> bool:
        return project.state.folder_trees == _trees(project.source, trees)

    async def read(self, project: Project, client: RepositoryClient, moved: Moved, progress: Progress) -> Upstream:
        """Read what `check` found to have moved.

        Raises:
            GitHubError: nothing may be concluded, least of all that a file is gone.
        """
        async with AsyncExitStack() as stack:
            progress.enter("listing")
            commit, place = await self._listed(project, client, moved, stack)
            if (
                moved.place is None
                and project.state.head_sha is not None
                and project.state.max_file_size == self._max_file_size
                and commit.folder_trees is not None
                and self._as_before(project, commit.folder_trees)
            ):
                root = commit.root_tree_sha
                return await self._nothing_new(project, client, commit.sha, root, place=place)
            stored = {f.path: f for f in await self._files.stored(project.id) if not f.removed}
            seen = await self._files.skipped(project.id)
            # After a change of folders, what was sorted by place may have to be sorted by content.
            sorted_out = _sort_out(
                commit.listing,
                project.source,
                stored,
                seen,
                self._max_file_size,
                types_hold=project.state.head_sha is not None,
            )
            # What is not wanted any more takes memory while contents come.
            missing = commit.listing.missing_folders
            trees = None if commit.folder_trees is None else _trees(project.source, commit.folder_trees)
            commit.listing = Listing({}, missing)
            first = project.state.head_sha is None
            files, skipped, verdicts = await self._copied(client, commit, sorted_out, progress, stack, first=first)
            committed_at = commit.committed_at or (await client.commit(commit.sha)).committer.date
        changed = sorted_out.differs_from(stored)
        branch, renamed_to = await self._identity(project, client, place, changed=changed)
        return Upstream(
            commit_sha=commit.sha,
            root_tree_sha=commit.root_tree_sha,
            folder_trees=trees,
            resolved_branch=branch,
            max_file_size=self._max_file_size,
            renamed_to=renamed_to,
            committed_at=committed_at,
            files=files,
            verdicts=verdicts,
            skipped=skipped,
            warnings=tuple(_missing(folder) for folder in missing),
        )

    async def _nothing_new(
        self, project: Project, client: RepositoryClient, head: str, root: str | None, *, place: CommitPlace | None
    ) -> Upstream:
        branch, renamed_to = await self._identity(project, client, place, changed=False)
        return Upstream(
            commit_sha=head,
            root_tree_sha=root,
            folder_trees=project.state.folder_trees,
            resolved_branch=branch,
            max_file_size=self._max_file_size,
            renamed_to=renamed_to,
            warnings=project.state.warnings,
        )

    async def _identity(
        self, project: Project, client: RepositoryClient, place: CommitPlace | None, *, changed: bool
    ) -> tuple[str | None, RepositoryAddress | None]:
        """The branch's name and, if the repository moved, its new address; asked for only when one may be new."""
        branch = project.source.branch
        if place is not None:
            return branch or place.default_branch, _renamed(client.repository, place.full_name)
        unknown = branch is None and (
            project.state.resolved_branch is None or (changed and not client.requests.credential.is_anonymous)
        )
        if not client.was_renamed and not unknown:
            return branch or project.state.resolved_branch, None
        info = await client.info()
        return branch or info.default_branch, _renamed(client.repository, info.full_name)

    async def _listed(
        self, project: Project, client: RepositoryClient, moved: Moved, stack: AsyncExitStack
    ) -> tuple[_Commit, CommitPlace | None]:
        """The commit's listing, and what became known of the repository on the way."""
        source = project.source
        folders = source.config_folder, source.job_folder
        if moved.place is not None:
            place = moved.place
            listing = await self._lister.by_folder(client, place.folder_trees)
            commit = _Commit(place.commit_sha, place.root_tree_sha, place.committed_at, place.folder_trees, listing)
            return commit, place
        if moved.commit_sha is None:
            return await self._first_without_token(project, client, stack)
        found = await self._lister.by_commit(client, moved.commit_sha, folders)
        return (
            _Commit(
                moved.commit_sha,
                found.root_tree_sha,
                found.committed_at,
                found.folder_trees,
                found.listing,
                found.total_size,
            ),
            None,
        )

    async def _first_without_token(
        self, project: Project, client: RepositoryClient, stack: AsyncExitStack
    ) -> tuple[_Commit, CommitPlace | None]:
        """In three requests: the repository's name, the commit, and an archive which proves its own listing."""
        source = project.source
        folders = source.config_folder, source.job_folder
        info = await client.info() if source.branch is None else None
        head = await client.head_commit(source.branch if info is None else info.default_branch)
        place = None
        if info is not None:
            trees: dict[str, str | None] = {}
            place = CommitPlace(
                head.sha, head.tree.sha, head.committer.date, info.full_name, info.default_branch, trees
            )
        commit = _Commit(head.sha, head.tree.sha, head.committer.date, None, Listing({}, ()))
        try:
            commit.archive = await stack.enter_async_context(downloaded(client, head.sha, _FIRST_DOWNLOAD))
            scan = await commit.archive.scan(head.tree.sha)
        except (ArchiveTooLargeError, GarbledAnswerError, GitHubUnavailableError):
            scan = None
        if scan is not None and scan.entries is not None:
            commit.listing = listing_of(scan.entries, folders)
            commit.folder_trees = folder_trees_of(scan.tree_ids, folders)
        else:
            found = await self._lister.by_commit(client, head.sha, folders)
            commit.listing, commit.folder_trees = found.listing, found.folder_trees
            commit.total_size = found.total_size
        return commit, place

    async def _copied(
        self,
        client: RepositoryClient,
        commit: _Commit,
        sorted_out: "_SortedOut",
        progress: Progress,
        stack: AsyncExitStack,
        *,
        first: bool,
    ) -> tuple[dict[str, UpstreamFile], Skipped, dict[str, Verdict]]:
        """Contents looked at and stored; every file, what is skipped, and the verdicts on what is new."""
        wanted = sorted_out.wanted
        known = await self._copier.known(client, wanted)
        missing = {file.sha: file.size for file in wanted if file.sha not in known}
        progress.expect(len(missing), sum(missing.values()))
        if commit.archive is None and (limit := _worth_of_an_archive(client, missing, commit, first=first)):
            try:
                commit.archive = await stack.enter_async_context(downloaded(client, commit.sha, limit))
                if commit.committed_at is None:
                    commit.committed_at = (await commit.archive.scan(None)).committed_at
            except (ArchiveTooLargeError, GarbledAnswerError, GitHubUnavailableError):
                commit.archive = None
        looked = await self._copier.copy(client, wanted, known, commit.archive, progress)
        files, skipped = dict(sorted_out.unchanged), dict(sorted_out.skipped)
        verdicts: dict[str, Verdict] = {}
        for file in wanted:
            outcome = looked[file.path]
            if outcome.file is not None and outcome.verdict is not None:
                files[file.path], verdicts[file.path] = outcome.file, outcome.verdict
            elif outcome.skip_reason is not None:
                skipped[file.path] = file.sha, SkippedFile(path=file.path, reason=outcome.skip_reason)
        return files, skipped, verdicts


def _worth_of_an_archive(client: RepositoryClient, missing: Mapping[str, int], commit: _Commit, *, first: bool) -> int:
    """How many bytes an archive may have which beats asking for these contents one by one, or in batches; 0: none.

    Its bytes are weighed against requests. It also tells the commit's time.
    """
    if client.requests.has_graphql:
        return _INSTEAD_OF_BATCHES + sum(missing.values()) if first and len(missing) > _MANY else 0
    saved = len(missing) - (commit.committed_at is not None)
    worth = _WORTH_ANONYMOUS if client.requests.credential.is_anonymous else _WORTH_WITH_TOKEN
    fits = commit.total_size is not None and commit.total_size <= saved * worth
    return MAX_DOWNLOAD if missing and fits else 0


def _trees(source: Source, trees: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    return trees.get(source.config_folder), trees.get(source.job_folder)


def _renamed(repository: RepositoryAddress, full_name: str) -> RepositoryAddress | None:
    owner, _, name = full_name.partition("/")
    current = RepositoryAddress(api_url=repository.api_url, owner=owner, name=name)
    return None if current.key == repository.key else current


@dataclass(frozen=True, slots=True)
class _SortedOut:
    unchanged: dict[str, UpstreamFile]
    wanted: list[WantedFile]
    skipped: Skipped

    def differs_from(self, stored: Mapping[str, StoredFile]) -> bool:
        return bool(self.wanted) or len(self.unchanged) != len(stored)


def _sort_out(
    listing: Listing,
    source: Source,
    stored: Mapping[str, StoredFile],
    seen: Skipped,
    max_file_size: int,
    *,
    types_hold: bool,
) -> _SortedOut:
    """What is as it was, what has to be looked at, and what is skipped without looking.

    `types_hold`: the stored types were found for these very folders.
    """
    result = _SortedOut({}, [], {})
    for path, entry in listing.entries.items():
        kind = candidate(path, entry.mode, source.config_folder, source.job_folder)
        file_format = format_of(path)
        if kind is None or file_format is None:
            continue
        reason = skip_reason_of_entry(entry.mode, entry.size, max_file_size, path=path)
        before = seen.get(path)
        if reason is not None:
            result.skipped[path] = entry.sha, SkippedFile(path=path, reason=reason)
        elif before is not None and before[0] == entry.sha and before[1].reason in _CONTENT_REASONS:
            result.skipped[path] = before
        elif (old := stored.get(path)) is not None and _is_as_it_was(old, entry, kind, types_hold=types_hold):
            result.unchanged[path] = UpstreamFile(path, entry.sha, entry.size or 0, old.file_type, file_format)
        else:
            result.wanted.append(WantedFile(path, entry.sha, _size(entry, max_file_size), kind, file_format))
    return result


def _is_as_it_was(old: StoredFile, entry: TreeEntry, kind: Candidate, *, types_hold: bool) -> bool:
    return old.sha == entry.sha and (kind == old.file_type or (kind == "by_content" and types_hold))


def _size(entry: TreeEntry, max_file_size: int) -> int:
    """How many bytes a blob may have: what the tree says, else what is allowed at all."""
    return max_file_size if entry.size is None else entry.size


def _missing(folder: str) -> SyncWarning:
    return SyncWarning(
        code="folder_not_found", detail=f"The branch has no folder {folder!r}; it holds no files for this project."
    )
