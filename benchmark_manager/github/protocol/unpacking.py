"""Unpacks a gzipped tar archive piece by piece as it arrives, without I/O.

What git-archive(1) writes is read, and what POSIX says of its form (pax, "ustar Interchange
Format"): a header of 512 bytes a member, its data in blocks of as many; extended headers before a
member whose name, target or size does not fit. Everything else is refused: the caller has other
ways to read the commit. A name or content counts only if it hashes to what git says, so a mistake
here costs requests and never a wrong byte.
"""

import hashlib
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from benchmark_manager.domain.git.objects import blob_id
from benchmark_manager.github.protocol.answers import GarbledAnswerError

#: An archive is given up when more than this comes out of it, bytes and members.
_MAX_UNPACKED: Final = 4 * 1024 * 1024 * 1024
_MAX_MEMBERS: Final = 300_000
#: Unpacked at once, bytes.
_STEP: Final = 256 * 1024
#: Names and targets are in extended headers where they are long, bytes.
_MAX_EXTENDED: Final = 64 * 1024
#: Digits of a decimal number of 64 bits.
_MOST_DIGITS: Final = 19
#: Bytes of a path, which are no more on any system, and of all paths together, which are held until
#: the archive's end.
_LONGEST_PATH: Final = 4096
_MAX_PATHS: Final = 64 * 1024 * 1024
#: Records of one extended header; git-archive writes a name, a target, a size and a comment.
_MAX_RECORDS: Final = 64
#: What zlib.adler32 counts its sums modulo.
_ADLER: Final = 65_521
_BLOCK: Final = 512
_NOTHING: Final = bytes(_BLOCK)
_GZIP: Final = 16 + zlib.MAX_WBITS

_FILES: Final = frozenset(b"0\x007")
_LINK: Final = ord("2")
_WITHOUT_DATA: Final = frozenset(b"123456")
_OF_NEXT: Final = ord("x")
_OF_ALL: Final = ord("g")
#: Extensions of GNU and Solaris that change what follows, and that git does not write.
_UNKNOWN: Final = frozenset(b"KLMSVNX")


class ArchiveTooLargeError(Exception):
    """The archive is larger than it may be; other ways are left."""


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file or link of an archive, below its one top folder.

    `mode` is git's, `sha` the blob id of what the archive holds, `data` that itself where it was
    asked for. Bytes of a path that are not UTF-8 are given as Python's `surrogateescape` does.
    git-archive gives every file the commit's time, seconds since 1970.
    """

    path: str
    mode: str
    sha: str
    size: int
    time: int
    data: bytes | None

    @property
    def modified_at(self) -> datetime:
        """Raises GarbledAnswerError: there is no such time."""
        try:
            return datetime.fromtimestamp(self.time, UTC)
        except (ValueError, OverflowError, OSError):
            raise _damaged("a time is invalid") from None


Keep = Callable[[str, str, int], bool]
"""Whether a file's data is wanted (path, git's mode, size in bytes); it is held in memory whole."""


class Unpacker:
    """Reads one archive from its beginning."""

    def __init__(
        self, keep: Keep, *, most_bytes: int = _MAX_UNPACKED, most_members: int = _MAX_MEMBERS
    ) -> None:
        """An archive with more bytes or members is given up."""
        self._keep = keep
        self._most_bytes = most_bytes
        self._most_members = most_members
        self._gzip = zlib.decompressobj(_GZIP)
        self._unpacked = 0
        self._data = b""
        self._at = 0
        self._files = self._members()
        self._ended = False
        #: The id of the commit, once the archive has named it; like everything in it, it is not
        #: proved.
        self.commit_sha: str | None = None

    def feed(self, piece: bytes) -> Iterator[ArchiveFile]:
        """Yield the files that end within this next piece of the archive, unpacked one by one.

        Raises:
            ArchiveTooLargeError
            GarbledAnswerError: it is damaged, or no archive.
        """
        while piece and not self._ended:
            try:
                step = self._gzip.decompress(piece, _STEP)
            except zlib.error:
                raise _damaged("it does not unpack") from None
            piece = self._gzip.unconsumed_tail
            yield from self._of(step)

    def end(self) -> Iterator[ArchiveFile]:
        """Yield the files that end within the last piece.

        Raises:
            ArchiveTooLargeError, GarbledAnswerError: also where the archive is cut short.
        """
        if not self._ended:
            yield from self._of(self._gzip.flush())
        if not self._ended:
            raise _damaged("it is cut short")

    def _of(self, step: bytes) -> Iterator[ArchiveFile]:
        self._unpacked += len(step)
        if self._unpacked > self._most_bytes:
            raise ArchiveTooLargeError
        self._data = self._data[self._at :] + step
        self._at = 0
        for file in self._files:
            if file is None:
                return
            yield file
        self._ended = True

    def _members(self) -> Generator[ArchiveFile | None, None, None]:
        """Yield every file; None where more data is needed to go on."""
        extended: dict[bytes, bytes] = {}
        paths = 0
        for _ in range(self._most_members):
            block = yield from self._take(_BLOCK)
            if block == _NOTHING:
                return
            header = _header(block)
            if header.kind in {_OF_ALL, _OF_NEXT}:
                records = _records((yield from self._padded(_extended_size(header))))
                extended = records if header.kind == _OF_NEXT else {}
                # git-archive(1): the commit's id is a comment on all members.
                if header.kind == _OF_ALL:
                    self.commit_sha = records.get(b"comment", b"").decode("ascii", "replace")
                continue
            header, extended = header.with_records(extended), {}
            paths += len(header.name)
            if paths > _MAX_PATHS:
                raise ArchiveTooLargeError
            if len(header.name) > _LONGEST_PATH:
                raise _damaged("a path is too long")
            file = yield from self._file(header)
            if file is not None:
                yield file
        raise ArchiveTooLargeError

    def _file(self, header: "_Header") -> Generator[None, None, ArchiveFile | None]:
        path = _below_top(header.name)
        if header.kind == _LINK and path:
            size = len(header.target)
            return ArchiveFile(path, "120000", blob_id(header.target), size, header.time, None)
        if header.kind in _WITHOUT_DATA:
            return None
        if not path or path.endswith("/") or header.kind not in _FILES:
            yield from self._skip(header.size)
            return None
        mode = "100755" if header.mode & 0o100 else "100644"
        if self._keep(path, mode, header.size):
            data = yield from self._padded(header.size)
            return ArchiveFile(path, mode, blob_id(data), header.size, header.time, data)
        sha = yield from self._skip(header.size)
        return ArchiveFile(path, mode, sha, header.size, header.time, None)

    def _take(self, size: int) -> Generator[None, None, bytes]:
        """Return the next bytes; yield None while they have not arrived."""
        while len(self._data) - self._at < size:
            yield None
        start = self._at
        self._at = start + size
        return self._data[start : self._at]

    def _padded(self, size: int) -> Generator[None, None, bytes]:
        """Return a member's whole data; yield None while it has not arrived."""
        if len(self._data) - self._at >= size:
            data = yield from self._take(size)
        else:
            # Much of it: growing what was not read yet step by step would take quadratic time.
            grown = bytearray()
            while len(grown) < size:
                grown += yield from self._some(size - len(grown))
            data = bytes(grown)
        yield from self._take(-size % _BLOCK)
        return data

    def _skip(self, size: int) -> Generator[None, None, str]:
        """Skip a member's data, and return its blob id."""
        digest = hashlib.sha1(b"blob %d\x00" % size, usedforsecurity=False)
        left = size
        while left:
            some = yield from self._some(left)
            digest.update(some)
            left -= len(some)
        yield from self._take(-size % _BLOCK)
        return digest.hexdigest()

    def _some(self, at_most: int) -> Generator[None, None, bytes]:
        """Return what has arrived, at least one byte."""
        while self._at == len(self._data):
            yield None
        some = self._data[self._at : self._at + at_most]
        self._at += len(some)
        return some


@dataclass(frozen=True, slots=True)
class _Header:
    kind: int
    name: bytes
    target: bytes
    mode: int
    size: int
    time: int

    def with_records(self, records: dict[bytes, bytes]) -> "_Header":
        if not records:
            return self
        return _Header(
            self.kind,
            records.get(b"path", self.name),
            records.get(b"linkpath", self.target),
            self.mode,
            _decimal(records[b"size"]) if b"size" in records else self.size,
            _decimal(records[b"mtime"]) if b"mtime" in records else self.time,
        )


def _header(block: bytes) -> _Header:
    field = block[148:156]
    # This compares the sum of all bytes modulo a number, as zlib computes that twenty times as
    # fast: 250,000 members would take a second more. A header that is wrong all the same makes a
    # listing that proves nothing.
    if (_number(field) - 8 * ord(" ") + sum(field) + 1) % _ADLER != zlib.adler32(block) & 0xFFFF:
        raise _damaged("a header's sum is wrong")
    kind = block[156]
    if kind in _UNKNOWN:
        raise _damaged(f"it has a member of type {kind}")
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := _text(block[345:500])):
        name = prefix + b"/" + name
    target = _text(block[157:257])
    return _Header(
        kind,
        name,
        target,
        _number(block[100:108]),
        _number(block[124:136]),
        _number(block[136:148]),
    )


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


@lru_cache(maxsize=1024)
def _number(field: bytes) -> int:
    """Parse octal digits, or bytes after a mark, as GNU tar and git-archive write large numbers."""
    if field[0] == 0x80:  # noqa: PLR2004 -- the mark
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not digits:
        return 0
    try:
        return int(digits, 8) if digits.isdigit() else _no_number()
    except ValueError:
        return _no_number()


def _decimal(digits: bytes) -> int:
    whole = digits.partition(b".")[0]
    return int(whole) if whole.isdigit() and len(whole) <= _MOST_DIGITS else _no_number()


def _no_number() -> int:
    raise _damaged("a number is none")


def _extended_size(header: _Header) -> int:
    if header.size > _MAX_EXTENDED:
        raise _damaged("an extended header is too large")
    return header.size


def _records(data: bytes) -> dict[bytes, bytes]:
    """Parse the records of an extended header.

    Each is `length keyword=value` and a line end; the decimal length is that of the whole record.
    """
    records: dict[bytes, bytes] = {}
    at = count = 0
    while at < len(data):
        digits, _, _ = data[at : at + 20].partition(b" ")
        length = _decimal(digits)
        record = data[at + len(digits) + 1 : at + length]
        keyword, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n") or at + length > len(data):
            raise _damaged("an extended header makes no sense")
        records[keyword] = value[:-1]
        at += length
        count += 1
        if count > _MAX_RECORDS:
            raise _damaged("an extended header has too many records")
    return records


def _below_top(name: bytes) -> str:
    """Return the path below the archive's one top folder; empty for that folder itself."""
    return name.partition(b"/")[2].decode("utf-8", "surrogateescape")


def _damaged(how: str) -> GarbledAnswerError:
    return GarbledAnswerError(f"the archive is damaged: {how}")
