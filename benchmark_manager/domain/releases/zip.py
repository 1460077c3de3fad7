"""Write zip archives without compression.

Source: PKWARE's APPNOTE.TXT 6.3.10: 4.3.7 (local headers), 4.3.12 (central directory), 4.3.14 to
    4.3.16 (its end, and zip64), 4.4.4 bit 11 (names are UTF-8), 4.5.3 (zip64 extra field).
"""

import struct
import zlib
from collections.abc import Iterable
from typing import Final

from benchmark_manager.domain.releases.times import MS_DOS_DATE

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_END_64: Final = struct.Struct("<4sQ2H2I4Q")
_LOCATOR_64: Final = struct.Struct("<4sIQI")
_EXTRA_64: Final = struct.Struct("<2HQ")

_VERSION: Final = 20
_VERSION_64: Final = 45
_UNIX: Final = 3 << 8
_UTF_8: Final = 1 << 11
_STORED: Final = 0
#: A plain file of mode 0644, as Unix writes it.
_MODE: Final = 0o100644 << 16
_16_BITS: Final = 0xFFFF
_32_BITS: Final = 0xFFFF_FFFF


class Zip:
    """Writes a zip of plain files. Their directory stays in memory until the end."""

    def __init__(self, offset: int = 0) -> None:
        """`offset`: bytes that are before the archive in its file."""
        self._offset = offset
        self._count = 0
        self._directory = bytearray()

    def add(self, path: str, data: bytes) -> bytes:
        """Add a file; return its bytes."""
        name, crc = path.encode(), zlib.crc32(data)
        sizes = (crc, len(data), len(data))
        header = _LOCAL.pack(
            b"PK\3\4", _VERSION, _UTF_8, _STORED, 0, MS_DOS_DATE, *sizes, len(name), 0
        )
        self._directory += _central(name, sizes, self._offset)
        self._count += 1
        self._offset += len(header) + len(name) + len(data)
        return header + name + data

    def end(self) -> bytes:
        """End the archive; return its remaining bytes."""
        return bytes(self._directory) + _end(self._count, len(self._directory), self._offset)

    @staticmethod
    def length(members: Iterable[tuple[str, int]]) -> int:
        """Return how many bytes an archive of files with these paths and sizes has."""
        offset = count = directory = 0
        for path, size in members:
            name = path.encode()
            directory += len(_central(name, (0, 0, 0), offset))
            offset += _LOCAL.size + len(name) + size
            count += 1
        return offset + directory + len(_end(count, directory, offset))


def _central(name: bytes, sizes: tuple[int, int, int], offset: int) -> bytes:
    far = offset >= _32_BITS
    extra = _EXTRA_64.pack(1, 8, offset) if far else b""
    version = _VERSION_64 if far else _VERSION
    return (
        _CENTRAL.pack(
            *(b"PK\1\2", _UNIX | version, version, _UTF_8, _STORED, 0, MS_DOS_DATE),
            *(*sizes, len(name), len(extra), 0, 0, 0, _MODE, min(offset, _32_BITS)),
        )
        + name
        + extra
    )


def _end(count: int, directory: int, offset: int) -> bytes:
    """Return the end of the directory, with the records of zip64 where a number is too large."""
    end = _END.pack(
        *(b"PK\5\6", 0, 0, min(count, _16_BITS), min(count, _16_BITS)),
        *(min(directory, _32_BITS), min(offset, _32_BITS), 0),
    )
    if count < _16_BITS and directory < _32_BITS and offset < _32_BITS:
        return end
    rest = _END_64.size - 12
    return (
        _END_64.pack(
            *(b"PK\6\6", rest, _UNIX | _VERSION_64, _VERSION_64, 0, 0),
            *(count, count, directory, offset),
        )
        + _LOCATOR_64.pack(b"PK\6\7", 0, offset + directory, 1)
        + end
    )
