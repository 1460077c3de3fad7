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
#: The fields of a file, from the first, that all files have.
_BEFORE_SWEEPS: Final = 9


def sums_text(files: Iterable[ReleaseFile]) -> bytes:
    """Return what `sha256sum` prints for these files, sorted by the bytes of their paths."""
    return b"".join(sums_line(file) for file in by_path(files))


def by_path(files: Iterable[ReleaseFile]) -> list[ReleaseFile]:
    """Return the files sorted by the bytes of their paths."""
    return sorted(files, key=lambda file: file.path.encode())


def sums_line(file: ReleaseFile) -> bytes:
    """Return the line of one file."""
    escaped = file.path.translate(_ESCAPES)
    mark = "\\" if escaped != file.path else ""
    return f"{mark}{file.sha256}  {escaped}\n".encode()


def release_digest(files: Iterable[ReleaseFile]) -> str:
    """Return the SHA-256 of `sums_text`, with its prefix."""
    return PREFIX + hashlib.sha256(sums_text(files)).hexdigest()


def provenance_id(files: Sequence[ReleaseFile]) -> str:
    """Return an id of the files and their origins; makings with the same ones share it."""
    rows = ", ".join(origin_text(file) for file in by_path(files))
    return hashlib.sha256(f"[{rows}]".encode()).hexdigest()


def origin_text(file: ReleaseFile) -> str:
    """Return the JSON text of a file and its origin, which provenance ids are made from."""
    values = list(dict(file).values())
    # Files without a sweep keep the ids that they had before there were sweeps.
    return json.dumps(values[:_BEFORE_SWEEPS] if file.sweep_id is None else values)


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
