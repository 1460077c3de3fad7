"""Archives with the same bytes wherever and whenever they are made.

Nothing is compressed: the output of a compressor depends on its version, and the checksum of an
archive must stay the same for years. So the length of an archive follows from the names and sizes
of its files. It is sent first, so that a reader notices an archive that was cut short.
"""

import re
from collections.abc import Iterable
from typing import Final, Protocol

from benchmark_manager.domain.releases.tar import TarGz
from benchmark_manager.domain.releases.zip import Zip
from benchmark_manager.errors import InvalidInputError
from benchmark_manager.models.release import ArchiveFormat

#: To be increased whenever the bytes of archives change, which they should not.
ARCHIVE_EDITION: Final = 1
MEDIA_TYPES: Final[dict[ArchiveFormat, str]] = {
    "tar.gz": "application/gzip",
    "zip": "application/zip",
}

#: Some programs that unpack zip archives take a backslash as a separator of folders.
_SEPARATORS: Final = re.compile(r"[/\\]")
#: The longest path of a zip archive, in bytes.
_LONGEST: Final = 65_535


class ArchiveWriter(Protocol):
    """Writes an archive: returns the bytes of each file in turn, then those of its end."""

    def add(self, path: str, data: bytes) -> bytes: ...

    def end(self) -> bytes: ...


def new_archive(archive_format: ArchiveFormat) -> ArchiveWriter:
    """Return a writer for the format."""
    return TarGz() if archive_format == "tar.gz" else Zip()


def archive_length(archive_format: ArchiveFormat, members: Iterable[tuple[str, int]]) -> int:
    """Return how many bytes an archive of files with these paths and sizes has."""
    return TarGz.length(members) if archive_format == "tar.gz" else Zip.length(members)


def check_archivable(path: str) -> None:
    """Accept a path that cannot leave the folder of unpacking, and that both formats can have.

    Raises:
        InvalidInputError: `archive_path_unsafe`.
    """
    segments = _SEPARATORS.split(path)
    if "\0" in path or {"", ".", ".."} & set(segments) or len(path.encode()) > _LONGEST:
        raise InvalidInputError("archive_path_unsafe", path=path[:200])
