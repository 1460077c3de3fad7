"""Comparing a project with GitHub: everything before the transaction.

Where GraphQL is to be had, a branch that moved is asked for its folders' tree ids, and each folder
for its own listing. Elsewhere one recursive listing of the commit tells both; a repository which is
read for the first time without a token, whose requests are few, comes as its archive, which proves
its own listing.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from benchmark_manager.domain.sync.entry_names import has_unknown_names, readable_names
from benchmark_manager.domain.sync.tree_changes import StoredFile, UpstreamFile
from benchmark_manager.github.protocol.graphql import CommitPlace
from benchmark_manager.github.protocol.rest import GitCommit
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.heads import HeadChecker, Patience
from benchmark_manager.github.reading.listing import CommitListing, FolderLister, Listing
from benchmark_manager.github.reading.obstacles import Obstacle
from benchmark_manager.models.problem import StoredVerdict
from benchmark_manager.models.project import Project, RepositoryAddress, Source
from benchmark_manager.models.sync import SkippedFile, SyncWarning
from benchmark_manager.services.sync.archive_reader import (
    FirstReading,
    copy_from_archive,
    worth_of_an_archive,
)
from benchmark_manager.services.sync.copying import Copier, Copying
from benchmark_manager.services.sync.folder_warnings import folder_warnings
from benchmark_manager.services.sync.progress import Progress
from benchmark_manager.services.sync.selection import Skipped, SortedOut, Sorter
from benchmark_manager.services.texts.text_work import WantedFile
from benchmark_manager.stores.originals.originals import OriginalFileStore


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
    #: The project's originals as they were, those gone upstream included; only its own syncs change
    #: them.
    stored: tuple[StoredFile, ...] = ()
    verdicts: dict[str, StoredVerdict] = field(default_factory=dict)
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
    missing_folders: tuple[str, ...]
    #: What is in the way of those, by folder; None where nothing showed it.
    obstacles: Mapping[str, Obstacle] | None = None
    #: Unpacked bytes of the whole commit, as far as a listing told.
    total_size: int | None = None
    #: Its archive was read, as far as it can be.
    by_archive: bool = False


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

    async def check(
        self, project: Project, client: RepositoryClient, how: Patience
    ) -> Upstream | Moved:
        """Ask whether anything can have changed, as cheaply as the project's last sync allows.

        Raises:
            GitHubError: nothing may be concluded, least of all that a file is gone.
        """
        state, source = project.state, project.source
        # Files that were too large may not be so any more, or the other way round.
        known = state.head_sha if state.max_file_size == self._max_file_size else None
        if known is None and (state.head_sha is None or client.requests.credential.is_anonymous):
            return Moved(None, None)
        folders = source.config_folder, source.job_folder
        if known is not None and source.is_fixed:
            return await self._nothing_new(project, client, known, state.root_tree_sha, place=None)
        head = await self._heads.check(client, source.ref, folders, known, how)
        if head.commit_sha == known:
            return await self._nothing_new(
                project, client, known, state.root_tree_sha, place=head.place
            )
        place = head.place
        if place is not None and known is not None and self._as_before(project, place.folder_trees):
            found = await self._nothing_new(
                project, client, head.commit_sha, place.root_tree_sha, place=place
            )
            missing = sorted({folder for folder in folders if place.folder_trees[folder] is None})
            if any(
                warning.code != "folder_not_found" for warning in found.warnings
            ) or place.taken_paths & set(missing):
                # Where a folder's link points may have changed all the same.
                return replace(
                    found, warnings=await folder_warnings(client, head.commit_sha, missing, None)
                )
            return found
        return Moved(head.commit_sha, place)

    def _is_as_before(self, project: Project, commit: _Commit) -> bool:
        state = project.state
        if (
            state.head_sha is None
            or state.max_file_size != self._max_file_size
            or commit.folder_trees is None
        ):
            return False
        return self._as_before(project, commit.folder_trees)

    def _as_before(self, project: Project, trees: Mapping[str, str | None]) -> bool:
        return project.state.folder_trees == _trees(project.source, trees)

    async def read(
        self, project: Project, client: RepositoryClient, moved: Moved, progress: Progress
    ) -> Upstream:
        """Read what `check` found to have moved.

        Raises:
            GitHubError: nothing may be concluded, least of all that a file is gone.
        """
        progress.enter("listing")
        copying = self._copier.of_sync(client, progress)
        if moved.commit_sha is None:
            stored = tuple(await self._files.stored(project.id))
            sorter = await self._sorter(project, stored)
            commit, place, sorted_out = await self._first(
                project, client, sorter, copying, progress
            )
        else:
            commit, place, listing = await self._listed(
                project, client, moved.commit_sha, moved.place
            )
            if moved.place is None and self._is_as_before(project, commit):
                warnings = await folder_warnings(
                    client, commit.sha, commit.missing_folders, commit.obstacles
                )
                unchanged = await self._nothing_new(
                    project, client, commit.sha, commit.root_tree_sha, place=None
                )
                return replace(unchanged, warnings=warnings)
            stored = tuple(await self._files.stored(project.id))
            sorter = await self._sorter(project, stored)
            if client.requests.has_graphql or not has_unknown_names(listing.entries):
                sorted_out = await sorter.sort_aside(listing.entries.values())
            else:
                # An archive holds the bytes of names, and proves them.
                commit, place, sorted_out = await self._first(
                    project, client, sorter, copying, progress
                )
            # What is not wanted any more takes memory while contents come.
            del listing
        await self._copy(client, commit, sorted_out.wanted, copying, progress)
        files, skipped, verdicts = await asyncio.to_thread(_found, sorted_out, copying)
        committed_at = commit.committed_at or (await client.commit(commit.sha)).committer.date
        trees = None if commit.folder_trees is None else _trees(project.source, commit.folder_trees)
        changed = sorted_out.differs_from(sorter.stored)
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
            stored=stored,
            verdicts=verdicts,
            skipped=skipped,
            warnings=await folder_warnings(
                client, commit.sha, commit.missing_folders, commit.obstacles
            ),
        )

    async def _nothing_new(
        self,
        project: Project,
        client: RepositoryClient,
        head: str,
        root: str | None,
        *,
        place: CommitPlace | None,
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
        self,
        project: Project,
        client: RepositoryClient,
        place: CommitPlace | None,
        *,
        changed: bool,
    ) -> tuple[str | None, RepositoryAddress | None]:
        """The branch's name (None: it is none) and, if the repository moved, its new address.

        They are asked for only when one may be new.
        """
        ref, branch = project.source.ref, project.source.branch
        if place is not None:
            return branch if ref is not None else place.default_branch, _renamed(
                client.repository, place.full_name
            )
        unknown = ref is None and (
            project.state.resolved_branch is None
            or (changed and not client.requests.credential.is_anonymous)
        )
        if not client.was_renamed and not unknown:
            return branch if ref is not None else project.state.resolved_branch, None
        info = await client.info()
        return branch if ref is not None else info.default_branch, _renamed(
            client.repository, info.full_name
        )

    async def _sorter(self, project: Project, every: Iterable[StoredFile]) -> Sorter:
        stored = {file.path: file for file in every if not file.removed}
        seen = await self._files.skipped(project.id)
        # After a change of folders, what was sorted by place may have to be sorted by content.
        types_hold = project.state.head_sha is not None
        return Sorter(project.source, stored, seen, self._max_file_size, types_hold)

    async def _listed(
        self, project: Project, client: RepositoryClient, commit_sha: str, place: CommitPlace | None
    ) -> tuple[_Commit, CommitPlace | None, Listing]:
        """A commit's listing, and what became known of the repository on the way."""
        if place is not None:
            trees = place.folder_trees
            listing = await self._lister.by_folder(client, trees)
            missing = listing.missing_folders
            return (
                _Commit(commit_sha, place.root_tree_sha, place.committed_at, trees, missing),
                place,
                listing,
            )
        folders = project.source.config_folder, project.source.job_folder
        found = await self._lister.by_commit(client, commit_sha, folders)
        return _commit_of(commit_sha, found), None, found.listing

    async def _first(
        self,
        project: Project,
        client: RepositoryClient,
        sorter: Sorter,
        copying: Copying,
        progress: Progress,
    ) -> tuple[_Commit, CommitPlace | None, SortedOut]:
        """In three requests at once: the commit, the repository's name, and an archive which proves its own listing."""
        progress.enter("fetching")
        asked = asyncio.create_task(self._head(project, client))
        head_commit = asyncio.create_task(_first_of(asked))
        reading = FirstReading(self._lister, client, head_commit, project.source, sorter, copying)
        read = asyncio.create_task(reading.read())
        try:
            # Where there is no such branch, its archive need not be waited for.
            head, place = await asked
            trees = await read
        finally:
            await _cancelled(read, head_commit, asked)
        folders = project.source.config_folder, project.source.job_folder
        if trees is not None:
            found_trees = {folder: trees.get(folder) for folder in folders}
            missing = tuple(sorted(folder for folder, tree in found_trees.items() if tree is None))
            in_way = await asyncio.to_thread(reading.obstacles, missing)
            commit = _Commit(
                head.sha,
                head.tree.sha,
                head.committer.date,
                found_trees,
                missing,
                in_way,
                by_archive=True,
            )
            return commit, place, reading.sorted_out
        found = reading.listing or await self._lister.of_commit(client, head, folders)
        commit = _commit_of(head.sha, found)
        commit.by_archive = client.requests.has_graphql or not reading.too_large
        return commit, place, await sorter.sort_aside(found.listing.entries.values())

    async def _head(
        self, project: Project, client: RepositoryClient
    ) -> tuple[GitCommit, CommitPlace | None]:
        """The ref's commit and, where it is the default branch that is followed, the repository's names."""
        ref = project.source.ref
        if ref is not None:
            return await client.head_commit(ref), None
        asked = asyncio.create_task(client.head_commit(None)), asyncio.create_task(client.info())
        try:
            head, info = await asyncio.gather(*asked)
        finally:
            await _cancelled(*asked)
        names = info.full_name, info.default_branch
        return head, CommitPlace(head.sha, head.tree.sha, head.committer.date, *names)

    async def _copy(
        self,
        client: RepositoryClient,
        commit: _Commit,
        wanted: list[WantedFile],
        copying: Copying,
        progress: Progress,
    ) -> None:
        """Have all that is wanted looked at and stored, as far as it is not yet."""
        if left := copying.left(wanted):
            await copying.copy_known(left)
            left = copying.left(left)
        missing = {file.sha: file.size for file in left}
        progress.expect(len(missing), sum(missing.values()))
        if not commit.by_archive and not client.requests.has_graphql:
            time_known = commit.committed_at is not None
            limit = worth_of_an_archive(
                client, missing, time_known=time_known, total_size=commit.total_size
            )
            if limit:
                told = await copy_from_archive(client, commit.sha, limit, left, copying)
                commit.committed_at = commit.committed_at or told
                left = copying.left(left)
        await copying.fetch(left)


async def _first_of(asked: "asyncio.Task[tuple[GitCommit, CommitPlace | None]]") -> GitCommit:
    return (await asyncio.shield(asked))[0]


async def _cancelled(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _commit_of(commit_sha: str, found: CommitListing) -> _Commit:
    return _Commit(
        commit_sha,
        found.root_tree_sha,
        found.committed_at,
        found.folder_trees,
        found.listing.missing_folders,
        found.listing.obstacles,
        found.total_size,
    )


def _found(
    sorted_out: SortedOut, copying: Copying
) -> tuple[dict[str, UpstreamFile], Skipped, dict[str, StoredVerdict]]:
    """Every file, what is skipped, and the verdicts on what is new."""
    files, skipped = dict(sorted_out.unchanged), dict(sorted_out.skipped)
    verdicts: dict[str, StoredVerdict] = {}
    for file in sorted_out.wanted:
        outcome = copying.looked_at(file)
        assert outcome is not None  # noqa: S101 -- all that was wanted was copied
        if outcome.file is not None and outcome.verdict is not None:
            files[file.path], verdicts[file.path] = outcome.file, outcome.verdict
        elif outcome.skip_reason is not None:
            skipped[file.path] = file.sha, SkippedFile(path=file.path, reason=outcome.skip_reason)
    names = readable_names(sorted_out.unnamed, files.keys() | skipped.keys())
    for path, sha in sorted_out.unnamed.items():
        skipped[names[path]] = sha, SkippedFile(path=names[path], reason="name_not_utf8")
    return files, skipped, verdicts


def _trees(source: Source, trees: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    return trees.get(source.config_folder), trees.get(source.job_folder)


def _renamed(repository: RepositoryAddress, full_name: str) -> RepositoryAddress | None:
    owner, _, name = full_name.partition("/")
    current = RepositoryAddress(api_url=repository.api_url, owner=owner, name=name)
    return None if current.key == repository.key else current
