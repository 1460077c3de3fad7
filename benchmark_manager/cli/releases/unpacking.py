"""A release's archive read as it arrives, and nothing that the service does not write.

`domain/releases/tar.py` writes it: plain files, before some a pax header with their path. Python's
tarfile reads more than that, and holds headers of any length in memory. Whatever else comes ends
the archive, as each file can be asked for by itself.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_BLOCK: Final = 512
_NOTHING: Final = bytes(_BLOCK)
_GZIP: Final = 16 + zlib.MAX_WBITS
#: Bytes unpacked at once.
_STEP: Final = 128 * 1024
#: A pax header with a path of 4,095 bytes is shorter.
_LONGEST_RECORDS: Final = 8192
#: Bytes that may arrive beyond those which they unpack to: empty blocks unpack to nothing for ever.
_SPARE: Final = 1024 * 1024

_FILES: Final = (b"0", b"\0")
_PAX: Final = b"x"


class ArchiveError(Exception):
    """This is not what the service writes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive; `pieces` has to be read to its end before the next member."""

    path: bytes
    size: int
    pieces: Iterator[bytes]


def members(pieces: Iterator[bytes]) -> Iterator[Member]:
    """Yield the files of a gzipped tar which arrives in `pieces`.

    Raises:
        ArchiveError
    """
    data = _Unpacked(pieces)
    path: bytes | None = None
    while (block := data.exactly(_BLOCK)) != _NOTHING:
        kind, size = _checked(block)
        if kind == _PAX and path is None and size <= _LONGEST_RECORDS:
            path = _path_of(data.exactly(size))
            data.exactly(-size % _BLOCK)
        elif kind in _FILES:
            yield Member(_text(block[:100]) if path is None else path, size, data.some(size))
            data.exactly(-size % _BLOCK)
            path = None
        else:
            raise ArchiveError(f"a member of type {kind!r}")


class _Unpacked:
    """What comes out of a gzip stream, a bounded piece at once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._steps = _steps(pieces)
        self._data = b""
        self._at = 0

    def exactly(self, size: int) -> bytes:
        return b"".join(self.some(size))

    def some(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes in pieces."""
        while size:
            if self._at == len(self._data):
                self._data, self._at = next(self._steps, b""), 0
                if not self._data:
                    raise ArchiveError("it is cut short")
            piece = self._data[self._at : self._at + size]
            self._at += len(piece)
            size -= len(piece)
            yield piece


def _steps(pieces: Iterator[bytes]) -> Iterator[bytes]:
    gzip = zlib.decompressobj(_GZIP)
    came, unpacked = 0, 0
    for piece in pieces:
        came += len(piece)
        rest = piece
        while rest:
            try:
                step = gzip.decompress(rest, _STEP)
            except zlib.error as error:
                raise ArchiveError(str(error)) from None
            rest = gzip.unconsumed_tail
            unpacked += len(step)
            if step:
                yield step
        if gzip.eof:
            return
        if came > unpacked + unpacked // 8 + _SPARE:
            raise ArchiveError("it hardly unpacks to anything")


def _checked(block: bytes) -> tuple[bytes, int]:
    """A header's type, and the size of what follows it."""
    blank = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if blank != _octal(block[148:156]):
        raise ArchiveError("a header's sum is wrong")
    return block[156:157], _octal(block[124:136])


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise ArchiveError("a number is none")
    return int(digits, 8)


def _path_of(records: bytes) -> bytes:
    """The path in a pax header which has that one record: `LENGTH path=PATH` and a line's end."""
    start = b"%d path=" % len(records)
    if not records.startswith(start) or not records.endswith(b"\n"):
        raise ArchiveError("a pax header with more than a path")
    return records[len(start) : -1]


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]
