"""Renames of files that changed on the way, found as git finds them.

Sources: git's diffcore-delta.c (how alike two contents are) and diffcore-rename.c (which pairs
    count): contents are cut into lines, or pieces of 64 bytes, and what both have in common is held
    to the larger one's size. A pair counts from 50 % on; first, with 75 %, the only two files of
    one base name; then the most similar pair, then the next. Git compares hashes of pieces modulo
    107,927, so its score can be higher by a piece or two, and before 2.44 it left out a last line
    without an end. As in git, no more than a thousand times a thousand files are compared.
"""

import re
import zlib
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from benchmark_manager.domain.sync.tree_changes import StoredFile, UpstreamFile

#: Git's scale: this is equality.
MAX_SCORE: Final = 60_000
_LEAST: Final = MAX_SCORE // 2
_LEAST_OF_ONE_NAME: Final = _LEAST + (MAX_SCORE - _LEAST) // 2
#: Pairs that are compared at most, and contents that are read for it, bytes.
_MOST_PAIRS: Final = 1000 * 1000
_MOST_BYTES: Final = 32 * 1024 * 1024
#: Pairs of equal pieces in all comparisons of a sync, in those of one added file, and in one task
#: of a worker.
_MOST_MEETINGS: Final = 20_000_000
_MOST_OF_ONE: Final = 4_000_000
MEETINGS_AT_ONCE: Final = 2_000_000
#: Of each added file, the most similar removed ones are remembered.
_KEPT: Final = 4

_PIECE: Final = re.compile(rb"[^\n]{0,63}\n|[^\n]{1,64}")

Digest = tuple[int, bytes, bytes]
"""A content's size, the numbers of its different pieces, and the bytes that each takes in all.

The numbers are 4-byte integers. It is a tuple, as thousands of them go to worker processes.
"""
Pair = tuple[StoredFile, UpstreamFile]
FileT = TypeVar("FileT", StoredFile, UpstreamFile)


def digest(data: bytes) -> Digest:
    """Return what a comparison needs of a content."""
    lengths: dict[int, int] = {}
    # Git ignores CR before LF in texts, and an original is never binary.
    for piece in _PIECE.findall(data.replace(b"\r\n", b"\n")):
        number = zlib.crc32(piece)
        lengths[number] = lengths.get(number, 0) + len(piece)
    return len(data), array("I", lengths).tobytes(), array("I", lengths.values()).tobytes()


def similarity(one: Digest, other: Digest) -> int:
    """Return how alike two contents are, from 0 to `MAX_SCORE`."""
    if not may_be_similar(one[0], other[0]):
        return 0
    mine = dict(zip(_numbers(one[1]), _numbers(one[2]), strict=True))
    both = sum(
        min(mine[number], length)
        for number, length in zip(_numbers(other[1]), _numbers(other[2]), strict=True)
        if number in mine
    )
    return both * MAX_SCORE // max(one[0], other[0])


def similarities(pairs: Sequence[tuple[Digest, Digest]]) -> list[int]:
    """Return how alike the contents of each pair are."""
    return [similarity(one, other) for one, other in pairs]


def may_be_similar(one: int, other: int) -> bool:
    """Return whether contents of these sizes can be similar enough."""
    small, large = sorted((one, other))
    return small > 0 and large * (MAX_SCORE - _LEAST) >= (large - small) * MAX_SCORE


def best_matches(
    sources: Sequence[Digest], targets: Sequence[Digest], same_name: Sequence[Sequence[int]]
) -> list[list[tuple[int, int]]]:
    """Return for each target its most similar sources, the best first, as (score, index).

    `same_name` are for each target the sources with its base name: they come first among equals.
    """
    holders: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for index, (_, numbers, lengths) in enumerate(sources):
        for number, length in zip(_numbers(numbers), _numbers(lengths), strict=True):
            holders[number].append((index, length))
    return [
        _best(sources, target, set(names), holders)
        for target, names in zip(targets, same_name, strict=True)
    ]


def _best(
    sources: Sequence[Digest],
    target: Digest,
    same_name: set[int],
    holders: Mapping[int, list[tuple[int, int]]],
) -> list[tuple[int, int]]:
    both = [0] * len(sources)
    for number, length in zip(_numbers(target[1]), _numbers(target[2]), strict=True):
        for index, other in holders.get(number, ()):
            # Much faster than min().
            both[index] += other if other < length else length  # noqa: FURB136
    scores = (
        (both[index] * MAX_SCORE // max(size, target[0], 1), index)
        for index, (size, _, _) in enumerate(sources)
    )
    good = [(score, index) for score, index in scores if score >= _LEAST and sources[index][0]]
    return sorted(good, key=lambda found: (-found[0], found[1] not in same_name, found[1]))[:_KEPT]


def _numbers(data: bytes) -> "array[int]":
    numbers = array("I")
    numbers.frombytes(data)
    return numbers


@dataclass(frozen=True, slots=True)
class RenameComparison:
    """Removed and added files of one type and format, each of which may be any of the others."""

    removed: tuple[StoredFile, ...]
    added: tuple[UpstreamFile, ...]

    def slices(
        self, digests: Mapping[str, Digest], most_meetings: int = _MOST_MEETINGS
    ) -> list[list[UpstreamFile]]:
        """Return the added files in parts for one task each, without those that take too long."""
        counts: Counter[int] = Counter()
        for old in self.removed:
            counts.update(_numbers(digests[old.sha][1]))
        parts: list[list[UpstreamFile]] = [[]]
        total = in_part = 0
        for new in self.added:
            meetings = sum(counts[number] for number in _numbers(digests[new.sha][1]))
            if meetings > _MOST_OF_ONE or total + meetings > most_meetings:
                continue
            if in_part + meetings > MEETINGS_AT_ONCE and parts[-1]:
                parts.append([])
                in_part = 0
            parts[-1].append(new)
            total, in_part = total + meetings, in_part + meetings
        return [part for part in parts if part]

    def same_name(self, added: Iterable[UpstreamFile]) -> list[list[int]]:
        """Return for each of these files the positions of the removed ones with its base name."""
        by_name: dict[str, list[int]] = defaultdict(list)
        for index, old in enumerate(self.removed):
            by_name[base_name(old.path)].append(index)
        return [by_name.get(base_name(new.path), []) for new in added]


class RenameSearch:
    """Finds which removed files became which added ones; its caller compares the contents.

    First `of_one_name`, whose scores `take_scores` takes; then `comparisons`, whose matches
    `take_matches` takes.
    """

    def __init__(self, removed: Iterable[StoredFile], added: Iterable[UpstreamFile]) -> None:
        self._removed = {old.path: old for old in sorted(removed, key=lambda old: old.path)}
        self._added = {new.path: new for new in sorted(added, key=lambda new: new.path)}
        self._bytes_left = _MOST_BYTES
        self._read: set[str] = set()
        self.pairs: list[Pair] = []

    def of_one_name(self) -> list[Pair]:
        """Return the pairs of files that alone have their base name."""
        removed, added = _alone(self._removed.values()), _alone(self._added.values())
        pairs = [(old, added[name]) for name, old in removed.items() if name in added]
        return [
            pair for pair in pairs if _kind(pair[0]) == _kind(pair[1]) and self._may_read(*pair)
        ]

    def take_scores(self, pairs: Iterable[Pair], scores: Iterable[int]) -> None:
        """Take how alike the pairs are."""
        for pair, score in zip(pairs, scores, strict=True):
            if score >= _LEAST_OF_ONE_NAME:
                self._take(pair)

    def comparisons(self) -> list[RenameComparison]:
        """Return which of the other files to compare; none where they are too many."""
        removed, added = _by_kind(self._removed.values()), _by_kind(self._added.values())
        kinds = [kind for kind in removed if kind in added]
        found: list[RenameComparison] = []
        pairs_left = _MOST_PAIRS
        for kind in kinds:
            pairs_left -= len(removed[kind]) * len(added[kind])
            if pairs_left < 0:
                return found
            comparison = _of_fitting_sizes(removed[kind], added[kind])
            if comparison.removed and self._may_read_all(comparison):
                found.append(comparison)
        return found

    def take_matches(
        self,
        comparison: RenameComparison,
        added: Sequence[UpstreamFile],
        matches: Sequence[Sequence[tuple[int, int]]],
    ) -> None:
        """Take the best matches of a comparison's added files: the most similar pair counts."""
        same_name = [set(names) for names in comparison.same_name(added)]
        order = sorted(
            (-score, index not in same_name[position], position, rank, index)
            for position, found in enumerate(matches)
            for rank, (score, index) in enumerate(found)
        )
        for _, _, position, _, index in order:
            pair = comparison.removed[index], added[position]
            if pair[0].path in self._removed and pair[1].path in self._added:
                self._take(pair)

    def _take(self, pair: Pair) -> None:
        self.pairs.append(pair)
        del self._removed[pair[0].path]
        del self._added[pair[1].path]

    def _may_read(self, old: StoredFile, new: UpstreamFile) -> bool:
        return may_be_similar(old.size, new.size) and self._afford(
            {old.sha: old.size, new.sha: new.size}
        )

    def _may_read_all(self, comparison: RenameComparison) -> bool:
        sizes = {old.sha: old.size for old in comparison.removed}
        return self._afford(sizes | {new.sha: new.size for new in comparison.added})

    def _afford(self, sizes: Mapping[str, int]) -> bool:
        cost = sum(size for sha, size in sizes.items() if sha not in self._read)
        if cost > self._bytes_left:
            return False
        self._bytes_left -= cost
        self._read |= sizes.keys()
        return True


def base_name(path: str) -> str:
    return path.rpartition("/")[2]


def _kind(file: StoredFile | UpstreamFile) -> tuple[str, str]:
    return file.file_type, "json" if file.path.lower().endswith(".json") else "yaml"


def _alone(files: Iterable[FileT]) -> dict[str, FileT]:
    """Return the files whose base name no other file has, by that name."""
    by_name: dict[str, list[FileT]] = defaultdict(list)
    for file in files:
        by_name[base_name(file.path)].append(file)
    return {name: named[0] for name, named in by_name.items() if len(named) == 1}


def _by_kind(files: Iterable[FileT]) -> dict[tuple[str, str], list[FileT]]:
    by_kind: dict[tuple[str, str], list[FileT]] = defaultdict(list)
    for file in files:
        by_kind[_kind(file)].append(file)
    return by_kind


def _of_fitting_sizes(
    removed: Sequence[StoredFile], added: Sequence[UpstreamFile]
) -> RenameComparison:
    """Leave out files which are similar to none of the others by their sizes."""
    old_sizes, new_sizes = sorted(old.size for old in removed), sorted(new.size for new in added)
    return RenameComparison(
        tuple(old for old in removed if _fits(old.size, new_sizes)),
        tuple(new for new in added if _fits(new.size, old_sizes)),
    )


def _fits(size: int, others: Sequence[int]) -> bool:
    at = bisect_left(others, size)
    return any(may_be_similar(size, other) for other in others[max(0, at - 1) : at + 1])
