"""Reads a commit's archive while it arrives: all files for one request.

The archive is git's own (git-archive(1)), but the repository's attributes can leave files out of it
or substitute text in them, and it shows submodules as empty folders. So nothing in it counts
without proof: a listing made from it must hash to the commit's root tree, and contents must hash to
their blob ids. Links and paths that lead elsewhere are harmless, as no file is ever written under a
name from the archive.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from typing import IO, Final, TypeVar

from benchmark_manager.domain.git.objects import TreeMember, tree_ids
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


class ArchiveDownload:
    """An archive that is being downloaded into a temporary file.

    The download does not wait for its reader, which follows it from the beginning.
    """

    def __init__(self, file: IO[bytes], max_bytes: int = MAX_DOWNLOAD) -> None:
        """`file` is unbuffered, and empty."""
        self._file = file
        self._max_bytes = max_bytes
        self._received = 0
        self._ended = False
        self._failure: BaseException | None = None
        self._news = asyncio.Event()
        #: The commit that it claims to be of, once its first files were read.
        self.commit_sha: str | None = None

    def allow(self, max_bytes: int) -> None:
        """Give the archive up from now on where it has more bytes than these."""
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
        """End the archive, whether it arrived as a whole or failed."""
        self._failure = self._failure or failure
        self._ended = True
        self._news.set()

    async def exceeds(self, size: int) -> bool:
        """Wait until more bytes than these, or all of them, have arrived; return which.

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
        """Yield the files in these bytes of the archive."""
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
    """Return the ids of all folders' trees by path; None unless the files are the whole commit."""
    ids = tree_ids(files)
    return ids if ids.get("") == root_tree_sha else None


def entry_of(file: ArchiveFile) -> TreeEntry:
    """Return the entry that a listing would have for the file."""
    return TreeEntry(path=file.path, mode=file.mode, type="blob", sha=file.sha, size=file.size)


async def read_archive(
    client: RepositoryClient,
    ref: str,
    max_bytes: int,
    read: Callable[[ArchiveDownload], Awaitable[T]],
) -> T:
    """Download an archive while `read` reads it; repeat both once where that fails.

    `ref` is a commit's id or a branch, of whose head it is then; `HEAD` is the default branch.

    Raises:
        ArchiveTooLargeError: it has more than `max_bytes`, or than was allowed later.
        GitHubError: it could not be downloaded, or is damaged.
    """
    for attempt in range(_TRIES):
        if attempt:
            await client.requests.connection.pause(attempt)
        try:
            return await client.requests.once(
                lambda: _downloaded_and_read(client, ref, max_bytes, read)
            )
        except NoArchiveError as error:
            # Where requests are few, a second try is worth it: replicas may lag behind a push.
            if attempt == _TRIES - 1 or not client.requests.credential.is_anonymous:
                raise GitHubUnavailableError("no_archive", what=str(error)) from None
        except PassingFailureError as error:
            if attempt == _TRIES - 1:
                raise GitHubUnavailableError(
                    "archive_tried", what=str(error), tries=_TRIES
                ) from None
    raise AssertionError


async def _downloaded_and_read(
    client: RepositoryClient,
    ref: str,
    max_bytes: int,
    read: Callable[[ArchiveDownload], Awaitable[T]],
) -> T:
    with tempfile.TemporaryFile(buffering=0) as file:
        archive = ArchiveDownload(file, max_bytes)
        download = asyncio.create_task(_download(client, ref, archive))
        try:
            return await read(archive)
        finally:
            download.cancel()
            await asyncio.gather(download, return_exceptions=True)


async def _download(client: RepositoryClient, ref: str, archive: ArchiveDownload) -> None:
    path = repository_path(client.repository, "tarball", ref)
    try:
        async with (
            asyncio.timeout(_DOWNLOAD_SECONDS),
            client.requests.download(path, kind="archive") as response,
        ):
            # Without decoding: the file itself is compressed.
            async for piece in response.aiter_raw():
                archive.add(piece)
    except BaseException as error:
        # The reader gets the error too.
        archive.end(error)
        raise
    archive.end()
