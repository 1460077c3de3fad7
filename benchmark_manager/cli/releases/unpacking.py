"""Read a release's archive as it arrives, and accept only what the service writes.

`domain/releases/tar.py` writes it: regular files, some after a pax header with their path. Python's
tarfile accepts more than that, and keeps headers of any length in memory. Anything else ends the
archive, since files can also be requested one by one.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_BLOCK: Final = 512
_NOTHING: Final = bytes(_BLOCK)
_GZIP: Final = 16 + zlib.MAX_WBITS
#: Bytes that are unpacked at once.
_STEP: Final = 128 * 1024
#: A pax header with a path of 4,095 bytes is shorter.
_LONGEST_RECORDS: Final = 8192
#: Bytes that may arrive beyond those unpacked: empty blocks could arrive forever.
_SPARE: Final = 1024 * 1024

_FILES: Final = (b"0", b"\0")
_PAX: Final = b"x"


class ArchiveError(Exception):
    """The archive is not one that the service writes."""


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive; `pieces` must be read to the end before the next member."""

    path: bytes
    size: int
    pieces: Iterator[bytes]


def members(pieces: Iterator[bytes]) -> Iterator[Member]:
    """Yield the files of a gzipped tar that arrives in `pieces`.

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
    """The content of a gzip stream, unpacked in bounded pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._steps = _steps(pieces)
        self._data = b""
        self._at = 0

    def exactly(self, size: int) -> bytes:
        return b"".join(self.some(size))

    def some(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes in pieces."""
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
    arrived, unpacked = 0, 0
    for piece in pieces:
        arrived += len(piece)
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
        if arrived > unpacked + unpacked // 8 + _SPARE:
            raise ArchiveError("it unpacks to almost nothing")


def _checked(block: bytes) -> tuple[bytes, int]:
    """Return a header's type, and the size of the data after it."""
    blank = sum(block) - sum(block[148:156]) + 8 * ord(" ")
    if blank != _octal(block[148:156]):
        raise ArchiveError("a header's sum is wrong")
    return block[156:157], _octal(block[124:136])


def _octal(field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise ArchiveError("a number is not octal")
    return int(digits, 8)


def _path_of(records: bytes) -> bytes:
    """Return the path in a pax header that has only `LENGTH path=PATH` and a line end."""
    start = b"%d path=" % len(records)
    if not records.startswith(start) or not records.endswith(b"\n"):
        raise ArchiveError("a pax header with more than a path")
    return records[len(start) : -1]


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]
