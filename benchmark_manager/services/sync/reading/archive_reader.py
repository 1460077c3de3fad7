"""Reads a commit by its archive: one request for all contents, copied while they arrive.

Where nothing is known of a repository yet, the archive serves as the listing too, and proves it: it
hashes to the commit's tree. So the archive of a first sync is requested before any listing. If it
turns out to be large, a listing is requested beside it, which shows whether the rest of the archive
is worth waiting for.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from benchmark_manager.domain.git.objects import TreeMember
from benchmark_manager.domain.sync.obstacles import Obstacle, obstacles_among
from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.protocol.unpacking import ArchiveFile, ArchiveTooLargeError
from benchmark_manager.github.reading.archive import (
    MAX_DOWNLOAD,
    ArchiveDownload,
    entry_of,
    proved_trees,
    read_archive,
)
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.listing import CommitListing, FolderLister
from benchmark_manager.models.commit import CommitAnswer
from benchmark_manager.models.project import Source
from benchmark_manager.services.sync.reading.copying import Copying
from benchmark_manager.services.sync.reading.selection import EntrySelector, SelectedEntries
from benchmark_manager.services.texts.text_work import WantedFile

if TYPE_CHECKING:
    from benchmark_manager.github.protocol.listings import TreeEntry

#: Without a token, an archive of unknown size is given up beyond this, bytes.
_FIRST_DOWNLOAD: Final = 64 * 1024 * 1024
#: What a request is worth in unpacked bytes of an archive: without a token 60 requests an hour are
#: all there are.
_WORTH_ANONYMOUS: Final = 20_000_000
_WORTH_WITH_TOKEN: Final = 500_000


@dataclass(frozen=True, slots=True)
class ArchiveSizes:
    """Which archives are better than contents in batches, where these can be had."""

    #: An archive of no more bytes always is.
    small: int = 2_000_000
    #: A larger one is for more contents than these,
    many: int = 400
    #: if it has no more bytes than these and those of the contents.
    instead_of_batches: int = 16_000_000


def worth_of_an_archive(
    client: RepositoryClient,
    missing: Mapping[str, int],
    *,
    time_known: bool,
    total_size: int | None,
) -> int:
    """Return how large an archive may be that is better than single requests; 0: none is.

    Its unpacked bytes are weighed against the requests that it saves.

    Args:
        client: the repository's.
        missing: the sizes of the contents that are needed, by blob id.
        time_known: the commit's time is known; else an archive saves that request too.
        total_size: unpacked bytes of the commit; None: unknown.

    Returns:
        The most bytes of a download.
    """
    saved = len(missing) - time_known
    worth = _WORTH_ANONYMOUS if client.requests.credential.is_anonymous else _WORTH_WITH_TOKEN
    fits = total_size is not None and total_size <= saved * worth
    return MAX_DOWNLOAD if missing and fits else 0


async def copy_from_archive(
    client: RepositoryClient,
    commit_sha: str,
    max_bytes: int,
    wanted: Iterable[WantedFile],
    copying: Copying,
) -> datetime | None:
    """Copy what the archive holds exactly of these files.

    An archive that cannot be downloaded is no loss: what it lacks is requested by itself.

    Returns:
        The commit's time, if the archive has shown it.
    """
    extraction = _Extraction({file.path: file for file in wanted}, copying)
    try:
        await read_archive(client, commit_sha, max_bytes, extraction.read)
    except (ArchiveTooLargeError, GitHubUnavailableError):
        pass
    finally:
        await copying.finish()
    return extraction.committed_at


class _Extraction:
    """Copies certain files from an archive."""

    def __init__(self, files: Mapping[str, WantedFile], copying: Copying) -> None:
        self._files = files
        self._copying = copying
        self.committed_at: datetime | None = None

    async def read(self, archive: ArchiveDownload) -> None:
        async with aclosing(archive.files(self._is_wanted)) as arriving:
            async for batch in arriving:
                self.committed_at = batch[0].modified_at
                await self._copying.add(
                    (self._files[file.path], file.data)
                    for file in batch
                    if file.data is not None and self._files[file.path].sha == file.sha
                )

    def _is_wanted(self, path: str, _mode: str, size: int) -> bool:
        return path in self._files and self._files[path].size == size


@dataclass(frozen=True, slots=True)
class ArchiveReading:
    """What the archive of a first sync has shown."""

    #: The ids of all folders' trees by path, where the archive is proved to be the whole commit.
    folder_trees: dict[str, str] | None
    #: What belongs to the project; of use only if it is proved.
    entries: SelectedEntries
    members: list[TreeMember]
    #: The listing, if it was requested beside a large archive.
    listing: CommitListing | None
    #: Whether the archive was given up for its size.
    too_large: bool

    def obstacles(self, folders: Iterable[str]) -> dict[str, Obstacle]:
        """Return what is in the way of folders that a proved archive does not have."""
        return obstacles_among(self.members, folders)


class ArchiveReader:
    """Reads the archive of a ref's commit while the commit is being requested as well."""

    def __init__(
        self,
        *,
        source: Source,
        client: RepositoryClient,
        lister: FolderLister,
        head: asyncio.Future[CommitAnswer],
        selector: EntrySelector,
        copying: Copying,
        sizes: ArchiveSizes,
    ) -> None:
        self._sizes = sizes
        self._lister = lister
        self._client = client
        self._head = head
        self._ref = "HEAD" if source.ref is None else source.ref.full
        self._folders = source.config_folder, source.job_folder
        self._selector = selector
        self._copying = copying
        self._members: list[TreeMember] = []
        self._paths: set[str] = set()
        self._commit_sha: str | None = None
        self._entries = SelectedEntries()
        self._listing: CommitListing | None = None

    async def read(self) -> ArchiveReading:
        """Copy what the archive holds.

        Raises:
            GitHubError: anything that neither another try nor another way helps.
        """
        trees, too_large = None, False
        try:
            trees = await self._proved_trees()
        except GitHubUnavailableError:
            pass
        except ArchiveTooLargeError:
            too_large = True
        return ArchiveReading(trees, self._entries, self._members, self._listing, too_large)

    async def _proved_trees(self) -> dict[str, str] | None:
        anonymous = self._client.requests.credential.is_anonymous
        max_bytes = _FIRST_DOWNLOAD if anonymous else self._sizes.instead_of_batches
        # Without a token, where requests are few, none is risked on a branch that may move or be
        # missing.
        ref = await self._head_commit_sha() if anonymous else self._ref
        trees = await read_archive(self._client, ref, max_bytes, self._follow)
        commit_sha = await self._head_commit_sha()
        if trees is None and self._commit_sha != commit_sha:
            # The branch or tag moved in between.
            trees = await read_archive(self._client, commit_sha, max_bytes, self._follow)
        return trees

    async def _head_commit_sha(self) -> str:
        return (await asyncio.shield(self._head)).commit.sha

    async def _follow(self, archive: ArchiveDownload) -> dict[str, str] | None:
        self._members, self._paths, self._entries = [], set(), SelectedEntries()
        weighing = asyncio.create_task(self._weigh(archive))
        try:
            async with aclosing(archive.files(self._selector.may_want)) as arriving:
                async for files in arriving:
                    await self._take(files)
        finally:
            weighing.cancel()
            await asyncio.gather(weighing, return_exceptions=True)
            await self._copying.finish()
        self._commit_sha = archive.commit_sha
        root = (await asyncio.shield(self._head)).commit.known_tree_sha
        return await asyncio.to_thread(proved_trees, self._members, root)

    async def _take(self, files: list[ArchiveFile]) -> None:
        self._members += (TreeMember(file.path, file.mode, file.sha) for file in files)
        entries: list[TreeEntry] = []
        contents: dict[str, bytes] = {}
        for file in files:
            entry = entry_of(file)
            # No tree of git's has a path twice: such an archive proves nothing.
            if entry.path not in self._paths:
                self._paths.add(entry.path)
                entries.append(entry)
            if file.data is not None:
                contents[file.sha] = file.data
        found = await self._selector.select(entries)
        self._entries.add(found)
        await self._copying.add(
            (file, contents[file.sha]) for file in found.wanted if file.sha in contents
        )

    async def _weigh(self, archive: ArchiveDownload) -> None:
        """Give a large archive up, unless the listing shows that it is worth its size."""
        sizes = self._sizes
        if self._client.requests.credential.is_anonymous or not await archive.exceeds(sizes.small):
            return
        head = (await asyncio.shield(self._head)).commit
        self._listing = listing = await self._lister.of_commit(self._client, head, self._folders)
        wanted = (await self._selector.select(listing.folders.entries.values())).wanted
        known = await self._copying.known(wanted)
        missing = {file.sha: file.size for file in wanted if file.sha not in known}
        if not self._client.requests.has_graphql:
            size = listing.total_size
            archive.allow(
                worth_of_an_archive(self._client, missing, time_known=True, total_size=size)
            )
        elif len(missing) > sizes.many:
            archive.allow(sizes.instead_of_batches + sum(missing.values()))
        else:
            archive.allow(0)
