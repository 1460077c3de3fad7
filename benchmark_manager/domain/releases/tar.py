"""Write tar.gz archives without compression.

Sources: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Header Block"; RFC 1951, 3.2.4
    (stored blocks); RFC 1952.
"""

import struct
import zlib
from collections.abc import Iterable
from typing import Final

from benchmark_manager.domain.releases.times import SECONDS

_BLOCK: Final = 512
_NAME_BYTES: Final = 100
#: A tar ends with two blocks of zeros.
_TAR_END: Final = bytes(2 * _BLOCK)

#: Magic, deflate, no flags, no time, no hint about compression, unknown system.
_GZIP_HEADER: Final = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
_GZIP_TRAILER_BYTES: Final = 8
_STORED_BYTES: Final = 65_535
_STORED_HEADER_BYTES: Final = 5
_32_BITS: Final = 0xFFFF_FFFF


class TarGz:
    """Writes a tar of plain files of mode 0644 and owner 0, in stored blocks of gzip."""

    def __init__(self) -> None:
        self._begun = False
        self._rest = bytearray()
        self._crc = 0
        self._length = 0

    def add(self, path: str, data: bytes) -> bytes:
        """Add a file; return the bytes that are complete."""
        return self._packed(member_header(path, len(data)) + data + bytes(-len(data) % _BLOCK))

    def end(self) -> bytes:
        """End the archive; return its remaining bytes."""
        packed = self._packed(_TAR_END)
        last = _stored(bytes(self._rest), final=True)
        return packed + last + struct.pack("<II", self._crc, self._length & _32_BITS)

    def _packed(self, data: bytes) -> bytes:
        self._crc = zlib.crc32(data, self._crc)
        self._length += len(data)
        self._rest += data
        packed = bytearray() if self._begun else bytearray(_GZIP_HEADER)
        self._begun = True
        # The last block is marked as such, so the rest is written at the end.
        while len(self._rest) > _STORED_BYTES:
            packed += _stored(bytes(self._rest[:_STORED_BYTES]), final=False)
            del self._rest[:_STORED_BYTES]
        return bytes(packed)

    @staticmethod
    def length(members: Iterable[tuple[str, int]]) -> int:
        """Return how many bytes an archive of files with these paths and sizes has."""
        tar = len(_TAR_END) + sum(
            len(member_header(path, size)) + size + -size % _BLOCK for path, size in members
        )
        blocks = -(-tar // _STORED_BYTES)
        return len(_GZIP_HEADER) + tar + blocks * _STORED_HEADER_BYTES + _GZIP_TRAILER_BYTES


def _stored(data: bytes, *, final: bool) -> bytes:
    return struct.pack("<BHH", final, len(data), len(data) ^ 0xFFFF) + data


def member_header(path: str, size: int) -> bytes:
    """Return the header blocks of a file, with a pax header for a name that ustar cannot have."""
    name = path.encode()
    if name.isascii() and len(name) <= _NAME_BYTES:
        return _ustar(name, size, b"0")
    record = _pax_record(b"path", name)
    # Readers without pax use this name: cut, but inside their folder.
    plain = path.encode("ascii", "replace").replace(b"/", b"_")[-_NAME_BYTES:]
    extended = _ustar(b"PaxHeader", len(record), b"x") + record + bytes(-len(record) % _BLOCK)
    return extended + _ustar(plain, size, b"0")


def _pax_record(key: bytes, value: bytes) -> bytes:
    r"""Return `LENGTH KEY=VALUE\n`, where LENGTH counts its own digits."""
    rest = b" %s=%s\n" % (key, value)
    length = len(rest)
    while (whole := len(rest) + len(str(length))) != length:
        length = whole
    return b"%d%s" % (length, rest)


def _ustar(name: bytes, size: int, kind: bytes) -> bytes:
    fields = (
        name,
        b"0000644\0",
        b"0000000\0",
        b"0000000\0",
        b"%011o\0" % size,
        b"%011o\0" % SECONDS,
    )
    tail = (kind, b"", b"ustar\0", b"00", b"", b"", b"0000000\0", b"0000000\0", b"")
    checksum = sum(_HEADER.pack(*fields, b" " * 8, *tail))
    return _HEADER.pack(*fields, b"%06o\0 " % checksum, *tail)


_HEADER: Final = struct.Struct("100s8s8s8s12s12s8sc100s6s2s32s32s8s8s167s")
