"""A release's files, fetched into a folder of their own and held to their checksums as they come."""

import hashlib
import io
import os
import random
import tarfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Final, TypeVar
from urllib.parse import quote

import httpx2 as httpx

from benchmark_manager.cli.api_client import Api
from benchmark_manager.cli.failures import CommandError, DigestMismatchError, RefusedError
from benchmark_manager.cli.sha256sums import digits_of

Result = TypeVar("Result")
#: Told with each piece of an answer: how many bytes of it have come, and will come, None if nobody knows.
OnBytes = Callable[[int, int | None], None]

_CHUNK: Final = 1 << 20
#: Pauses between attempts, seconds.
_FIRST_PAUSE: Final = 0.25
_LONGEST_PAUSE: Final = 8.0
#: Below so many files, asking for each is as good as an archive, which would begin anew after an interruption.
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
    """

    def fetch() -> bytes:
        with api.stream(f"/releases/{digits}/SHA256SUMS") as answer:
            return answer.read()

    sums = patience.until_done(fetch)
    if not digits_of(sums).startswith(digits):
        raise DigestMismatchError(
            f"The SHA256SUMS which came for {digits} hashes to {digits_of(sums)}; it is another release's or damaged."
        )
    return sums


class Download:
    """Fetches what is missing. What has arrived and is right stays, whatever happens next."""

    def __init__(
        self, api: Api, digits: str, files: Mapping[str, str], folder: Path, *, patience: Patience, on_bytes: OnBytes
    ) -> None:
        """Prepare to fill `folder`, which is empty and nobody else's, with `files`: SHA-256s by path."""
        self._api = api
        self._release = f"/releases/{digits}"
        self._missing = dict(files)
        self._folder = folder
        self._patience = patience
        self._on_bytes = on_bytes

    def run(self) -> None:
        """Fetch all of it.

        Raises:
            DigestMismatchError: a file is not what its checksum says.
            CommandError: it cannot be had.
            OSError: it cannot be written.
        """
        if len(self._missing) >= _FEW:
            self._archive()
        # An archive cannot be gone on with where it broke off; files one by one make way on any line.
        for path in list(self._missing):
            self._patience.until_done(partial(self._file, path))

    def _archive(self) -> None:
        """As many files as one request brings: all, unless something goes wrong on the way."""
        try:
            with self._api.stream(f"{self._release}/archive") as answer:
                body = _Body(answer, self._on_bytes)
                with tarfile.open(fileobj=body, mode="r|gz") as archive:
                    for member in archive:
                        self._member(archive, member)
        except (tarfile.TarError, EOFError, ValueError):
            # Not what an archive looks like; each file by itself tells better what is wrong.
            return
        except CommandError as error:
            if isinstance(error, DigestMismatchError):
                raise

    def _member(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        # Only what the checksums list is written, and only to where they say.
        if member.isreg() and member.name in self._missing:
            content = archive.extractfile(member)
            assert content is not None  # noqa: S101 -- a regular file has one
            self._store(member.name, _pieces(content))

    def _file(self, path: str) -> None:
        with self._api.stream(f"{self._release}/files/{quote(path)}") as answer:
            self._store(path, _Body(answer, self._on_bytes).pieces())

    def _store(self, path: str, pieces: Iterator[bytes]) -> None:
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        hashed = hashlib.sha256()
        try:
            with place.open("xb") as file:
                for piece in pieces:
                    hashed.update(piece)
                    file.write(piece)
        except BaseException:
            place.unlink(missing_ok=True)
            raise
        if hashed.hexdigest() != self._missing[path]:
            raise DigestMismatchError(f"{path} hashes to {hashed.hexdigest()} instead of {self._missing[path]}.")
        del self._missing[path]


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_CHUNK):
        yield piece


class _Body(io.RawIOBase):
    """An answer's body as tarfile reads it; tells how it goes."""

    def __init__(self, answer: httpx.Response, on_bytes: OnBytes) -> None:
        super().__init__()
        length = answer.headers.get("content-length", "")
        self._total = int(length) if length.isascii() and length.isdigit() else None
        self._answer = answer
        self._on_bytes = on_bytes
        self._pieces = self.pieces()

    def pieces(self) -> Iterator[bytes]:
        arrived = 0
        for piece in self._answer.iter_bytes():
            arrived += len(piece)
            self._on_bytes(arrived, self._total)
            yield piece

    def read(self, _size: int = -1) -> bytes:
        """A piece of any length, which is all that tarfile asks of a stream; nothing at the end."""
        return next(self._pieces, b"")


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
