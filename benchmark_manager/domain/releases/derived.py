"""Digests of many releases that differ from one list of files in a few files each.

What is before the first replaced file is hashed once for all of them.
"""

import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmark_manager.domain.releases.digest import PREFIX, by_path, origin_text, sums_line
from benchmark_manager.models.release import ReleaseFile

if TYPE_CHECKING:
    from hashlib import _Hash


@dataclass(frozen=True, slots=True)
class DerivedRelease:
    """What identifies a list with replacements; `size` is the bytes of all files."""

    digest: str
    provenance: str
    files_count: int
    size: int


class BaseList:
    """A list of files, from which releases are derived by replacing some of them."""

    def __init__(self, files: Sequence[ReleaseFile]) -> None:
        self._files = by_path(files)
        self._positions = {file.path: number for number, file in enumerate(self._files)}
        self._sums = _Parts(map(sums_line, self._files))
        self._origins = _Parts(
            itertools.chain(map(_origin_part, itertools.count(), self._files), [b"]"])
        )
        self._size = sum(file.size for file in files)

    @property
    def provenance(self) -> str:
        """The id of the files and their origins, as nothing is replaced."""
        return self._origins.sha256({})

    def with_replacements(self, replacements: Sequence[ReleaseFile]) -> DerivedRelease:
        """Return what identifies the list in which these files replace those at their paths.

        Raises:
            KeyError: the list has no file at one of the paths.
        """
        replaced = {self._positions[file.path]: file for file in replacements}
        sums = {number: sums_line(file) for number, file in replaced.items()}
        origins = {number: _origin_part(number, file) for number, file in replaced.items()}
        grown = sum(file.size - self._files[number].size for number, file in replaced.items())
        return DerivedRelease(
            digest=PREFIX + self._sums.sha256(sums),
            provenance=self._origins.sha256(origins),
            files_count=len(self._files),
            size=self._size + grown,
        )


def with_replacements(
    files: Iterable[ReleaseFile], replacements: Iterable[ReleaseFile]
) -> list[ReleaseFile]:
    """Return the files, each replaced by the replacement at its path if there is one."""
    replaced = {file.path: file for file in replacements}
    return [replaced.get(file.path, file) for file in files]


def _origin_part(number: int, file: ReleaseFile) -> bytes:
    return f"{', ' if number else '['}{origin_text(file)}".encode()


class _Parts:
    """A long text in parts, some of which may be replaced before it is hashed."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        listed = list(parts)
        self._text = memoryview(b"".join(listed))
        self._ends = list(itertools.accumulate(map(len, listed), initial=0))
        self._begun: dict[int, _Hash] = {}

    def sha256(self, replaced: Mapping[int, bytes]) -> str:
        """Return the hash of the text with these parts, by their numbers, replaced."""
        numbers = sorted(replaced)
        at = self._ends[numbers[0]] if numbers else 0
        hashed = self._begun_to(at).copy()
        for number in numbers:
            hashed.update(self._text[at : self._ends[number]])
            hashed.update(replaced[number])
            at = self._ends[number + 1]
        hashed.update(self._text[at:])
        return hashed.hexdigest()

    def _begun_to(self, end: int) -> "_Hash":
        if end not in self._begun:
            self._begun[end] = hashlib.sha256(self._text[:end])
        return self._begun[end]
