"""Lists one commit, selects the files that belong to a project, and copies their contents.

With GraphQL, a branch that moved is asked for its folders' tree ids, and each folder for its own
listing. Without it, one recursive listing of the commit answers both. A repository that is read for
the first time without a token, whose requests are few, comes as its archive, which proves its own
listing.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from benchmark_manager.domain.sync.entry_names import has_unknown_names
from benchmark_manager.domain.sync.obstacles import Obstacle
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.listing import CommitListing, FolderLister
from benchmark_manager.models.commit import Commit, CommitAnswer, RepositoryNames
from benchmark_manager.models.project import Source
from benchmark_manager.services.sync.progress import Progress
from benchmark_manager.services.sync.reading.archive_reader import (
    ArchiveReader,
    ArchiveReading,
    ArchiveSizes,
    copy_from_archive,
    worth_of_an_archive,
)
from benchmark_manager.services.sync.reading.copying import Copying
from benchmark_manager.services.sync.reading.selection import EntrySelector, SelectedEntries


@dataclass(frozen=True, slots=True)
class SelectedCommit:
    """A commit that was listed, with its entries that belong to the project."""

    commit: Commit
    repository: RepositoryNames | None
    entries: SelectedEntries
    missing_folders: tuple[str, ...]
    #: What is in the way of those, by folder; None where no listing has shown it.
    obstacles: Mapping[str, Obstacle] | None
    #: Unpacked bytes of the whole commit, where a listing has shown them.
    total_size: int | None = None
    #: Whether its archive was used already, as far as that is possible.
    archive_read: bool = False


class CommitReading:
    """Reads the commit of one sync, step by step; each step returns a new value."""

    def __init__(
        self,
        source: Source,
        client: RepositoryClient,
        lister: FolderLister,
        copying: Copying,
        progress: Progress,
        archives: ArchiveSizes,
    ) -> None:
        self._archives = archives
        self._source = source
        self._folders = source.config_folder, source.job_folder
        self._client = client
        self._lister = lister
        self._copying = copying
        self._progress = progress

    async def listing(self, head: CommitAnswer) -> CommitListing:
        """List the project's folders at a commit, by their trees where these are known."""
        commit = head.commit
        if head.repository is None or commit.folder_trees is None:
            return await self._lister.by_commit(self._client, commit.sha, self._folders)
        folders = await self._lister.by_folder(self._client, commit.folder_trees)
        return CommitListing(commit, folders)

    async def selected(
        self,
        listing: CommitListing,
        repository: RepositoryNames | None,
        selector: EntrySelector,
    ) -> SelectedCommit:
        """Select what belongs to the project from a listing."""
        entries = listing.folders.entries
        if has_unknown_names(entries) and not self._client.requests.has_graphql:
            # An archive holds the bytes of names, and proves them.
            return await self.first(selector)
        found = await selector.select(entries.values())
        return _selected(listing, repository, found)

    async def first(self, selector: EntrySelector) -> SelectedCommit:
        """Read the ref's commit in three requests at once.

        They are for the commit, for the repository's names and for an archive, which proves its own
        listing.
        """
        self._progress.enter("fetching")
        asked = asyncio.create_task(self._head())
        reader = ArchiveReader(
            source=self._source,
            client=self._client,
            lister=self._lister,
            head=asked,
            selector=selector,
            copying=self._copying,
            sizes=self._archives,
        )
        reading = asyncio.create_task(reader.read())
        try:
            # Where there is no such branch, its archive need not be waited for.
            head = await asked
            archive = await reading
        finally:
            await _cancelled(reading, asked)
        if archive.folder_trees is not None:
            return await self._from_archive(head, archive, archive.folder_trees)
        listing = archive.listing or await self._lister.of_commit(
            self._client, head.commit, self._folders
        )
        found = await selector.select(listing.folders.entries.values())
        archive_read = self._client.requests.has_graphql or not archive.too_large
        return _selected(listing, head.repository, found, archive_read=archive_read)

    async def _from_archive(
        self, head: CommitAnswer, archive: ArchiveReading, all_trees: Mapping[str, str]
    ) -> SelectedCommit:
        trees = {folder: all_trees.get(folder) for folder in self._folders}
        missing = tuple(sorted(folder for folder, tree in trees.items() if tree is None))
        return SelectedCommit(
            replace(head.commit, folder_trees=trees),
            head.repository,
            archive.entries,
            missing,
            await asyncio.to_thread(archive.obstacles, missing),
            archive_read=True,
        )

    async def _head(self) -> CommitAnswer:
        """Read the ref's commit and, where it is the default branch's, the repository's names."""
        client, ref = self._client, self._source.ref
        if ref is not None:
            return CommitAnswer(await client.head_commit(ref))
        of_commit = asyncio.create_task(client.head_commit(None))
        of_repository = asyncio.create_task(client.info())
        try:
            # Of two refusals, the repository's explains more, whichever came first.
            info = await of_repository
            commit = await of_commit
        finally:
            await _cancelled(of_commit, of_repository)
        return CommitAnswer(commit, RepositoryNames(info.full_name, info.default_branch))

    async def copy(self, selected: SelectedCommit) -> Commit:
        """Copy all wanted contents that are not copied yet.

        Returns:
            The commit, with its time where the archive has shown it.
        """
        commit, copying, client = selected.commit, self._copying, self._client
        if left := copying.not_copied(selected.entries.wanted):
            await copying.copy_known(left)
            left = copying.not_copied(left)
        missing = {file.sha: file.size for file in left}
        self._progress.expect(len(missing), sum(missing.values()))
        if not selected.archive_read and not client.requests.has_graphql:
            limit = worth_of_an_archive(
                client,
                missing,
                time_known=commit.committed_at is not None,
                total_size=selected.total_size,
            )
            if limit:
                time = await copy_from_archive(client, commit.sha, limit, left, copying)
                commit = replace(commit, committed_at=commit.committed_at or time)
                left = copying.not_copied(left)
        await copying.fetch(left)
        return commit


def _selected(
    listing: CommitListing,
    repository: RepositoryNames | None,
    entries: SelectedEntries,
    *,
    archive_read: bool = False,
) -> SelectedCommit:
    return SelectedCommit(
        listing.commit,
        repository,
        entries,
        listing.folders.missing_folders,
        listing.folders.obstacles,
        listing.total_size,
        archive_read,
    )


async def _cancelled(*tasks: "asyncio.Task[Any]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
