"""A commit's archive: all of its files for the price of one request, read while it arrives.

The archive is git's own (git-archive(1)), but the repository's attributes can leave files out of it
or substitute text in them, and it shows submodules as empty folders. So nothing in it is believed
by itself: a listing made from it counts only if it hashes to the commit's root tree, and contents
only if they hash to their blob id. Links and paths which lead elsewhere are harmless, as nothing is
ever written under a name of the archive's.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from typing import IO, Final, TypeVar

from benchmark_manager.domain.sync.git_objects import TreeMember, tree_ids
from benchmark_manager.errors import GitHubUnavailableError
from benchmark_manager.github.protocol.listings import TreeEntry
from benchmark_manager.github.protocol.unpacking import (
    ArchiveFile,
    ArchiveTooLargeError,
    Keep,
    Unpacker,
)
from benchmark_manager.github.protocol.urls import repository_path
from benchmark_manager.github.reading.client import RepositoryClient
from benchmark_manager.github.sending.requests import (
    NoArchiveError,
    PassingFailureError,
)

#: An archive is given up beyond this, bytes as downloaded.
MAX_DOWNLOAD: Final = 512 * 1024 * 1024
#: Its download may last this long, seconds.
_DOWNLOAD_SECONDS: Final = 900.0
_PIECE: Final = 64 * 1024
#: Files handed over at once: bytes of their contents, and number.
_BATCH_BYTES: Final = 1_000_000
_BATCH_FILES: Final = 1000
_TRIES: Final = 2

T = TypeVar("T")


class Archive:
    """An archive on its way into a temporary file.

    The download waits for nobody: whoever reads follows it, from the beginning.
    """

    def __init__(self, file: IO[bytes], max_bytes: int = MAX_DOWNLOAD) -> None:
        """`file` is unbuffered, and empty."""
        self._file = file
        self._max_bytes = max_bytes
        self._received = 0
        self._ended = False
        self._failure: BaseException | None = None
        self._news = asyncio.Event()
        #: The commit that it says to be of, once its first files were read.
        self.commit_sha: str | None = None

    def allow(self, max_bytes: int) -> None:
        """Give it up where it has more bytes than these, from now on."""
        self._max_bytes = max_bytes
        if self._received > max_bytes and self._failure is None:
            self._failure = ArchiveTooLargeError()
            self._news.set()

    def add(self, piece: bytes) -> None:
        """Take the next piece.

        Raises:
            ArchiveTooLargeError
        """
        self._file.write(piece)
        self._received += len(piece)
        self.allow(self._max_bytes)
        if self._failure is not None:
            raise self._failure
        self._news.set()

    def end(self, failure: BaseException | None = None) -> None:
        """There is no more of it, all having come or not."""
        self._failure = self._failure or failure
        self._ended = True
        self._news.set()

    async def exceeds(self, size: int) -> bool:
        """Wait until it has more bytes than these, or has come as a whole with no more.

        Raises:
            ArchiveTooLargeError: or whatever ended the download.
        """
        while True:
            if self._failure is not None:
                raise self._failure
            if self._received > size or self._ended:
                return self._received > size
            self._news.clear()
            await self._news.wait()

    async def files(self, keep: Keep) -> AsyncGenerator[list[ArchiveFile]]:
        """Yield all files and links, a bounded number at once; unpacked in a thread.

        Raises:
            ArchiveTooLargeError, GarbledAnswerError: or whatever ended the download.
        """
        unpacker = Unpacker(keep)
        read = 0
        while await self.exceeds(read):
            arrived = self._received
            unpacked = self._unpacked(unpacker, read, arrived)
            while batch := await asyncio.to_thread(_batch, unpacked):
                self.commit_sha = unpacker.commit_sha
                yield batch
            read = arrived
        for file in unpacker.end():
            yield [file]

    def _unpacked(self, unpacker: Unpacker, start: int, end: int) -> Iterator[ArchiveFile]:
        """What lies in these bytes of it."""
        for at in range(start, end, _PIECE):
            yield from unpacker.feed(os.pread(self._file.fileno(), min(_PIECE, end - at), at))


def _batch(files: Iterator[ArchiveFile]) -> list[ArchiveFile]:
    batch: list[ArchiveFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += 0 if file.data is None else len(file.data)
        if size >= _BATCH_BYTES or len(batch) >= _BATCH_FILES:
            break
    return batch


def proved_trees(files: Iterable[TreeMember], root_tree_sha: str) -> dict[str, str] | None:
    """The ids of all folders' trees, by path, where these files are proved to be all of the commit's."""
    ids = tree_ids(files)
    return ids if ids.get("") == root_tree_sha else None


def entry_of(file: ArchiveFile) -> TreeEntry:
    """What a listing would tell of it."""
    return TreeEntry(path=file.path, mode=file.mode, type="blob", sha=file.sha, size=file.size)


async def read_archive(
    client: RepositoryClient, ref: str, max_bytes: int, read: Callable[[Archive], Awaitable[T]]
) -> T:
    """Download an archive while `read` reads it; where that fails on the way, all is done anew once.

    `ref` is a commit's id, or a branch, whose head it is of then; `HEAD` is the default branch.

    Raises:
        ArchiveTooLargeError: it has more than `max_bytes`, or than was allowed later.
        GitHubError: it could not be had, or is damaged.
    """
    for attempt in range(_TRIES):
        if attempt:
            await client.requests.connection.pause(attempt)
        try:
            return await client.requests.once(
                lambda: _downloaded_and_read(client, ref, max_bytes, read)
            )
        except NoArchiveError as error:
            # Where requests are few it is worth another one: replicas may lag behind a push.
            if attempt == _TRIES - 1 or not client.requests.credential.is_anonymous:
                raise GitHubUnavailableError("no_archive", what=str(error)) from None
        except PassingFailureError as error:
            if attempt == _TRIES - 1:
                raise GitHubUnavailableError(
                    "archive_tried", what=str(error), tries=_TRIES
                ) from None
    raise AssertionError


async def _downloaded_and_read(
    client: RepositoryClient, ref: str, max_bytes: int, read: Callable[[Archive], Awaitable[T]]
) -> T:
    with tempfile.TemporaryFile(buffering=0) as file:
        archive = Archive(file, max_bytes)
        download = asyncio.create_task(_download(client, ref, archive))
        try:
            return await read(archive)
        finally:
            download.cancel()
            await asyncio.gather(download, return_exceptions=True)


async def _download(client: RepositoryClient, ref: str, archive: Archive) -> None:
    path = repository_path(client.repository, "tarball", ref)
    try:
        async with (
            asyncio.timeout(_DOWNLOAD_SECONDS),
            client.requests.download(path, kind="archive") as response,
        ):
            # As it travels: the file is compressed in itself.
            async for piece in response.aiter_raw():
                archive.add(piece)
    except BaseException as error:
        # Whoever reads hears of it.
        archive.end(error)
        raise
    archive.end()
