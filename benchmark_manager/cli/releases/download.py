"""A release's files, fetched into a folder of their own and held to their checksums as they come."""

import hashlib
import os
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import quote

from benchmark_manager.cli.client.api_client import Api, Body
from benchmark_manager.cli.client.sha256sums import MAX_BYTES, Sums, digits_of, too_large
from benchmark_manager.cli.releases.unpacking import ArchiveError, members
from benchmark_manager.cli.terminal.failures import CommandError, DigestMismatchError, RefusedError

Result = TypeVar("Result")
#: Told with each piece of an answer: how many bytes of it have come, and will come, None if nobody
#: knows.
OnBytes = Callable[[int, int | None], None]

#: Bytes of a file: MAX_FILE_SIZE cannot be more.
_LARGEST_FILE: Final = 15_728_640
#: Pauses between attempts, seconds.
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 8.0
#: Below so many files, asking for each is as good as an archive, which would begin anew after an
#: interruption.
_FEW: Final = 4


class Patience:
    """Repeats what fails for now, until nothing has succeeded for some seconds."""

    def __init__(
        self,
        seconds: float,
        *,
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._say = say
        self._sleep = sleep
        self._clock = clock
        self._told = False

    def until_done(self, action: Callable[[], Result]) -> Result:
        """What `action` returns, at last.

        Raises:
            CommandError: what it failed with, when that does not pass or patience has ended.
        """
        begun, pause = self._clock(), _FIRST_PAUSE
        while True:
            try:
                return action()
            except CommandError as error:
                asked = error.retry_after if isinstance(error, RefusedError) else None
                # Pods which lost the same service must not all come back in the same moment.
                wait = asked if asked is not None else pause * random.uniform(0.5, 1)  # noqa: S311 -- no secret
                if not error.passes or self._clock() - begun + wait > self._seconds:
                    raise
                self._tell(error)
            self._sleep(wait)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _tell(self, error: CommandError) -> None:
        if not self._told:
            self._say(f"{error.detail.rstrip('.')} -- trying again for {self._seconds:.0f} s.")
        self._told = True


def fetch_sums(api: Api, digits: str, patience: Patience) -> bytes:
    """The SHA256SUMS of the release whose digest begins so.

    Raises:
        DigestMismatchError: it is another's.
        CommandError: also `release_too_large`.
    """

    def fetch() -> bytes:
        with api.stream(f"/releases/{digits}/SHA256SUMS") as body:
            return b"".join(
                _limited(body.pieces, MAX_BYTES, f"a SHA256SUMS of over {MAX_BYTES} bytes")
            )

    sums = patience.until_done(fetch)
    if not digits_of(sums).startswith(digits):
        raise DigestMismatchError(
            f"The SHA256SUMS which came for {digits} hashes to {digits_of(sums)}; it is another release's or damaged."
        )
    return sums


def _limited(pieces: Iterator[bytes], at_most: int, what: str) -> Iterator[bytes]:
    """The pieces, as long as they are no more bytes than `at_most`.

    Raises:
        CommandError: `release_too_large`, naming `what` is.
    """
    came = 0
    for piece in pieces:
        came += len(piece)
        if came > at_most:
            raise too_large(what)
        yield piece


class Download:
    """Fetches what is missing. What has arrived and is right stays, whatever happens next."""

    def __init__(
        self,
        api: Api,
        digits: str,
        files: Sums,
        folder: Path,
        *,
        patience: Patience,
        on_bytes: OnBytes,
        max_size: int,
    ) -> None:
        """Prepare to fill `folder`, which is empty and nobody else's, with `files`: SHA-256s by path.

        `max_size`: bytes of all files together.
        """
        self._api = api
        self._release = f"/releases/{digits}"
        self._missing = dict(files)
        self._folder = folder
        self._made: set[str] = set()
        self._patience = patience
        self._on_bytes = on_bytes
        self._left = max_size
        self._max_size = max_size

    def run(self) -> None:
        """Fetch all of it.

        Raises:
            DigestMismatchError: a file is not what its checksum says.
            CommandError: it cannot be had, `release_too_large`, or `path_clash`.
            OSError: it cannot be written.
        """
        if len(self._missing) >= _FEW:
            self._archive()
        # An archive cannot be gone on with where it broke off; files one by one make way on any
        # line.
        for path in list(self._missing):
            self._patience.until_done(partial(self._file, path))

    def _archive(self) -> None:
        """As many files as one request brings: all, unless something goes wrong on the way."""
        try:
            with self._api.stream(f"{self._release}/archive") as body:
                for member in members(self._shown(body)):
                    if member.path not in self._missing:
                        # Whatever this is, its files may be right.
                        return
                    self._store(member.path, member.pieces)
                    if not self._missing:
                        return
        except ArchiveError:
            # Each file by itself tells better what is wrong.
            return
        except CommandError as error:
            if isinstance(error, DigestMismatchError) or error.code in _FINAL:
                raise

    def _file(self, path: bytes) -> None:
        with self._api.stream(f"{self._release}/files/{quote(path)}") as body:
            self._store(path, self._shown(body))

    def _shown(self, body: Body) -> Iterator[bytes]:
        """A body's pieces, with a report of how much has come before each."""
        arrived = 0
        for piece in body.pieces:
            arrived += len(piece)
            self._on_bytes(arrived, body.length)
            yield piece

    def _store(self, path: bytes, pieces: Iterator[bytes]) -> None:
        name = path.decode()
        self._make_folders(name)
        place = self._folder / name
        hashed = hashlib.sha256()
        most = min(_LARGEST_FILE, self._left)
        what = (
            f"over {self._max_size} bytes"
            if most < _LARGEST_FILE
            else f"a file '{name}' of over {most} bytes"
        )
        try:
            with place.open("xb") as file:
                for piece in _limited(pieces, most, what):
                    hashed.update(piece)
                    file.write(piece)
        except FileExistsError:
            raise _clash(name) from None
        except BaseException:
            place.unlink(missing_ok=True)
            raise
        if hashed.digest() != self._missing[path]:
            raise DigestMismatchError(
                f"{name} hashes to {hashed.hexdigest()} instead of {self._missing[path].hex()}."
            )
        self._left -= place.stat().st_size
        del self._missing[path]

    def _make_folders(self, name: str) -> None:
        """Make the folders of a path. One which is there although no path has asked for it has a like name."""
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


#: What asking for each file by itself does not help.
_FINAL: Final = frozenset({"release_too_large", "path_clash"})


def _clash(name: str) -> CommandError:
    return CommandError(
        f"The release has another name which is the same as '{name}' to this file system; "
        "pull it to one which tells capitals and accents apart.",
        "path_clash",
    )


def sync_to_disk(folder: Path) -> None:
    """Let everything in a folder outlive a power cut, itself included."""
    for place, _, names in os.walk(folder, topdown=False):
        for name in names:
            _fsync(Path(place) / name)
        _fsync(Path(place))


def _fsync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
