"""Download a release's files into a folder, and verify their checksums as they arrive."""

import hashlib
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

from benchmark_manager.cli.releases.unpacking import ArchiveError, members
from benchmark_manager.cli.terminal.failures import CommandError, DigestMismatchError
from benchmark_manager.cli.terminal.retries import RetryBudget
from benchmark_manager.client.client import Body, Client
from benchmark_manager.client.errors import ClientError
from benchmark_manager.client.sha256sums import MAX_BYTES, Sums, digits_of, too_large

OnBytes = Callable[[int, int | None], None]
"""Called with each piece of an answer: bytes so far, and bytes in all if known."""

#: Bytes of a file: the largest allowed MAX_FILE_SIZE.
_LARGEST_FILE: Final = 15_728_640
#: Fewer files are requested one by one; an archive would start again after an interruption.
_FEW: Final = 4


def fetch_sums(client: Client, digits: str, retries: RetryBudget) -> bytes:
    """Return the SHA256SUMS of the release whose digest begins with these digits.

    Raises:
        DigestMismatchError: it is not that release's.
        ClientError: also `release_too_large`.
    """

    def fetch() -> bytes:
        with client.stream(f"/releases/{digits}/SHA256SUMS") as body:
            return b"".join(
                _limited(body.pieces, MAX_BYTES, f"a SHA256SUMS of over {MAX_BYTES} bytes")
            )

    sums = retries.until_done(fetch)
    if not digits_of(sums).startswith(digits):
        raise DigestMismatchError(
            f"The SHA256SUMS for {digits} hashes to {digits_of(sums)}; "
            "it is damaged or that of another release."
        )
    return sums


def _limited(pieces: Iterator[bytes], at_most: int, what: str) -> Iterator[bytes]:
    """Yield the pieces, which may have `at_most` bytes in all.

    Raises:
        ReleaseContentError: `release_too_large`, naming `what`.
    """
    arrived = 0
    for piece in pieces:
        arrived += len(piece)
        if arrived > at_most:
            raise too_large(what)
        yield piece


class Download:
    """Downloads missing files. A file that is complete and right is kept, whatever fails later."""

    def __init__(
        self,
        client: Client,
        digits: str,
        files: Sums,
        folder: Path,
        *,
        retries: RetryBudget,
        on_bytes: OnBytes,
        max_size: int,
    ) -> None:
        """Prepare to download.

        Args:
            client: the service.
            digits: of the release's digest.
            files: SHA-256s by path.
            folder: an empty folder that no other process uses.
            retries: for temporary failures.
            on_bytes: called as bytes arrive.
            max_size: bytes of all files together.
        """
        self._client = client
        self._release = f"/releases/{digits}"
        self._missing = dict(files)
        self._folder = folder
        self._made: set[str] = set()
        self._retries = retries
        self._on_bytes = on_bytes
        self._left = max_size
        self._max_size = max_size

    def run(self) -> None:
        """Download all files.

        Raises:
            DigestMismatchError: a file does not match its checksum.
            ClientError: a request failed, or `release_too_large`.
            CommandError: `path_clash`.
            OSError: a file cannot be written.
        """
        if len(self._missing) >= _FEW:
            self._archive()
        # An interrupted archive cannot be resumed; single files succeed on any connection.
        for path in list(self._missing):
            self._retries.until_done(partial(self._file, path))

    def _archive(self) -> None:
        """Download as many files as one request returns: all of them, unless it fails."""
        try:
            with self._client.stream(f"{self._release}/archive") as body:
                for member in members(self._shown(body)):
                    if member.path not in self._missing:
                        # It is not the release's archive, but the single files may be right.
                        return
                    self._store(member.path, member.pieces)
                    if not self._missing:
                        return
        except ArchiveError:
            # The requests for single files give better errors.
            return
        except ClientError as error:
            if error.code == _TOO_LARGE:
                raise

    def _file(self, path: bytes) -> None:
        with self._client.stream(f"{self._release}/files/{quote(path)}") as body:
            self._store(path, self._shown(body))

    def _shown(self, body: Body) -> Iterator[bytes]:
        """Yield a body's pieces, and report the bytes so far before each."""
        arrived = 0
        for piece in body.pieces:
            arrived += len(piece)
            self._on_bytes(arrived, body.length)
            yield piece

    def _store(self, path: bytes, pieces: Iterator[bytes]) -> None:
        name = path.decode()
        self._make_folders(name)
        target = self._folder / name
        hashed = hashlib.sha256()
        most = min(_LARGEST_FILE, self._left)
        what = (
            f"over {self._max_size} bytes"
            if most < _LARGEST_FILE
            else f"a file '{name}' of over {most} bytes"
        )
        try:
            with target.open("xb") as file:
                for piece in _limited(pieces, most, what):
                    hashed.update(piece)
                    file.write(piece)
        except FileExistsError:
            raise _clash(name) from None
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        if hashed.digest() != self._missing[path]:
            raise DigestMismatchError(
                f"{name} hashes to {hashed.hexdigest()} instead of {self._missing[path].hex()}."
            )
        self._left -= target.stat().st_size
        del self._missing[path]

    def _make_folders(self, name: str) -> None:
        """Create the folders of a path; one that exists before its time has another's name.

        That is so where the file system ignores case or accents.
        """
        parent = name.rpartition("/")[0]
        wanted = []
        while parent and parent not in self._made:
            wanted.append(parent)
            parent = parent.rpartition("/")[0]
        for folder in reversed(wanted):
            try:
                (self._folder / folder).mkdir()
            except FileExistsError:
                raise _clash(folder) from None
            self._made.add(folder)


#: Requesting single files would not help.
_TOO_LARGE: Final = "release_too_large"


def _clash(name: str) -> CommandError:
    return CommandError(
        f"The release has another name that is the same as '{name}' on this file system; "
        "pull it to one that distinguishes capitals and accents.",
        "path_clash",
    )


def sync_to_disk(folder: Path) -> None:
    """Write a folder and everything in it to the disk, so that it survives a power failure."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            _fsync(Path(parent) / name)
        _fsync(Path(parent))


def _fsync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
