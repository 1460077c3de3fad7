"""Archives which are the same to the byte wherever and whenever they are made.

Nothing is compressed: what a compressor writes depends on its version, and an archive whose
checksum somebody noted must still have it after years. So the length of an archive follows from its
names and sizes alone, and a reader who is told it beforehand notices one which was cut short.
"""

import re
from collections.abc import Iterable
from typing import Final, Protocol

from benchmark_manager.domain.releases.tar import TarGz
from benchmark_manager.domain.releases.zip import Zip
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.release import ArchiveFormat

#: Counts up whenever the bytes of archives change, which they should not.
ARCHIVE_EDITION: Final = 1
MEDIA_TYPES: Final[dict[ArchiveFormat, str]] = {
    "tar.gz": "application/gzip",
    "zip": "application/zip",
}

#: A backslash separates folders for some who unpack zip archives.
_SEPARATORS: Final = re.compile(r"[/\\]")
#: What a zip archive can say the length of.
_LONGEST: Final = 65_535


class Archive(Protocol):
    """An archive as it is written: bytes for each file in turn, then those of its end."""

    def add(self, path: str, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


def new_archive(archive_format: ArchiveFormat) -> Archive:
    return TarGz() if archive_format == "tar.gz" else Zip()


def archive_length(archive_format: ArchiveFormat, members: Iterable[tuple[str, int]]) -> int:
    """The bytes of an archive of files with these paths and sizes."""
    return TarGz.length(members) if archive_format == "tar.gz" else Zip.length(members)


def check_archivable(path: str) -> None:
    """Pass when no unpacking can leave its folder by this path, and both formats can hold it.

    Raises:
        InvalidInputError: `archive_path_unsafe`.
    """
    segments = _SEPARATORS.split(path)
    if "\0" in path or {"", ".", ".."} & set(segments) or len(path.encode()) > _LONGEST:
        raise InvalidInputError("archive_path_unsafe", path=path[:200])
