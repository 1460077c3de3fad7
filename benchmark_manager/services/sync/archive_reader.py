"""Reading a commit by its archive: one request for all contents, taken while it arrives.

Where nothing is known of a repository yet, the archive tells the listing too, and proves it: it
hashes to the commit's tree. So the archive of a first sync is asked for before any listing. If it
turns out to be large, a listing is asked for beside it, which tells whether the rest of it is worth
waiting for.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Final

from benchmark_manager.domain.sync.git_objects import TreeMember
from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.protocol.rest import GitCommit, TreeEntry
from benchmark_manager.github.protocol.unpacking import ArchiveFile, ArchiveTooLargeError
from benchmark_manager.github.reading.archive import (
    MAX_DOWNLOAD,
    Archive,
    entry_of,
    proved_trees,
    read_archive,
)
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.reading.listing import CommitListing, FolderLister
from benchmark_manager.github.reading.obstacles import Obstacle, obstacles_among
from benchmark_manager.models.project import Source
from benchmark_manager.services.sync.copying import Copying
from benchmark_manager.services.sync.selection import SortedOut, Sorter
from benchmark_manager.services.texts.text_work import WantedFile

#: Before anything is known of a repository's size, its archive is given up beyond this without a
#: token, bytes.
_FIRST_DOWNLOAD: Final = 64 * 1024 * 1024
#: What a request is worth in unpacked bytes of an archive: without a token 60 requests an hour are
#: all there are.
_WORTH_ANONYMOUS: Final = 20_000_000
_WORTH_WITH_TOKEN: Final = 500_000
#: Where contents come in batches, an archive which is larger than this is worth it from so many
#: contents on, if it has no more bytes than these and the contents together.
_SMALL: Final = 2_000_000
_MANY: Final = 400
_INSTEAD_OF_BATCHES: Final = 16_000_000


def worth_of_an_archive(
    client: RepositoryClient,
    missing: Mapping[str, int],
    *,
    time_known: bool,
    total_size: int | None,
) -> int:
    """How many bytes an archive may have which beats asking for these contents (sizes by blob id) one by one; 0: none.

    Its unpacked bytes (None: unknown) are weighed against requests. It also tells the commit's
    time.
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
    """Copy what the archive holds exactly of these files; the commit's time, if it told.

    An archive which cannot be had is no loss: what it lacks is fetched by itself.
    """
    files = {file.path: file for file in wanted}
    told: list[datetime] = []

    def is_wanted(path: str, _mode: str, size: int) -> bool:
        return path in files and files[path].size == size

    async def read(archive: Archive) -> None:
        async with aclosing(archive.files(is_wanted)) as arriving:
            async for batch in arriving:
                told[:] = [batch[0].modified_at]
                await copying.add(
                    (files[file.path], file.data)
                    for file in batch
                    if file.data is not None and files[file.path].sha == file.sha
                )

    try:
        await read_archive(client, commit_sha, max_bytes, read)
    except (ArchiveTooLargeError, GitHubUnavailableError):
        pass
    finally:
        await copying.finish()
    return told[0] if told else None


class FirstReading:
    """The archive of a ref's commit, which is being asked for at the same time."""

    def __init__(
        self,
        lister: FolderLister,
        client: RepositoryClient,
        head: asyncio.Future[GitCommit],
        source: Source,
        sorter: Sorter,
        copying: Copying,
    ) -> None:
        self._lister = lister
        self._client = client
        self._head = head
        self._ref = "HEAD" if source.ref is None else source.ref.full
        self._folders = source.config_folder, source.job_folder
        self._sorter = sorter
        self._copying = copying
        self._members: list[TreeMember] = []
        self._paths: set[str] = set()
        self._commit_sha: str | None = None
        #: What the archive told; of use only if it was proved.
        self.sorted_out = SortedOut()
        #: The listing, if it was asked for beside a large archive.
        self.listing: CommitListing | None = None
        #: The archive was given up for its size.
        self.too_large = False

    def obstacles(self, folders: Iterable[str]) -> dict[str, Obstacle]:
        """What is in the way of folders that the archive, which was proved, does not have."""
        return obstacles_among(self._members, folders)

    async def read(self) -> dict[str, str] | None:
        """Copy what the archive holds; the ids of all folders' trees, by path, where it proved to be the whole commit.

        Raises:
            GitHubError: anything that trying again, or another way, does not help.
        """
        anonymous = self._client.requests.credential.is_anonymous
        max_bytes = _FIRST_DOWNLOAD if anonymous else _INSTEAD_OF_BATCHES
        try:
            # Without a token, where requests are few, none is risked on a branch that may move, or
            # be missing.
            ref = (await asyncio.shield(self._head)).sha if anonymous else self._ref
            trees = await read_archive(self._client, ref, max_bytes, self._follow)
            sha = (await asyncio.shield(self._head)).sha
            if trees is None and self._commit_sha != sha:
                # The branch or tag moved in between.
                trees = await read_archive(self._client, sha, max_bytes, self._follow)
        except GitHubUnavailableError:
            return None
        except ArchiveTooLargeError:
            self.too_large = True
            return None
        return trees

    async def _follow(self, archive: Archive) -> dict[str, str] | None:
        self._members, self._paths, self.sorted_out = [], set(), SortedOut()
        weighing = asyncio.create_task(self._weigh(archive))
        try:
            async with aclosing(archive.files(self._sorter.may_want)) as arriving:
                async for files in arriving:
                    await self._take(files)
        finally:
            weighing.cancel()
            await asyncio.gather(weighing, return_exceptions=True)
            await self._copying.finish()
        self._commit_sha = archive.commit_sha
        root = (await asyncio.shield(self._head)).tree.sha
        return await asyncio.to_thread(proved_trees, self._members, root)

    async def _take(self, files: list[ArchiveFile]) -> None:
        self._members += (TreeMember(file.path, file.mode, file.sha) for file in files)
        entries: list[TreeEntry] = []
        contents: dict[str, bytes] = {}
        for file in files:
            entry = entry_of(file)
            # A path twice, as in no tree of git's: such an archive proves nothing.
            if entry.path not in self._paths:
                self._paths.add(entry.path)
                entries.append(entry)
            if file.data is not None:
                contents[file.sha] = file.data
        found = await self._sorter.sort_aside(entries)
        self.sorted_out.add(found)
        await self._copying.add(
            (file, contents[file.sha]) for file in found.wanted if file.sha in contents
        )

    async def _weigh(self, archive: Archive) -> None:
        """Give a large archive up, unless the listing shows that it is worth it."""
        if self._client.requests.credential.is_anonymous or not await archive.exceeds(_SMALL):
            return
        head = await asyncio.shield(self._head)
        self.listing = await self._lister.of_commit(self._client, head, self._folders)
        wanted = (await self._sorter.sort_aside(self.listing.listing.entries.values())).wanted
        known = await self._copying.known(wanted)
        missing = {file.sha: file.size for file in wanted if file.sha not in known}
        if not self._client.requests.has_graphql:
            size = self.listing.total_size
            archive.allow(
                worth_of_an_archive(self._client, missing, time_known=True, total_size=size)
            )
        elif len(missing) > _MANY:
            archive.allow(_INSTEAD_OF_BATCHES + sum(missing.values()))
        else:
            archive.allow(0)
