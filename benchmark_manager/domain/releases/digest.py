r"""The digest of a release, which GNU coreutils can compute from its files.

Source: the manual of GNU coreutils, "md5sum invocation": a line is the checksum, a space, a space
    for text mode, the name and a newline. A name that contains a backslash, a newline or a carriage
    return is written with `\\`, `\n` and `\r`, and its line begins with a backslash.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from typing import Final

from benchmark_manager.errors import InvalidInputError, NotFoundError
from benchmark_manager.models.release import ReleaseFile

PREFIX: Final = "sha256:"
DIGITS: Final = 64
#: How many hex digits of a digest are enough to ask for a release.
SHORTEST: Final = 12

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r"})
_HEX: Final = re.compile(r"[0-9a-f]+")


def sums_text(files: Iterable[ReleaseFile]) -> bytes:
    """Return what `sha256sum` prints for these files, sorted by the bytes of their paths."""
    lines = (_line(file.path, file.sha256) for file in sorted(files, key=_path_bytes))
    return "".join(lines).encode()


def _path_bytes(file: ReleaseFile) -> bytes:
    return file.path.encode()


def _line(path: str, sha256: str) -> str:
    escaped = path.translate(_ESCAPES)
    mark = "\\" if escaped != path else ""
    return f"{mark}{sha256}  {escaped}\n"


def release_digest(files: Iterable[ReleaseFile]) -> str:
    """Return the SHA-256 of `sums_text`, with its prefix."""
    return PREFIX + hashlib.sha256(sums_text(files)).hexdigest()


def provenance_id(files: Sequence[ReleaseFile]) -> str:
    """Return an id of the files and their origins; makings with the same ones share it."""
    rows = [list(dict(file).values()) for file in sorted(files, key=_path_bytes)]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def is_whole(reference: str) -> bool:
    """Return whether the reference has all digits of a digest, so that it names one release."""
    return len(reference.removeprefix(PREFIX)) == DIGITS


def digest_digits(reference: str) -> str:
    """Return the hex digits of a reference to a release: all 64, or at least the first 12.

    The reference may have the prefix.

    Raises:
        InvalidInputError: `digest_too_short`.
        NotFoundError: no digest can begin with these characters.
    """
    digits = reference.removeprefix(PREFIX).lower()
    if len(digits) > DIGITS or _HEX.fullmatch(digits) is None:
        raise NotFoundError("release", reference)
    if len(digits) < SHORTEST:
        raise InvalidInputError(
            "digest_too_short", field="digest", limit=SHORTEST, count=len(digits)
        )
    return digits
