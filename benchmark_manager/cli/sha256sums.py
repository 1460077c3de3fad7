r"""SHA256SUMS as a client reads it: which files a release has, and the text whose SHA-256 is its digest.

`domain/release_digest.py` writes it and says whence its form is. This is the other end of the wire, which knows
nothing of the service: what is read may have been written by anybody.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from typing import Final

from benchmark_manager.cli.failures import CommandError

_LINE: Final = re.compile(r"(?P<mark>\\?)(?P<sha256>[0-9a-f]{64})  (?P<path>[^\n\r]+)")
_ESCAPED: Final = re.compile(r"\\(.?)")
_MEANINGS: Final = {"\\": "\\", "n": "\n", "r": "\r"}
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})


def digits_of(sums: bytes) -> str:
    """The hex digits of the digest of the release which these sums are."""
    return hashlib.sha256(sums).hexdigest()


def write_sums(files: Mapping[str, str]) -> bytes:
    """The text for SHA-256s by path."""
    return "".join(_line(path, files[path]) for path in sorted(files, key=str.encode)).encode()


def _line(path: str, sha256: str) -> str:
    escaped = path.translate(_ESCAPES)
    mark = "\\" if escaped != path else ""
    return f"{mark}{sha256}  {escaped}\n"


def read_sums(sums: bytes) -> dict[str, str]:
    """SHA-256s by path. Every path names a place inside of a folder, and none twice.

    Raises:
        CommandError: `release_unreadable`, or `path_unsafe`.
    """
    try:
        lines = sums.decode().split("\n")
    except UnicodeDecodeError:
        raise _unreadable("it is not UTF-8") from None
    if lines.pop() != "":
        raise _unreadable("its last line has no end")
    files: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        path = None if match is None else _unescaped(match["path"], escaped=bool(match["mark"]))
        if match is None or path is None or path in files:
            raise _unreadable(f"line {number} is no checksum of a further file")
        if not is_inside(path):
            raise CommandError(f"The release has a file '{path}', which would be written elsewhere.", "path_unsafe")
        files[path] = match["sha256"]
    return files


def _unescaped(path: str, *, escaped: bool) -> str | None:
    if not escaped:
        return path
    if any(found not in _MEANINGS for found in _ESCAPED.findall(path)):
        return None
    return _ESCAPED.sub(lambda match: _MEANINGS[match[1]], path)


def is_inside(path: str, *, separators: str = os.sep + (os.altsep or ""), drives: bool = os.name == "nt") -> bool:
    """Whether a path leads to a place below the folder at which it begins, on this system."""
    parts = path.split("/")
    foreign = separators.replace("/", "") + (":" if drives else "") + "\0"
    return not any(part in {"", ".", ".."} or any(c in part for c in foreign) for part in parts)


def _unreadable(reason: str) -> CommandError:
    return CommandError(f"The release's SHA256SUMS cannot be read: {reason}.", "release_unreadable")
