"""A commit's archive: all of its files for the price of one request.

The archive is git's own (git-archive(1)), but the repository's attributes can leave files out of it or substitute text
in them, and it shows submodules as empty folders. So nothing in it is believed by itself: a listing made from it counts
only if it hashes to the commit's root tree, and contents only if they hash to their blob id. Links and paths which lead
elsewhere are harmless, as nothing is ever written under a name of the archive's.
"""

import asyncio
import gzip
import hashlib
import tarfile
import tempfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Final

from benchmark_manager.domain.git_objects import TreeMember, blob_id, tree_ids
from benchmark_manager.github import protocol
from benchmark_manager.github.client import RepositoryClient
from benchmark_manager.github.contents import Sized
from benchmark_manager.github.protocol import TreeEntry
from benchmark_manager.github.requests import PassingFailureError, unavailable

#: An archive is given up beyond this, bytes as downloaded and as unpacked.
MAX_DOWNLOAD: Final = 512 * 1024 * 1024
_MAX_UNPACKED: Final = 8 * MAX_DOWNLOAD
#: Its download may last this long, seconds.
_DOWNLOAD_SECONDS: Final = 900.0
_MAX_MEMBERS: Final = 300_000
_PIECE: Final = 256 * 1024
#: Contents handed over at once, bytes and number.
_BATCH_BYTES: Final = 2_000_000
_BATCH_FILES: Final = 200
_TRIES: Final = 2


class ArchiveTooLargeError(Exception):
    """The archive is larger than it may be; other ways are left."""


@contextmanager
def _damage_told() -> Iterator[None]:
    """What reading a damaged archive raises, at its members or within their contents, means one thing."""
    try:
        yield
    except (tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError) as error:
        raise protocol.GarbledAnswerError(f"the archive is damaged ({type(error).__name__})") from None


@dataclass(frozen=True, slots=True)
class ArchiveScan:
    """What an archive tells of its commit; `entries` is None unless they are proved to be all of the commit's.

    `tree_ids` are those of its folders then, by path.
    """

    committed_at: datetime | None
    entries: dict[str, TreeEntry] | None
    tree_ids: dict[str, str]


class Archive:
    """A downloaded archive; every method reads it from its beginning, in a thread."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    async def scan(self, root_tree_sha: str | None) -> ArchiveScan:
        """Hash every file; with the root tree's id, tell whether that proves the archive to be the whole commit.

        Raises:
            ArchiveTooLargeError, GarbledAnswerError
        """
        return await asyncio.to_thread(self._scan, root_tree_sha)

    @_damage_told()
    def _scan(self, root_tree_sha: str | None) -> ArchiveScan:
        committed_at: datetime | None = None
        members: list[TreeMember] = []
        sizes: dict[str, int] = {}
        for path, member, data in self._members():
            # git-archive gives every file the time of the commit.
            committed_at = datetime.fromtimestamp(member.mtime, UTC)
            if root_tree_sha is None:
                break
            sha, mode = _identity(member, data)
            members.append(TreeMember(path, mode, sha))
            sizes[path] = member.size
        ids = tree_ids(members)
        if root_tree_sha is None or ids.get("") != root_tree_sha:
            return ArchiveScan(committed_at, None, {})
        return ArchiveScan(committed_at, _entries(members, sizes), ids)

    async def contents(self, wanted: Mapping[str, Sized]) -> AsyncGenerator[dict[str, bytes]]:
        """Yield the contents, by blob id, of those files (path -> blob id and size) which the archive holds exactly.

        Raises:
            ArchiveTooLargeError, GarbledAnswerError
        """
        found = self._contents(wanted)

        @_damage_told()
        def following() -> dict[str, bytes] | None:
            return next(found, None)

        while batch := await asyncio.to_thread(following):
            yield batch

    def _contents(self, wanted: Mapping[str, Sized]) -> Iterator[dict[str, bytes]]:
        batch: dict[str, bytes] = {}
        size = 0
        for path, member, data in self._members():
            sha, expected = wanted.get(_readable(path), ("", -1))
            if data is None or member.size != expected:
                continue
            content = data.read()
            if blob_id(content) == sha:
                batch[sha] = content
                size += expected
            if size >= _BATCH_BYTES or len(batch) >= _BATCH_FILES:
                yield batch
                batch, size = {}, 0
        if batch:
            yield batch

    def _members(self) -> Iterator[tuple[str, tarfile.TarInfo, IO[bytes] | None]]:
        """Every file and link below the archive's one top folder; data is None for links."""
        self._file.seek(0)
        unpacked = _Limited(gzip.GzipFile(fileobj=self._file))
        with tarfile.open(fileobj=unpacked, mode="r|", encoding="utf-8", errors="surrogateescape") as archive:  # type: ignore[call-overload]  # any object with read() will do for a stream
            for number, member in enumerate(archive):
                # It would keep all of them, for going back.
                archive.members.clear()
                if number >= _MAX_MEMBERS:
                    raise ArchiveTooLargeError
                _, _, path = member.name.partition("/")
                if not path:
                    continue
                if member.isreg():
                    yield path, member, archive.extractfile(member)
                elif member.issym():
                    yield path, member, None


class _Limited:
    """A stream which ends with an error when more comes out of it than an honest archive holds."""

    def __init__(self, inner: gzip.GzipFile) -> None:
        self._inner = inner
        self._left = _MAX_UNPACKED

    def read(self, size: int = -1) -> bytes:
        data = self._inner.read(min(size, _PIECE) if size >= 0 else _PIECE)
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveTooLargeError
        return data


def _identity(member: tarfile.TarInfo, data: IO[bytes] | None) -> tuple[str, str]:
    """A member's object id and git mode."""
    if data is None:
        return blob_id(member.linkname.encode("utf-8", "surrogateescape")), "120000"
    digest = hashlib.sha1(b"blob %d\x00" % member.size, usedforsecurity=False)
    while piece := data.read(_PIECE):
        digest.update(piece)
    return digest.hexdigest(), "100755" if member.mode & 0o100 else "100644"


def _entries(members: list[TreeMember], sizes: Mapping[str, int]) -> dict[str, TreeEntry]:
    """What a recursive listing would tell, folders included; names that are not UTF-8 as GitHub's JSON shows them."""
    entries: dict[str, TreeEntry] = {}
    for member in members:
        path = _readable(member.path)
        entries.setdefault(
            path, TreeEntry(path=path, mode=member.mode, type="blob", sha=member.sha, size=sizes[member.path])
        )
    return entries


def _readable(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@asynccontextmanager
async def downloaded(client: RepositoryClient, commit_sha: str, max_bytes: int) -> AsyncIterator[Archive]:
    """A commit's archive in a temporary file.

    Raises:
        ArchiveTooLargeError: it has more than `max_bytes`.
        GitHubError: it could not be had.
    """
    with tempfile.TemporaryFile() as file:
        for attempt in range(_TRIES):
            if attempt:
                await client.requests.connection.pause(attempt)
            try:
                await client.requests.once(lambda: _download(client, commit_sha, file, max_bytes))
                break
            except PassingFailureError as error:
                if attempt == _TRIES - 1:
                    raise unavailable(f"{error}; the archive was tried {_TRIES} times") from None
        yield Archive(file)


async def _download(client: RepositoryClient, commit_sha: str, file: IO[bytes], max_bytes: int) -> None:
    file.seek(0)
    file.truncate()
    path = protocol.repository_path(client.repository, "tarball", commit_sha)
    received = 0
    async with asyncio.timeout(_DOWNLOAD_SECONDS), client.requests.download(path, kind="archive") as response:
        # As it travels: the file is compressed in itself.
        async for piece in response.aiter_raw():
            received += len(piece)
            if received > max_bytes:
                raise ArchiveTooLargeError
            file.write(piece)
