"""What releases hold, as far as comparing many of them takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


class FileContent(NamedTuple):
    """A content of a file: its blob id, its SHA-256, and its size in bytes.

    A tuple, as comparisons hold hundreds of thousands.
    """

    sha: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ReleaseContents:
    """A release's name, and its files by path.

    A cell of a sweep has the id of a list of files that it shares with others, its `base`, and only
    the files that replace some of those; any other release has all of its files, and no base.
    """

    digest: str
    name: str
    base: str | None
    files: Mapping[str, FileContent]
