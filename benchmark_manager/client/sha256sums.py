"""Read and write SHA256SUMS: the list of a release's files, whose SHA-256 is the digest.

`domain/releases/digest.py` writes it in the service and documents its form. This module shares no
code with it and trusts no text that it reads: any server may have written it.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from benchmark_manager.client.errors import ReleaseContentError

#: SHA-256s by path, both as bytes: as text, one unusual letter makes a path four times as large.
Sums: TypeAlias = dict[bytes, bytes]

#: Limits of a list: bytes, files, folders, and bytes of all its folders' paths.
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_FILES: Final = 100_000
_MAX_FOLDERS: Final = 100_000
_MAX_FOLDER_BYTES: Final = 16 * 1024 * 1024
#: Limits of Linux for a path and for its parts; and of nested folders, since Python removes these
#: by recursion.
_LONGEST_PATH: Final = 4095
_LONGEST_PART: Final = 255
MAX_PARTS: Final = 100

_LINE: Final = re.compile(rb"(?P<mark>\\?)(?P<sha256>[0-9a-f]{64})  (?P<path>[^\n\r]+)")
_ESCAPED: Final = re.compile(rb"\\(.?)")
_MEANINGS: Final = {b"\\": b"\\", b"n": b"\n", b"r": b"\r"}
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
#: https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
_NOT_ON_WINDOWS: Final = re.compile(
    r'[\x00-\x1f<>:"|?*\\]|[. ]$|^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³]) *(\.|$)',
    re.IGNORECASE,
)


def digits_of(sums: bytes) -> str:
    """Return the hex digits of the digest of the release with these sums."""
    return hashlib.sha256(sums).hexdigest()


def write_sums(files: Mapping[str, str]) -> bytes:
    """Return the text for SHA-256s by path."""
    return "".join(_line(path, files[path]) for path in sorted(files, key=str.encode)).encode()


def _line(path: str, sha256: str) -> str:
    escaped = path.translate(_ESCAPES)
    mark = "\\" if escaped != path else ""
    return f"{mark}{sha256}  {escaped}\n"


def read_sums(sums: bytes) -> Sums:
    """Return SHA-256s by path, in the order of the paths.

    Every path stays inside the folder that it is relative to; none occurs twice, or is the folder
    of another one.

    Raises:
        ReleaseContentError: `release_unreadable`, `path_unsafe` or `release_too_large`.
    """
    if sums and not sums.endswith(b"\n"):
        raise _unreadable("its last line has no end")
    files: Sums = {}
    folders = _Folders()
    before = b""
    for number, line in enumerate(_lines(sums), 1):
        if number > MAX_FILES:
            raise too_large(f"over {MAX_FILES} files")
        match = _LINE.fullmatch(line)
        path = None if match is None else _unescaped(match["path"], escaped=bool(match["mark"]))
        # The list is sorted by the bytes of its paths, so a path that occurs twice follows itself.
        if match is None or path is None or path <= before:
            raise _unreadable(f"line {number} is not the checksum of another file")
        _check_path(path, number)
        if any(folder in files for folder in folders.new(path)):
            raise _unreadable(f"line {number} needs a folder where a file is")
        files[path] = bytes.fromhex(match["sha256"].decode())
        before = path
    return files


def _lines(sums: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(sums):
        end = sums.index(b"\n", start)
        yield sums[start:end]
        start = end + 1


def _unescaped(path: bytes, *, escaped: bool) -> bytes | None:
    if not escaped:
        return path
    if any(found not in _MEANINGS for found in _ESCAPED.findall(path)):
        return None
    return _ESCAPED.sub(lambda match: _MEANINGS[match[1]], path)


def _check_path(path: bytes, number: int) -> None:
    try:
        text = path.decode()
    except UnicodeDecodeError:
        raise _unreadable(f"line {number} is not UTF-8") from None
    parts = path.split(b"/")
    if len(path) > _LONGEST_PATH or len(parts) > MAX_PARTS or max(map(len, parts)) > _LONGEST_PART:
        raise ReleaseContentError(
            f"The path in line {number} of the release is longer than systems allow.", "path_unsafe"
        )
    if not is_inside(text):
        raise ReleaseContentError(
            f"The release has a file '{text}', which would be written outside its folder.",
            "path_unsafe",
        )


class _Folders:
    """The folders of sorted paths, in which the files of a folder follow each other."""

    def __init__(self) -> None:
        self._before = b""
        self._count = 0
        self._bytes = 0

    def new(self, path: bytes) -> list[bytes]:
        """Return the paths of those folders of the next path that no path before it had.

        Raises:
            ReleaseContentError: `release_too_large`.
        """
        found: list[bytes] = []
        end = path.rfind(b"/")
        while end > 0 and not self._before.startswith(path[: end + 1]):
            found.append(path[:end])
            end = path.rfind(b"/", 0, end)
        self._before = path
        self._count += len(found)
        self._bytes += sum(map(len, found))
        if self._count > _MAX_FOLDERS or self._bytes > _MAX_FOLDER_BYTES:
            raise too_large(f"over {_MAX_FOLDERS} folders, or too deep ones")
        return found


def is_inside(path: str, *, windows: bool = os.name == "nt") -> bool:
    """Return whether a path stays below the folder that it is relative to, on this system.

    On Windows, paths with other separators, drives, streams, devices such as `NUL`, and names that
    Windows would shorten do not.
    """
    parts = path.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        return False
    return not (windows and any(_NOT_ON_WINDOWS.search(part) for part in parts))


def too_large(what: str) -> ReleaseContentError:
    return ReleaseContentError(
        f"The release has {what}, which is more than pull takes.", "release_too_large"
    )


def _unreadable(reason: str) -> ReleaseContentError:
    return ReleaseContentError(
        f"The release's SHA256SUMS cannot be read: {reason}.", "release_unreadable"
    )
